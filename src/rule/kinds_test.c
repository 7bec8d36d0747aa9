/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to show what each signal of more than one number means, sample by sample. */
#include "rule/trial.h"

static struct toc_rule above(unsigned signal, int64_t limit)
{
        return fixture_rule(signal, TOC_ABOVE_, limit);
}

/* Gives a row that many cells. */
static uint32_t add_with(const struct toc_record *record, void *cells)
{
        uint32_t row = add(record);

        samples[row].cells = cells;
        return row;
}

static void has_no_value(uint32_t row, enum rule_state state)
{
        assert_string_equal(fixture_state_name(view_of(row, 0).state), fixture_state_name(state));
        assert_false(view_of(row, 0).has_value);
}

/* w = 300 s. A sawtooth of 6 s stands on one more each 300 s. The sixth window (t-1800, t-1500]
 * has a sample from t = 1500 on. It and the next have the same floor, 0, until the newer of the two
 * has no more of the teeth that begin at 0: the last of them begins at 294. */
static void a_floor_that_rises_five_times_is_growth(void **state)
{
        struct toc_record record = fixture_record(toc_kind_gauge, above(toc_signal_growth, 0));
        uint32_t row = add(&record);

        (void)state;
        for (uint64_t t = 0; t <= 1799; t++) {
                values[row] = t / 300 + t % 6;
                tick(t);
                if (t < 1500)
                        has_no_value(row, RULE_UNDEF);
                else if (t < 1794)
                        stands_at(row, RULE_OK, 0);
                else
                        stands_at(row, RULE_FIRING, 1);
        }
        assert_int_equal(view_of(row, 0).window_s, 300);
        values[row] = 0; /* one dip, from a floor of 4 */
        tick(1800);
        stands_at(row, RULE_OK, -4);
}

/* One sample at the end of each window, 10 above the one before. A sample at exactly t-300 is in
 * the older window: 60, which is at 1800, is in the newest until 2100 less a nanosecond. */
static void growth_is_the_least_of_five(void **state)
{
        struct toc_record record = fixture_record(toc_kind_level, above(toc_signal_growth, 9));
        uint32_t row = add(&record);

        (void)state;
        for (uint64_t n = 1; n <= 6; n++) {
                values[row] = 10 * n;
                tick(300 * n);
        }
        stands_at(row, RULE_FIRING, 10);
        values[row] = 69;
        peek_ns(2100 * S - 1);
        stands_at(row, RULE_FIRING, 10); /* 60 - 50 */
        peek_ns(2100 * S);
        stands_at(row, RULE_OK, 9); /* 69 - 60 */
        values[row] = 70;
        tick(2100);
        stands_at(row, RULE_FIRING, 10);
}

/* 2 a second from 0 on, capacity 1000. At t = 40 (w = 10 s) the line is at 80, and at 1000 in
 * 460 s: within 461 s but not within 460, where it only is at 1000. */
static void a_line_exhausts_a_capacity(void **state)
{
        struct toc_record record = fixture_record(
                toc_kind_gauge, fixture_rule(toc_signal_exhausts_s, TOC_BELOW_, 460));
        uint32_t strict, wide_row, more;

        (void)state;
        record.rule[0].capacity = 1000;
        record.rule[0].window_s = 10;
        strict = add(&record);
        record.rule[0].op = TOC_BELOW_ | TOC_EQUAL_;
        wide_row = add(&record);
        record.rule[0].op = TOC_BELOW_;
        record.rule[0].limit = 461;
        more = add(&record);
        for (uint64_t t = 0; t <= 40; t++) {
                values[strict] = values[wide_row] = values[more] = 2 * t;
                tick(t);
                if (t < 30)
                        has_no_value(strict, RULE_UNDEF);
        }
        stands_at(strict, RULE_OK, 460);
        stands_at(wide_row, RULE_FIRING, 460);
        stands_at(more, RULE_FIRING, 460);
        for (uint64_t t = 41; t <= 60; t++) { /* and now it does not grow any more */
                values[strict] = values[wide_row] = values[more] = 80;
                tick(t);
        }
        stands_at(more, RULE_OK, INT64_MAX);
        values[more] = 2000; /* a line above it, and a floor that does not rise */
        tick(61);
        stands_at(more, RULE_OK, INT64_MAX);
}

/* Most of ten ticks a second take the place of the one before: what was there leaves the line too.
 * 10 a second, 400 at 40 s, so 1000 in 60 s and not a moment less. */
static void a_line_through_fast_ticks(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_level, fixture_rule(toc_signal_exhausts_s, TOC_BELOW_, 60));
        uint32_t row;

        (void)state;
        record.rule[0].capacity = 1000;
        record.rule[0].window_s = 4;
        row = add(&record);
        for (uint64_t i = 0; i <= 400; i++) {
                values[row] = i;
                tick_ns(i * S / 10);
        }
        stands_at(row, RULE_OK, 60);
        values[row] = 401;
        tick_ns(401 * S / 10);
        stands_at(row, RULE_FIRING, 59);
}

/* 1000 values, 10 over the limit: one of a hundred is not more than one of a hundred. */
static void a_quantile_counts_what_is_over(void **state)
{
        static struct toc_histogram_ cells;
        struct toc_record record = fixture_record(toc_kind_timer, above(toc_signal_p99_us, 100));
        uint32_t row;

        (void)state;
        memset(&cells, 0, sizeof(cells));
        record.rule[1] = fixture_rule(toc_signal_max_us, TOC_ABOVE_ | TOC_EQUAL_, 7000);
        row = add_with(&record, &cells);
        tick(1);
        has_no_value(row, RULE_OK);
        cells.bucket[100] = 99; /* 6144 to 6655 ns */
        tick(2);
        has_no_value(row, RULE_OK); /* 99 are too few */
        cells.bucket[100] = 990;
        cells.bucket[200] = 10; /* 33554432 to 37748735 ns */
        cells.over[0] = 10;
        tick(3);
        stands_at(row, RULE_OK, 6);
        assert_int_equal(view_of(row, 1).state, RULE_OK);
        assert_int_equal(view_of(row, 1).value, 6999); /* nothing was as much as 7000 */
        cells.bucket[200] = 11;
        cells.over[0] = 11;
        cells.over[1] = 1;
        peek_ns(4 * S);
        stands_at(row, RULE_FIRING, 37748);
        assert_int_equal(view_of(row, 1).value, 37748);
        assert_int_equal(view_of(row, 1).state, RULE_FIRING);
        cells.bucket[100] = 1090; /* 11 of 1101 */
        tick(5);
        stands_at(row, RULE_OK, 6);
        assert_int_equal(view_of(row, 1).state, RULE_FIRING);
        assert_int_equal(view_of(row, 0).window_s, 60);
        tick(64);
        assert_int_equal(view_of(row, 1).state, RULE_FIRING);
        tick(65); /* (5, 65] is empty */
        has_no_value(row, RULE_OK);
        assert_int_equal(view_of(row, 1).state, RULE_OK);
}

/* 1 of 20 is 50 of a thousand; 1 of 19 is too few to say. */
static void a_share_needs_a_whole(void **state)
{
        static struct toc_share_ cells;
        struct toc_record record = fixture_record(toc_kind_share, above(toc_signal_permille, 49));
        uint32_t row;

        (void)state;
        cells = (struct toc_share_){ 0 };
        row = add_with(&record, &cells);
        cells = (struct toc_share_){ .part = 1, .whole = 19 };
        tick(1);
        has_no_value(row, RULE_OK);
        cells.whole = 20;
        tick(2);
        stands_at(row, RULE_FIRING, 50);
        cells.whole = 21; /* 47.6 */
        tick(3);
        stands_at(row, RULE_OK, 47);
        tick(61); /* (1, 61] holds two, none of them bad */
        has_no_value(row, RULE_OK);
        cells = (struct toc_share_){ .part = 0, .whole = 20 }; /* a reset: 20 more */
        tick(62);                                              /* (2, 62] */
        stands_at(row, RULE_OK, 0);
        cells = (struct toc_share_){ .part = 10, .whole = 40 };
        tick(62);
        stands_at(row, RULE_FIRING, 243); /* 10 of 1 + 40 */
}

/* 99 % are to succeed: 20 % that fail are 20 times too many. W = 120 s and its last 10. */
static void a_budget_burns_long_and_now(void **state)
{
        static struct toc_share_ cells;
        struct toc_record record = fixture_record(toc_kind_share, above(toc_signal_burn_fast, 14));
        uint32_t row;

        (void)state;
        cells = (struct toc_share_){ 0 };
        record.rule[0].objective_permille = 990;
        record.rule[0].window_s = 120;
        row = add_with(&record, &cells);
        for (uint64_t t = 1; t <= 9; t++) {
                cells.whole += 10;
                cells.part += 2;
                tick(t);
                has_no_value(row, RULE_OK); /* 90 are not 100 */
        }
        for (uint64_t t = 10; t <= 20; t++) {
                cells.whole += 10;
                cells.part += 2;
                tick(t);
                stands_at(row, RULE_FIRING, 20);
        }
        for (uint64_t t = 21; t <= 30; t++) { /* well again: (t-10, t] has 2 * (30-t) bad ones */
                cells.whole += 10;
                tick(t);
                assert_int_equal(view_of(row, 0).value, 2 * (30 - t));
                assert_int_equal(view_of(row, 0).state, t < 23 ? RULE_FIRING : RULE_OK);
        }
        tick(39);
        stands_at(row, RULE_OK, 0);
        tick(40); /* (30, 40] is empty: nothing burns now */
        has_no_value(row, RULE_OK);
        assert_int_equal(view_of(row, 0).window_s, 120);
}

static void an_operation_is_as_old_as_it_was_seen(void **state)
{
        uint64_t cells[2] = { 0 };
        uint64_t open[2] = { rule_open(0, 3, 7), rule_open(1, 0, 1) };
        struct toc_record record =
                fixture_record(toc_kind_operation, above(toc_signal_oldest_ms, 1500));
        uint32_t row;

        (void)state;
        record.rule[1] = above(toc_signal_in_flight, 1);
        row = add_with(&record, cells);
        samples[row].open = open;
        tick(1);
        stands_at(row, RULE_OK, 0);
        cells[0] = 1;
        samples[row].open_count = 1;
        peek_ns(1 * S + 500 * MS);
        stands_at(row, RULE_OK, 0);
        tick(3);
        stands_at(row, RULE_OK, 1500);
        cells[0] = 2;
        samples[row].open_count = 2;
        tick_ns(3 * S + 1 * MS);
        stands_at(row, RULE_FIRING, 1501);
        assert_int_equal(view_of(row, 1).state, RULE_FIRING);
        open[0] = open[1]; /* the first ended; the other was seen at 3.001 */
        cells[1] = 1;
        samples[row].open_count = 1;
        tick(4);
        stands_at(row, RULE_OK, 999);
        assert_int_equal(view_of(row, 1).value, 1);
        cells[1] = 9; /* read at a moment that never was */
        samples[row].open_count = 0;
        tick(5);
        stands_at(row, RULE_OK, 0);
        assert_int_equal(view_of(row, 1).value, 0);
}

static void names_of_operations_are_in_order(void **state)
{
        (void)state;
        assert_true(rule_open(1, 0, 1) > rule_open(0, 15, (UINT64_C(1) << 40) - 1));
        assert_true(rule_open(0, 1, 1) > rule_open(0, 0, 2));
}

/* What is on its way while it is read is not lost; what is missing for 10 s is, and at once if
 * nothing moves. */
static void what_is_lost_stays_lost(void **state)
{
        struct toc_flow_ cells = { 0 };
        struct toc_record record = fixture_record(
                toc_kind_flow, fixture_rule(toc_signal_lost, TOC_ABOVE_ | TOC_BELOW_, 0));
        uint32_t row;

        (void)state;
        row = add_with(&record, &cells);
        tick(0);
        cells.in = 1; /* its `held` is not read yet */
        tick(1);
        stands_at(row, RULE_OK, 0);
        tick(2); /* and does not come: nothing moves */
        stands_at(row, RULE_FIRING, 1);
        cells.held = 1;
        tick(3);
        stands_at(row, RULE_OK, 0);
        cells.in = 4; /* two get lost in a flow that goes on */
        cells.held = 2;
        for (uint64_t t = 4; t <= 12; t++) {
                cells.out++;
                cells.in++;
                tick(t);
                stands_at(row, RULE_OK, 0); /* (t-10, t] has the 0 of 3 */
        }
        cells.out++;
        cells.in += 2;
        tick(13); /* 3 are missing now, and 2 all the time before */
        stands_at(row, RULE_FIRING, 2);
        tick(14);
        stands_at(row, RULE_FIRING, 3);
        cells.out += 4; /* one too many: 3 - 4 */
        peek_ns(14 * S + 1);
        stands_at(row, RULE_OK, 0);
        tick(15);
        stands_at(row, RULE_OK, 0);
        tick(16);
        stands_at(row, RULE_FIRING, -1);
        assert_int_equal(view_of(row, 0).window_s, 10);
}

static void a_flow_stalls_while_something_waits(void **state)
{
        struct toc_flow_ cells = { 0 };
        struct toc_record record =
                fixture_record(toc_kind_flow, above(toc_signal_stalled_ms, 2000));
        uint32_t row;

        (void)state;
        record.rule[1] = above(toc_signal_backlog, 5);
        row = add_with(&record, &cells);
        cells.in = 5;
        tick(2);
        stands_at(row, RULE_OK, 2000); /* since it began */
        tick(3);
        stands_at(row, RULE_FIRING, 3000);
        cells.dropped = 1;
        cells.in = 7;
        peek_ns(3 * S + 500 * MS);
        stands_at(row, RULE_OK, 0);
        assert_int_equal(view_of(row, 1).state, RULE_FIRING);
        assert_int_equal(view_of(row, 1).value, 6);
        tick(4);
        stands_at(row, RULE_OK, 0);
        tick(6);
        stands_at(row, RULE_OK, 2000);
        cells.out = 6;
        tick(7); /* empty */
        stands_at(row, RULE_OK, 0);
        tick(100);
        stands_at(row, RULE_OK, 0);
        cells.in = 8; /* waits since then, which is 100 */
        tick(102);
        stands_at(row, RULE_OK, 2000);
        cells.out = 9; /* more out than in */
        tick(103);
        stands_at(row, RULE_OK, 0);
        assert_int_equal(view_of(row, 1).value, -2);
}

static struct toc_record must_hit(int64_t uptime_s, const char *gate)
{
        struct toc_record record =
                fixture_record(toc_kind_must_hit, above(toc_signal_unreached_s, uptime_s));

        snprintf(record.labels, sizeof(record.labels), "%s", gate);
        return record;
}

static void what_is_never_reached_rings(void **state)
{
        struct toc_record record = must_hit(60, "");
        uint32_t row = add_at(&record, 10 * S, true);

        (void)state;
        tick(69);
        stands_at(row, RULE_OK, 59);
        tick(70);
        stands_at(row, RULE_OK, 60);
        tick_ns(70 * S + 1); /* more than 60 s */
        stands_at(row, RULE_FIRING, 60);
        values[row] = 1;
        tick(71);
        stands_at(row, RULE_OK, 0);
        tick(1000);
        stands_at(row, RULE_OK, 0);
}

static struct toc_record gauge_of(const char *module, const char *name, const char *label)
{
        struct toc_record record = { .version = 1, .kind = toc_kind_gauge };

        snprintf(record.module, sizeof(record.module), "%s", module);
        snprintf(record.name, sizeof(record.name), "%s", name);
        snprintf(record.labels, sizeof(record.labels), "%s", label);
        return record;
}

/* Gauges of another module, of another name and with a label are others; the one of a plug-in that
 * comes later is the one. */
static void a_gate_opens_when_its_gauge_says_so(void **state)
{
        struct toc_record other = gauge_of("map", "is_leader", "");
        struct toc_record labelled = gauge_of("lru", "is_leader", "east");
        struct toc_record record = must_hit(60, "is_leader");
        struct toc_record gauge = gauge_of("lru", "is_leader", "");
        uint32_t row, late, gates[2];

        (void)state;
        gates[0] = add(&other);
        row = add(&record);
        gates[1] = add(&labelled);
        values[gates[0]] = values[gates[1]] = 1;
        tick(100);
        stands_at(row, RULE_OK, 0);
        late = add_at(&gauge, 100 * S, true);
        values[late] = (uint64_t)TOC_GAUGE_UNSET_;
        tick(101);
        stands_at(row, RULE_OK, 0);
        values[late] = 0;
        tick(102);
        stands_at(row, RULE_OK, 0);
        values[late] = (uint64_t)INT64_C(-1);
        tick(103);
        stands_at(row, RULE_FIRING, 103);
        values[late] = 0;
        peek_ns(103 * S + 1);
        stands_at(row, RULE_OK, 0);
        values[late] = 1;
        values[row] = 1;
        tick(104);
        stands_at(row, RULE_OK, 0);
        assert_string_equal(view_of(row, 0).record->labels, "is_leader");
}

/* Sites first, gauge last, many of both; each finds its own. */
static void gates_come_in_any_order(void **state)
{
        uint32_t rows[20], gauges[20];

        (void)state;
        for (unsigned i = 0; i < 20; i++) {
                char name[16];
                struct toc_record record, gauge;

                snprintf(name, sizeof(name), "gate_%u", i * 7 % 20);
                record = must_hit(0, name);
                gauge = gauge_of("lru", name, "");
                if (i % 2)
                        rows[i] = add(&record);
                gauges[i] = add(&gauge);
                if (i % 2 == 0)
                        rows[i] = add(&record);
        }
        for (unsigned open = 0; open < 20; open++) {
                for (unsigned i = 0; i < 20; i++)
                        values[gauges[i]] = i == open;
                tick(1 + open);
                for (unsigned i = 0; i < 20; i++)
                        assert_int_equal(view_of(rows[i], 0).state,
                                         i == open ? RULE_FIRING : RULE_OK);
        }
}

/* Nobody saw the start: what the first sample finds is in no window. */
static void what_nobody_saw_is_in_no_window(void **state)
{
        static struct toc_share_ cells;
        static struct toc_histogram_ times;
        struct toc_record record = fixture_record(toc_kind_share, above(toc_signal_permille, 0));
        struct toc_record timer = fixture_record(toc_kind_sizes, above(toc_signal_max, 0));
        uint32_t share_row, sizes_row;

        (void)state;
        cells = (struct toc_share_){ .part = 1000, .whole = 1000 };
        memset(&times, 0, sizeof(times));
        times.over[0] = times.bucket[200] = 5;
        share_row = add_at(&record, 0, false);
        sizes_row = add_at(&timer, 0, false);
        samples[share_row].cells = (void *)&cells;
        samples[sizes_row].cells = (void *)&times;
        tick(1000);
        has_no_value(share_row, RULE_OK);
        has_no_value(sizes_row, RULE_OK);
        cells.whole += 20;
        times.bucket[18] += 1;
        times.over[0] += 1;
        tick(1001);
        stands_at(share_row, RULE_OK, 0);
        stands_at(sizes_row, RULE_FIRING, 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(a_floor_that_rises_five_times_is_growth),
                TRIAL(growth_is_the_least_of_five),
                TRIAL(a_line_exhausts_a_capacity),
                TRIAL(a_line_through_fast_ticks),
                TRIAL(a_quantile_counts_what_is_over),
                TRIAL(a_share_needs_a_whole),
                TRIAL(a_budget_burns_long_and_now),
                TRIAL(an_operation_is_as_old_as_it_was_seen),
                TRIAL(names_of_operations_are_in_order),
                TRIAL(what_is_lost_stays_lost),
                TRIAL(a_flow_stalls_while_something_waits),
                TRIAL(what_is_never_reached_rings),
                TRIAL(a_gate_opens_when_its_gauge_says_so),
                TRIAL(gates_come_in_any_order),
                TRIAL(what_nobody_saw_is_in_no_window),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
