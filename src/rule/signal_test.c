/* SPDX-License-Identifier: Apache-2.0 */
/* The rows below are typed from the vocabulary in <tocsin.h>, not from signal.c. */
#include "rule/signal.h"
#include "rule/fixture.h"

static const struct {
        unsigned kind;
        unsigned signal;
        enum signal_how how;
        uint32_t window_s;
        uint32_t unit_s;
} promised[] = {
        { 1, 1, SIGNAL_TOTAL, 0, 0 },      /* counter total */
        { 1, 2, SIGNAL_RATE, 10, 1 },      /* counter per_second */
        { 1, 3, SIGNAL_RATE, 60, 60 },     /* counter per_minute */
        { 1, 4, SIGNAL_RATE, 3600, 3600 }, /* counter per_hour */
        { 2, 5, SIGNAL_VALUE, 0, 0 },      /* gauge value */
        { 3, 5, SIGNAL_VALUE, 0, 0 },      /* level value */
        { 7, 20, SIGNAL_SILENCE, 0, 0 },   /* heartbeat silent_ms */
        { 10, 1, SIGNAL_COUNT, 60, 0 },    /* expectation total */
        { 12, 1, SIGNAL_TOTAL, 0, 0 },     /* error total */
        { 12, 3, SIGNAL_RATE, 60, 60 },    /* error per_minute */
        { 13, 1, SIGNAL_TOTAL, 0, 0 },     /* warning total */
        { 13, 3, SIGNAL_RATE, 60, 60 },    /* warning per_minute */
        { 15, 1, SIGNAL_TOTAL, 0, 0 },     /* logs total */
        { 15, 3, SIGNAL_RATE, 60, 60 },    /* logs per_minute */
        { 14, 40, SIGNAL_ABSENT, 0, 0 },   /* module live_bytes ... */
        { 14, 41, SIGNAL_ABSENT, 0, 0 },   /**/
        { 14, 42, SIGNAL_ABSENT, 0, 0 },   /**/
        { 14, 43, SIGNAL_ABSENT, 0, 0 },   /**/
        { 14, 44, SIGNAL_ABSENT, 0, 0 },   /**/
        { 14, 45, SIGNAL_ABSENT, 0, 0 },   /**/
        { 14, 46, SIGNAL_ABSENT, 0, 0 },   /**/
        { 14, 47, SIGNAL_ABSENT, 0, 0 },   /**/
        { 14, 48, SIGNAL_ABSENT, 0, 0 },   /* ... to module lock_wait_ms */
};

static void has_what_the_header_promises_and_no_more(void **state)
{
        size_t found = 0;

        (void)state;
        assert_int_equal(rule_signal_count, COUNT(promised));
        for (unsigned kind = 0; kind < 300; kind++)
                for (unsigned signal = 0; signal < 300; signal++)
                        found += signal_find(kind, signal) != NULL;
        assert_int_equal(found, COUNT(promised));
        for (size_t i = 0; i < COUNT(promised); i++) {
                const struct signal *signal = signal_find(promised[i].kind, promised[i].signal);

                assert_non_null(signal);
                assert_int_equal(signal->how, promised[i].how);
                assert_int_equal(signal->window_s, promised[i].window_s);
                assert_int_equal(signal->unit_s, promised[i].unit_s);
        }
}

static void the_rules_window_goes_before_the_signals(void **state)
{
        struct toc_rule rule = { .signal = toc_signal_per_minute };

        (void)state;
        assert_int_equal(rule_window_s(toc_kind_counter, &rule), 60);
        rule.window_s = 7;
        assert_int_equal(rule_window_s(toc_kind_counter, &rule), 7);
        rule.signal = toc_signal_total;
        assert_int_equal(rule_window_s(toc_kind_counter, &rule), 0);
        assert_int_equal(rule_window_s(toc_kind_expectation, &rule), 7);
        rule.window_s = 0;
        assert_int_equal(rule_window_s(toc_kind_expectation, &rule), 60);
        assert_int_equal(rule_window_s(toc_kind_gauge, &rule), 0); /* no such signal */
}

static bool holds(signal_wide n, uint32_t per, unsigned op, int64_t limit)
{
        struct reading reading = { .is_known = true, .n = n, .per = per };

        return reading_holds(&reading, op, limit);
}

static void compares_below_at_and_above_the_limit(void **state)
{
        static const struct {
                unsigned op;
                bool below, at, above;
        } ops[] = {
                { TOC_ABOVE_, false, false, true },             /* > */
                { TOC_ABOVE_ | TOC_EQUAL_, false, true, true }, /* >= */
                { TOC_BELOW_, true, false, false },             /* < */
                { TOC_BELOW_ | TOC_EQUAL_, true, true, false }, /* <= */
                { TOC_EQUAL_, false, true, false },             /* == */
                { TOC_ABOVE_ | TOC_BELOW_, true, false, true }, /* != */
        };

        (void)state;
        for (size_t i = 0; i < COUNT(ops); i++) {
                assert_int_equal(holds(41, 1, ops[i].op, 42), ops[i].below);
                assert_int_equal(holds(42, 1, ops[i].op, 42), ops[i].at);
                assert_int_equal(holds(43, 1, ops[i].op, 42), ops[i].above);
                assert_int_equal(holds(-43, 1, ops[i].op, -42), ops[i].below);
                assert_int_equal(holds(-42, 1, ops[i].op, -42), ops[i].at);
                assert_int_equal(holds(-41, 1, ops[i].op, -42), ops[i].above);
        }
}

/* 29 in 10 s is 2.9 a second: below 3 although 2.9 shown as an integer is 2; 20 is exactly 2. */
static void compares_fractions_exactly(void **state)
{
        struct reading rate = { .is_known = true, .n = 29, .per = 10 };

        (void)state;
        assert_int_equal(reading_value(&rate), 2);
        assert_true(holds(29, 10, TOC_ABOVE_, 2));
        assert_false(holds(29, 10, TOC_ABOVE_ | TOC_EQUAL_, 3));
        assert_false(holds(29, 10, TOC_EQUAL_, 2));
        assert_true(holds(20, 10, TOC_EQUAL_, 2));
        assert_true(holds(30, 10, TOC_ABOVE_ | TOC_EQUAL_, 3));
}

/* 2^64 - 1 events in a day against 2^63 - 1 per hour: 24 times the limit's window, and
 * (2^64 - 1) * 3600 < (2^63 - 1) * 86400, because 2 < 24. */
static void does_not_overflow(void **state)
{
        signal_wide n = (signal_wide)UINT64_MAX * 3600;
        struct reading huge = { .is_known = true, .n = n, .per = 1 };

        (void)state;
        assert_true(holds(n, 86400, TOC_BELOW_, INT64_MAX));
        assert_false(holds(n, 86400, TOC_ABOVE_, INT64_MAX));
        assert_true(holds(n, 3600, TOC_ABOVE_, INT64_MAX)); /* 2^64 - 1 > 2^63 - 1 */
        assert_true(holds(0, 86400, TOC_ABOVE_, INT64_MIN));
        assert_int_equal(reading_value(&huge), INT64_MAX);
        huge.n = -n;
        assert_int_equal(reading_value(&huge), INT64_MIN);
}

static bool sticks(int64_t value, unsigned op, int64_t clear_at)
{
        struct reading reading = { .is_known = true, .n = value, .per = 1 };

        return reading_sticks(&reading, op, clear_at);
}

static void sticks_until_the_clear_level_is_reached(void **state)
{
        (void)state;
        for (unsigned equal = 0; equal <= TOC_EQUAL_; equal += TOC_EQUAL_) {
                assert_true(sticks(61, TOC_ABOVE_ | equal, 60));
                assert_false(sticks(60, TOC_ABOVE_ | equal, 60));
                assert_true(sticks(59, TOC_BELOW_ | equal, 60));
                assert_false(sticks(60, TOC_BELOW_ | equal, 60));
        }
        for (int64_t value = 59; value <= 61; value++) {
                assert_false(sticks(value, TOC_EQUAL_, 60));
                assert_false(sticks(value, TOC_ABOVE_ | TOC_BELOW_, 60));
        }
        assert_false(sticks(0, TOC_ABOVE_, TOC_NO_CLEAR_LEVEL_));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(has_what_the_header_promises_and_no_more),
                cmocka_unit_test(the_rules_window_goes_before_the_signals),
                cmocka_unit_test(compares_below_at_and_above_the_limit),
                cmocka_unit_test(compares_fractions_exactly),
                cmocka_unit_test(does_not_overflow),
                cmocka_unit_test(sticks_until_the_clear_level_is_reached),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
