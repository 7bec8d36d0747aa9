/* SPDX-License-Identifier: Apache-2.0 */
/* lock_wait.c - what a thread waits for that nobody holds: conditions and semaphores.
 *
 * While it waits for a condition, a thread does not hold the mutex; however the wait ends, by
 * cancellation too, it holds it again. */
#include "inside/lock_wait.h"

#include <errno.h>

void lock_rest_begin(struct lock_rest *rest, const volatile void *condition,
                     const pthread_mutex_t *lock, const void *at)
{
        enum inside_lock kind = lock_kind(lock);

        rest->lock = lock;
        rest->at = at;
        rest->has_lock = lock_pop(rest->page, lock);
        if (rest->has_lock)
                lock_check(rest->page, lock, kind, at); /* it is taken again behind others */
        if (!inside_is_crowd(rest->page))
                rest->page->wait_mutex = (uintptr_t)lock; /* libc takes it where we do not see it */
        inside_wait_begin(rest->page, INSIDE_CONDITION, condition, at);
        inside_region_publish();
}

void lock_rest_end(struct lock_rest *rest)
{
        inside_wait_end(rest->page);
        if (rest->has_lock)
                lock_push(rest->page, rest->lock, lock_kind(rest->lock), rest->at);
}

#define REST(condition, lock, call)                                                       \
        struct inside_thread *page = lock_page();                                         \
        int outcome;                                                                      \
                                                                                          \
        if (INSIDE_SLOW(!page))                                                           \
                return call;                                                              \
        __attribute__((cleanup(lock_rest_end))) struct lock_rest rest = { .page = page }; \
                                                                                          \
        lock_rest_begin(&rest, condition, lock, AT);                                      \
        outcome = call;                                                                   \
        if (INSIDE_SLOW(outcome == ENOTRECOVERABLE))                                      \
                rest.has_lock = false;                                                    \
        return outcome

INSIDE_PUBLIC int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock)
{
        REST(condition, lock, lock_real.pthread_cond_wait(condition, lock));
}

INSIDE_PUBLIC int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                         const struct timespec *until)
{
        REST(condition, lock, lock_real.pthread_cond_timedwait(condition, lock, until));
}

INSIDE_PUBLIC int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                         clockid_t clock, const struct timespec *until)
{
        REST(condition, lock, lock_real.pthread_cond_clockwait(condition, lock, clock, until));
}

/* ---- Semaphores -----------------------------------------------------------------------*/

static void end_wait(struct inside_thread **page)
{
        inside_wait_end(*page);
}

/* Not tried first: whoever is cancelled must not take one. */
#define WAIT(semaphore, call)                                                       \
        struct inside_thread *page = lock_page();                                   \
                                                                                    \
        if (INSIDE_SLOW(!page))                                                     \
                return call;                                                        \
        __attribute__((cleanup(end_wait), unused)) struct inside_thread *me = page; \
                                                                                    \
        inside_wait_begin(page, INSIDE_SEMAPHORE, semaphore, AT);                   \
        return call

INSIDE_PUBLIC int sem_wait(sem_t *semaphore)
{
        WAIT(semaphore, lock_real.sem_wait(semaphore));
}

INSIDE_PUBLIC int sem_timedwait(sem_t *semaphore, const struct timespec *until)
{
        WAIT(semaphore, lock_real.sem_timedwait(semaphore, until));
}

INSIDE_PUBLIC int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
        WAIT(semaphore, lock_real.sem_clockwait(semaphore, clock, until));
}
