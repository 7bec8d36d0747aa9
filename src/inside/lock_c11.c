/* SPDX-License-Identifier: Apache-2.0 */
/* lock_c11.c - C11's names for mutexes and conditions. libc calls itself, so that these do not pass
 * by the others. */
#include "inside/lock_wait.h"

INSIDE_PUBLIC int mtx_init(mtx_t *lock, int type)
{
        struct inside_thread *page = lock_page();
        int outcome = lock_real.mtx_init(lock, type);

        if (page && outcome == thrd_success)
                order_made(lock, lock_kind(lock_of_c11(lock)), AT, inside_sp());
        return outcome;
}

INSIDE_PUBLIC void mtx_destroy(mtx_t *lock)
{
        if (lock_page())
                order_ended(lock);
        lock_real.mtx_destroy(lock);
}

INSIDE_PUBLIC int mtx_lock(mtx_t *lock)
{
        struct inside_thread *page = lock_page();
        int outcome;

        if (INSIDE_SLOW(!page))
                return lock_real.mtx_lock(lock);
        LOCK_TAKE(page, lock, lock_kind(lock_of_c11(lock)), true, lock_real.mtx_trylock(lock),
                  lock_real.mtx_lock(lock), thrd_busy, outcome == thrd_success);
        return outcome;
}

INSIDE_PUBLIC int mtx_timedlock(mtx_t *lock, const struct timespec *until)
{
        struct inside_thread *page = lock_page();
        int outcome;

        if (INSIDE_SLOW(!page))
                return lock_real.mtx_timedlock(lock, until);
        LOCK_TAKE(page, lock, lock_kind(lock_of_c11(lock)), false, lock_real.mtx_trylock(lock),
                  lock_real.mtx_timedlock(lock, until), thrd_busy, outcome == thrd_success);
        return outcome;
}

INSIDE_PUBLIC int mtx_trylock(mtx_t *lock)
{
        struct inside_thread *page = lock_page();
        int outcome = lock_real.mtx_trylock(lock);

        if (page && outcome == thrd_success)
                lock_push(page, lock, lock_kind(lock_of_c11(lock)), AT);
        return outcome;
}

LOCK_RELEASE(mtx_unlock, mtx_t, thrd_success)

#define REST(condition, lock, call)                                                       \
        struct inside_thread *page = lock_page();                                         \
                                                                                          \
        if (INSIDE_SLOW(!page))                                                           \
                return call;                                                              \
        __attribute__((cleanup(lock_rest_end))) struct lock_rest rest = { .page = page }; \
                                                                                          \
        lock_rest_begin(&rest, condition, lock_of_c11(lock), AT);                         \
        return call

INSIDE_PUBLIC int cnd_wait(cnd_t *condition, mtx_t *lock)
{
        REST(condition, lock, lock_real.cnd_wait(condition, lock));
}

INSIDE_PUBLIC int cnd_timedwait(cnd_t *condition, mtx_t *lock, const struct timespec *until)
{
        REST(condition, lock, lock_real.cnd_timedwait(condition, lock, until));
}
