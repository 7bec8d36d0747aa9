/* SPDX-License-Identifier: Apache-2.0 */
/* lock.c - every lock of the program: who holds it, who waits, and in which order they come.
 *
 * What a thread holds stands in its page as it is, for the watcher to read. A lock is tried first;
 * only who has to wait says so. Nothing reads a clock: the watcher does. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>
#include <time.h>

#include "inside/inside.h"
#include "inside/order.h"
#include "inside/real.h"
#include "probe/guard.h"

static struct {
#define X(type, name, ...) type (*name)(__VA_ARGS__);
#include "inside/lock.def"
#undef X
} real;

void inside_lock_start(void)
{
#define X(type, name, ...) INSIDE_REAL(real.name, #name);
#include "inside/lock.def"
#undef X
        /* Of conditions there are two kinds; the old one lies first for whoever does not say. */
        INSIDE_REAL_OF(real.pthread_cond_wait, "pthread_cond_wait", "GLIBC_2.3.2");
        INSIDE_REAL_OF(real.pthread_cond_timedwait, "pthread_cond_timedwait", "GLIBC_2.3.2");
        inside_.flags |= INSIDE_HAS_LOCKS;
}

void inside_lock_forked(void)
{
}

#define AT __builtin_return_address(0)

/* Ours to watch; NULL: not yet, or one of the crowd. */
static inline struct inside_thread *watched(void)
{
        struct inside_thread *page = inside_local_.own;

        if (__builtin_expect(page != NULL, 1))
                return page;
        if (inside_.state == INSIDE_ASLEEP)
                inside_start();
        if (!inside_is_ready())
                return NULL;
        (void)inside_page();
        return inside_local_.own;
}

/* ---- What is held ---------------------------------------------------------------------*/

static inline void push(struct inside_thread *page, const volatile void *lock,
                        enum inside_lock kind, const void *at)
{
        uint32_t count = page->held_count;
        uint64_t number = ++page->locks_taken;

        if (__builtin_expect(count < INSIDE_HELD, 1)) {
                struct inside_held *held = &page->held[count];

                held->lock = (uintptr_t)lock;
                held->at = (uintptr_t)at;
                held->number = (uint32_t)number;
                held->node = 0;
                held->kind = (uint16_t)kind;
        }
        __atomic_store_n(&page->held_count, count + 1, __ATOMIC_RELEASE);
}

/* Somebody else took it: it is not held there any more. */
__attribute__((cold)) static void pop_elsewhere(const volatile void *lock)
{
        struct guard guard = toc_guard_enter_();

        for (uint32_t i = 1; i < inside_region_pages(); i++) {
                struct inside_thread *page = inside_region_page_at(i);

                for (uint32_t k = 0; k < INSIDE_HELD && k < page->held_count; k++)
                        if (page->held[k].lock == (uintptr_t)lock)
                                __atomic_store_n(&page->held[k].lock, 0, __ATOMIC_RELAXED);
        }
        toc_guard_leave_(guard);
}

__attribute__((noinline)) static void pop_deep(struct inside_thread *page,
                                               const volatile void *lock)
{
        uint32_t count = page->held_count;

        for (uint32_t i = count < INSIDE_HELD ? count : INSIDE_HELD; i-- > 0;) {
                if (page->held[i].lock != (uintptr_t)lock)
                        continue;
                for (; i + 1 < count && i + 1 < INSIDE_HELD; i++)
                        page->held[i] = page->held[i + 1];
                __atomic_store_n(&page->held_count, count - 1, __ATOMIC_RELEASE);
                return;
        }
        if (count > INSIDE_HELD)
                page->held_count--;
        else
                pop_elsewhere(lock);
}

static inline void pop(struct inside_thread *page, const volatile void *lock)
{
        uint32_t last = page->held_count - 1;

        if (__builtin_expect(last < INSIDE_HELD && page->held[last].lock == (uintptr_t)lock, 1))
                __atomic_store_n(&page->held_count, last, __ATOMIC_RELEASE);
        else
                pop_deep(page, lock);
}

static bool is_held(const struct inside_thread *page, const volatile void *lock)
{
        for (uint32_t i = 0; i < page->held_count && i < INSIDE_HELD; i++)
                if (page->held[i].lock == (uintptr_t)lock)
                        return true;
        return false;
}

/* It has to wait, for itself if it holds it. */
__attribute__((cold)) static void begin_wait(struct inside_thread *page, enum inside_lock kind,
                                             const volatile void *lock, bool may_repeat,
                                             const void *at)
{
        uint32_t node = order_node(lock, kind);

        if (!may_repeat && is_held(page, lock)) {
                struct inside_finding *finding = inside_finding_new(INSIDE_SELF_DEADLOCK);

                if (finding) {
                        finding->lock[0] = (uintptr_t)lock;
                        finding->node[0] = node;
                        finding->depth[0] = inside_stack(at, finding->stack[0], INSIDE_STACK);
                        inside_finding_done(finding);
                }
        }
        inside_wait_begin(page, kind, lock, at);
        page->wait_node = node;
        inside_region_publish();
}

static inline void check_order(struct inside_thread *page, const volatile void *lock,
                               enum inside_lock kind, const void *at)
{
        if (INSIDE_SLOW(page->held_count))
                order_check(page, lock, kind, at);
}

/* try: one that does not wait. wait: one that does. Both are expressions; taken: of their
 * values. */
#define TAKE(page, lock, kind_, may_repeat, try, wait, busy, taken)    \
        do {                                                           \
                check_order(page, lock, kind_, AT);                    \
                error = (try);                                         \
                if (INSIDE_SLOW(error == (busy))) {                    \
                        begin_wait(page, kind_, lock, may_repeat, AT); \
                        error = (wait);                                \
                        inside_wait_end(page);                         \
                }                                                      \
                if (__builtin_expect(taken, 1))                        \
                        push(page, lock, kind_, AT);                   \
        } while (0)

/* ---- Mutexes --------------------------------------------------------------------------*/

/* Of a robust one whose owner died, too. */
#define HAS_MUTEX (error == 0 || error == EOWNERDEAD)

static bool may_repeat(const pthread_mutex_t *lock)
{
        int kind = lock->__data.__kind & 3;

        return kind == PTHREAD_MUTEX_RECURSIVE_NP || kind == PTHREAD_MUTEX_ERRORCHECK_NP;
}

INSIDE_PUBLIC int pthread_mutex_init(pthread_mutex_t *lock, const pthread_mutexattr_t *attributes)
{
        int error = real.pthread_mutex_init(lock, attributes);

        if (!error && watched())
                order_made(lock, INSIDE_MUTEX, AT);
        return error;
}

INSIDE_PUBLIC int pthread_mutex_destroy(pthread_mutex_t *lock)
{
        if (watched())
                order_ended(lock);
        return real.pthread_mutex_destroy(lock);
}

INSIDE_PUBLIC int pthread_mutex_lock(pthread_mutex_t *lock)
{
        struct inside_thread *page = watched();
        int error;

        if (INSIDE_SLOW(!page))
                return real.pthread_mutex_lock ? real.pthread_mutex_lock(lock) : 0;
        TAKE(page, lock, INSIDE_MUTEX, may_repeat(lock), real.pthread_mutex_trylock(lock),
             real.pthread_mutex_lock(lock), EBUSY, HAS_MUTEX);
        return error;
}

INSIDE_PUBLIC int pthread_mutex_timedlock(pthread_mutex_t *lock, const struct timespec *until)
{
        struct inside_thread *page = watched();
        int error;

        if (INSIDE_SLOW(!page))
                return real.pthread_mutex_timedlock(lock, until);
        TAKE(page, lock, INSIDE_MUTEX, true, real.pthread_mutex_trylock(lock),
             real.pthread_mutex_timedlock(lock, until), EBUSY, HAS_MUTEX);
        return error;
}

INSIDE_PUBLIC int pthread_mutex_clocklock(pthread_mutex_t *lock, clockid_t clock,
                                          const struct timespec *until)
{
        struct inside_thread *page = watched();
        int error;

        if (INSIDE_SLOW(!page))
                return real.pthread_mutex_clocklock(lock, clock, until);
        TAKE(page, lock, INSIDE_MUTEX, true, real.pthread_mutex_trylock(lock),
             real.pthread_mutex_clocklock(lock, clock, until), EBUSY, HAS_MUTEX);
        return error;
}

INSIDE_PUBLIC int pthread_mutex_trylock(pthread_mutex_t *lock)
{
        struct inside_thread *page = watched();
        int error = real.pthread_mutex_trylock ? real.pthread_mutex_trylock(lock) : 0;

        if (page && HAS_MUTEX)
                push(page, lock, INSIDE_MUTEX, AT);
        return error;
}

INSIDE_PUBLIC int pthread_mutex_unlock(pthread_mutex_t *lock)
{
        struct inside_thread *page = watched();

        if (__builtin_expect(page != NULL, 1))
                pop(page, lock);
        return real.pthread_mutex_unlock ? real.pthread_mutex_unlock(lock) : 0;
}

/* ---- Locks for readers and writers ----------------------------------------------------*/

INSIDE_PUBLIC int pthread_rwlock_init(pthread_rwlock_t *lock,
                                      const pthread_rwlockattr_t *attributes)
{
        int error = real.pthread_rwlock_init(lock, attributes);

        if (!error && watched())
                order_made(lock, INSIDE_WRITE, AT);
        return error;
}

INSIDE_PUBLIC int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
        if (watched())
                order_ended(lock);
        return real.pthread_rwlock_destroy(lock);
}

INSIDE_PUBLIC int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
        struct inside_thread *page = watched();
        int error;

        if (INSIDE_SLOW(!page))
                return real.pthread_rwlock_rdlock ? real.pthread_rwlock_rdlock(lock) : 0;
        TAKE(page, lock, INSIDE_READ, true, real.pthread_rwlock_tryrdlock(lock),
             real.pthread_rwlock_rdlock(lock), EBUSY, error == 0);
        return error;
}

INSIDE_PUBLIC int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
        struct inside_thread *page = watched();
        int error;

        if (INSIDE_SLOW(!page))
                return real.pthread_rwlock_wrlock ? real.pthread_rwlock_wrlock(lock) : 0;
        TAKE(page, lock, INSIDE_WRITE, true, real.pthread_rwlock_trywrlock(lock),
             real.pthread_rwlock_wrlock(lock), EBUSY, error == 0);
        return error;
}

INSIDE_PUBLIC int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *until)
{
        struct inside_thread *page = watched();
        int error;

        if (INSIDE_SLOW(!page))
                return real.pthread_rwlock_timedrdlock(lock, until);
        TAKE(page, lock, INSIDE_READ, true, real.pthread_rwlock_tryrdlock(lock),
             real.pthread_rwlock_timedrdlock(lock, until), EBUSY, error == 0);
        return error;
}

INSIDE_PUBLIC int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *until)
{
        struct inside_thread *page = watched();
        int error;

        if (INSIDE_SLOW(!page))
                return real.pthread_rwlock_timedwrlock(lock, until);
        TAKE(page, lock, INSIDE_WRITE, true, real.pthread_rwlock_trywrlock(lock),
             real.pthread_rwlock_timedwrlock(lock, until), EBUSY, error == 0);
        return error;
}

INSIDE_PUBLIC int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
        struct inside_thread *page = watched();
        int error = real.pthread_rwlock_tryrdlock ? real.pthread_rwlock_tryrdlock(lock) : 0;

        if (page && !error)
                push(page, lock, INSIDE_READ, AT);
        return error;
}

INSIDE_PUBLIC int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
        struct inside_thread *page = watched();
        int error = real.pthread_rwlock_trywrlock ? real.pthread_rwlock_trywrlock(lock) : 0;

        if (page && !error)
                push(page, lock, INSIDE_WRITE, AT);
        return error;
}

INSIDE_PUBLIC int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
        struct inside_thread *page = watched();

        if (__builtin_expect(page != NULL, 1))
                pop(page, lock);
        return real.pthread_rwlock_unlock ? real.pthread_rwlock_unlock(lock) : 0;
}

/* ---- Spin locks -----------------------------------------------------------------------*/

INSIDE_PUBLIC int pthread_spin_lock(pthread_spinlock_t *lock)
{
        struct inside_thread *page = watched();
        int error;

        if (INSIDE_SLOW(!page))
                return real.pthread_spin_lock(lock);
        TAKE(page, lock, INSIDE_SPIN, false, real.pthread_spin_trylock(lock),
             real.pthread_spin_lock(lock), EBUSY, error == 0);
        return error;
}

INSIDE_PUBLIC int pthread_spin_trylock(pthread_spinlock_t *lock)
{
        struct inside_thread *page = watched();
        int error = real.pthread_spin_trylock(lock);

        if (page && !error)
                push(page, lock, INSIDE_SPIN, AT);
        return error;
}

INSIDE_PUBLIC int pthread_spin_unlock(pthread_spinlock_t *lock)
{
        struct inside_thread *page = watched();

        if (__builtin_expect(page != NULL, 1))
                pop(page, lock);
        return real.pthread_spin_unlock(lock);
}

/* ---- Conditions -----------------------------------------------------------------------
 *
 * While it waits for one, a thread does not hold the mutex; however the wait ends, by cancellation
 * too, it holds it again. */
struct rest {
        struct inside_thread *page;
        void *lock;
        const void *at;
};

static void end_rest(struct rest *rest)
{
        inside_wait_end(rest->page);
        push(rest->page, rest->lock, INSIDE_MUTEX, rest->at);
}

#define REST(page_, condition, lock_)                                                   \
        __attribute__((cleanup(end_rest))) struct rest rest = { (page_), (lock_), AT }; \
        pop(rest.page, rest.lock);                                                      \
        inside_wait_begin(rest.page, INSIDE_CONDITION, condition, rest.at)

INSIDE_PUBLIC int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock)
{
        struct inside_thread *page = watched();

        if (INSIDE_SLOW(!page))
                return real.pthread_cond_wait(condition, lock);
        REST(page, condition, lock);
        return real.pthread_cond_wait(condition, lock);
}

INSIDE_PUBLIC int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                         const struct timespec *until)
{
        struct inside_thread *page = watched();

        if (INSIDE_SLOW(!page))
                return real.pthread_cond_timedwait(condition, lock, until);
        REST(page, condition, lock);
        return real.pthread_cond_timedwait(condition, lock, until);
}

INSIDE_PUBLIC int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                         clockid_t clock, const struct timespec *until)
{
        struct inside_thread *page = watched();

        if (INSIDE_SLOW(!page))
                return real.pthread_cond_clockwait(condition, lock, clock, until);
        REST(page, condition, lock);
        return real.pthread_cond_clockwait(condition, lock, clock, until);
}

/* ---- C11: libc calls itself, so that these do not pass by the ones above ----------------*/

INSIDE_PUBLIC int mtx_init(mtx_t *lock, int type)
{
        int outcome = real.mtx_init(lock, type);

        if (outcome == thrd_success && watched())
                order_made(lock, INSIDE_MUTEX, AT);
        return outcome;
}

INSIDE_PUBLIC void mtx_destroy(mtx_t *lock)
{
        if (watched())
                order_ended(lock);
        real.mtx_destroy(lock);
}

INSIDE_PUBLIC int mtx_lock(mtx_t *lock)
{
        struct inside_thread *page = watched();
        int error;

        if (INSIDE_SLOW(!page))
                return real.mtx_lock(lock);
        TAKE(page, lock, INSIDE_MUTEX, may_repeat((const pthread_mutex_t *)(const void *)lock),
             real.mtx_trylock(lock), real.mtx_lock(lock), thrd_busy, error == thrd_success);
        return error;
}

INSIDE_PUBLIC int mtx_timedlock(mtx_t *lock, const struct timespec *until)
{
        struct inside_thread *page = watched();
        int error;

        if (INSIDE_SLOW(!page))
                return real.mtx_timedlock(lock, until);
        TAKE(page, lock, INSIDE_MUTEX, true, real.mtx_trylock(lock),
             real.mtx_timedlock(lock, until), thrd_busy, error == thrd_success);
        return error;
}

INSIDE_PUBLIC int mtx_trylock(mtx_t *lock)
{
        struct inside_thread *page = watched();
        int outcome = real.mtx_trylock(lock);

        if (page && outcome == thrd_success)
                push(page, lock, INSIDE_MUTEX, AT);
        return outcome;
}

INSIDE_PUBLIC int mtx_unlock(mtx_t *lock)
{
        struct inside_thread *page = watched();

        if (__builtin_expect(page != NULL, 1))
                pop(page, lock);
        return real.mtx_unlock(lock);
}

INSIDE_PUBLIC int cnd_wait(cnd_t *condition, mtx_t *lock)
{
        struct inside_thread *page = watched();

        if (INSIDE_SLOW(!page))
                return real.cnd_wait(condition, lock);
        REST(page, condition, lock);
        return real.cnd_wait(condition, lock);
}

INSIDE_PUBLIC int cnd_timedwait(cnd_t *condition, mtx_t *lock, const struct timespec *until)
{
        struct inside_thread *page = watched();

        if (INSIDE_SLOW(!page))
                return real.cnd_timedwait(condition, lock, until);
        REST(page, condition, lock);
        return real.cnd_timedwait(condition, lock, until);
}
