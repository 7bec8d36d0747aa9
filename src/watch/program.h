/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.h - the program that is watched, from exec to its status.
 *
 * It stays in our process group and on our terminal, so that Ctrl-C, Ctrl-Z and fg work as without
 * us; what it leaves behind becomes our child (PR_SET_CHILD_SUBREAPER).
 *
 * Ownership: argv is borrowed. Threads: the one that starts it must be the main one, whose children
 * alone are looked at: other threads have children of their own (receivers).
 * Errors:    -errno when we failed; enum program_outcome when the program did; `why` gets a
 *            sentence that says what to do.
 * Limits:    program_children_max of what it leaves behind are counted.
 */
#ifndef WATCH_PROGRAM_H
#define WATCH_PROGRAM_H

#include "base/text.h"
#include "watch/signals.h"

#include <sys/types.h>

enum { program_children_max = 256 };

enum program_outcome {
        PROGRAM_MISSING = 1, /* status 127 */
        PROGRAM_DENIED,      /* status 126 */
};

struct program {
        char *const *argv;
        const char *name; /* last part of argv[0] */
        pid_t pid;
        bool has_ended;
        int wait_status; /* as waitpid() gave it, once it has ended */
};

/* error_fd becomes its standard error, -1: ours. directory becomes its TOCSIN_DIR. */
int program_start(struct program *program, char *const *argv, const char *directory, int error_fd,
                  const struct signals *signals, struct text *why);

/* Collects what has ended, the program among it or not. */
void program_reap(struct program *program);

/* Processes it left behind, alert commands' leavings aside. */
size_t program_children(pid_t ret_pids[program_children_max]);

/* As a shell sees it: the exit status, or 128 and the signal. */
int program_status(const struct program *program);

/* The signal that ended it, 0: none. */
int program_signal(const struct program *program);

#endif
