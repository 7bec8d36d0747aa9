/* SPDX-License-Identifier: Apache-2.0 */
/* What tocsin adds to a program by itself. */
#include "watch/vitals.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Steps that a clock takes in 10 s, of which one tick finds it ahead by `jump_ms`. */
static uint64_t steps_of(int64_t jump_ms)
{
        struct vitals_clock clock = { 0 };
        struct vitals_counts counts = { 0 };
        uint64_t wall_ns = 1700000000 * CLOCK_S_NS;

        for (uint64_t t = 1; t <= 10; t++) {
                wall_ns += CLOCK_S_NS;
                if (t == 5)
                        wall_ns += (uint64_t)(jump_ms * (int64_t)CLOCK_MS_NS);
                vitals_see_clock(&clock, wall_ns, t * CLOCK_S_NS, &counts);
        }
        return counts.clock_steps;
}

static void a_step_of_more_than_a_second_counts(void **state)
{
        (void)state;
        assert_int_equal(steps_of(0), 0);
        assert_int_equal(steps_of(1000), 0);
        assert_int_equal(steps_of(1001), 1);
        assert_int_equal(steps_of(-1000), 0);
        assert_int_equal(steps_of(-1001), 1);
        assert_int_equal(steps_of(-86400000), 1);
}

/* It slews: never much at once. */
static void a_clock_that_is_slow_takes_no_step(void **state)
{
        struct vitals_clock clock = { 0 };
        struct vitals_counts counts = { 0 };

        (void)state;
        for (uint64_t t = 1; t <= 1000; t++)
                vitals_see_clock(&clock, t * (CLOCK_S_NS + 500 * CLOCK_MS_NS), t * CLOCK_S_NS,
                                 &counts);
        assert_int_equal(counts.clock_steps, 0);
}

static void a_step_is_a_note_and_nothing_else(void **state)
{
        struct vitals_counts counts = { 0 };
        const struct rule_change *changes = NULL;
        struct vitals *vitals = NULL;
        size_t count = 0;

        (void)state;
        assert_int_equal(vitals_new(CLOCK_S_NS, &vitals), 0);
        assert_int_equal(vitals_judge(vitals, 2 * CLOCK_S_NS, true, &counts, &changes, &count), 0);
        counts.clock_steps = 1;
        assert_int_equal(vitals_judge(vitals, 3 * CLOCK_S_NS, true, &counts, &changes, &count), 0);
        assert_int_equal(count, 1);
        assert_string_equal(changes[0].now.record->name, "clock_step");
        assert_int_equal(changes[0].now.state, RULE_FIRING);
        assert_int_equal(changes[0].now.rule->severity, TOC_NOTE);
        vitals_free(&vitals);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_step_of_more_than_a_second_counts),
                cmocka_unit_test(a_clock_that_is_slow_takes_no_step),
                cmocka_unit_test(a_step_is_a_note_and_nothing_else),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
