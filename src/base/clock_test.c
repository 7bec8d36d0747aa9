/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the written form at its edges, and which clock each function reads. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void text_is_rfc3339_in_utc(void **state)
{
        char text[clock_text_bytes];

        (void)state;
        clock_text(0, text);
        assert_string_equal(text, "1970-01-01T00:00:00.000Z");
        clock_text(UINT64_C(1709164800000000000), text);
        assert_string_equal(text, "2024-02-29T00:00:00.000Z");
}

static void text_ignores_the_time_zone(void **state)
{
        char text[clock_text_bytes];

        (void)state;
        assert_int_equal(setenv("TZ", "America/New_York", 1), 0);
        tzset();
        clock_text(UINT64_C(1709164800000000000), text);
        assert_string_equal(text, "2024-02-29T00:00:00.000Z");
}

static void text_cuts_and_does_not_round(void **state)
{
        char text[clock_text_bytes];

        (void)state;
        clock_text(UINT64_C(1767225599999999999), text);
        assert_string_equal(text, "2025-12-31T23:59:59.999Z");
        clock_text(UINT64_C(1767225600000000000), text);
        assert_string_equal(text, "2026-01-01T00:00:00.000Z");
}

static void text_holds_the_last_time_there_is(void **state)
{
        char text[clock_text_bytes];

        (void)state;
        clock_text(UINT64_MAX, text);
        assert_string_equal(text, "2554-07-21T23:34:33.709Z");
}

static void monotonic_agrees_with_the_kernel(void **state)
{
        uint64_t before = clock_monotonic_ns();
        struct timespec now;
        uint64_t between, after;

        (void)state;
        assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
        after = clock_monotonic_ns();
        between = (uint64_t)now.tv_sec * CLOCK_S_NS + (uint64_t)now.tv_nsec;
        assert_true(before <= between);
        assert_true(between <= after);
}

static void wall_agrees_with_the_kernel(void **state)
{
        uint64_t seconds = clock_wall_ns() / CLOCK_S_NS;
        uint64_t now = (uint64_t)time(NULL);

        (void)state;
        /* A minute apart: the clock may be set while we look, but it is no other clock. */
        assert_in_range(seconds, now - 60, now + 60);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_is_rfc3339_in_utc),
                cmocka_unit_test(text_ignores_the_time_zone),
                cmocka_unit_test(text_cuts_and_does_not_round),
                cmocka_unit_test(text_holds_the_last_time_there_is),
                cmocka_unit_test(monotonic_agrees_with_the_kernel),
                cmocka_unit_test(wall_agrees_with_the_kernel),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
