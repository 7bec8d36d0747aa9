/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relock.h - who has been woken from a condition and waits for its mutex again.
 *
 * libc takes that mutex inside pthread_cond_wait(), where nobody stands in front of it. The kernel
 * knows: the futex at which the thread sleeps is then the mutex, and the condition before. So
 * /proc/PID/task/TID/syscall is asked, while somebody holds the mutex, and a thread that is found
 * there is shown as what it has become, one that waits for a mutex; as a new wait, for it was no
 * fault to wait for the condition. It does not go back: the answer holds until the wait ends.
 *
 * Units: none. Ownership: none. Threads: one. Errors: where the kernel does not say it, the wait
 *        stays one for a condition. Limits: relock_asks_max threads a glance, others at the next.
 */
#ifndef WATCH_RELOCK_H
#define WATCH_RELOCK_H

#include "watch/picture.h"

enum { relock_asks_max = 32 };

struct relock {
        struct {
                uint64_t number; /* of the wait */
                bool is_woken;
        } waits[INSIDE_THREADS_MAX]; /* by page */
        uint32_t next;               /* thread of the picture that is to be asked first */
};

/* Before any analyser looks at the picture; each 100 ms. */
void relock_glance(struct relock *relock, struct picture *picture);

#endif
