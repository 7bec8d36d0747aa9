/* SPDX-License-Identifier: Apache-2.0 */
/* lock_rwlock.c - locks for readers and writers, and those that spin: stands in for libc's. */
#include <errno.h>

#include "inside/lock.h"

/* libc refuses a time that is none before it looks at the lock; so do not try before it has. */
static bool is_time(const struct timespec *time)
{
        return time->tv_nsec >= 0 && time->tv_nsec < 1000000000;
}

static bool is_clock(clockid_t clock)
{
        return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

INSIDE_PUBLIC int pthread_rwlock_init(pthread_rwlock_t *lock,
                                      const pthread_rwlockattr_t *attributes)
{
        struct inside_thread *page = lock_page();
        int outcome = lock_real.pthread_rwlock_init(lock, attributes);

        if (page && !outcome)
                order_made(lock, INSIDE_WRITE, AT, inside_sp());
        return outcome;
}

INSIDE_PUBLIC int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
        if (lock_page())
                order_ended(lock);
        return lock_real.pthread_rwlock_destroy(lock);
}

INSIDE_PUBLIC int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
        struct inside_thread *page = lock_page();
        int outcome;

        if (INSIDE_SLOW(!page))
                return lock_real.pthread_rwlock_rdlock ? lock_real.pthread_rwlock_rdlock(lock) : 0;
        LOCK_TAKE(page, lock, INSIDE_READ, true, lock_real.pthread_rwlock_tryrdlock(lock),
                  lock_real.pthread_rwlock_rdlock(lock), EBUSY, outcome == 0);
        return outcome;
}

INSIDE_PUBLIC int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
        struct inside_thread *page = lock_page();
        int outcome;

        if (INSIDE_SLOW(!page))
                return lock_real.pthread_rwlock_wrlock ? lock_real.pthread_rwlock_wrlock(lock) : 0;
        LOCK_TAKE(page, lock, INSIDE_WRITE, true, lock_real.pthread_rwlock_trywrlock(lock),
                  lock_real.pthread_rwlock_wrlock(lock), EBUSY, outcome == 0);
        return outcome;
}

INSIDE_PUBLIC int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *until)
{
        struct inside_thread *page = lock_page();
        int outcome;

        if (INSIDE_SLOW(!page || !is_time(until)))
                return lock_real.pthread_rwlock_timedrdlock(lock, until);
        LOCK_TAKE(page, lock, INSIDE_READ, false, lock_real.pthread_rwlock_tryrdlock(lock),
                  lock_real.pthread_rwlock_timedrdlock(lock, until), EBUSY, outcome == 0);
        return outcome;
}

INSIDE_PUBLIC int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *until)
{
        struct inside_thread *page = lock_page();
        int outcome;

        if (INSIDE_SLOW(!page || !is_time(until)))
                return lock_real.pthread_rwlock_timedwrlock(lock, until);
        LOCK_TAKE(page, lock, INSIDE_WRITE, false, lock_real.pthread_rwlock_trywrlock(lock),
                  lock_real.pthread_rwlock_timedwrlock(lock, until), EBUSY, outcome == 0);
        return outcome;
}

INSIDE_PUBLIC int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock,
                                             const struct timespec *until)
{
        struct inside_thread *page = lock_page();
        int outcome;

        if (INSIDE_SLOW(!page || !is_clock(clock) || !is_time(until)))
                return lock_real.pthread_rwlock_clockrdlock(lock, clock, until);
        LOCK_TAKE(page, lock, INSIDE_READ, false, lock_real.pthread_rwlock_tryrdlock(lock),
                  lock_real.pthread_rwlock_clockrdlock(lock, clock, until), EBUSY, outcome == 0);
        return outcome;
}

INSIDE_PUBLIC int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock,
                                             const struct timespec *until)
{
        struct inside_thread *page = lock_page();
        int outcome;

        if (INSIDE_SLOW(!page || !is_clock(clock) || !is_time(until)))
                return lock_real.pthread_rwlock_clockwrlock(lock, clock, until);
        LOCK_TAKE(page, lock, INSIDE_WRITE, false, lock_real.pthread_rwlock_trywrlock(lock),
                  lock_real.pthread_rwlock_clockwrlock(lock, clock, until), EBUSY, outcome == 0);
        return outcome;
}

INSIDE_PUBLIC int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
        struct inside_thread *page = lock_page();
        int outcome =
                lock_real.pthread_rwlock_tryrdlock ? lock_real.pthread_rwlock_tryrdlock(lock) : 0;

        if (page && !outcome)
                lock_push(page, lock, INSIDE_READ, AT);
        return outcome;
}

INSIDE_PUBLIC int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
        struct inside_thread *page = lock_page();
        int outcome =
                lock_real.pthread_rwlock_trywrlock ? lock_real.pthread_rwlock_trywrlock(lock) : 0;

        if (page && !outcome)
                lock_push(page, lock, INSIDE_WRITE, AT);
        return outcome;
}

LOCK_RELEASE(pthread_rwlock_unlock, pthread_rwlock_t, 0)

/* ---- Spin locks -----------------------------------------------------------------------*/

INSIDE_PUBLIC int pthread_spin_init(pthread_spinlock_t *lock, int is_shared)
{
        struct inside_thread *page = lock_page();
        int outcome = lock_real.pthread_spin_init(lock, is_shared);

        if (page && !outcome)
                order_made(lock, INSIDE_SPIN, AT, inside_sp());
        return outcome;
}

INSIDE_PUBLIC int pthread_spin_destroy(pthread_spinlock_t *lock)
{
        if (lock_page())
                order_ended(lock);
        return lock_real.pthread_spin_destroy(lock);
}

INSIDE_PUBLIC int pthread_spin_lock(pthread_spinlock_t *lock)
{
        struct inside_thread *page = lock_page();
        int outcome;

        if (INSIDE_SLOW(!page))
                return lock_real.pthread_spin_lock(lock);
        LOCK_TAKE(page, lock, INSIDE_SPIN, true, lock_real.pthread_spin_trylock(lock),
                  lock_real.pthread_spin_lock(lock), EBUSY, outcome == 0);
        return outcome;
}

INSIDE_PUBLIC int pthread_spin_trylock(pthread_spinlock_t *lock)
{
        struct inside_thread *page = lock_page();
        int outcome = lock_real.pthread_spin_trylock(lock);

        if (page && !outcome)
                lock_push(page, lock, INSIDE_SPIN, AT);
        return outcome;
}

LOCK_RELEASE(pthread_spin_unlock, pthread_spinlock_t, 0)
