/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that can be drawn by hand, at the ends of what the numbers hold; and random ones against
 * floating point of 64 bits of mantissa, where that is not in doubt. */
#include "rule/line.h"
#include "rule/fixture.h"

/* 10, 20, 30 at 1, 2, 3 s: 10 a second, 30 now. */
static struct line by_ten(void)
{
        struct line line = { 0 };

        for (int i = 1; i <= 3; i++)
                line_add(&line, (uint64_t)i * S, 10 * i);
        return line;
}

static void a_straight_line(void **state)
{
        struct line line = by_ten();

        (void)state;
        assert_int_equal(line_compare(&line, 3 * S, 0, 29), 1);
        assert_int_equal(line_compare(&line, 3 * S, 0, 30), 0);
        assert_int_equal(line_compare(&line, 3 * S, 0, 31), -1);
        assert_int_equal(line_compare(&line, 3 * S, 7, 100), 0);
        assert_int_equal(line_compare(&line, 3 * S, 7, 99), 1);
        assert_int_equal(line_compare(&line, 3 * S, -3, 0), 0);
        assert_int_equal(line_reaches_s(&line, 3 * S, 30), 0);
        assert_int_equal(line_reaches_s(&line, 3 * S, 39), 0); /* in 0.9 s */
        assert_int_equal(line_reaches_s(&line, 3 * S, 40), 1);
        assert_int_equal(line_reaches_s(&line, 3 * S, 41), 1);
        assert_int_equal(line_reaches_s(&line, 3 * S, 1030), 100);
        assert_int_equal(line_reaches_s(&line, 4 * S, 1030), 99);
}

/* 0, 0, 3 at 0, 1, 2 s: the mean is 1, the slope 1.5, so it is at 2.5 now. */
static void a_line_through_a_cloud(void **state)
{
        struct line line = { 0 };

        (void)state;
        line_add(&line, 0, 0);
        line_add(&line, S, 0);
        line_add(&line, 2 * S, 3);
        assert_int_equal(line_compare(&line, 2 * S, 0, 2), 1);
        assert_int_equal(line_compare(&line, 2 * S, 0, 3), -1);
        assert_int_equal(line_compare(&line, 2 * S, 1, 4), 0);
        assert_int_equal(line_reaches_s(&line, 2 * S, 7), 3);
}

static void what_is_removed_leaves_no_trace(void **state)
{
        struct line line = by_ten(), as_before = by_ten();

        (void)state;
        line_add(&line, UINT64_MAX, INT64_MIN);
        line_add(&line, 77, -5);
        line_remove(&line, UINT64_MAX, INT64_MIN);
        line_remove(&line, 77, -5);
        assert_memory_equal(&line, &as_before, sizeof(line));
}

static void one_that_does_not_grow_reaches_nothing(void **state)
{
        struct line line = { 0 };

        (void)state;
        line_add(&line, 1 * S, 5);
        line_add(&line, 2 * S, 5);
        assert_int_equal(line_reaches_s(&line, 2 * S, 6), INT64_MAX);
        assert_int_equal(line_reaches_s(&line, 2 * S, 5), 0);
        assert_int_equal(line_compare(&line, 2 * S, INT64_MAX, 5), 0);
        line_add(&line, 3 * S, 4);
        assert_int_equal(line_reaches_s(&line, 3 * S, 6), INT64_MAX);
        assert_int_equal(line_compare(&line, 3 * S, INT64_MAX, INT64_MIN), 1);
}

/* As many samples as there can be, as late and as far apart as they can be, from one end of int64
 * to the other. Half of them at the least and half at the greatest value, in halves of the window:
 * by symmetry the line goes through the middle, -0.5, at the middle of the times. */
static void the_largest_numbers_there_are(void **state)
{
        const uint64_t count = 3602, step = 499861188; /* 3601 of them are 1.8e12 */
        const uint64_t end = UINT64_MAX - 5;
        const uint64_t first = end - (count - 1) * step;
        struct line line = { 0 };

        (void)state;
        for (uint64_t i = 0; i < count; i++)
                line_add(&line, first + i * step, i < count / 2 ? INT64_MIN : INT64_MAX);
        /* the middle is at 1800.5 steps, which is a whole number of ns */
        assert_int_equal(line_compare(&line, first + 3601 * (step / 2), 0, -1), 1);
        assert_int_equal(line_compare(&line, first + 3601 * (step / 2), 0, 0), -1);
        assert_int_equal(line_compare(&line, end, INT64_MAX, INT64_MAX), 1);
        assert_int_equal(line_compare(&line, end, INT64_MIN, INT64_MIN), -1);
        /* At the end it is at 3/2 of the amplitude, nearly: (3/2) 2^63 is above int64. */
        assert_int_equal(line_compare(&line, end, 0, INT64_MAX), 1);
        assert_int_equal(line_reaches_s(&line, end, INT64_MAX), 0);
}

/* 2^62 a second, from -2^63 on: exact to the last of 230 bits. 0, 1, 2 s: -2^63, -2^62, 0. */
static void one_more_is_one_more(void **state)
{
        const int64_t huge = INT64_C(1) << 62;
        struct line line = { 0 };

        (void)state;
        line_add(&line, 10 * S, INT64_MIN);
        line_add(&line, 11 * S, -huge);
        line_add(&line, 12 * S, 0);
        assert_int_equal(line_compare(&line, 12 * S, 1, huge - 1), 1);
        assert_int_equal(line_compare(&line, 12 * S, 1, huge), 0);
        assert_int_equal(line_compare(&line, 12 * S, 1, huge + 1), -1);
        /* One in 1000 s: in 10^18 s it is at 1 + 10^15, and a second more or less tells. */
        line = (struct line){ 0 };
        line_add(&line, 0, 0);
        line_add(&line, 1000 * S, 1);
        assert_int_equal(line_compare(&line, 1000 * S, 1000000000000000000, 1000000000000001), 0);
        assert_int_equal(line_compare(&line, 1000 * S, 999999999999999999, 1000000000000001), -1);
        assert_int_equal(line_compare(&line, 1000 * S, 1000000000000000001, 1000000000000001), 1);
}

/* Where `long double` is sure of the side, it is the same one. */
static void agrees_with_floating_point(void **state)
{
        uint64_t seed = 21;
        size_t sure = 0;

        (void)state;
        for (int run = 0; run < 20000; run++) {
                unsigned shift = (unsigned)fixture_below(&seed, 60);
                uint64_t now = UINT64_C(1) << 50;
                size_t count = 3 + fixture_below(&seed, 30);
                int64_t seconds =
                        (int64_t)(fixture_random(&seed) >> (1 + fixture_below(&seed, 60)));
                int64_t level = (int64_t)fixture_random(&seed) >> shift;
                struct line line = { 0 };
                long double x[40], y[40], mx = 0, my = 0, xy = 0, xx = 0, at, off;

                for (size_t i = 0; i < count; i++) {
                        uint64_t age = fixture_below(&seed, 1 << 30) * 1700 + i;
                        int64_t value = (int64_t)fixture_random(&seed) >> shift;

                        line_add(&line, now - age, value);
                        x[i] = -(long double)age;
                        y[i] = (long double)value;
                        mx += x[i] / (long double)count;
                        my += y[i] / (long double)count;
                }
                for (size_t i = 0; i < count; i++) {
                        xy += (x[i] - mx) * (y[i] - my);
                        xx += (x[i] - mx) * (x[i] - mx);
                }
                at = my + xy / xx * ((long double)seconds * 1e9L - mx);
                off = at - (long double)level;
                if (off > -1e-9L * (at > 0 ? at : -at) && off < 1e-9L * (at > 0 ? at : -at))
                        continue;
                sure++;
                assert_int_equal(line_compare(&line, now, seconds, level), off > 0 ? 1 : -1);
        }
        assert_true(sure > 19000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_straight_line),
                cmocka_unit_test(a_line_through_a_cloud),
                cmocka_unit_test(what_is_removed_leaves_no_trace),
                cmocka_unit_test(one_that_does_not_grow_reaches_nothing),
                cmocka_unit_test(the_largest_numbers_there_are),
                cmocka_unit_test(one_more_is_one_more),
                cmocka_unit_test(agrees_with_floating_point),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
