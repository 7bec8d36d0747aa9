/* SPDX-License-Identifier: Apache-2.0 */
/* lock.h - what the files that stand in for locks share: how a lock is taken, released and waited
 * for. Private to lock*.c.
 *
 * What a thread holds stands in its page as it is, for the watcher to read. The last entry is
 * written before it is counted; a signal handler that takes and releases leaves it as it was.
 * Only its thread writes there, but that a lock which another one released becomes 0.
 *
 * Threads and signal handlers: any. Errors: those of libc, unchanged. Limits: of more than
 * INSIDE_HELD locks the later ones are only counted. */
#ifndef INSIDE_LOCK_H
#define INSIDE_LOCK_H

#include <pthread.h>
#include <semaphore.h>
#include <sys/single_threaded.h>
#include <threads.h>
#include <time.h>

#include "inside/inside.h"
#include "inside/order.h"

#pragma GCC visibility push(hidden)

struct lock_real {
#define X(type, name, ...) type (*name)(__VA_ARGS__);
#include "inside/lock.def"
#undef X
        bool is_libc; /* nobody else wants to see each lock of a mutex */
};
extern struct lock_real lock_real;

#define AT __builtin_return_address(0)

/* Brings the library up, if nobody has. NULL: not yet, or one of the crowd. */
struct inside_thread *lock_awake(void);

/* Ours to watch; NULL: as above. */
static inline struct inside_thread *lock_page(void)
{
        struct inside_thread *page = inside_local_.own;

        return __builtin_expect(page != NULL, 1) ? page : lock_awake();
}

/* ---- What is held ---------------------------------------------------------------------*/

/* A recursive mutex that its owner held already stays where it is. Or there is no room. */
void lock_push_slowly(struct inside_thread *page, const volatile void *lock, enum inside_lock kind,
                      const void *at);

/* Another than the last. False: this thread does not hold it. */
bool lock_pop_deep(struct inside_thread *page, const volatile void *lock);

/* number, node and kind are one word: one store. The node is asked for when it is needed. */
static inline void lock_fill(struct inside_held *held, const volatile void *lock, uint64_t word,
                             const void *at)
{
        _Static_assert(sizeof *held - offsetof(struct inside_held, number) == sizeof word,
                       "a word");
        held->lock = (uintptr_t)lock;
        held->at = (uintptr_t)at;
        __builtin_memcpy(&held->number, &word, sizeof word);
}

/* locks: of the page; it has room. */
static inline void lock_put(struct inside_thread *page, uint64_t locks, const volatile void *lock,
                            enum inside_lock kind, const void *at)
{
        struct inside_held *held = &page->held[inside_held_count(locks)];
        uint64_t word = (uint32_t)inside_taken(locks) | (uint64_t)kind << 48;

        lock_fill(held, lock, word, at);
        __atomic_store_n(&page->locks, locks + INSIDE_TAKEN + 1, __ATOMIC_RELEASE);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        /* A handler that came just before that has had the same entry for a lock of its own. */
        if (INSIDE_SLOW(held->lock != (uintptr_t)lock))
                lock_fill(held, lock, word, at);
}

/* A recursive mutex is told by itself how often its owner has taken it. */
static inline bool lock_is_nested(enum inside_lock kind, const volatile void *lock)
{
        return kind == INSIDE_RECURSIVE &&
               ((const volatile pthread_mutex_t *)lock)->__data.__count > 1;
}

static inline void lock_push(struct inside_thread *page, const volatile void *lock,
                             enum inside_lock kind, const void *at)
{
        uint64_t locks = page->locks;

        if (INSIDE_SLOW(inside_held_count(locks) >= INSIDE_HELD || lock_is_nested(kind, lock)))
                lock_push_slowly(page, lock, kind, at);
        else
                lock_put(page, locks, lock, kind, at);
}

/* Most often it is the last. */
static inline bool lock_pop_last(struct inside_thread *page, const volatile void *lock)
{
        uint64_t locks = page->locks;
        uint32_t count = inside_held_count(locks);
        const struct inside_held *last =
                &page->held[count - 1]; /* of none, what is before: no lock */

        if (INSIDE_SLOW(!count || last->lock != (uintptr_t)lock))
                return false;
        if (INSIDE_SLOW(lock_is_nested(last->kind, lock)))
                return true;
        __atomic_store_n(&page->locks, locks - 1, __ATOMIC_RELEASE);
        return true;
}

static inline bool lock_pop(struct inside_thread *page, const volatile void *lock)
{
        return lock_pop_last(page, lock) || lock_pop_deep(page, lock);
}

/* Whoever it was that took it; released by somebody else, it is not held there any more. */
struct lock_owner {
        struct inside_held *held; /* NULL: nobody that we know of */
        uint64_t lock;
        uint32_t number;
};
struct lock_owner lock_find_owner(const volatile void *lock);
void lock_disown(const struct lock_owner *owner);

/* A function that releases, by its name, if it was not the last that was taken; done: what it
 * answers then. */
#define LOCK_RELEASE_SLOWLY(name, type, done)                          \
        __attribute__((noinline)) static int name##_slowly(type *lock) \
        {                                                              \
                struct inside_thread *page = lock_page();              \
                struct lock_owner owner;                               \
                int outcome;                                           \
                                                                       \
                if (INSIDE_SLOW(!lock_real.name))                      \
                        return done;                                   \
                if (!page || lock_pop(page, lock))                     \
                        return lock_real.name(lock);                   \
                owner = lock_find_owner(lock);                         \
                outcome = lock_real.name(lock);                        \
                if (outcome == (done))                                 \
                        lock_disown(&owner);                           \
                return outcome;                                        \
        }

#define LOCK_RELEASE(name, type, done)                                      \
        LOCK_RELEASE_SLOWLY(name, type, done)                               \
        INSIDE_PUBLIC int name(type *lock)                                  \
        {                                                                   \
                struct inside_thread *page = inside_local_.own;             \
                                                                            \
                if (__builtin_expect(page && lock_pop_last(page, lock), 1)) \
                        return lock_real.name(lock);                        \
                return name##_slowly(lock);                                 \
        }

/* ---- Taking ---------------------------------------------------------------------------*/

/* Before there was a second thread nobody could be met. */
static inline void lock_check(struct inside_thread *page, const volatile void *lock,
                              enum inside_lock kind, const void *at)
{
        if (INSIDE_SLOW(inside_held_count(page->locks)) && !order_is_checked(page, lock) &&
            !__libc_single_threaded)
                order_check(page, lock, kind, at);
}

/* It has to wait, for itself if it holds it. for_ever: it cannot be told that it does, nor give
 * up. */
void lock_wait(struct inside_thread *page, enum inside_lock kind, const volatile void *lock,
               bool for_ever, const void *at);

/* try: what does not wait. wait: what does. Both are expressions, as is taken: of `outcome`. */
#define LOCK_TAKE_AT(at, page, lock, kind, for_ever, try, wait, busy, taken) \
        do {                                                                 \
                lock_check(page, lock, kind, at);                            \
                outcome = (try);                                             \
                if (INSIDE_SLOW(outcome == (busy))) {                        \
                        lock_wait(page, kind, lock, for_ever, at);           \
                        outcome = (wait);                                    \
                        inside_wait_end(page);                               \
                }                                                            \
                if (__builtin_expect(taken, 1))                              \
                        lock_push(page, lock, kind, at);                     \
        } while (0)

#define LOCK_TAKE(...) LOCK_TAKE_AT(AT, __VA_ARGS__)

/* ---- Mutexes --------------------------------------------------------------------------*/

/* Where the owner finds it taken, it waits for ever. */
static inline bool lock_is_plain(const pthread_mutex_t *lock)
{
        return (lock->__data.__kind & 3) != PTHREAD_MUTEX_ERRORCHECK_NP;
}

static inline enum inside_lock lock_kind(const pthread_mutex_t *lock)
{
        return (lock->__data.__kind & 3) == PTHREAD_MUTEX_RECURSIVE_NP ? INSIDE_RECURSIVE
                                                                       : INSIDE_MUTEX;
}

/* It is in the first member: glibc says so by what it does, and lock_conform.c asks. */
static inline const pthread_mutex_t *lock_of_c11(const mtx_t *lock)
{
        return (const pthread_mutex_t *)(const void *)lock;
}

#pragma GCC visibility pop

#endif
