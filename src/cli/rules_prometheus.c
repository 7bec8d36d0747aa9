/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules as a file for Prometheus, for who has many machines and one place that pages. What is
 * compared with what is promql.h's matter.
 *
 * libyaml writes the file and knows no comments, so what differs for one rule stands in its
 * annotation `note`, where who is paged reads it; and what holds for all of them, or about a rule
 * that is not there, in whole lines before the document, where no YAML has begun.
 *
 * Annotations and labels are templates to Prometheus, and all texts are foreign: they are escaped
 * for eyes, each { is written so that no template begins there, and libyaml quotes them.
 */
#include "base/error.h"
#include "base/say.h"
#include "cli/rules.h"
#include "cli/sheet.h"
#include "rule/promql.h"
#include "rule/rule.h"

#include <errno.h>
#include <inttypes.h>

enum { expr_bytes_max = 65536, exact_bits = 53, absent_scrapes = 2 };

/* ---- Texts ----------------------------------------------------------------- */

/* A { that begins no template, nor ends in one with what stands behind it. */
static void append_foreign(struct text *into, const char *foreign)
{
        struct text escaped BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);

        listing_append_escaped(&escaped, foreign);
        for (const char *at = text_view(&escaped); *at; at++) {
                if (*at == '{')
                        text_append(into, "{{`{`}}");
                else
                        text_append_bytes(into, at, 1);
        }
}

/* What the value of the expression is, where it is something that people know. */
static void append_value(struct text *into, const struct toc_record *record, uint32_t slot)
{
        const struct toc_rule *rule = &record->rule[slot];
        uint32_t window_s = rule_window_s(record->kind, rule);

        switch (rule->signal) {
        case toc_signal_per_minute:
        case toc_signal_per_hour:
                /* With another window it is scaled, so as to compare integers. */
                if (window_s == (rule->signal == toc_signal_per_hour ? 3600 : 60))
                        text_append(into, " Now {{ $value }}.");
                return;
        case toc_signal_total:
        case toc_signal_value:
        case toc_signal_silent_ms:
        case toc_signal_oldest_ms:
        case toc_signal_in_flight:
        case toc_signal_lost:
        case toc_signal_stalled_ms:
        case toc_signal_backlog:
                text_append(into, " Now {{ $value }}.");
                return;
        case toc_signal_growth:
        case toc_signal_exhausts_s:
                text_append(into, " Its floor rose by {{ $value }} in the last ");
                rules_append_duration(into, window_s, false);
                text_append(into, ".");
                return;
        default:
                if (record->kind == toc_kind_module)
                        text_append(into, " Now {{ $value }}.");
        }
}

static void append_place(struct text *into, const struct row *row)
{
        if (row->is_default) {
                text_append(into, " (a rule that every module has)");
                return;
        }
        text_append(into, " (");
        append_foreign(into, row->record->file);
        text_printf(into, ":%" PRIu32 ")", row->record->line);
}

/* "Entries pushed out to make room. Rings at more than 1000 a minute. Now 1001. (lru.c:14)" */
static void append_description(struct text *into, const struct row *row, uint32_t slot)
{
        const struct toc_record *record = row->record;

        append_foreign(into, record->help);
        text_append(into, ". Rings at: ");
        rules_append_words(into, record, slot);
        text_append(into, ".");
        append_value(into, record, slot);
        append_place(into, row);
}

static void append_remark(struct text *into, const char *remark)
{
        text_append(into, into->length ? " " : "");
        text_append(into, remark);
}

/* In what the expression differs from what the watcher does. */
static void append_note(struct text *into, const struct toc_record *record, uint32_t slot,
                        uint32_t scrape_s)
{
        const struct toc_rule *rule = &record->rule[slot];
        uint32_t window_s = rule_window_s(record->kind, rule);
        uint32_t exported_s = promql_window_s(record, slot, scrape_s);
        bool is_burn = rule->signal == toc_signal_burn_fast || rule->signal == toc_signal_burn_slow;
        int64_t magnitude = rule->limit < 0 ? -(rule->limit + 1) : rule->limit;

        if (exported_s != window_s)
                text_printf(into,
                            "Looks back %" PRIu32 " s and not %" PRIu32 " s, a whole number of "
                            "scrapes, for the same count: %s.",
                            exported_s, window_s,
                            exported_s < window_s   ? "it may ring sooner"
                            : rule->op & TOC_BELOW_ ? "it may be silent where the watcher rings"
                                                    : "lower rates ring, too");
        if (is_burn && (window_s / 12) % scrape_s)
                append_remark(into, "Its short window is a whole number of scrapes, too.");
        if (rule->signal == toc_signal_exhausts_s)
                append_remark(into, "Prometheus draws the line in floating point: it may ring one "
                                    "scrape earlier or later.");
        if (magnitude >> exact_bits)
                append_remark(into, "The limit is beyond 2^53, where Prometheus rounds.");
        if (record->kind == toc_kind_module)
                append_remark(into, "Only programs with libtocsin-inside have this series; "
                                    "without it this never rings.");
}

/* ---- Rules ----------------------------------------------------------------- */

static void put_labels(struct sheet *sheet, const struct toc_record *record,
                       const struct toc_rule *rule)
{
        const char *label = rule_label(record);

        sheet_word(sheet, "labels");
        sheet_begin_mapping(sheet);
        sheet_pair(sheet, "severity", rule_severity_name(rule->severity));
        sheet_name(sheet, "module", record->module);
        sheet_name(sheet, "probe", record->name);
        sheet_pair(sheet, "kind", rule_kind_name(record->kind));
        sheet_pair(sheet, "signal", rule_signal_name(rule->signal));
        if (*label)
                sheet_name(sheet, "label", label);
        sheet_end_mapping(sheet);
}

static void put_annotations(struct sheet *sheet, const struct row *row, const struct row *first,
                            uint32_t slot)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(expr_bytes_max);

        sheet_word(sheet, "annotations");
        sheet_begin_mapping(sheet);
        append_foreign(&text, row->record->rule[slot].meaning);
        sheet_text(sheet, "summary", &text);
        text_clear(&text);
        append_description(&text, row, slot);
        sheet_text(sheet, "description", &text);
        text_clear(&text);
        append_note(&text, row->record, slot, sheet->scrape_s);
        sheet_text(sheet, "note", &text);
        text_clear(&text);
        append_foreign(&text, listing_runbook(row, first));
        sheet_text(sheet, "runbook_url", &text);
        sheet_end_mapping(sheet);
}

static void put_rule(struct sheet *sheet, const struct row *row, const struct row *first,
                     uint32_t slot)
{
        const struct toc_rule *rule = &row->record->rule[slot];
        const struct promql how = { row->alert[slot], sheet->scrape_s };
        struct text expr BASE_SCOPE(text_fini) = TEXT_INIT(expr_bytes_max);

        if (promql_expr(&expr, row->record, slot, &how))
                return; /* said above the document */
        sheet->is_broken |= expr.error != 0;
        sheet_begin_mapping(sheet);
        sheet_pair(sheet, "alert", row->alert[slot]);
        sheet_pair(sheet, "expr", text_view(&expr));
        if (rule->hold_s)
                sheet_seconds(sheet, "for", rule->hold_s);
        if (rule->keep_s)
                sheet_seconds(sheet, "keep_firing_for", rule->keep_s);
        put_labels(sheet, row->record, rule);
        put_annotations(sheet, row, first, slot);
        sheet_end_mapping(sheet);
}

/* A heart that nobody shows is not silent, it is gone: the rule of silent_ms has nothing to look at
 * then. One more rule, as severe as that one. */
static void put_absent(struct sheet *sheet, const struct row *row, const struct row *first)
{
        uint32_t slot = row->record->rule[1].severity > row->record->rule[0].severity;
        const struct toc_rule *rule = &row->record->rule[slot];
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(expr_bytes_max);
        struct promql_series series;

        if (row->record->kind != toc_kind_heartbeat || !rule->severity ||
            promql_series(row->record, 0, &series))
                return;
        sheet_begin_mapping(sheet);
        text_printf(&text, "%s_absent", row->alert[slot]);
        sheet_pair(sheet, "alert", text_view(&text));
        text_clear(&text);
        text_append(&text, "absent(");
        promql_selector(&text, row->record, &series);
        text_append(&text, ")");
        sheet_pair(sheet, "expr", text_view(&text));
        sheet_seconds(sheet, "for", absent_scrapes * sheet->scrape_s);
        put_labels(sheet, row->record, rule);
        sheet_word(sheet, "annotations");
        sheet_begin_mapping(sheet);
        sheet_pair(sheet, "summary", "no program shows this heartbeat any more");
        text_clear(&text);
        append_foreign(&text, row->record->help);
        text_append(&text, ". Rings when no target has the series: the program, its watcher or the "
                           "way to it is down.");
        append_place(&text, row);
        sheet_text(sheet, "description", &text);
        text_clear(&text);
        append_foreign(&text, listing_runbook(row, first));
        sheet_text(sheet, "runbook_url", &text);
        sheet_end_mapping(sheet);
        sheet_end_mapping(sheet);
}

static bool has_rules(const struct row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (rows[i].record->rule[0].severity || rows[i].record->rule[1].severity)
                        return true;
        return false;
}

static void put_group(struct sheet *sheet, const struct row *rows, size_t count)
{
        sheet_begin_mapping(sheet);
        sheet_name(sheet, "name", rows->record->module);
        sheet_seconds(sheet, "interval", sheet->scrape_s);
        sheet_word(sheet, "rules");
        sheet_begin_list(sheet);
        for (size_t i = 0; i < count; i++) {
                for (uint32_t slot = 0; slot < 2; slot++)
                        if (rows[i].record->rule[slot].severity)
                                put_rule(sheet, &rows[i], rows, slot);
                put_absent(sheet, &rows[i], rows);
        }
        sheet_end_list(sheet);
        sheet_end_mapping(sheet);
}

/* ---- Series that two probes have ------------------------------------------- */

struct series {
        const struct row *row; /* all are of one array, in the order of the list */
        struct promql_series as;
};

static int compare_series(const void *left, const void *right)
{
        const struct series *a = left;
        const struct series *b = right;
        int order = strcmp(a->as.name, b->as.name);

        if (!order)
                order = strcmp(rule_label(a->row->record), rule_label(b->row->record));
        return order ? order : (a->row > b->row) - (a->row < b->row);
}

/* Of neighbours; who has no label selects all, and comes first. */
static bool is_shared(const struct series *first, const struct series *a, const struct series *b)
{
        return a->row != b->row &&
               (!*rule_label(first->row->record) ||
                strcmp(rule_label(a->row->record), rule_label(b->row->record)) == 0);
}

static int print_shared(const struct series *series, size_t count)
{
        size_t first = 0;
        size_t said = SIZE_MAX; /* the first of those that were told: once a name is enough */
        bool failed = false;

        for (size_t i = 1; i < count; i++) {
                const struct toc_record *a = series[i - 1].row->record;
                const struct toc_record *b = series[i].row->record;
                struct text text BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);

                if (strcmp(series[first].as.name, series[i].as.name) != 0)
                        first = i;
                if (first == i || first == said ||
                    !is_shared(&series[first], &series[i - 1], &series[i]))
                        continue;
                said = first;
                text_printf(&text, "Two probes have this series: %s: %s.", series[i].as.name,
                            a->module);
                listing_append_name(&text, a);
                text_printf(&text, " (%s) and %s.", rule_kind_name(a->kind), b->module);
                listing_append_name(&text, b);
                text_printf(&text, " (%s)", rule_kind_name(b->kind));
                failed |= printf("# %s\n", text_view(&text)) < 0;
                say_warning("%s", text_view(&text));
        }
        return failed ? error_last() : 0;
}

/* Into `series`, unless it is NULL. How many there are. */
static size_t list_series(const struct listing *listing, struct series *series)
{
        struct promql_series one;
        size_t count = 0;

        for (size_t i = 0; i < listing->row_count; i++) {
                const struct row *row = &listing->rows[i];

                if (listing_is_module(row->record))
                        continue;
                for (uint32_t n = 0; !promql_series(row->record, n, &one); n++, count++)
                        if (series)
                                series[count] = (struct series){ row, one };
        }
        return count;
}

/* The counter hits and the gauge hits_total; c of a_b and b_c of a. Their rules see both. */
static int print_shared_series(const struct listing *listing)
{
        size_t count = list_series(listing, NULL);
        struct series *series = calloc(count + 1, sizeof(*series));
        int error;

        if (!series)
                return -ENOMEM;
        (void)list_series(listing, series); /* as many again */
        qsort(series, count, sizeof(*series), compare_series);
        error = print_shared(series, count);
        free(series);
        return error;
}

/* ---- The file -------------------------------------------------------------- */

/* Comments: none of the foreign bytes in them can end a line. */
static int print_heading(const struct listing *listing, uint32_t scrape_s)
{
        int failed =
                printf("# Alert rules that stand in the code, for a Prometheus that scrapes "
                       "every %" PRIu32 " s.\n"
                       "# Written by: tocsin rules --prometheus --scrape-interval %" PRIu32 "\n"
                       "# Where these differ from the watcher, they ring rather than not, unless a "
                       "note says so:\n"
                       "# Prometheus sees scrapes, and the watcher each second; it goes on "
                       "seeing the last sample for\n"
                       "# five minutes once scrapes fail; and what has no value (a gauge that "
                       "was never set) is silent.\n",
                       scrape_s, scrape_s) < 0;

        for (size_t i = 0; i < listing->row_count; i++) {
                const struct row *row = &listing->rows[i];

                for (uint32_t slot = 0; slot < 2; slot++) {
                        const struct promql how = { row->alert[slot], scrape_s };
                        struct text expr BASE_SCOPE(text_fini) = TEXT_INIT(expr_bytes_max);

                        if (row->record->rule[slot].severity &&
                            promql_expr(&expr, row->record, slot, &how))
                                failed |= printf("# Left out, for PromQL has no words for it: %s\n",
                                                 row->alert[slot]) < 0;
                }
        }
        return failed ? error_last() : 0;
}

int rules_print_prometheus(const struct listing *listing, uint32_t scrape_s)
{
        struct sheet sheet;
        int error = print_heading(listing, scrape_s);

        if (!error)
                error = print_shared_series(listing);
        if (!error)
                error = sheet_begin(&sheet, scrape_s);
        if (error)
                return error;
        sheet_word(&sheet, "groups");
        sheet_begin_list(&sheet);
        for (size_t i = 0, count; i < listing->row_count; i += count) {
                count = listing_module_rows(listing, i);
                if (has_rules(&listing->rows[i], count))
                        put_group(&sheet, &listing->rows[i], count);
        }
        sheet_end_list(&sheet);
        return sheet_end(&sheet);
}
