/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that who loads our rules into a Prometheus of his own need not believe us: a file for
 * `promtool test rules`, in which each rule rings once, at the step at which it must, and once does
 * not, as near to its limit as can be. The samples are rule/scenario.h's.
 *
 * What is asked is how many alerts of that name are firing, so that texts in annotations matter
 * nothing here.
 */
#include "base/error.h"
#include "cli/rules.h"
#include "cli/sheet.h"
#include "rule/promql.h"
#include "rule/scenario.h"

#include <errno.h>
#include <inttypes.h>

enum { values_bytes_max = 64 << 20, exact_bits = 53 };

/* One rule, and how it is made up: a budget as the gauge that it is to Prometheus. */
struct subject {
        const struct toc_record *record;
        struct toc_record as;
        const char *alert;
        uint32_t slot;
};

static void take(struct subject *subject, const struct row *row, uint32_t slot)
{
        *subject = (struct subject){
                .record = row->record, .as = *row->record, .alert = row->alert[slot], .slot = slot
        };
        if (subject->as.kind != toc_kind_module)
                return;
        subject->as.kind = toc_kind_gauge;
        subject->as.rule[slot].signal = toc_signal_value;
}

/* ---- Samples ---------------------------------------------------------------- */

static bool ends_with(const char *string, const char *end)
{
        size_t length = strlen(string);
        size_t end_length = strlen(end);

        return length >= end_length && strcmp(string + length - end_length, end) == 0;
}

/* The nth series of a timer or of sizes. Buckets come first, in order of rules, then all. */
static uint64_t histogram_value(const struct scenario *scenario, uint32_t n,
                                const struct promql_series *series,
                                const struct scenario_cells *cells)
{
        uint32_t slot = n > 0 || !scenario->record->rule[0].severity;

        if (ends_with(series->name, "_sum"))
                return scenario->record->kind == toc_kind_timer ? cells->cell[3] / 1000000000
                                                                : cells->cell[3];
        if (!ends_with(series->name, "_bucket") || strcmp(series->le, "+Inf") == 0)
                return cells->cell[2];
        return cells->cell[2] - cells->cell[slot];
}

static int64_t value_at(const struct scenario *scenario, uint32_t n,
                        const struct promql_series *series, uint32_t step)
{
        struct scenario_cells cells;
        int64_t since_s;

        scenario_at(scenario, step, &cells);
        since_s = (int64_t)cells.since * scenario->step_s;
        switch (scenario->record->kind) {
        case toc_kind_timer:
        case toc_kind_sizes:
                return (int64_t)histogram_value(scenario, n, series, &cells);
        case toc_kind_heartbeat:
                return since_s;
        case toc_kind_operation:
                if (n == 0)
                        return (int64_t)(cells.cell[0] - cells.cell[1]);
                return cells.open ? since_s : 0;
        case toc_kind_flow:
                return n < 4 ? (int64_t)cells.cell[n] : since_s;
        case toc_kind_share:
                return (int64_t)cells.cell[n];
        default:
                return (int64_t)cells.cell[0];
        }
}

/* Prometheus's numbers are doubles. */
static bool is_exact(const struct subject *subject, const struct scenario *scenario)
{
        struct promql_series series;

        for (uint32_t n = 0; promql_series(subject->record, n, &series) == 0; n++)
                for (uint32_t i = 0; i < scenario->steps; i++) {
                        int64_t value = value_at(scenario, n, &series, i);

                        if ((value < 0 ? -(value + 1) : value) >> exact_bits &&
                            !ends_with(series.name, "_sum"))
                                return false;
                }
        return true;
}

/* As few words as promtool's notation allows: 7+2x3 is 7 9 11 13. */
static void append_values(struct text *into, const struct scenario *scenario, uint32_t n,
                          const struct promql_series *series)
{
        for (uint32_t i = 0; i < scenario->steps; i++) {
                int64_t value = value_at(scenario, n, series, i);
                int64_t by = 0;
                uint32_t times = 0;

                while (i + 1 < scenario->steps) {
                        int64_t next = value_at(scenario, n, series, i + 1);

                        if (times > 0 && next - value_at(scenario, n, series, i) != by)
                                break;
                        by = next - value_at(scenario, n, series, i);
                        times++;
                        i++;
                }
                text_printf(into, "%s%" PRId64, into->length ? " " : "", value);
                if (times)
                        text_printf(into, "%c%" PRIu64 "x%" PRIu32, by < 0 ? '-' : '+',
                                    by < 0 ? -(uint64_t)by : (uint64_t)by, times);
        }
}

static void put_series(struct sheet *sheet, const char *name, const char *label, const char *le,
                       const struct text *values)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);

        text_printf(&text, "%s{instance=\"i\",job=\"j\"", name);
        if (*label)
                text_printf(&text, ",label=\"%s\"", label); /* a name in C */
        if (*le)
                text_printf(&text, ",le=\"%s\"", le);
        text_append(&text, "}");
        sheet_begin_mapping(sheet);
        sheet_pair(sheet, "series", text_view(&text));
        sheet_pair(sheet, "values", text_view(values));
        sheet_end_mapping(sheet);
        sheet->is_broken |= text.error || values->error;
}

static void put_gate(struct sheet *sheet, const struct subject *subject,
                     const struct scenario *scenario)
{
        struct text values BASE_SCOPE(text_fini) = TEXT_INIT(values_bytes_max);
        char name[2 * sizeof(subject->record->module) + sizeof(subject->record->labels)];

        if (subject->record->kind != toc_kind_must_hit || !subject->record->labels[0])
                return;
        for (uint32_t i = 0; i < scenario->steps; i++) {
                struct scenario_cells cells;

                scenario_at(scenario, i, &cells);
                text_printf(&values, i ? " %" PRId64 : "%" PRId64, cells.gate);
        }
        (void)snprintf(name, sizeof(name), "%s_%s", subject->record->module,
                       subject->record->labels); /* fits */
        put_series(sheet, name, "", "", &values);
}

static void put_samples(struct sheet *sheet, const struct subject *subject,
                        const struct scenario *scenario)
{
        struct text values BASE_SCOPE(text_fini) = TEXT_INIT(values_bytes_max);
        struct promql_series series;

        sheet_word(sheet, "input_series");
        sheet_begin_list(sheet);
        for (uint32_t n = 0; promql_series(subject->record, n, &series) == 0; n++) {
                text_clear(&values);
                append_values(&values, scenario, n, &series);
                put_series(sheet, series.name, rule_label(subject->record), series.le, &values);
        }
        put_gate(sheet, subject, scenario);
        text_clear(&values);
        text_printf(&values, "0+0x%" PRIu32, scenario->steps);
        put_series(sheet, "process_start_time_seconds", "", "", &values);
        sheet_end_list(sheet);
}

/* ---- Questions -------------------------------------------------------------- */

/* Whether it fires at that step, or, of a range, at any up to that step. */
static void put_question(struct sheet *sheet, const struct subject *subject, uint32_t step,
                         bool is_of_all, bool wanted)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);

        text_printf(&text, "count(%sALERTS{alertname=\"%s\",alertstate=\"firing\"}",
                    is_of_all ? "count_over_time(" : "", subject->alert);
        if (is_of_all)
                text_printf(&text, "[%" PRIu32 "s])", (step + 1) * sheet->scrape_s);
        text_append(&text, ")");
        sheet_begin_mapping(sheet);
        sheet_pair(sheet, "expr", text_view(&text));
        sheet_seconds(sheet, "eval_time", step * sheet->scrape_s);
        if (wanted) {
                sheet_word(sheet, "exp_samples");
                sheet_begin_list(sheet);
                sheet_begin_mapping(sheet);
                sheet_pair(sheet, "labels", "{}");
                sheet_pair(sheet, "value", "1");
                sheet_end_mapping(sheet);
                sheet_end_list(sheet);
        }
        sheet_end_mapping(sheet);
        sheet->is_broken |= text.error != 0;
}

static void put_questions(struct sheet *sheet, const struct subject *subject,
                          const struct scenario *scenario)
{
        sheet_word(sheet, "promql_expr_test");
        sheet_begin_list(sheet);
        if (scenario->rings_at == SCENARIO_NEVER) {
                put_question(sheet, subject, scenario->steps - 1, true, false);
        } else {
                if (scenario->rings_at)
                        put_question(sheet, subject, scenario->rings_at - 1, true, false);
                put_question(sheet, subject, scenario->rings_at, false, true);
                if (scenario->ends_at != SCENARIO_NEVER) {
                        put_question(sheet, subject, scenario->ends_at - 1, false, true);
                        put_question(sheet, subject, scenario->ends_at, false, false);
                }
        }
        sheet_end_list(sheet);
}

/* ---- The file --------------------------------------------------------------- */

/* What cannot be tested, in whole lines before the document. */
static bool can_be_tested(const struct subject *subject, enum scenario_run run, uint32_t scrape_s,
                          struct scenario *ret_scenario, const char **ret_why)
{
        const struct promql how = { subject->alert, scrape_s };
        struct text expr BASE_SCOPE(text_fini) = TEXT_INIT(values_bytes_max);

        *ret_why = NULL;
        if (!subject->record->rule[subject->slot].severity)
                return false;
        if (promql_expr(&expr, subject->record, subject->slot, &how)) {
                *ret_why = "it is not in the rule file";
                return false;
        }
        if (promql_window_s(subject->record, subject->slot, scrape_s) <
            rule_window_s(subject->record->kind, &subject->record->rule[subject->slot])) {
                *ret_why = "its window is no whole number of scrapes, and it rings sooner there";
                return false;
        }
        switch (scenario_make(&subject->as, subject->slot, run, scrape_s, ret_scenario)) {
        case SCENARIO_MADE:
                if (is_exact(subject, ret_scenario))
                        return true;
                *ret_why = "its numbers are beyond 2^53, where Prometheus rounds";
                return false;
        case SCENARIO_CANNOT_RING:
                *ret_why = "no value makes it ring";
                return false;
        case SCENARIO_ALWAYS_RINGS:
                *ret_why = "no value keeps it silent";
                return false;
        default:
                *ret_why = "no samples are made up for it";
                return false;
        }
}

static const char *run_name(enum scenario_run run)
{
        return run == SCENARIO_LOUD ? "rings" : "stays silent";
}

static int print_heading(const struct listing *listing, uint32_t scrape_s)
{
        bool failed = printf("# For `promtool test rules`: each alert rings once, and once just "
                             "does not.\n"
                             "# Written by: tocsin rules --tests --scrape-interval %" PRIu32 "\n",
                             scrape_s) < 0;

        for (size_t i = 0; i < 4 * listing->row_count; i++) {
                enum scenario_run run = i % 2 ? SCENARIO_NEAR : SCENARIO_LOUD;
                struct scenario scenario;
                struct subject subject;
                const char *why;

                take(&subject, &listing->rows[i / 4], i / 2 % 2);
                if (!can_be_tested(&subject, run, scrape_s, &scenario, &why) && why)
                        failed |= printf("# Left out, that %s %s: %s\n", subject.alert,
                                         run_name(run), why) < 0;
        }
        return failed ? error_last() : 0;
}

static void put_test(struct sheet *sheet, const struct subject *subject, enum scenario_run run)
{
        struct text name BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
        struct scenario scenario;
        const char *why;

        if (!can_be_tested(subject, run, sheet->scrape_s, &scenario, &why))
                return;
        text_printf(&name, "%s %s", subject->alert, run_name(run));
        sheet_begin_mapping(sheet);
        sheet_text(sheet, "name", &name);
        sheet_seconds(sheet, "interval", sheet->scrape_s);
        put_samples(sheet, subject, &scenario);
        put_questions(sheet, subject, &scenario);
        sheet_end_mapping(sheet);
}

int rules_print_tests(const struct listing *listing, uint32_t scrape_s, const char *rules_file)
{
        struct text name BASE_SCOPE(text_fini) = TEXT_INIT(listing_path_bytes_max);
        struct sheet sheet;
        int error = print_heading(listing, scrape_s);

        if (!error)
                error = sheet_begin(&sheet, scrape_s);
        if (error)
                return error;
        sheet_word(&sheet, "rule_files");
        sheet_begin_list(&sheet);
        text_append(&name, rules_file);
        sheet_quoted(&sheet, &name);
        sheet_end_list(&sheet);
        sheet_seconds(&sheet, "evaluation_interval", scrape_s);
        sheet_word(&sheet, "tests");
        sheet_begin_list(&sheet);
        for (size_t i = 0; i < 4 * listing->row_count; i++) {
                struct subject subject;

                take(&subject, &listing->rows[i / 4], i / 2 % 2);
                put_test(&sheet, &subject, i % 2 ? SCENARIO_NEAR : SCENARIO_LOUD);
        }
        sheet_end_list(&sheet);
        return sheet_end(&sheet);
}
