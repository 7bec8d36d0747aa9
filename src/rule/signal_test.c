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
        uint32_t side;
        uint32_t volume;
        uint32_t count;
} promised[] = {
        { 1, 1, SIGNAL_TOTAL, 0, 0, 0, 0, 0 },            /* counter total */
        { 1, 2, SIGNAL_RATE, 10, 1, 0, 0, 0 },            /* counter per_second */
        { 1, 3, SIGNAL_RATE, 60, 60, 0, 0, 0 },           /* counter per_minute */
        { 1, 4, SIGNAL_RATE, 3600, 3600, 0, 0, 0 },       /* counter per_hour */
        { 2, 5, SIGNAL_VALUE, 0, 0, 0, 0, 0 },            /* gauge value */
        { 2, 6, SIGNAL_GROWTH, 300, 0, 4, 0, 6 },         /* gauge growth, six floors */
        { 2, 7, SIGNAL_EXHAUSTS, 300, 0, 1, 0, 4 },       /* gauge exhausts_s, four floors */
        { 3, 5, SIGNAL_VALUE, 0, 0, 0, 0, 0 },            /* level value */
        { 3, 6, SIGNAL_GROWTH, 300, 0, 4, 0, 6 },         /* level growth */
        { 3, 7, SIGNAL_EXHAUSTS, 300, 0, 1, 0, 4 },       /* level exhausts_s */
        { 4, 8, SIGNAL_QUANTILE, 60, 0, 4, 10, 2 },       /* timer p50_us: one of two is above */
        { 4, 9, SIGNAL_QUANTILE, 60, 0, 4, 10, 10 },      /* timer p90_us */
        { 4, 10, SIGNAL_QUANTILE, 60, 0, 4, 100, 100 },   /* timer p99_us */
        { 4, 11, SIGNAL_QUANTILE, 60, 0, 4, 1000, 1000 }, /* timer p999_us */
        { 4, 12, SIGNAL_QUANTILE, 60, 0, 4, 1, 0 },       /* timer max_us */
        { 5, 13, SIGNAL_QUANTILE, 60, 0, 4, 10, 2 },      /* sizes p50 */
        { 5, 14, SIGNAL_QUANTILE, 60, 0, 4, 10, 10 },     /* sizes p90 */
        { 5, 15, SIGNAL_QUANTILE, 60, 0, 4, 100, 100 },   /* sizes p99 */
        { 5, 16, SIGNAL_QUANTILE, 60, 0, 4, 1000, 1000 }, /* sizes p999 */
        { 5, 17, SIGNAL_QUANTILE, 60, 0, 4, 1, 0 },       /* sizes max */
        { 6, 21, SIGNAL_SHARE, 60, 0, 0, 20, 0 },         /* share permille */
        { 6, 22, SIGNAL_BURN, 3600, 0, 4, 100, 0 },       /* share burn_fast */
        { 6, 23, SIGNAL_BURN, 86400, 0, 4, 100, 0 },      /* share burn_slow */
        { 7, 20, SIGNAL_SILENCE, 0, 0, 0, 0, 0 },         /* heartbeat silent_ms */
        { 8, 24, SIGNAL_OLDEST, 0, 0, 0, 0, 0 },          /* operation oldest_ms */
        { 8, 25, SIGNAL_OPEN, 0, 0, 0, 0, 0 },            /* operation in_flight */
        { 9, 26, SIGNAL_LOST, 10, 0, 0, 0, 0 },           /* flow lost */
        { 9, 27, SIGNAL_STALLED, 0, 0, 0, 0, 0 },         /* flow stalled_ms */
        { 9, 28, SIGNAL_BACKLOG, 0, 0, 0, 0, 0 },         /* flow backlog */
        { 10, 1, SIGNAL_COUNT, 60, 0, 0, 0, 0 },          /* expectation total */
        { 11, 29, SIGNAL_UNREACHED, 0, 0, 0, 0, 0 },      /* must_hit unreached_s */
        { 12, 1, SIGNAL_TOTAL, 0, 0, 0, 0, 0 },           /* error total */
        { 12, 3, SIGNAL_RATE, 60, 60, 0, 0, 0 },          /* error per_minute */
        { 13, 1, SIGNAL_TOTAL, 0, 0, 0, 0, 0 },           /* warning total */
        { 13, 3, SIGNAL_RATE, 60, 60, 0, 0, 0 },          /* warning per_minute */
        { 15, 1, SIGNAL_TOTAL, 0, 0, 0, 0, 0 },           /* logs total */
        { 15, 3, SIGNAL_RATE, 60, 60, 0, 0, 0 },          /* logs per_minute */
        { 14, 40, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },          /* module live_bytes ... */
        { 14, 41, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },          /**/
        { 14, 42, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },          /**/
        { 14, 43, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },          /**/
        { 14, 44, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },          /**/
        { 14, 45, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },          /**/
        { 14, 46, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },          /**/
        { 14, 47, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },          /**/
        { 14, 48, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },          /**/
        { 14, 49, SIGNAL_GIVEN, 0, 0, 0, 0, 0 },          /* ... to module idle_bytes */
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
                assert_int_equal(signal->side, promised[i].side);
                assert_int_equal(signal->volume, promised[i].volume);
                assert_int_equal(signal->count, promised[i].count);
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
        rule.signal = toc_signal_burn_slow;
        assert_int_equal(rule_window_s(toc_kind_share, &rule), 86400);
        rule.signal = toc_signal_growth; /* of the six windows, one */
        assert_int_equal(rule_window_s(toc_kind_level, &rule), 300);
}

static bool holds(signal_wide n, uint32_t per, unsigned op, int64_t limit)
{
        struct reading reading = reading_ratio(n, per);

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
        struct reading rate = reading_ratio(29, 10);

        (void)state;
        assert_int_equal(reading_value(&rate), 2);
        assert_true(holds(29, 10, TOC_ABOVE_, 2));
        assert_false(holds(29, 10, TOC_ABOVE_ | TOC_EQUAL_, 3));
        assert_false(holds(29, 10, TOC_EQUAL_, 2));
        assert_true(holds(20, 10, TOC_EQUAL_, 2));
        assert_true(holds(30, 10, TOC_ABOVE_ | TOC_EQUAL_, 3));
        /* -2.9: shown as -2, and below it */
        rate = reading_ratio(-29, 10);
        assert_int_equal(reading_value(&rate), -2);
        assert_true(holds(-29, 10, TOC_BELOW_, -2));
        assert_true(holds(-29, 10, TOC_ABOVE_, -3));
        assert_false(holds(-29, 10, TOC_EQUAL_, -2));
        /* half of nothing is not nothing */
        assert_true(holds(1, 2, TOC_ABOVE_, 0));
        assert_true(holds(-1, 2, TOC_BELOW_, 0));
}

/* 2^64 - 1 events in a day against 2^63 - 1 per hour: 24 times the limit's window, and
 * (2^64 - 1) * 3600 < (2^63 - 1) * 86400, because 2 < 24. */
static void does_not_overflow(void **state)
{
        signal_wide n = (signal_wide)UINT64_MAX * 3600;
        struct reading huge = reading_of(n);

        (void)state;
        assert_true(holds(n, 86400, TOC_BELOW_, INT64_MAX));
        assert_false(holds(n, 86400, TOC_ABOVE_, INT64_MAX));
        assert_true(holds(n, 3600, TOC_ABOVE_, INT64_MAX)); /* 2^64 - 1 > 2^63 - 1 */
        assert_true(holds(0, 86400, TOC_ABOVE_, INT64_MIN));
        assert_int_equal(reading_value(&huge), INT64_MAX);
        huge = reading_of(-n);
        assert_int_equal(reading_value(&huge), INT64_MIN);
}

/* Whatever the limit's comparison: it rings until the value is at the clear level. */
static void clears_at_the_clear_level(void **state)
{
        (void)state;
        assert_int_equal(signal_clear_op(TOC_ABOVE_), TOC_ABOVE_);
        assert_int_equal(signal_clear_op(TOC_ABOVE_ | TOC_EQUAL_), TOC_ABOVE_);
        assert_int_equal(signal_clear_op(TOC_BELOW_), TOC_BELOW_);
        assert_int_equal(signal_clear_op(TOC_BELOW_ | TOC_EQUAL_), TOC_BELOW_);
        for (int64_t value = 59; value <= 61; value++) {
                assert_false(holds(value, 1, signal_clear_op(TOC_EQUAL_), 60));
                assert_false(holds(value, 1, signal_clear_op(TOC_ABOVE_ | TOC_BELOW_), 60));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(has_what_the_header_promises_and_no_more),
                cmocka_unit_test(the_rules_window_goes_before_the_signals),
                cmocka_unit_test(compares_below_at_and_above_the_limit),
                cmocka_unit_test(compares_fractions_exactly),
                cmocka_unit_test(does_not_overflow),
                cmocka_unit_test(clears_at_the_clear_level),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
