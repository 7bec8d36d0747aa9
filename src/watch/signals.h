/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals.h - signals as bytes to be read: none interrupts the watcher, and none is lost on the
 * program.
 *
 * Ownership: the struct owns the descriptor; the mask stays as it is set here, for all threads that
 * are started later. Threads: called before there are others. Errors: -errno. Limits: none.
 */
#ifndef WATCH_SIGNALS_H
#define WATCH_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

struct signals {
        int fd;
        sigset_t inherited;            /* the mask the program gets */
        struct sigaction child_action; /* and what it is to do with SIGCHLD */
};

struct signals_one {
        int number;
        bool is_from_terminal; /* then the program has got it as well */
};

int signals_open(struct signals *signals);
void signals_close(struct signals *signals);

/* The next one; false: none is there. */
bool signals_take(struct signals *signals, struct signals_one *ret_signal);

/* In the child, before exec: all as it was. */
void signals_restore(const struct signals *signals);

#endif
