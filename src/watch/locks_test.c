/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for whom, where it is not one mutex each: insight_test.c has the plain circles. */
#include "watch/locks.h"
#include "watch/picture_fixture.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct insight insight;
static struct locks locks;

static int begin(void **state)
{
        (void)state;
        memset(&insight, 0, sizeof(insight));
        memset(&locks, 0, sizeof(locks));
        if (picture_new(0, &picture))
                return -1;
        picture->module_count = 3;
        picture->at_ns = 1000 * CLOCK_S_NS;
        return 0;
}

static int end(void **state)
{
        (void)state;
        picture_free(&picture);
        return 0;
}

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, begin, end)

static int64_t stuck(uint32_t module)
{
        locks_glance(&locks, picture, &insight);
        for (int i = 0; i < 4; i++) {
                picture->at_ns += 50 * CLOCK_MS_NS;
                locks_glance(&locks, picture, &insight);
        }
        return insight.value[module][INSIGHT_deadlock];
}

static void waits_as(struct picture_thread *waiter, uint64_t lock, uint32_t kind)
{
        waits(waiter, lock);
        waiter->wait_kind = kind;
}

static void to_join_who_wants_ones_lock_is_a_circle(void **state)
{
        struct picture_thread *parent = thread(11, 1), *child = thread(12, 2);

        (void)state;
        holds(parent, LOCK_A, 1);
        waits_as(parent, 12, INSIDE_JOIN);
        waits(child, LOCK_A);
        assert_int_equal(stuck(1), 1);
        assert_int_equal(insight.value[2][INSIGHT_deadlock], 1);
        assert_int_equal(insight.value[1][INSIGHT_lock_wait_ms], 0);
}

/* A thread whose id is the address of a lock holds its own end, and not the lock. */
static void an_end_is_no_lock(void **state)
{
        struct picture_thread *one = thread(LOCK_A, 1), *other = thread(12, 1);

        (void)state;
        waits_as(one, 12, INSIDE_JOIN);
        waits(other, LOCK_A);
        assert_int_equal(stuck(1), 0);
        assert_int_equal(insight.value[1][INSIGHT_lock_wait_ms], 200);
}

static void to_join_who_works_is_patience(void **state)
{
        (void)state;
        waits_as(thread(11, 1), 12, INSIDE_JOIN);
        (void)thread(12, 1);
        waits_as(thread(13, 1), 0, INSIDE_JOIN); /* not known whose */
        assert_int_equal(stuck(1), 0);
        picture->at_ns += 60 * CLOCK_S_NS;
        assert_int_equal(stuck(1), 0);
        assert_int_equal(insight.value[1][INSIGHT_lock_wait_ms], 0);
}

/* Three read; the second of them waits for what the writer holds, the others go on or wait. */
static void a_writer_waits_for_all_readers(void **state)
{
        struct picture_thread *first, *second, *writer;

        (void)state;
        first = thread(11, 1);
        second = thread(12, 1);
        writer = thread(14, 2);
        holds(first, LOCK_A, 1);
        holds(second, LOCK_A, 1);
        holds(thread(13, 1), LOCK_A, 1);
        waits(first, LOCK_C); /* which nobody holds: no way leads on from here */
        waits(second, LOCK_B);
        holds(writer, LOCK_B, 1);
        waits_as(writer, LOCK_A, INSIDE_WRITE);
        assert_int_equal(stuck(1), 1);
        assert_int_equal(insight.value[2][INSIGHT_deadlock], 1);
        second->wait_number = 2; /* it has got it after all */
        assert_int_equal(stuck(1), 0);
        assert_int_equal(insight.value[2][INSIGHT_deadlock], 0);
}

/* It leads to a circle, and is in none. */
static void who_waits_for_a_circle_waits(void **state)
{
        struct picture_thread *left = thread(11, 1), *right = thread(12, 1);

        (void)state;
        holds(left, LOCK_A, 1);
        holds(right, LOCK_B, 1);
        waits(left, LOCK_B);
        waits(right, LOCK_A);
        waits(thread(13, 2), LOCK_A);
        assert_int_equal(stuck(1), 2);
        assert_int_equal(insight.value[2][INSIGHT_deadlock], 0);
        assert_int_equal(insight.value[1][INSIGHT_lock_wait_ms], 200);
}

/* Its list of what it holds was full, but the library knew. */
static void who_confesses_is_stuck_until_it_goes_on(void **state)
{
        struct picture_thread *alone = thread(11, 2);

        (void)state;
        picture->findings[0] = (struct inside_finding){
                .is_ready = 1, .kind = INSIDE_SELF_DEADLOCK, .thread = 11, .lock = { LOCK_A }
        };
        picture->finding_count = 1;
        waits(alone, LOCK_A);
        assert_int_equal(stuck(2), 1);
        alone->wait_number = 2;
        assert_int_equal(stuck(2), 0);
}

static const char *text_in(const json_t *list, size_t index, const char *key)
{
        return json_string_value(json_object_get(json_array_get(list, index), key));
}

static int64_t number_in(const json_t *list, size_t index, const char *key)
{
        return json_integer_value(json_object_get(json_array_get(list, index), key));
}

static void details_say_who_waits_for_what(void **state)
{
        struct picture_thread *parent = thread(11, 0), *child = thread(12, 0);
        struct text nothing = { 0 };
        struct namer namer = { .maps = &nothing };
        json_t *details, *list;

        (void)state;
        holds(parent, LOCK_A, 1);
        waits_as(parent, 12, INSIDE_JOIN);
        waits(child, LOCK_A);
        waits_as(thread(13, 0), LOCK_B, INSIDE_CONDITION);
        assert_int_equal(stuck(0), 2);
        details = locks_details(&locks, picture, &namer, 0, INSIGHT_deadlock);
        list = json_object_get(details, "cycle");
        assert_int_equal(json_array_size(list), 2);
        assert_int_equal(number_in(list, 0, "waits_for_end_of"), 12);
        assert_int_equal(number_in(list, 1, "held_by"), 11);
        assert_int_equal(number_in(list, 1, "for_ms"), 200);
        json_decref(details);
        list = locks_waiters(&locks, picture, &namer, 0);
        assert_int_equal(json_array_size(list), 3);
        assert_string_equal(text_in(list, 0, "kind"), "end of a thread");
        assert_string_equal(text_in(list, 2, "kind"), "condition");
        json_decref(list);
}

/* All hold the same lock many times, and wait for it: each looked at each would take minutes. */
static void who_lies_most_is_borne(void **state)
{
        (void)state;
        for (uint32_t i = 0; i < INSIDE_THREADS_MAX - 1; i++) {
                struct picture_thread *liar = thread(100 + i, 1);

                while (liar->held_count < INSIDE_HELD)
                        holds(liar, i % 2 ? LOCK_A : LOCK_B, 1);
                waits(liar, i % 2 ? LOCK_A : LOCK_C);
        }
        assert_int_equal(stuck(1), (INSIDE_THREADS_MAX - 1) / 2);
        for (uint32_t i = 0; i < picture->thread_count; i++) { /* in one long row */
                picture->threads[i].held_count = 0;
                holds(&picture->threads[i], LOCK_A + i, 1);
                picture->threads[i].wait_lock = LOCK_A + i + 1;
        }
        assert_int_equal(stuck(1), 0);
        picture->threads[picture->thread_count - 1].wait_lock = LOCK_A;
        assert_int_equal(stuck(1), picture->thread_count);
}

static void anything_is_borne(void **state)
{
        struct text nothing = { 0 };
        struct namer namer = { .maps = &nothing };

        (void)state;
        for (int i = 0; i < 100; i++) {
                picture->thread_count = 0;
                for (uint64_t n = random_word() % 100; n; n--) {
                        struct picture_thread *one = thread((uint32_t)random_word() % 8, 1);

                        for (uint64_t k = random_word() % (INSIDE_HELD + 1); k; k--)
                                holds(one, random_word() % 8, (uint32_t)random_word());
                        waits_as(one, random_word() % 8, (uint32_t)random_word() % 10);
                        one->call_number = random_word();
                        one->call_kind = (uint32_t)random_word() % 9;
                        one->module = (uint32_t)random_word() % INSIDE_MODULES;
                        one->id = random_word() % 4 ? one->id : UINT32_MAX;
                }
                (void)stuck(0);
                json_decref(locks_details(&locks, picture, &namer, 1, INSIGHT_deadlock));
                json_decref(locks_details(&locks, picture, &namer, 1, INSIGHT_lock_wait_ms));
                json_decref(locks_waiters(&locks, picture, &namer, 1));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(to_join_who_wants_ones_lock_is_a_circle),
                TRIAL(an_end_is_no_lock),
                TRIAL(to_join_who_works_is_patience),
                TRIAL(a_writer_waits_for_all_readers),
                TRIAL(who_waits_for_a_circle_waits),
                TRIAL(who_confesses_is_stuck_until_it_goes_on),
                TRIAL(details_say_who_waits_for_what),
                TRIAL(who_lies_most_is_borne),
                TRIAL(anything_is_borne),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
