/* SPDX-License-Identifier: Apache-2.0 */
/* lock_wait.h - a wait for a condition, from the moment the mutex is given up to the one it is held
 * again. Threads: its own. Errors: none. */
#ifndef INSIDE_LOCK_WAIT_H
#define INSIDE_LOCK_WAIT_H

#include "inside/lock.h"

#pragma GCC visibility push(hidden)

struct lock_rest {
        struct inside_thread *page;
        const pthread_mutex_t *lock;
        const void *at;
        bool has_lock; /* before and after */
};

void lock_rest_begin(struct lock_rest *rest, const volatile void *condition,
                     const pthread_mutex_t *lock, const void *at);
void lock_rest_end(struct lock_rest *rest);

#pragma GCC visibility pop

#endif
