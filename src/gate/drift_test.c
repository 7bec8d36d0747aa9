/* SPDX-License-Identifier: Apache-2.0 */
/* Loads that breathe, warm up or step once are not leaks; a slow leak below any of them is. */
#include "gate/drift.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { series_length = 200 };

static uint64_t flat(size_t i)
{
        (void)i;
        return 5000;
}

static uint64_t sawtooth(size_t i)
{
        return 10000 + i % 7 * 50000;
}

/* Weyl's sequence: as even as noise gets, the same each time. */
static uint64_t noise(size_t i)
{
        return 10000 + i * 0x9e3779b1u % 100003;
}

static uint64_t slow_leak(size_t i)
{
        return 10000 + i * 100;
}

static uint64_t leak_below_a_sawtooth(size_t i)
{
        return sawtooth(i) + i * 100;
}

static uint64_t one_descriptor_each_twenty(size_t i)
{
        return 4 + i / 20;
}

static uint64_t warm_up(size_t i)
{
        return i < 60 ? i * 1000 : 60000;
}

static uint64_t late_warm_up(size_t i)
{
        return i < 120 ? i * 1000 : 120000;
}

/* Comes within a half of what is missing, every 25 samples. */
static uint64_t levels_off(size_t i)
{
        uint64_t missing = 1000000;

        for (size_t k = 25; k <= i; k += 25)
                missing /= 2;
        return 2000000 - missing;
}

static uint64_t one_step(size_t i)
{
        return i < 130 ? 5000 : 500000;
}

static uint64_t two_steps(size_t i)
{
        return (i < 100 ? 5000u : 50000u) + (i < 160 ? 0u : 50000u);
}

static uint64_t falling(size_t i)
{
        return 100000 - i * 100;
}

static uint64_t a_few_bytes(size_t i)
{
        return 5000 + i;
}

static const struct {
        const char *what;
        uint64_t (*value)(size_t i);
        uint64_t least;
        enum drift_outcome outcome;
} rows[] = {
        { "flat", flat, 1, DRIFT_NONE },
        { "sawtooth", sawtooth, 1, DRIFT_NONE },
        { "noise", noise, 1, DRIFT_NONE },
        { "slow leak", slow_leak, 4096, DRIFT_RISES },
        { "leak below a sawtooth", leak_below_a_sawtooth, 4096, DRIFT_RISES },
        { "one descriptor each 20 samples", one_descriptor_each_twenty, 3, DRIFT_RISES },
        { "warm-up", warm_up, 1, DRIFT_NONE },
        { "late warm-up", late_warm_up, 1, DRIFT_NONE },
        { "levels off", levels_off, 1, DRIFT_NONE },
        { "one step", one_step, 1, DRIFT_NONE },
        { "two steps", two_steps, 1, DRIFT_NONE },
        { "falling", falling, 1, DRIFT_NONE },
        { "less than least", a_few_bytes, 4096, DRIFT_NONE },
        { "the same, with a lower least", a_few_bytes, 64, DRIFT_RISES },
};

static void leaks_are_told_from_loads(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(rows); i++) {
                uint64_t values[series_length];
                struct drift drift = { 0 };

                for (size_t k = 0; k < series_length; k++)
                        values[k] = rows[i].value(k);
                const enum drift_outcome outcome =
                        drift_judge(values, series_length, rows[i].least, &drift);

                if (outcome != rows[i].outcome)
                        fail_msg("%s: outcome %d, from %ju to %ju", rows[i].what, (int)outcome,
                                 (uintmax_t)drift.first, (uintmax_t)drift.last);
        }
}

static void the_floors_are_told(void **state)
{
        uint64_t values[36];
        struct drift drift;

        (void)state;
        /* 12 dropped, then six windows of four. */
        for (size_t i = 0; i < 36; i++)
                values[i] = 1000 * i;
        assert_int_equal(drift_judge(values, 36, 1, &drift), DRIFT_RISES);
        assert_int_equal(drift.first, 12000);
        assert_int_equal(drift.last, 32000);
        assert_int_equal(drift_judge(values, 36, 20000, &drift), DRIFT_RISES);
        assert_int_equal(drift_judge(values, 36, 20001, &drift), DRIFT_NONE);
}

static void too_few_samples_are_not_judged(void **state)
{
        uint64_t values[35] = { 0 };
        struct drift drift;

        (void)state;
        assert_int_equal(drift_judge(values, 35, 1, &drift), DRIFT_UNJUDGED);
        assert_int_equal(drift_judge(values, 0, 1, &drift), DRIFT_UNJUDGED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(leaks_are_told_from_loads),
                cmocka_unit_test(the_floors_are_told),
                cmocka_unit_test(too_few_samples_are_not_judged),
        };

        return cmocka_run_group_tests_name("drift", tests, NULL, NULL);
}
