/* SPDX-License-Identifier: Apache-2.0 */
/* Mutexes that are taken without libc, beside libc's own: the same bytes, whoever takes and gives
 * back; and a libc that does something else is asked each time. This program's pthread_mutex_lock()
 * and its like are those of lock_mutex.c; what it needs of other files stands here. */
#include "inside/lock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "inside/real.h"

enum { crew = 3, turns = 200000, threads_max = 8 };

/* ---- What lock_mutex.c stands on --------------------------------------------------------*/

struct lock_real lock_real;
struct inside inside_;
__thread struct inside_local inside_local_;
uint32_t order_generation_;

static struct lock_real libc;
static struct inside_thread pages[threads_max];
static struct inside_room rooms[threads_max];
static unsigned asked;  /* calls of libc to take, to try and to give back */
static unsigned checks; /* of the order */

static int count_lock(pthread_mutex_t *lock)
{
        asked++;
        return libc.pthread_mutex_lock(lock);
}

static int count_trylock(pthread_mutex_t *lock)
{
        asked++;
        return libc.pthread_mutex_trylock(lock);
}

static int count_unlock(pthread_mutex_t *lock)
{
        asked++;
        return libc.pthread_mutex_unlock(lock);
}

/* Before anybody takes a lock. */
__attribute__((constructor)) static void find_libc(void)
{
#define X(type, name, ...) INSIDE_REAL(libc.name, #name);
#include "inside/lock.def"
#undef X
        libc.is_libc = true;
        lock_real = libc;
}

struct inside_thread *lock_awake(void)
{
        return NULL;
}

void inside_region_publish(void)
{
}

void lock_push_slowly(struct inside_thread *page, const volatile void *lock, enum inside_lock kind,
                      const void *at)
{
        (void)page;
        (void)lock;
        (void)kind;
        (void)at;
}

/* Of two, the one that was taken first. */
bool lock_pop_deep(struct inside_thread *page, const volatile void *lock)
{
        if (inside_held_count(page->locks) != 2 || page->held[0].lock != (uintptr_t)lock)
                return false;
        page->held[0] = page->held[1];
        page->locks--;
        return true;
}

struct lock_owner lock_find_owner(const volatile void *lock)
{
        return (struct lock_owner){ .lock = (uintptr_t)lock };
}

void lock_disown(const struct lock_owner *owner)
{
        (void)owner;
}

void lock_wait(struct inside_thread *page, enum inside_lock kind, const volatile void *lock,
               bool for_ever, const void *at)
{
        (void)for_ever;
        inside_wait_begin(page, kind, lock, at);
}

void order_made(const volatile void *lock, enum inside_lock kind, const void *at, const void *sp)
{
        (void)lock;
        (void)kind;
        (void)at;
        (void)sp;
}

void order_ended(const volatile void *lock)
{
        (void)lock;
}

void order_check(struct inside_thread *page, const volatile void *lock, enum inside_lock kind,
                 const void *at)
{
        (void)page;
        (void)lock;
        (void)kind;
        (void)at;
        (void)__atomic_fetch_add(&checks, 1, __ATOMIC_RELAXED);
}

/* As page.c does it, but for the pages. */
static void attach(int number)
{
        memset(&pages[number], 0, sizeof(pages[number]));
        inside_local_.room = &rooms[number];
        inside_local_.page = inside_local_.own = &pages[number];
        inside_local_.thread = (uint32_t)gettid();
        inside_local_.name = lock_find_name();
}

static void detach(void)
{
        memset(&inside_local_, 0, sizeof(inside_local_));
}

/* ---- Tests ------------------------------------------------------------------------------*/

static int begin(void **state)
{
        (void)state;
        attach(0);
        lock_real.pthread_mutex_lock = count_lock;
        lock_real.pthread_mutex_trylock = count_trylock;
        lock_real.pthread_mutex_unlock = count_unlock;
        asked = checks = 0;
        return inside_local_.name ? 0 : 1;
}

static int end(void **state)
{
        (void)state;
        detach();
        lock_real = libc;
        return 0;
}

static pthread_mutex_t make(int type)
{
        pthread_mutexattr_t attributes;
        pthread_mutex_t lock;

        assert_int_equal(pthread_mutexattr_init(&attributes), 0);
        assert_int_equal(pthread_mutexattr_settype(&attributes, type), 0);
        assert_int_equal(libc.pthread_mutex_init(&lock, &attributes), 0);
        return lock;
}

static void it_is_named_as_libc_names_it(void **state)
{
        (void)state;
        assert_int_equal(lock_find_name(), gettid());
}

static const int types[] = { PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_DEFAULT, PTHREAD_MUTEX_RECURSIVE };

static void it_leaves_what_libc_leaves_and_libc_is_not_asked(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                pthread_mutex_t ours = make(types[i]), theirs = ours, fresh = ours;
                int depth = types[i] == PTHREAD_MUTEX_RECURSIVE ? 3 : 1;

                for (int k = 0; k < depth; k++) {
                        assert_int_equal(pthread_mutex_lock(&ours), 0);
                        assert_int_equal(libc.pthread_mutex_lock(&theirs), 0);
                        assert_memory_equal(&ours, &theirs, sizeof(ours));
                        assert_int_equal(inside_held_count(pages[0].locks), 1);
                        assert_int_equal(pages[0].held[0].lock, (uintptr_t)&ours);
                        assert_int_equal(pages[0].held[0].kind, lock_kind(&ours));
                }
                for (int k = 0; k < depth; k++) {
                        assert_int_equal(pthread_mutex_unlock(&ours), 0);
                        assert_int_equal(libc.pthread_mutex_unlock(&theirs), 0);
                        assert_memory_equal(&ours, &theirs, sizeof(ours));
                }
                assert_memory_equal(&ours, &fresh, sizeof(ours));
                assert_int_equal(inside_held_count(pages[0].locks), 0);
                assert_int_equal(pthread_mutex_trylock(&ours), 0);
                assert_int_equal(inside_held_count(pages[0].locks), 1);
                assert_int_equal(pthread_mutex_unlock(&ours), 0);
                assert_memory_equal(&ours, &fresh, sizeof(ours));
        }
        assert_int_equal(asked, 0);
}

/* In every mixture of who takes and who gives back. */
static void each_gives_back_what_the_other_took(void **state)
{
        (void)state;
        for (unsigned way = 0; way < 1U << 8; way++) {
                pthread_mutex_t lock = make(PTHREAD_MUTEX_RECURSIVE), fresh = lock;

                for (unsigned k = 0; k < 4; k++)
                        assert_int_equal((way >> k & 1 ? libc.pthread_mutex_lock
                                                       : pthread_mutex_lock)(&lock),
                                         0);
                for (unsigned k = 4; k < 8; k++)
                        assert_int_equal((way >> k & 1 ? libc.pthread_mutex_unlock
                                                       : pthread_mutex_unlock)(&lock),
                                         0);
                assert_memory_equal(&lock, &fresh, sizeof(lock));
                pages[0].locks = 0; /* it was not told of all */
        }
}

static void other_kinds_are_left_to_libc(void **state)
{
        pthread_mutexattr_t attributes;
        pthread_mutex_t lock = make(PTHREAD_MUTEX_ERRORCHECK);

        (void)state;
        assert_int_equal(pthread_mutex_lock(&lock), 0);
        assert_int_equal(pthread_mutex_lock(&lock), EDEADLK);
        assert_int_equal(pthread_mutex_unlock(&lock), 0);
        assert_true(asked >= 3);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(pthread_mutexattr_init(&attributes), 0);
                if (i == 0)
                        assert_int_equal(pthread_mutexattr_setrobust(&attributes, 1), 0);
                else if (i == 1)
                        assert_int_equal(pthread_mutexattr_setprotocol(&attributes, 1), 0);
                else
                        assert_int_equal(pthread_mutexattr_setpshared(&attributes, 1), 0);
                assert_int_equal(libc.pthread_mutex_init(&lock, &attributes), 0);
                asked = 0;
                assert_int_equal(pthread_mutex_lock(&lock), 0);
                assert_int_equal(pthread_mutex_unlock(&lock), 0);
                assert_true(asked >= 2);
                assert_int_equal(libc.pthread_mutex_destroy(&lock), 0);
        }
}

static void who_is_refused_by_libc_is_refused(void **state)
{
        pthread_mutex_t lock = make(PTHREAD_MUTEX_RECURSIVE);

        (void)state;
        assert_int_equal(pthread_mutex_lock(&lock), 0);
        lock.__data.__owner++; /* as if another thread had it, or the parent of a fork */
        assert_int_equal(pthread_mutex_unlock(&lock), EPERM);
        lock.__data.__owner--;
        lock.__data.__count = UINT32_MAX;
        pages[0].locks = 1;
        assert_int_equal(pthread_mutex_lock(&lock), EAGAIN);
        assert_int_equal(lock.__data.__count, UINT32_MAX);
}

static void the_order_of_two_is_checked(void **state)
{
        pthread_mutex_t outer = make(PTHREAD_MUTEX_NORMAL), inner = outer;

        (void)state;
        __libc_single_threaded = 0;
        assert_int_equal(pthread_mutex_lock(&outer), 0);
        assert_int_equal(checks, 0);
        assert_int_equal(pthread_mutex_lock(&inner), 0);
        assert_int_equal(checks, 1);
        assert_int_equal(inside_held_count(pages[0].locks), 2);
        assert_int_equal(pthread_mutex_unlock(&outer), 0);
        assert_int_equal(pthread_mutex_unlock(&inner), 0);
        assert_int_equal(inside_held_count(pages[0].locks), 0);
}

/* Who waits has said so in the lock, and libc wakes it. */
static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t shared_recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static uint64_t counted, counted_recursive;

static void *work(void *number)
{
        attach((int)(intptr_t)number);
        for (int i = 0; i < turns; i++) {
                (void)pthread_mutex_lock(&shared); /* it says how often it was right at the end */
                counted++;
                (void)pthread_mutex_unlock(&shared);
                (void)pthread_mutex_lock(&shared_recursive);
                if (pthread_mutex_trylock(&shared_recursive) == 0) {
                        counted_recursive++;
                        (void)pthread_mutex_unlock(&shared_recursive);
                }
                (void)pthread_mutex_unlock(&shared_recursive);
        }
        detach();
        return NULL;
}

static void nobody_is_overtaken_or_left_asleep(void **state)
{
        pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
        pthread_mutex_t fresh_recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
        pthread_t threads[crew];

        (void)state;
        lock_real = libc; /* they would count without a lock */
        for (intptr_t i = 0; i < crew; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
        for (int i = 0; i < crew; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(counted, crew * turns);
        assert_int_equal(counted_recursive, crew * turns);
        assert_memory_equal(&shared, &fresh, sizeof(shared));
        assert_memory_equal(&shared_recursive, &fresh_recursive, sizeof(shared_recursive));
}

/* ---- Libraries that do it in another way -------------------------------------------------*/

static int take_without_counting(pthread_mutex_t *lock)
{
        int outcome = libc.pthread_mutex_lock(lock);

        lock->__data.__nusers--;
        return outcome;
}

static int take_under_another_name(pthread_mutex_t *lock)
{
        int outcome = libc.pthread_mutex_lock(lock);

        lock->__data.__owner = 0;
        return outcome;
}

/* Elided: it is not even taken, and its kind is another one from now on. */
static int take_speculatively(pthread_mutex_t *lock)
{
        lock->__data.__kind |= 256;
        return 0;
}

static int give_back_and_leave_a_trace(pthread_mutex_t *lock)
{
        int outcome = libc.pthread_mutex_unlock(lock);

        lock->__data.__spins++;
        return outcome;
}

static void a_libc_that_does_something_else_is_asked(void **state)
{
        int (*const takers[])(pthread_mutex_t *) = { take_without_counting, take_under_another_name,
                                                     take_speculatively };

        (void)state;
        for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
                lock_real.pthread_mutex_lock = takers[i];
                assert_int_equal(lock_find_name(), 0);
        }
        lock_real.pthread_mutex_lock = count_lock;
        lock_real.pthread_mutex_unlock = give_back_and_leave_a_trace;
        assert_int_equal(lock_find_name(), 0);
        lock_real.pthread_mutex_unlock = count_unlock;
        lock_real.is_libc = false; /* it may want to see each */
        assert_int_equal(lock_find_name(), 0);
        lock_real.is_libc = true;
        assert_int_equal(lock_find_name(), gettid());
}

static void without_a_name_each_is_passed_on(void **state)
{
        pthread_mutex_t lock = make(PTHREAD_MUTEX_RECURSIVE);

        (void)state;
        inside_local_.name = 0;
        assert_int_equal(pthread_mutex_lock(&lock), 0);
        assert_int_equal(asked, 1);
        assert_int_equal(inside_held_count(pages[0].locks), 1);
        assert_int_equal(pthread_mutex_unlock(&lock), 0);
        assert_int_equal(asked, 2);
        assert_int_equal(pthread_mutex_trylock(&lock), 0);
        assert_int_equal(asked, 3);
        assert_int_equal(pthread_mutex_unlock(&lock), 0);
}

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(it_is_named_as_libc_names_it),
                TRIAL(it_leaves_what_libc_leaves_and_libc_is_not_asked),
                TRIAL(each_gives_back_what_the_other_took),
                TRIAL(other_kinds_are_left_to_libc),
                TRIAL(who_is_refused_by_libc_is_refused),
                TRIAL(the_order_of_two_is_checked),
                TRIAL(nobody_is_overtaken_or_left_asleep),
                TRIAL(it_leaves_what_libc_leaves_and_libc_is_not_asked), /* with threads, too */
                TRIAL(a_libc_that_does_something_else_is_asked),
                TRIAL(without_a_name_each_is_passed_on),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
