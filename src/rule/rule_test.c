/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to show what a whole set does at a tick and at a peek. */
#include "rule/trial.h"

static void an_empty_set(void **state)
{
        struct rule_view view;

        (void)state;
        tick(1);
        peek_ns(1 * S);
        assert_int_equal(change_count, 0);
        assert_int_equal(rule_set_rows(set), 0);
        assert_int_equal(rule_set_view(set, 0, &view), -ENOENT);
}

static void warns_at_80_and_pages_at_95(void **state)
{
        struct toc_record record = fixture_record(
                toc_kind_gauge, fixture_rule(toc_signal_value, TOC_ABOVE_ | TOC_EQUAL_, 80));
        uint32_t row;

        (void)state;
        record.rule[0].clear_at = 60;
        record.rule[1] = fixture_rule(toc_signal_value, TOC_ABOVE_, 95);
        record.rule[1].severity = TOC_PAGE;
        row = add(&record);

        values[row] = 79;
        tick(1);
        assert_int_equal(change_count, 2); /* both are OK now */
        values[row] = 80;
        tick(2);
        assert_int_equal(change_count, 1);
        assert_int_equal(changes[0].from, RULE_OK);
        assert_int_equal(changes[0].now.state, RULE_FIRING);
        assert_int_equal(changes[0].now.slot, 0);
        assert_int_equal(changes[0].now.row, row);
        assert_int_equal(changes[0].now.value, 80);
        assert_int_equal(changes[0].now.since_ns, 2 * S);
        assert_ptr_equal(changes[0].now.rule, &changes[0].now.record->rule[0]);
        values[row] = 96;
        tick(3);
        assert_int_equal(change_count, 1);
        assert_int_equal(changes[0].now.slot, 1);
        assert_int_equal(changes[0].now.rule->severity, TOC_PAGE);
        values[row] = 95;
        tick(4);
        assert_int_equal(change_count, 1); /* the page is over, the warning is not */
        assert_int_equal(changes[0].from, RULE_FIRING);
        assert_int_equal(changes[0].now.state, RULE_OK);
        values[row] = 61;
        tick(5);
        assert_int_equal(change_count, 0);
        values[row] = 60;
        tick(6);
        assert_int_equal(change_count, 1);
        assert_int_equal(view_of(row, 0).state, RULE_OK);
        values[row] = 79; /* not firing, so the limit counts again */
        tick(7);
        assert_int_equal(change_count, 0);
}

static void holds_then_rings_then_keeps(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_gauge, fixture_rule(toc_signal_value, TOC_ABOVE_, 10));
        uint32_t row;

        (void)state;
        record.rule[0].hold_s = 3;
        record.rule[0].keep_s = 2;
        row = add(&record);
        values[row] = 11;
        tick(10);
        assert_int_equal(view_of(row, 0).state, RULE_PENDING);
        tick_ns(13 * S - 1);
        assert_int_equal(change_count, 0);
        tick(13);
        assert_int_equal(changes[0].from, RULE_PENDING);
        stands_at(row, RULE_FIRING, 11);
        values[row] = 10;
        tick(14);
        stands_at(row, RULE_FIRING, 10);
        tick_ns(16 * S - 1);
        stands_at(row, RULE_FIRING, 10);
        tick(16);
        stands_at(row, RULE_OK, 10);
}

/* A peek rings at once. It leaves nothing in the window: the five events belong to the tick at
 * 11, and so leave the window at 71. */
static void a_peek_judges_and_does_not_remember(void **state)
{
        struct toc_record record = counter(toc_signal_per_minute, TOC_ABOVE_, 4);
        uint32_t row = add(&record);

        (void)state;
        tick(10);
        values[row] = 4;
        peek_ns(10 * S + 100 * MS);
        stands_at(row, RULE_OK, 4);
        values[row] = 5;
        peek_ns(10 * S + 200 * MS);
        stands_at(row, RULE_FIRING, 5);
        peek_ns(10 * S + 300 * MS);
        stands_at(row, RULE_FIRING, 5);
        assert_int_equal(change_count, 0);
        tick(11);
        stands_at(row, RULE_FIRING, 5);
        tick(70);
        stands_at(row, RULE_FIRING, 5);
        peek_ns(71 * S - 1);
        stands_at(row, RULE_FIRING, 5);
        peek_ns(71 * S);
        stands_at(row, RULE_OK, 0);
}

static void a_peek_may_come_first(void **state)
{
        struct toc_record record = counter(toc_signal_per_minute, TOC_ABOVE_, 4);
        uint32_t row = add(&record);

        (void)state;
        values[row] = 5;
        peek_ns(1 * S);
        stands_at(row, RULE_FIRING, 5);
        tick(2);
        stands_at(row, RULE_FIRING, 5);
}

static void refuses_to_go_back_and_stays_as_it_is(void **state)
{
        struct toc_record record = counter(toc_signal_per_minute, TOC_ABOVE_, 4);
        uint32_t row = add(&record);
        struct rule_view before;

        (void)state;
        tick(10);
        peek_ns(10 * S + 5);
        before = view_of(row, 0);
        values[row] = 1000;
        change_count = 99;
        assert_int_equal(rule_set_tick(set, 10 * S + 4, samples, 1, &changes, &change_count),
                         -EINVAL);
        assert_int_equal(rule_set_peek(set, 10 * S + 4, samples, 1, &changes, &change_count),
                         -EINVAL);
        assert_int_equal(rule_set_tick(set, 11 * S, samples, 0, &changes, &change_count), -EINVAL);
        assert_int_equal(rule_set_tick(set, 11 * S, samples, 2, &changes, &change_count), -EINVAL);
        assert_int_equal(change_count, 99);
        assert_int_equal(view_of(row, 0).state, before.state);
        assert_int_equal(view_of(row, 0).value, before.value);
        values[row] = 4;
        tick_ns(10 * S + 5); /* the same instant is not back */
        stands_at(row, RULE_OK, 4);
}

static void refuses_what_began_before_the_process(void **state)
{
        struct toc_record record = counter(toc_signal_total, TOC_ABOVE_, 4);
        struct rule_set *late;
        uint32_t row;

        (void)state;
        assert_int_equal(rule_set_new(&late, 50 * S), 0);
        assert_int_equal(rule_set_add(late, &record, 50 * S - 1, true, &row), -EINVAL);
        assert_int_equal(rule_set_add(late, &record, 50 * S, true, &row), 0);
        assert_int_equal(rule_set_tick(late, 50 * S - 1, samples, 1, &changes, &change_count),
                         -EINVAL);
        assert_int_equal(rule_set_tick(late, 50 * S, samples, 1, &changes, &change_count), 0);
        rule_set_free(&late);
}

/* A plug-in that is loaded between ticks, with a longer window than any before. */
static void rows_may_come_later(void **state)
{
        struct toc_record minute = counter(toc_signal_per_minute, TOC_ABOVE_, 4);
        struct toc_record hour = counter(toc_signal_per_hour, TOC_ABOVE_, 4);
        uint32_t first = add(&minute), second;

        (void)state;
        for (uint64_t t = 1; t <= 100; t++)
                tick(t);
        second = add_at(&hour, 100 * S + 1, true);
        values[second] = 5;
        tick_ns(100 * S + 2); /* takes the place of no tick: the last but one was at 99 */
        stands_at(second, RULE_FIRING, 5);
        tick_ns(100 * S + 3); /* takes the place of the last */
        values[first] = 5;
        for (uint64_t t = 101; t <= 4000; t++) {
                tick(t);
                assert_int_equal(view_of(first, 0).state, t < 161 ? RULE_FIRING : RULE_OK);
                assert_int_equal(view_of(second, 0).state, t < 3701 ? RULE_FIRING : RULE_OK);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(an_empty_set),
                TRIAL(warns_at_80_and_pages_at_95),
                TRIAL(holds_then_rings_then_keeps),
                TRIAL(a_peek_judges_and_does_not_remember),
                TRIAL(a_peek_may_come_first),
                TRIAL(refuses_to_go_back_and_stays_as_it_is),
                TRIAL(refuses_what_began_before_the_process),
                TRIAL(rows_may_come_later),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
