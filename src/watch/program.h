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
 * Limits:    program_left_max of what it leaves behind are counted, program_loss_max of them that
 *            a signal ended wait to be looked at.
 */
#ifndef WATCH_PROGRAM_H
#define WATCH_PROGRAM_H

#include "base/text.h"
#include "watch/signals.h"

#include <sys/types.h>

enum { program_left_max = 256, program_loss_max = 16 };

enum program_outcome {
        PROGRAM_MISSING = 1, /* status 127 */
        PROGRAM_DENIED,      /* status 126 */
};

/* A process that the program left behind, and that a signal has ended. */
struct program_loss {
        pid_t pid;
        int wait_status;
};

struct program {
        char *const *argv;
        const char *name; /* last part of argv[0] */
        pid_t pid;
        bool has_ended;
        int wait_status;              /* as waitpid() gave it, once it has ended */
        pid_t left[program_left_max]; /* as program_find_left() found them */
        size_t left_count;
        struct program_loss losses[program_loss_max];
        size_t loss_count;
};

struct program_order {
        char *const *argv;
        const char *directory; /* its TOCSIN_DIR */
        const char *preload;   /* stands first in its LD_PRELOAD; NULL: leaves that alone */
        int error_fd;          /* its standard error; -1: ours */
        const char *name; /* that of argv[0] of what is meant, if a launcher stands before it */
        int (*enter)(void *context); /* in the child, before exec; async-signal-safe. NULL: none */
        void *context;
        const struct signals *signals;
};

int program_start(struct program *program, const struct program_order *order, struct text *why);

/* Collects what has ended, the program among it or not. SIGKILL counts as a loss only for what
 * program_find_left() had found: alert commands are ended by it, with all that they started. */
void program_reap(struct program *program);

/* Fills `left` with what it left behind, alert commands' leavings aside; returns how many. */
size_t program_find_left(struct program *program);

/* As a shell sees it: the exit status, or 128 and the signal. */
int program_status(const struct program *program);

/* The signal that ended it, 0: none. */
int program_signal(const struct program *program);

#endif
