/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to show what each signal means, sample by sample. */
#include "rule/trial.h"

static void total_counts_since_the_start(void **state)
{
        struct toc_record record = counter(toc_signal_total, TOC_ABOVE_, 5);
        uint32_t row = add(&record);

        (void)state;
        assert_string_equal(fixture_state_name(view_of(row, 0).state), "UNDEF");
        assert_false(view_of(row, 0).has_value);
        values[row] = 5;
        tick(1);
        stands_at(row, RULE_OK, 5);
        values[row] = 6; /* limit + 1 */
        tick(2);
        stands_at(row, RULE_FIRING, 6);
        values[row] = 2; /* reset: 6 + 2 */
        tick(3);
        stands_at(row, RULE_FIRING, 8);
        values[row] = 2;
        tick(4);
        stands_at(row, RULE_FIRING, 8);
        assert_int_equal(view_of(row, 0).window_s, 0);
}

/* > 2 a second over 10 s: 20 events are not enough, 21 are; they are gone when the last tick
 * before the burst is 10 s old. */
static void per_second_looks_back_ten_seconds(void **state)
{
        struct toc_record record = counter(toc_signal_per_second, TOC_ABOVE_, 2);
        uint32_t row = add(&record);

        (void)state;
        for (uint64_t t = 1; t <= 20; t++)
                tick(t);
        values[row] = 20;
        tick(21);
        stands_at(row, RULE_OK, 2);
        values[row] = 21;
        tick(22);
        stands_at(row, RULE_FIRING, 2); /* 2.1 a second */
        for (uint64_t t = 23; t <= 30; t++)
                tick(t);
        stands_at(row, RULE_FIRING, 2);
        tick(31); /* (21, 31] holds the one of 22 */
        stands_at(row, RULE_OK, 0);
        assert_int_equal(view_of(row, 0).window_s, 10);
}

/* 7 events in 120 s are 3.5 a minute. */
static void a_window_of_its_own(void **state)
{
        struct toc_record record = counter(toc_signal_per_minute, TOC_ABOVE_, 3);
        uint32_t row;

        (void)state;
        record.rule[0].window_s = 120;
        row = add(&record);
        values[row] = 6; /* exactly 3 a minute */
        tick(1);
        stands_at(row, RULE_OK, 3);
        values[row] = 7;
        tick(2);
        stands_at(row, RULE_FIRING, 3);
        tick(120);
        stands_at(row, RULE_FIRING, 3);
        tick(121); /* (1, 121] holds one: half a minute's worth */
        stands_at(row, RULE_OK, 0);
        assert_int_equal(view_of(row, 0).window_s, 120);
}

static void per_hour_looks_back_an_hour(void **state)
{
        struct toc_record record = counter(toc_signal_per_hour, TOC_ABOVE_ | TOC_EQUAL_, 3);
        uint32_t row = add(&record);

        (void)state;
        for (uint64_t t = 1; t <= 8000; t++) {
                values[row] = 0u + (t >= 1000) + (t >= 2000) + (t >= 4599) + (t >= 4600);
                tick(t);
                /* three of them lie in (t-3600, t] for t = 4599 (1000, 2000, 4599) to 5599, at
                 * which 2000 has not left yet; it leaves at 5600 */
                assert_int_equal(view_of(row, 0).state,
                                 t >= 4599 && t < 5600 ? RULE_FIRING : RULE_OK);
        }
}

static void a_counter_first_seen_at_one_fires(void **state)
{
        struct toc_record record = counter(toc_signal_per_minute, TOC_ABOVE_, 0);
        uint32_t row = add_at(&record, 100 * S, true);

        (void)state;
        values[row] = 1;
        tick(101);
        stands_at(row, RULE_FIRING, 1);
        tick(160);
        stands_at(row, RULE_FIRING, 1);
        tick(161);
        stands_at(row, RULE_OK, 0);
}

/* A restart that reaches the same value again: 3, then 0, then 3, all unseen in between, looks like
 * nothing; 3 then 2 is 2 new events. */
static void resets_count_what_came_since(void **state)
{
        struct toc_record record = counter(toc_signal_per_minute, TOC_ABOVE_ | TOC_EQUAL_, 5);
        uint32_t row = add(&record);

        (void)state;
        values[row] = 3;
        tick(1);
        stands_at(row, RULE_OK, 3);
        values[row] = 2;
        tick(2);
        stands_at(row, RULE_FIRING, 5);
        values[row] = 0;
        tick(3);
        stands_at(row, RULE_FIRING, 5);
        tick(61); /* (1, 61]: the 2 */
        stands_at(row, RULE_OK, 2);
}

/* Nobody saw the start: 1000 events of unknown age are in the total and in no window. */
static void the_first_sample_is_the_base_if_nobody_saw_the_start(void **state)
{
        struct toc_record record = counter(toc_signal_per_minute, TOC_ABOVE_, 0);
        uint32_t row;

        (void)state;
        record.rule[1] = fixture_rule(toc_signal_total, TOC_ABOVE_ | TOC_EQUAL_, 1001);
        row = add_at(&record, 0, false);
        values[row] = 1000;
        peek_ns(4999 * S / 100 * 100);
        stands_at(row, RULE_OK, 0);
        values[row] = 1000;
        tick(5000);
        stands_at(row, RULE_OK, 0);
        assert_int_equal(view_of(row, 1).state, RULE_OK);
        assert_int_equal(view_of(row, 1).value, 1000);
        values[row] = 1001;
        tick(5001);
        stands_at(row, RULE_FIRING, 1);
        assert_int_equal(view_of(row, 1).state, RULE_FIRING);
        values[row] = 1; /* reset */
        tick(5002);
        stands_at(row, RULE_FIRING, 2);
        assert_int_equal(view_of(row, 1).value, 1002);
}

static void a_gauge_is_undefined_until_it_is_set(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_gauge, fixture_rule(toc_signal_value, TOC_BELOW_, 0));
        uint32_t row = add(&record);

        (void)state;
        values[row] = (uint64_t)TOC_GAUGE_UNSET_;
        tick(1);
        assert_int_equal(change_count, 0);
        assert_int_equal(view_of(row, 0).state, RULE_UNDEF);
        assert_false(view_of(row, 0).has_value);
        values[row] = 0;
        tick(2);
        stands_at(row, RULE_OK, 0);
        values[row] = (uint64_t)INT64_C(-1);
        tick(3);
        stands_at(row, RULE_FIRING, -1);
        values[row] = (uint64_t)TOC_GAUGE_UNSET_;
        tick(4);
        assert_int_equal(view_of(row, 0).state, RULE_UNDEF);
        assert_false(view_of(row, 0).has_value);
}

static void a_level_is_a_signed_number(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_level, fixture_rule(toc_signal_value, TOC_ABOVE_, -3));
        uint32_t row = add(&record);

        (void)state;
        values[row] = (uint64_t)INT64_C(-3);
        tick(1);
        stands_at(row, RULE_OK, -3);
        values[row] = (uint64_t)INT64_C(-2);
        tick(2);
        stands_at(row, RULE_FIRING, -2);
        values[row] = (uint64_t)INT64_MIN; /* a level has no value that means unset */
        tick(3);
        stands_at(row, RULE_OK, INT64_MIN);
}

static struct toc_record heartbeat(int64_t silent_ms)
{
        return fixture_record(toc_kind_heartbeat,
                              fixture_rule(toc_signal_silent_ms, TOC_ABOVE_, silent_ms));
}

static void a_heart_that_never_beats_is_silent_since_it_began(void **state)
{
        struct toc_record record = heartbeat(5000);
        uint32_t row = add_at(&record, 10 * S, true);

        (void)state;
        tick(11);
        stands_at(row, RULE_OK, 1000);
        tick(15);
        stands_at(row, RULE_OK, 5000);
        tick_ns(15 * S + 1 * MS - 1);
        stands_at(row, RULE_OK, 5000);
        tick_ns(15 * S + 1 * MS);
        stands_at(row, RULE_FIRING, 5001);
}

static void a_beat_is_timed_by_whoever_sees_it_first(void **state)
{
        struct toc_record record = heartbeat(3000);
        uint32_t row = add(&record);

        (void)state;
        values[row] = 1;
        tick(1);
        stands_at(row, RULE_OK, 0);
        tick(4);
        stands_at(row, RULE_OK, 3000);
        values[row] = 2;
        peek_ns(4 * S + 500 * MS); /* seen here ... */
        stands_at(row, RULE_OK, 0);
        tick(5); /* ... and not again here */
        stands_at(row, RULE_OK, 500);
        tick(8);
        stands_at(row, RULE_FIRING, 3500);
        values[row] = 1; /* any change is a beat */
        tick(9);
        stands_at(row, RULE_OK, 0);
}

static void a_heart_found_beaten_counts_as_beating_now(void **state)
{
        struct toc_record record = heartbeat(3000);
        uint32_t beaten = add_at(&record, 0, false);
        uint32_t never = add_at(&record, 0, false);

        (void)state;
        values[beaten] = 77;
        tick(1000);
        stands_at(beaten, RULE_OK, 0);
        stands_at(never, RULE_FIRING, 1000000);
        tick(1004);
        stands_at(beaten, RULE_FIRING, 4000);
}

/* The rule that TOC_EXPECT writes: total > 0. */
static void a_miss_rings_for_a_minute(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_expectation, fixture_rule(toc_signal_total, TOC_ABOVE_, 0));
        uint32_t row = add(&record);

        (void)state;
        tick(1);
        stands_at(row, RULE_OK, 0);
        values[row] = 2;
        tick(2);
        stands_at(row, RULE_FIRING, 2);
        values[row] = 3;
        tick(50);
        stands_at(row, RULE_FIRING, 3);
        tick(62); /* (2, 62]: the one of 50 */
        stands_at(row, RULE_FIRING, 1);
        tick(109);
        stands_at(row, RULE_FIRING, 1);
        tick(110);
        stands_at(row, RULE_OK, 0);
        assert_int_equal(view_of(row, 0).window_s, 60);
}

static void nobody_measures_budgets(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_module, fixture_rule(toc_signal_live_bytes, TOC_ABOVE_, 1));
        uint32_t row = add(&record);

        (void)state;
        see_inside(row, NULL);
        for (uint64_t t = 1; t < 5; t++) {
                tick(t);
                assert_int_equal(change_count, 0);
                assert_int_equal(view_of(row, 0).state, RULE_NOT_AVAILABLE);
                assert_false(view_of(row, 0).has_value);
        }
}

static void budgets_are_judged_once_somebody_sees_inside(void **state)
{
        static uint64_t given[RULE_MODULE_WORDS];
        struct toc_record record = fixture_record(
                toc_kind_module, fixture_rule(toc_signal_descriptors, TOC_ABOVE_, 7));
        uint32_t row = add(&record);

        (void)state;
        see_inside(row, NULL);
        tick(1);
        assert_int_equal(view_of(row, 0).state, RULE_NOT_AVAILABLE);
        see_inside(row, given);
        given[toc_signal_descriptors - toc_signal_live_bytes] = 7;
        given[toc_signal_live_bytes - toc_signal_live_bytes] = 1 << 20; /* another signal */
        tick(2);
        stands_at(row, RULE_OK, 7);
        given[toc_signal_descriptors - toc_signal_live_bytes] = 8;
        tick(3);
        stands_at(row, RULE_FIRING, 8);
        see_inside(row, NULL); /* its process has closed the segment */
        tick(4);
        assert_int_equal(view_of(row, 0).state, RULE_UNDEF);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(budgets_are_judged_once_somebody_sees_inside),
                TRIAL(total_counts_since_the_start),
                TRIAL(per_second_looks_back_ten_seconds),
                TRIAL(a_window_of_its_own),
                TRIAL(per_hour_looks_back_an_hour),
                TRIAL(a_counter_first_seen_at_one_fires),
                TRIAL(resets_count_what_came_since),
                TRIAL(the_first_sample_is_the_base_if_nobody_saw_the_start),
                TRIAL(a_gauge_is_undefined_until_it_is_set),
                TRIAL(a_level_is_a_signed_number),
                TRIAL(a_heart_that_never_beats_is_silent_since_it_began),
                TRIAL(a_beat_is_timed_by_whoever_sees_it_first),
                TRIAL(a_heart_found_beaten_counts_as_beating_now),
                TRIAL(a_miss_rings_for_a_minute),
                TRIAL(nobody_measures_budgets),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
