/* SPDX-License-Identifier: Apache-2.0 */
/* lock_mutex.c - mutexes.
 *
 * One of the simplest kinds that nobody holds is taken and given back here, with the same
 * instructions on the same words as in libc: to call libc for it, which is to call through pointers
 * twice a pair, costs more than all that we keep of a lock (doc/decisions/28). What those words are
 * is not promised, so each thread asks libc first (lock_find_name()). Everything else is libc's:
 * whoever has to wait or to be woken, and every other kind. */
#include <errno.h>
#include <string.h>

#include "inside/lock.h"

/* Of a robust one whose owner died, too. */
#define HAS_MUTEX (outcome == 0 || outcome == EOWNERDEAD)

/* A robust one is not tried: of one that cannot be recovered, pthread_mutex_trylock() of glibc 2.36
 * says so and keeps it, so that the next would wait for ever. */
static int try_mutex(pthread_mutex_t *lock)
{
        enum { ROBUST = 16 };

        return lock->__data.__kind & ROBUST ? EBUSY : lock_real.pthread_mutex_trylock(lock);
}

/* ---- What libc does -------------------------------------------------------------------*/

/* Normal or recursive, whether its type was set or not. Elided ones are another affair. */
static inline bool is_simple(const pthread_mutex_t *lock)
{
        enum { NO_ELISION = 512 }; /* of glibc */

        return !(lock->__data.__kind & ~(PTHREAD_MUTEX_RECURSIVE_NP | NO_ELISION));
}

/* name: of the caller. False: somebody holds it. */
static inline bool take_free(pthread_mutex_t *lock, enum inside_lock kind, int name)
{
        int nobody = 0;

        if (__libc_single_threaded) { /* only a handler can come between, and leaves it as it was */
                if (lock->__data.__lock)
                        return false;
                lock->__data.__lock = 1;
        } else if (INSIDE_SLOW(!__atomic_compare_exchange_n(&lock->__data.__lock, &nobody, 1, false,
                                                            __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))) {
                return false;
        }
        if (kind == INSIDE_RECURSIVE)
                lock->__data.__count = 1;
        lock->__data.__owner = name;
        lock->__data.__nusers++;
        return true;
}

/* Once. False: nothing was done, and libc has to be asked, to wake somebody or to refuse. Whether
 * somebody waits is not looked at before: that load, between two atomic instructions on its word,
 * took 1.3 ns. */
static inline bool give_back(pthread_mutex_t *lock, int name)
{
        bool is_recursive = lock_kind(lock) == INSIDE_RECURSIVE;
        int alone = 1;

        if (is_recursive) {
                if (INSIDE_SLOW(lock->__data.__owner != name))
                        return false;
                if (--lock->__data.__count)
                        return true;
        }
        lock->__data.__owner = 0;
        lock->__data.__nusers--;
        if (__libc_single_threaded) {
                lock->__data.__lock = 0;
                return true;
        }
        if (__builtin_expect(__atomic_compare_exchange_n(&lock->__data.__lock, &alone, 0, false,
                                                         __ATOMIC_RELEASE, __ATOMIC_RELAXED),
                             1))
                return true;
        /* Somebody waits. Until libc has been asked it is ours. */
        lock->__data.__owner = name;
        lock->__data.__nusers++;
        if (is_recursive)
                lock->__data.__count = 1;
        return false;
}

/* All that libc knows of it. */
static bool is_like(const pthread_mutex_t *lock, const pthread_mutex_t *other)
{
        return memcmp(lock, other, sizeof(*lock)) == 0;
}

/* Whether both ways leave the same, and each gives back what the other took. */
static bool conforms(pthread_mutex_t fresh, int name)
{
        pthread_mutex_t ours = fresh, theirs = fresh;

        if (lock_real.pthread_mutex_lock(&theirs) || !take_free(&ours, lock_kind(&ours), name) ||
            !is_like(&ours, &theirs))
                return false;
        if (!give_back(&theirs, name) || lock_real.pthread_mutex_unlock(&ours))
                return false;
        return is_like(&ours, &fresh) && is_like(&theirs, &fresh);
}

int lock_find_name(void)
{
        pthread_mutex_t normal = PTHREAD_MUTEX_INITIALIZER;
        pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
        pthread_mutex_t mine = normal;

        if (!lock_real.is_libc || lock_real.pthread_mutex_lock(&mine))
                return 0;
        return conforms(normal, mine.__data.__owner) && conforms(recursive, mine.__data.__owner)
                       ? mine.__data.__owner
                       : 0;
}

/* ---- What the program calls -----------------------------------------------------------*/

INSIDE_PUBLIC int pthread_mutex_init(pthread_mutex_t *lock, const pthread_mutexattr_t *attributes)
{
        struct inside_thread *page = lock_page();
        int outcome = lock_real.pthread_mutex_init(lock, attributes);

        if (page && !outcome)
                order_made(lock, lock_kind(lock), AT, inside_sp());
        return outcome;
}

INSIDE_PUBLIC int pthread_mutex_destroy(pthread_mutex_t *lock)
{
        if (lock_page())
                order_ended(lock);
        return lock_real.pthread_mutex_destroy(lock);
}

/* Of any kind, and whoever has to wait. */
__attribute__((noinline)) static int lock_slowly(pthread_mutex_t *lock, const void *at)
{
        struct inside_thread *page = lock_page();
        int outcome;

        if (INSIDE_SLOW(!page))
                return lock_real.pthread_mutex_lock ? lock_real.pthread_mutex_lock(lock) : 0;
        LOCK_TAKE_AT(at, page, lock, lock_kind(lock), lock_is_plain(lock), try_mutex(lock),
                     lock_real.pthread_mutex_lock(lock), EBUSY, HAS_MUTEX);
        return outcome;
}

/* The thread has a page with room, and the lock is simple. What can be read before the lock is
 * taken, is: what comes after the atomic instruction waits for it, and there is another one soon. A
 * handler in between leaves as many held as there were. */
static inline bool take(struct inside_thread *page, pthread_mutex_t *lock, const void *at)
{
        enum inside_lock kind = lock_kind(lock);
        uint64_t locks = page->locks;

        if (INSIDE_SLOW(!take_free(lock, kind, inside_local_.name)))
                return false;
        lock_put(page, locks, lock, kind, at);
        return true;
}

/* A recursive one that the thread took last, and takes again. */
static inline bool take_again(const struct inside_thread *page, pthread_mutex_t *lock)
{
        uint32_t count = inside_held_count(page->locks);

        if (!count || page->held[count - 1].lock != (uintptr_t)lock ||
            lock_kind(lock) != INSIDE_RECURSIVE || lock->__data.__owner != inside_local_.name ||
            lock->__data.__count + 1 == 0)
                return false;
        lock->__data.__count++;
        return true;
}

/* Its order with those that are held is not known to be right. */
__attribute__((noinline)) static int lock_in_order(pthread_mutex_t *lock, const void *at)
{
        struct inside_thread *page = inside_local_.own;

        if (take_again(page, lock))
                return 0;
        order_check(page, lock, lock_kind(lock), at);
        return take(page, lock, at) ? 0 : lock_slowly(lock, at);
}

/* name: 0 without a page of its own. */
static inline bool is_ours_to_take(const pthread_mutex_t *lock)
{
        return __builtin_expect(inside_local_.name && is_simple(lock) &&
                                        inside_held_count(inside_local_.own->locks) < INSIDE_HELD,
                                1);
}

INSIDE_PUBLIC int pthread_mutex_lock(pthread_mutex_t *lock)
{
        struct inside_thread *page = inside_local_.own;

        if (!is_ours_to_take(lock))
                return lock_slowly(lock, AT);
        if (INSIDE_SLOW(inside_held_count(page->locks)) && !order_is_checked(page, lock) &&
            !__libc_single_threaded)
                return lock_in_order(lock, AT);
        return take(page, lock, AT) || take_again(page, lock) ? 0 : lock_slowly(lock, AT);
}

INSIDE_PUBLIC int pthread_mutex_timedlock(pthread_mutex_t *lock, const struct timespec *until)
{
        struct inside_thread *page = lock_page();
        int outcome;

        if (INSIDE_SLOW(!page))
                return lock_real.pthread_mutex_timedlock(lock, until);
        LOCK_TAKE(page, lock, lock_kind(lock), false, try_mutex(lock),
                  lock_real.pthread_mutex_timedlock(lock, until), EBUSY, HAS_MUTEX);
        return outcome;
}

INSIDE_PUBLIC int pthread_mutex_clocklock(pthread_mutex_t *lock, clockid_t clock,
                                          const struct timespec *until)
{
        struct inside_thread *page = lock_page();
        int outcome;

        /* Another clock is refused, whether the lock is free or not. */
        if (INSIDE_SLOW(!page || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)))
                return lock_real.pthread_mutex_clocklock(lock, clock, until);
        LOCK_TAKE(page, lock, lock_kind(lock), false, try_mutex(lock),
                  lock_real.pthread_mutex_clocklock(lock, clock, until), EBUSY, HAS_MUTEX);
        return outcome;
}

/* What is in its way, libc says. */
__attribute__((noinline)) static int try_slowly(pthread_mutex_t *lock, const void *at)
{
        struct inside_thread *page = lock_page();
        int outcome = lock_real.pthread_mutex_trylock ? lock_real.pthread_mutex_trylock(lock) : 0;

        if (page && HAS_MUTEX)
                lock_push(page, lock, lock_kind(lock), at);
        return outcome;
}

INSIDE_PUBLIC int pthread_mutex_trylock(pthread_mutex_t *lock)
{
        if (is_ours_to_take(lock) && take(inside_local_.own, lock, AT))
                return 0;
        return try_slowly(lock, AT);
}

LOCK_RELEASE_SLOWLY(pthread_mutex_unlock, pthread_mutex_t, 0)

INSIDE_PUBLIC int pthread_mutex_unlock(pthread_mutex_t *lock)
{
        struct inside_thread *page = inside_local_.own;

        if (INSIDE_SLOW(!page || !lock_pop_last(page, lock)))
                return pthread_mutex_unlock_slowly(lock);
        if (__builtin_expect(inside_local_.name && is_simple(lock), 1) &&
            give_back(lock, inside_local_.name))
                return 0;
        return lock_real.pthread_mutex_unlock(lock);
}
