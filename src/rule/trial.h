/* SPDX-License-Identifier: Apache-2.0 */
/* trial.h - one set under test, for the tests that look at whole sets; what changes stands in
 * variables of the test program, so that a test reads as a list of moments.
 *
 *         uint32_t row = add(&record);
 *
 *         values[row] = 5;
 *         tick(1);
 *         stands_at(row, RULE_OK, 5);
 *
 * Expected values are computed by hand, beside the numbers. */
#ifndef RULE_TRIAL_H
#define RULE_TRIAL_H

#include "rule/fixture.h"

/* A set, its samples and what the last evaluation said. */
static struct rule_set *set;
static uint64_t values[64];
static struct rule_sample samples[64];
static const struct rule_change *changes;
static size_t change_count;

static inline int trial_begin(void **state)
{
        (void)state;
        memset(values, 0, sizeof(values));
        for (size_t i = 0; i < COUNT(values); i++)
                samples[i] = (struct rule_sample){ .cells = &values[i] };
        return rule_set_new(&set, 0);
}

static inline int trial_end(void **state)
{
        (void)state;
        rule_set_free(&set);
        assert_null(set);
        rule_set_free(&set); /* nothing is freed twice */
        return 0;
}

static inline uint32_t add_at(const struct toc_record *record, uint64_t began_ns, bool from_start)
{
        uint32_t row = UINT32_MAX;

        assert_int_equal(rule_set_add(set, record, began_ns, from_start, &row), 0);
        assert_true(row < rule_set_rows(set));
        return row;
}

static inline uint32_t add(const struct toc_record *record)
{
        return add_at(record, 0, true);
}

/* Of a module: what is known of it from now on; NULL: nothing. */
static inline void see_inside(uint32_t row, const uint64_t *given)
{
        samples[row].cells = given;
}

static inline void tick_ns(uint64_t t_ns)
{
        assert_int_equal(
                rule_set_tick(set, t_ns, samples, rule_set_rows(set), &changes, &change_count), 0);
}

static inline void tick(uint64_t t_s)
{
        tick_ns(t_s * S);
}

static inline void peek_ns(uint64_t t_ns)
{
        assert_int_equal(
                rule_set_peek(set, t_ns, samples, rule_set_rows(set), &changes, &change_count), 0);
}

static inline struct rule_view view_of(uint32_t row, uint32_t slot)
{
        struct rule_view view;

        for (size_t n = 0; rule_set_view(set, n, &view) == 0; n++)
                if (view.row == row && view.slot == slot)
                        return view;
        fail_msg("row %u has no rule %u", row, slot);
        return view;
}

static inline void stands_at(uint32_t row, enum rule_state state, int64_t value)
{
        struct rule_view view = view_of(row, 0);

        assert_string_equal(fixture_state_name(view.state), fixture_state_name(state));
        assert_true(view.has_value);
        assert_int_equal(view.value, value);
}

static inline struct toc_record counter(unsigned signal, unsigned op, int64_t limit)
{
        return fixture_record(toc_kind_counter, fixture_rule(signal, op, limit));
}

static inline struct toc_record site(unsigned kind, const char *module)
{
        struct toc_record record = { .version = 1, .kind = (uint8_t)kind, .flags = TOC_IS_USUAL_ };

        snprintf(record.module, sizeof(record.module), "%s", module);
        snprintf(record.name, sizeof(record.name), "error_1");
        return record;
}

static inline struct toc_record logs(const char *module, int64_t limit)
{
        struct toc_record record = fixture_record(
                toc_kind_logs, fixture_rule(toc_signal_per_minute, TOC_ABOVE_, limit));

        snprintf(record.module, sizeof(record.module), "%s", module);
        snprintf(record.name, sizeof(record.name), "log_errors");
        return record;
}

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, trial_begin, trial_end)

#endif
