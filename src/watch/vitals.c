/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a program without a single probe already alerts.
 */
#include "watch/vitals.h"

#include "base/base.h"
#include "base/clock.h"

#include <assert.h>
#include <errno.h>

static const char module_name[] = "process";

enum { line_count = 4, step_ms = 1000 };

struct vitals {
        struct rule_set *rules;
        uint32_t errors_row;
        uint32_t warnings_row;
        uint32_t crash_row;
        uint32_t clock_row;
        uint64_t values[2 * line_count]; /* the lines and their two sums */
};

#define FILL(field, text)                                                                \
        do {                                                                             \
                static_assert(sizeof(text) <= sizeof(field), "does not fit the record"); \
                memcpy((field), (text), sizeof(text));                                   \
        } while (0)

/* The rule of the sums, in words that suit a whole program. */
static int add_rule(struct vitals *vitals, enum toc_kind kind, uint64_t began_ns)
{
        struct toc_record record;
        uint32_t row;
        int failed = rule_default_logs(kind, module_name, &record);

        if (failed)
                return failed;
        if (kind == toc_kind_error)
                FILL(record.rule[0].meaning, "the program reports errors on standard error");
        else
                FILL(record.rule[0].meaning, "the program reports many warnings");
        FILL(record.help, "Lines of the error output, counted by tocsin run");
        return rule_set_add(vitals->rules, &record, began_ns, true, &row);
}

static int add_lines(struct vitals *vitals, enum toc_kind kind, uint64_t began_ns,
                     uint32_t *ret_row)
{
        struct toc_record record = { .version = 1, .kind = (uint8_t)kind, .flags = TOC_IS_USUAL_ };

        FILL(record.module, module_name);
        if (kind == toc_kind_error)
                FILL(record.name, "error_lines");
        else
                FILL(record.name, "warning_lines");
        FILL(record.help, "Lines of the error output");
        return rule_set_add(vitals->rules, &record, began_ns, true, ret_row);
}

static int add_crash(struct vitals *vitals, uint64_t began_ns)
{
        struct toc_record record = {
                .version = 1,
                .kind = toc_kind_error,
                .rule[0] = { .signal = toc_signal_total,
                             .op = TOC_ABOVE_,
                             .clear_at = TOC_NO_CLEAR_LEVEL_,
                             .severity = TOC_PAGE },
        };

        FILL(record.module, module_name);
        FILL(record.name, "crash");
        FILL(record.help, "Ended by a signal that nobody asked for");
        FILL(record.rule[0].meaning, "the program crashed");
        return rule_set_add(vitals->rules, &record, began_ns, true, &vitals->crash_row);
}

static int add_clock(struct vitals *vitals, uint64_t began_ns)
{
        struct toc_record record = {
                .version = 1,
                .kind = toc_kind_counter,
                .rule[0] = { .signal = toc_signal_per_minute,
                             .op = TOC_ABOVE_,
                             .clear_at = TOC_NO_CLEAR_LEVEL_,
                             .severity = TOC_NOTE },
        };

        FILL(record.module, module_name);
        FILL(record.name, "clock_step");
        FILL(record.help, "How often the wall clock jumped by more than a second");
        FILL(record.rule[0].meaning, "the wall clock was set; durations go by another one");
        return rule_set_add(vitals->rules, &record, began_ns, true, &vitals->clock_row);
}

void vitals_see_clock(struct vitals_clock *clock, uint64_t wall_ns, uint64_t monotonic_ns,
                      struct vitals_counts *counts)
{
        int64_t ahead_ns = (int64_t)(wall_ns - monotonic_ns);
        int64_t jump_ms = (ahead_ns - clock->ahead_ns) / (int64_t)CLOCK_MS_NS;

        if (clock->is_known && (jump_ms > step_ms || jump_ms < -step_ms))
                counts->clock_steps++;
        clock->ahead_ns = ahead_ns;
        clock->is_known = true;
}

int vitals_new(uint64_t began_ns, struct vitals **ret_vitals)
{
        struct vitals *vitals = calloc(1, sizeof(*vitals));
        int failed;

        if (!vitals)
                return -ENOMEM;
        failed = rule_set_new(&vitals->rules, began_ns);
        if (!failed)
                failed = add_rule(vitals, toc_kind_error, began_ns);
        if (!failed)
                failed = add_rule(vitals, toc_kind_warning, began_ns);
        if (!failed)
                failed = add_lines(vitals, toc_kind_error, began_ns, &vitals->errors_row);
        if (!failed)
                failed = add_lines(vitals, toc_kind_warning, began_ns, &vitals->warnings_row);
        if (!failed)
                failed = add_crash(vitals, began_ns);
        if (!failed)
                failed = add_clock(vitals, began_ns);
        if (failed) {
                vitals_free(&vitals);
                return failed;
        }
        assert(rule_set_rows(vitals->rules) <= BASE_COUNT(vitals->values));
        *ret_vitals = vitals;
        return 0;
}

void vitals_free(struct vitals **address)
{
        struct vitals *vitals = *address;

        if (!vitals)
                return;
        rule_set_free(&vitals->rules);
        free(vitals);
        *address = NULL;
}

int vitals_judge(struct vitals *vitals, uint64_t now_ns, bool is_tick,
                 const struct vitals_counts *counts, const struct rule_change **ret_changes,
                 size_t *ret_count)
{
        struct rule_sample samples[BASE_COUNT(vitals->values)];
        uint32_t rows = rule_set_rows(vitals->rules);

        for (size_t i = 0; i < BASE_COUNT(samples); i++)
                samples[i] = (struct rule_sample){ .cells = &vitals->values[i] };
        vitals->values[vitals->errors_row] = counts->errors;
        vitals->values[vitals->warnings_row] = counts->warnings;
        vitals->values[vitals->crash_row] = counts->crashes;
        vitals->values[vitals->clock_row] = counts->clock_steps;
        if (is_tick)
                return rule_set_tick(vitals->rules, now_ns, samples, rows, ret_changes, ret_count);
        return rule_set_peek(vitals->rules, now_ns, samples, rows, ret_changes, ret_count);
}

const struct rule_set *vitals_rules(const struct vitals *vitals)
{
        return vitals->rules;
}

bool vitals_outlives(const struct rule_view *rule)
{
        return strcmp(rule->record->name, "crash") == 0;
}
