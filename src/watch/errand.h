/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errand.h - work in the memory or the files of a program that may never let go of whoever asks: a
 * page that userfaultfd or FUSE serves blocks its reader in the kernel until the program likes.
 *
 *         struct errand *errand = NULL;
 *         int failed = errand_new(work, state, free, &errand);
 *         if (!failed && errand_wait(errand, 200 * CLOCK_MS_NS))
 *                 ... state is ours to read ...
 *         errand_leave(&errand);  // frees state, or the thread does when it comes back
 *
 * A thread does the work, because where Yama guards ptrace a child of ours might not look at other
 * children. Nothing waits for a thread that is left; the end of the watcher ends it.
 *
 * Ownership: the state is the errand's; the work touches nothing else and holds no lock while it
 * may block. Threads: one asks. Errors: -ENOMEM, -EAGAIN; -EBUSY: too many have not come back; the
 * state stays the caller's then. Limits: errand_max threads at once, of all that are watched.
 */
#ifndef WATCH_ERRAND_H
#define WATCH_ERRAND_H

#include "base/base.h"
#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum { errand_max = 4 };

struct errand;

int errand_new(void (*work)(void *state), void *state, void (*state_free)(void *state),
               struct errand **ret_errand);

/* Whether the work is done; waits for that at most so long. */
bool errand_wait(struct errand *errand, uint64_t time_max_ns);

void errand_leave(struct errand **errand); /* NULL is none */

/* How many threads there are. */
unsigned errand_running(void);

#endif
