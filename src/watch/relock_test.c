/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that really wait, as the kernel shows them, in a picture made by hand. */
#include "watch/relock.h"
#include "watch/picture_fixture.h"
#include "watch/procfs.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { LONGEST_S = 60 };

static pthread_mutex_t mutex;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static atomic_int waiter_id;
static bool may_go;
static struct relock relock;

static uint64_t address(const void *of)
{
        return (uintptr_t)of;
}

/* cmocka's asserts belong to the first thread. */
static void must(int failed)
{
        if (failed)
                abort();
}

static void *wait_for_it(void *unused)
{
        must(pthread_mutex_lock(&mutex));
        waiter_id = (int)syscall(SYS_gettid);
        while (!may_go)
                must(pthread_cond_wait(&condition, &mutex));
        must(pthread_mutex_unlock(&mutex));
        return unused;
}

/* As libtocsin-inside publishes it all the while: it cannot tell the one from the other. */
static struct picture_thread *show(uint64_t holder_has)
{
        struct picture_thread *waiter;

        picture->thread_count = 0;
        holds(thread(1, 1), holder_has, 1);
        waiter = thread((uint32_t)waiter_id, 1);
        waiter->wait_number = 41;
        waiter->wait_kind = INSIDE_CONDITION;
        waiter->wait_lock = address(&condition);
        waiter->wait_mutex = address(&mutex);
        relock_glance(&relock, picture);
        return waiter;
}

static bool is_shown_as_woken(const struct picture_thread *waiter)
{
        if (waiter->wait_kind == INSIDE_CONDITION)
                return false;
        assert_int_equal(waiter->wait_kind, INSIDE_MUTEX);
        assert_int_equal(waiter->wait_lock, address(&mutex));
        assert_int_equal(waiter->wait_condition, address(&condition));
        assert_int_not_equal(waiter->wait_number, 41);
        assert_true(waiter->wait_number & 1);
        return true;
}

static void until_it_sleeps(void)
{
        uint64_t end_ns = clock_monotonic_ns() + LONGEST_S * CLOCK_S_NS;
        char name[64], text[32];

        (void)snprintf(name, sizeof(name), "task/%d/syscall", (int)waiter_id);
        do
                assert_true(procfs_read(getpid(), name, text, sizeof(text)) > 0);
        while (strtol(text, NULL, 10) != SYS_futex && clock_monotonic_ns() < end_ns);
        assert_int_equal(strtol(text, NULL, 10), SYS_futex);
}

/* Whoever takes the mutex has the waiter inside pthread_cond_wait(): it had it until then. */
static void wakes_with_the_mutex_held(int protocol)
{
        pthread_mutexattr_t attributes;
        pthread_t waiter;
        uint64_t end_ns;

        memset(&relock, 0, sizeof(relock));
        waiter_id = 0;
        may_go = false;
        assert_int_equal(pthread_mutexattr_init(&attributes), 0);
        assert_int_equal(pthread_mutexattr_setprotocol(&attributes, protocol), 0);
        assert_int_equal(pthread_mutex_init(&mutex, &attributes), 0);
        assert_int_equal(picture_new(getpid(), &picture), 0);
        assert_int_equal(pthread_create(&waiter, NULL, wait_for_it, NULL), 0);
        end_ns = clock_monotonic_ns() + LONGEST_S * CLOCK_S_NS;
        while (!waiter_id && clock_monotonic_ns() < end_ns)
                (void)sched_yield();
        assert_int_not_equal(waiter_id, 0);
        assert_int_equal(pthread_mutex_lock(&mutex), 0);
        until_it_sleeps();
        assert_false(is_shown_as_woken(show(address(&mutex)))); /* held, and nobody has woken it */
        may_go = true;
        assert_int_equal(pthread_cond_signal(&condition), 0);
        end_ns = clock_monotonic_ns() + LONGEST_S * CLOCK_S_NS;
        while (!is_shown_as_woken(show(address(&mutex))))
                assert_true(clock_monotonic_ns() < end_ns);
        assert_int_equal(pthread_mutex_unlock(&mutex), 0);
        assert_int_equal(pthread_join(waiter, NULL), 0);
        assert_true(is_shown_as_woken(show(address(&mutex)))); /* the same wait: not asked again */
        relock.waits[2].number = 43;
        assert_false(is_shown_as_woken(show(address(&mutex)))); /* another one */
        picture_free(&picture);
        assert_int_equal(pthread_mutex_destroy(&mutex), 0);
}

static void whoever_is_woken_waits_for_the_mutex(void **state)
{
        (void)state;
        wakes_with_the_mutex_held(PTHREAD_PRIO_NONE);
}

static void so_with_a_mutex_that_lends_its_priority(void **state)
{
        (void)state;
        wakes_with_the_mutex_held(PTHREAD_PRIO_INHERIT);
}

/* Each is asked in its turn, though there are more of them than may be asked at once. */
static void many_are_asked_in_turns(void **state)
{
        uint32_t count = 3 * relock_asks_max, unasked = 0;

        (void)state;
        memset(&relock, 0, sizeof(relock));
        assert_int_equal(picture_new(getpid(), &picture), 0);
        for (uint32_t i = 0; i < count; i++) {
                struct picture_thread *waiter = thread(i, 1);

                waiter->wait_number = 1;
                waiter->wait_kind = INSIDE_CONDITION;
                waiter->wait_mutex = LOCK_A;
        }
        for (int i = 0; i < 3; i++) {
                assert_int_equal(relock.next % count, unasked);
                relock_glance(&relock, picture);
                unasked += relock_asks_max;
                unasked %= count;
        }
        picture_free(&picture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(whoever_is_woken_waits_for_the_mutex),
                cmocka_unit_test(so_with_a_mutex_that_lends_its_priority),
                cmocka_unit_test(many_are_asked_in_turns),
        };

        return cmocka_run_group_tests_name("relock", tests, NULL, NULL);
}
