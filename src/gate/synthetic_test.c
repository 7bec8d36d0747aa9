/* SPDX-License-Identifier: Apache-2.0 */
/* What a person says of each rule after reading it, against what synthetic cells say. */
#include "rule/fixture.h"

#include "gate/synthetic.h"
#include "rule/scenario.h"

enum {
        ABOVE = TOC_ABOVE_,
        AT_LEAST = TOC_ABOVE_ | TOC_EQUAL_,
        BELOW = TOC_BELOW_,
        AT_MOST = TOC_BELOW_ | TOC_EQUAL_,
        EQUAL = TOC_EQUAL_,
        OTHER = TOC_ABOVE_ | TOC_BELOW_,
};

#define FINE  SYNTHETIC_RINGS_AND_CLEARS
#define DEAF  SYNTHETIC_CANNOT_FIRE
#define STUCK SYNTHETIC_CANNOT_CLEAR

/* clang-format off */
static const struct row {
        unsigned kind, signal, op;
        int64_t limit;
        uint32_t hold_s, keep_s, window_s;
        enum synthetic_verdict verdict;
} rows[] = {
        { toc_kind_counter, toc_signal_per_minute, ABOVE, 1000, 0, 0, 0, FINE },
        { toc_kind_counter, toc_signal_per_minute, ABOVE, 1000, 300, 60, 120, FINE },
        { toc_kind_counter, toc_signal_per_minute, ABOVE, 0, 0, 0, 4, FINE },
        { toc_kind_counter, toc_signal_per_minute, BELOW, 1, 600, 0, 0, FINE },
        { toc_kind_counter, toc_signal_per_minute, BELOW, 0, 0, 0, 0, DEAF },
        { toc_kind_counter, toc_signal_per_minute, AT_LEAST, 0, 0, 0, 0, STUCK },
        { toc_kind_counter, toc_signal_per_minute, AT_MOST, 0, 30, 30, 0, FINE },
        { toc_kind_counter, toc_signal_per_minute, EQUAL, 60, 0, 0, 0, FINE },
        { toc_kind_counter, toc_signal_per_minute, EQUAL, 7, 120, 0, 0, FINE },
        { toc_kind_counter, toc_signal_per_minute, OTHER, 0, 0, 0, 0, FINE },
        { toc_kind_counter, toc_signal_per_minute, ABOVE, INT64_MAX, 0, 0, 0, DEAF },
        { toc_kind_counter, toc_signal_per_second, ABOVE, 5, 30, 0, 0, FINE },
        { toc_kind_counter, toc_signal_per_second, ABOVE, SCENARIO_RATE_MAX, 0, 0, 0, DEAF },
        { toc_kind_counter, toc_signal_per_second, AT_LEAST, SCENARIO_RATE_MAX, 0, 0, 0, FINE },
        { toc_kind_counter, toc_signal_per_hour, ABOVE, 3, 0, 0, 0, FINE },
        { toc_kind_counter, toc_signal_per_hour, ABOVE, 3, 0, 0, 86400, FINE },
        { toc_kind_counter, toc_signal_total, ABOVE, 0, 0, 0, 0, FINE },
        { toc_kind_counter, toc_signal_total, AT_LEAST, 0, 0, 0, 0, STUCK },
        { toc_kind_counter, toc_signal_total, AT_LEAST, 0, 60, 0, 0, STUCK },
        { toc_kind_counter, toc_signal_total, ABOVE, INT64_MAX, 0, 0, 0, DEAF },
        { toc_kind_counter, toc_signal_total, AT_LEAST, INT64_MAX, 0, 0, 0, DEAF },
        { toc_kind_gauge, toc_signal_value, ABOVE, 80, 0, 0, 0, FINE },
        { toc_kind_gauge, toc_signal_value, BELOW, -5, 5, 5, 0, FINE },
        { toc_kind_gauge, toc_signal_value, ABOVE, INT64_MAX, 0, 0, 0, DEAF },
        { toc_kind_gauge, toc_signal_value, BELOW, INT64_MIN, 0, 0, 0, DEAF },
        { toc_kind_gauge, toc_signal_value, AT_MOST, INT64_MAX, 0, 0, 0, STUCK },
        { toc_kind_gauge, toc_signal_value, EQUAL, 0, 0, 0, 0, FINE },
        { toc_kind_gauge, toc_signal_value, OTHER, 0, 0, 0, 0, FINE },
        { toc_kind_level, toc_signal_value, AT_LEAST, 10, 86400, 0, 0, FINE },
        { toc_kind_level, toc_signal_value, ABOVE, 10, 30 * 86400, 30 * 86400, 0, FINE },
        { toc_kind_heartbeat, toc_signal_silent_ms, ABOVE, 5000, 0, 0, 0, FINE },
        { toc_kind_heartbeat, toc_signal_silent_ms, ABOVE, 86400000, 60, 60, 0, FINE },
        { toc_kind_heartbeat, toc_signal_silent_ms, ABOVE, 31LL * 86400 * 1000, 0, 0, 0, DEAF },
        { toc_kind_heartbeat, toc_signal_silent_ms, AT_LEAST, 0, 0, 0, 0, STUCK },
        { toc_kind_heartbeat, toc_signal_silent_ms, BELOW, 0, 0, 0, 0, DEAF },
        { toc_kind_expectation, toc_signal_total, ABOVE, 0, 0, 0, 0, FINE },
        { toc_kind_error, toc_signal_total, ABOVE, 0, 0, 0, 0, FINE },
        { toc_kind_error, toc_signal_per_minute, ABOVE, 10, 0, 0, 0, FINE },
        { toc_kind_warning, toc_signal_per_minute, BELOW, 0, 0, 0, 0, DEAF },
        { toc_kind_level, toc_signal_growth, ABOVE, 100, 0, 0, 0, FINE },
        { toc_kind_gauge, toc_signal_growth, AT_LEAST, -3, 86400, 86400, 4, FINE },
        { toc_kind_timer, toc_signal_p999_us, ABOVE, 50, 60, 0, 0, FINE },
        { toc_kind_timer, toc_signal_p99_us, ABOVE, INT64_MAX, 0, 0, 0, DEAF },
        { toc_kind_timer, toc_signal_p99_us, AT_LEAST, 0, 0, 0, 0, STUCK },
        { toc_kind_sizes, toc_signal_max, ABOVE, INT64_MAX - 1, 0, 0, 0, FINE },
        { toc_kind_sizes, toc_signal_max, ABOVE, INT64_MAX, 0, 0, 0, DEAF },
        { toc_kind_share, toc_signal_permille, ABOVE, 999, 0, 0, 0, FINE },
        { toc_kind_share, toc_signal_permille, ABOVE, 1000, 0, 0, 0, DEAF },
        { toc_kind_share, toc_signal_permille, BELOW, 500, 0, 0, 0, FINE },
        { toc_kind_operation, toc_signal_oldest_ms, ABOVE, 60000, 30, 0, 0, FINE },
        { toc_kind_operation, toc_signal_in_flight, BELOW, 0, 0, 0, 0, DEAF },
        { toc_kind_flow, toc_signal_lost, OTHER, 0, 0, 0, 0, FINE },
        { toc_kind_flow, toc_signal_stalled_ms, ABOVE, 10000, 0, 0, 0, FINE },
        { toc_kind_flow, toc_signal_backlog, BELOW, -5, 0, 0, 0, FINE },
        { toc_kind_must_hit, toc_signal_unreached_s, ABOVE, 3600, 0, 0, 0, FINE },
        { toc_kind_heartbeat, toc_signal_silent_ms, EQUAL, 5000, 0, 0, 0, SYNTHETIC_NOT_JUDGED },
        { toc_kind_module, toc_signal_live_bytes, ABOVE, 1, 0, 0, 0, SYNTHETIC_NOT_JUDGED },
};
/* clang-format on */

static struct toc_rule rule_of(const struct row *row)
{
        struct toc_rule rule = fixture_rule(row->signal, row->op, row->limit);

        rule.hold_s = row->hold_s;
        rule.keep_s = row->keep_s;
        rule.window_s = row->window_s;
        return rule;
}

static enum synthetic_verdict verdict_of(const struct toc_record *record, unsigned slot)
{
        enum synthetic_verdict verdict = SYNTHETIC_NO_RULE;

        assert_int_equal(synthetic_judge(record, slot, &verdict), 0);
        return verdict;
}

static void judges_as_a_reader_would(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct toc_record record = fixture_record(rows[i].kind, rule_of(&rows[i]));
                enum synthetic_verdict verdict = verdict_of(&record, 0);

                if (verdict != rows[i].verdict)
                        fail_msg("row %zu: %s instead of %s", i, synthetic_name(verdict),
                                 synthetic_name(rows[i].verdict));
        }
}

static void looks_at_the_slot_it_is_asked_for(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_gauge, fixture_rule(toc_signal_value, ABOVE, 80));

        (void)state;
        assert_int_equal(verdict_of(&record, 0), FINE);
        assert_int_equal(verdict_of(&record, 1), SYNTHETIC_NO_RULE);
        record.rule[1] = fixture_rule(toc_signal_value, ABOVE, INT64_MAX);
        assert_int_equal(verdict_of(&record, 0), FINE);
        assert_int_equal(verdict_of(&record, 1), DEAF);
}

static void clears_only_at_the_clear_level(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_gauge, fixture_rule(toc_signal_value, ABOVE, 80));

        (void)state;
        record.rule[0].clear_at = 70;
        assert_int_equal(verdict_of(&record, 0), FINE);
        record.rule[0].clear_at = INT64_MIN + 1; /* the lowest that a gauge can be set to */
        assert_int_equal(verdict_of(&record, 0), FINE);
}

static void drives_a_sum_of_log_lines_by_a_site(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_logs, fixture_rule(toc_signal_per_minute, ABOVE, 10));

        (void)state;
        snprintf(record.name, sizeof(record.name), "log_errors");
        assert_int_equal(verdict_of(&record, 0), FINE);
        snprintf(record.name, sizeof(record.name), "log_warnings");
        assert_int_equal(verdict_of(&record, 0), FINE);
        record.rule[0].limit = INT64_MAX;
        assert_int_equal(verdict_of(&record, 0), DEAF);
}

/* Both need what stands beside the rule: a budget that may be spent, a place where it ends. */
static void looks_at_options(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_share, fixture_rule(toc_signal_burn_fast, ABOVE, 14));

        (void)state;
        record.rule[0].objective_permille = 999;
        assert_int_equal(verdict_of(&record, 0), FINE);
        record.rule[0].objective_permille = 900; /* nobody can spend a tenth 14 times over */
        assert_int_equal(verdict_of(&record, 0), DEAF);
        record = fixture_record(toc_kind_gauge, fixture_rule(toc_signal_exhausts_s, BELOW, 3600));
        record.rule[0].capacity = 1 << 20;
        assert_int_equal(verdict_of(&record, 0), FINE);
        record = fixture_record(toc_kind_must_hit,
                                fixture_rule(toc_signal_unreached_s, ABOVE, 3600));
        snprintf(record.labels, sizeof(record.labels), "recovering");
        assert_int_equal(verdict_of(&record, 0), FINE);
}

static void refuses_what_is_no_record(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_gauge, fixture_rule(toc_signal_value, ABOVE, 80));
        enum synthetic_verdict verdict;

        (void)state;
        assert_int_equal(synthetic_judge(&record, 2, &verdict), -EINVAL);
        record.rule[0].op = 0;
        assert_int_equal(synthetic_judge(&record, 0, &verdict), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(judges_as_a_reader_would),
                cmocka_unit_test(looks_at_the_slot_it_is_asked_for),
                cmocka_unit_test(clears_only_at_the_clear_level),
                cmocka_unit_test(drives_a_sum_of_log_lines_by_a_site),
                cmocka_unit_test(looks_at_options),
                cmocka_unit_test(refuses_what_is_no_record),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
