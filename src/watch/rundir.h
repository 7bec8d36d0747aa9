/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rundir.h - the directory of one run, where the program's processes put their segments, and the
 * doorbell in it.
 *
 *         BASE/run-Ab12Cd/            mode 0700, handed to the program as TOCSIN_DIR
 *         BASE/run-Ab12Cd/bell        a datagram socket: "look now"
 *         BASE/run-Ab12Cd/PID-X.seg   made by the program's processes
 *         BASE/run-Ab12Cd/outbox.db   made by us
 *
 * BASE is what --dir says; else $TOCSIN_DIR; else the first that can be had of
 * $XDG_RUNTIME_DIR/tocsin, /run/tocsin, /dev/shm/tocsin-UID. It must be ours, not writable by
 * others, no link, and on tmpfs (what --dir names may lie elsewhere; then is_slow).
 *
 * Ownership: the struct owns its descriptors. Threads: one. Limits: the path of the bell must fit a
 * socket address, 107 bytes.
 * Errors:    -errno, and `why` gets a sentence that says what to do.
 */
#ifndef WATCH_RUNDIR_H
#define WATCH_RUNDIR_H

#include "base/text.h"

enum { rundir_path_max = 100 };

struct rundir {
        struct text path; /* of the run's directory, absolute */
        int base_fd;
        int fd;
        int bell;
        bool is_slow; /* not on tmpfs: programs refuse to put segments there */
};

#define RUNDIR_NULL                                                          \
        {                                                                    \
                .path = TEXT_INIT(4096), .base_fd = -1, .fd = -1, .bell = -1 \
        }

/* asked: --dir, or NULL. */
int rundir_open(struct rundir *dir, const char *asked, struct text *why);

/* "run-Ab12Cd" */
const char *rundir_name(const struct rundir *dir);

/* Removes it with all that is in it; or keeps it, and closes only. 0 or -errno of removing. */
int rundir_close(struct rundir *dir, bool is_kept);

#endif
