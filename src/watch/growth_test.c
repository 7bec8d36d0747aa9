/* SPDX-License-Identifier: Apache-2.0 */
/* Growth, against the patterns that were measured for doc/rules.md: bytes of one site, second by
 * second, on 100 MB that stay. insight_test.c has descriptors. */
#include "watch/growth.h"
#include "watch/picture_fixture.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
        HOURS_S = 2 * 3600,
        SITE = INSIDE_FIRST_SITE + 5,
        OTHER = INSIDE_FIRST_SITE + 6,
        MODULE = 1
};

#define MB INT64_C(1000000)

static struct insight insight;
static struct growth growth;

static void forget(void)
{
        memset(&insight, 0, sizeof(insight));
        memset(&growth, 0, sizeof(growth));
}

static int begin(void **state)
{
        (void)state;
        forget();
        if (picture_new(0, &picture))
                return -1;
        picture->module_count = 3;
        for (uint32_t i = SITE; i <= OTHER; i++)
                picture->sites[i] = (struct inside_site){ .is_ready = 1,
                                                          .kind = INSIDE_HEAP,
                                                          .module = MODULE };
        picture->site_count = OTHER + 1;
        return 0;
}

static int end(void **state)
{
        (void)state;
        picture_free(&picture);
        return 0;
}

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* About the normal distribution: twelve uniform ones, so that their deviation is 1. */
static int64_t noise(int64_t deviation)
{
        int64_t sum = 0;

        for (int i = 0; i < 12; i++)
                sum += (int64_t)(random_word() % 10001);
        return (sum - 60000) * deviation / 10000;
}

static int64_t at_least(int64_t value, int64_t least)
{
        return value < least ? least : value;
}

static int64_t at_most(int64_t value, int64_t most)
{
        return value > most ? most : value;
}

/* ---- Patterns ------------------------------------------------------------- */

static int64_t flat(int64_t t)
{
        (void)t;
        return noise(MB * 3 / 2);
}

static int64_t sawtooth(int64_t t)
{
        return 45 * MB * (t % 240) / 240 + flat(t);
}

static int64_t churn(int64_t t)
{
        static int64_t now;

        if (t % 5 == 1)
                now = (int64_t)(random_word() % 48) * MB;
        return now;
}

static int64_t warm_up(int64_t t)
{
        return at_most(200 * MB * t / 480, 200 * MB) + flat(t);
}

static int64_t long_warm_up(int64_t t)
{
        return at_most(200 * MB * t / 1190, 200 * MB); /* it ends within four windows */
}

static int64_t step(int64_t t)
{
        return (t < 1700 ? 0 : 100 * MB) + flat(t);
}

static int64_t ramp(int64_t t)
{
        return t < 4000 ? at_most(at_least(100 * MB * (t - 1650) / 1200, 0), 100 * MB) : 0;
}

static int64_t slow_leak(int64_t t)
{
        return t * MB / 120 + flat(t);
}

static int64_t leak_in_sawtooth(int64_t t)
{
        return t * MB / 60 + sawtooth(t);
}

static int64_t leak_in_churn(int64_t t)
{
        return t * MB / 60 + churn(t);
}

static int64_t fast_leak(int64_t t)
{
        return t * MB / 3;
}

/* ---- How long it takes ---------------------------------------------------- */

static int64_t rang_for_s; /* in all */

/* The second in which it rings first; 0: never. */
static int64_t rings_at(int64_t (*pattern)(int64_t), uint64_t seed)
{
        int64_t first = 0;

        forget();
        random_state = seed;
        rang_for_s = 0;
        for (int64_t t = 1; t <= HOURS_S; t++) {
                picture->cells[SITE].bytes = (uint64_t)(100 * MB + pattern(t));
                growth_see(&growth, picture, &insight);
                if (insight.value[MODULE][INSIGHT_growth] <= 0)
                        continue;
                rang_for_s++;
                if (!first)
                        first = t;
        }
        return first;
}

static void what_does_not_grow_is_silent(void **state)
{
        int64_t (*const harmless[])(
                int64_t) = { flat, sawtooth, churn, warm_up, long_warm_up, step };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(harmless); i++)
                for (uint64_t seed = 1; seed <= 8; seed++)
                        assert_int_equal(rings_at(harmless[i], seed), 0);
}

/* Six windows are over at 1800 s; noise may cost one of the slow ones a window and a new start. */
static void what_leaks_rings(void **state)
{
        (void)state;
        assert_int_equal(rings_at(fast_leak, 1), 1800);
        for (uint64_t seed = 1; seed <= 8; seed++) {
                assert_in_range(rings_at(slow_leak, seed), 1800, 3600);
                assert_in_range(rings_at(leak_in_sawtooth, seed), 1800, 3600);
                assert_in_range(rings_at(leak_in_churn, seed), 1800, 5400);
        }
}

/* growth.h says so. If it no longer does, so much the better: tell it there. */
static void a_ramp_of_twenty_minutes_is_taken_for_growth_for_one_window(void **state)
{
        (void)state;
        assert_in_range(rings_at(ramp, 1), 1650 + 1200, 3600);
        assert_in_range(rang_for_s, 1, 300);
}

/* ---- Rests ---------------------------------------------------------------- */

/* It works for ten seconds, in and out, and does nothing for a minute. */
static void work_and_rest(struct picture_thread *worker, uint64_t bytes_after)
{
        for (int t = 0; t < 70; t++) {
                worker->around = t < 10 || worker->module == MODULE ? 1 << MODULE : 0;
                picture->cells[SITE].made += t < 10;
                picture->cells[SITE].bytes = t < 10 ? 50 * (uint64_t)MB : bytes_after;
                growth_see(&growth, picture, &insight);
        }
}

static void what_stays_at_each_rest_rings(void **state)
{
        struct picture_thread *worker = thread(11, INSIDE_PROGRAM);

        (void)state;
        for (uint64_t i = 0; i < 6; i++) {
                assert_int_equal(insight.value[MODULE][INSIGHT_growth], 0);
                work_and_rest(worker, 1000000 + i * 70000);
        }
        assert_int_equal(insight.value[MODULE][INSIGHT_growth], 5 * 70000);
        work_and_rest(worker, 1000000);
        assert_int_equal(insight.value[MODULE][INSIGHT_growth], 0);
}

static void what_is_full_at_each_rest_is_silent(void **state)
{
        static const uint64_t bytes[] = { 1, 900000, 1000000, 999000, 1000000, 990000, 1020000 };
        struct picture_thread *worker = thread(11, INSIDE_PROGRAM);

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(bytes); i++) {
                work_and_rest(worker, bytes[i]);
                assert_int_equal(insight.value[MODULE][INSIGHT_growth], 0);
        }
}

static void who_is_still_inside_does_not_rest(void **state)
{
        struct picture_thread *worker = thread(11, MODULE);

        (void)state;
        for (uint64_t i = 0; i < 8; i++)
                work_and_rest(worker, 1000000 + i * 70000);
        assert_int_equal(growth.module[MODULE].rests, 0);
}

/* ---- Details -------------------------------------------------------------- */

static void the_worst_place_comes_first(void **state)
{
        struct text nothing = { 0 };
        struct namer namer = { .maps = &nothing };
        json_t *details, *sites;

        (void)state;
        for (uint64_t t = 1; t <= 1800; t++) {
                picture->cells[SITE].bytes = t * 1000;
                picture->cells[OTHER].bytes = t * 2000;
                growth_see(&growth, picture, &insight);
        }
        details = growth_details(&growth, picture, &namer, MODULE, INSIGHT_growth);
        sites = json_object_get(details, "sites");
        assert_int_equal(json_array_size(sites), 2);
        assert_int_equal(json_integer_value(json_object_get(json_array_get(sites, 0), "bytes")),
                         3600000);
        json_decref(details);
}

/* Whoever counts them from outside sees one. */
static void threads_that_run_are_told_from_those_that_nobody_joined(void **state)
{
        struct text nothing = { 0 };
        struct namer namer = { .maps = &nothing };
        json_t *details;

        (void)state;
        picture->sites[SITE].kind = INSIDE_THREAD_KIND;
        (void)thread(11, MODULE);
        for (uint64_t t = 1; t <= 40; t++) {
                picture->cells[SITE].live = 2 * t;
                growth_see(&growth, picture, &insight);
        }
        details = growth_details(&growth, picture, &namer, MODULE, INSIGHT_threads);
        assert_int_equal(json_integer_value(json_object_get(details, "all")), 80);
        assert_int_equal(json_integer_value(json_object_get(details, "running")), 1);
        json_decref(details);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(what_does_not_grow_is_silent),
                TRIAL(what_leaks_rings),
                TRIAL(a_ramp_of_twenty_minutes_is_taken_for_growth_for_one_window),
                TRIAL(what_stays_at_each_rest_rings),
                TRIAL(what_is_full_at_each_rest_is_silent),
                TRIAL(who_is_still_inside_does_not_rest),
                TRIAL(the_worst_place_comes_first),
                TRIAL(threads_that_run_are_told_from_those_that_nobody_joined),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
