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
#include "cli/rules.h"
#include "rule/promql.h"
#include "rule/rule.h"

#include <errno.h>
#include <inttypes.h>
#include <yaml.h>

enum { expr_bytes_max = 65536, exact_bits = 53, absent_scrapes = 2 };

struct page {
        yaml_emitter_t emitter;
        uint32_t scrape_s;
        bool is_broken;
};

/* ---- Words of YAML --------------------------------------------------------- */

/* event_is_there: what its initialiser said. The emitter takes the event, whatever comes of it. */
static void emit(struct page *page, int event_is_there, yaml_event_t *event)
{
        if (page->is_broken && event_is_there)
                yaml_event_delete(event);
        else
                page->is_broken |= !event_is_there || !yaml_emitter_emit(&page->emitter, event);
}

static void put_scalar(struct page *page, const char *value, yaml_scalar_style_t style)
{
        yaml_event_t event;

        emit(page,
             yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)value,
                                          (int)strlen(value), 1, 1, style),
             &event);
}

/* A word of ours: a name, a number with its unit, an expression. */
static void put_word(struct page *page, const char *word)
{
        put_scalar(page, word, YAML_ANY_SCALAR_STYLE);
}

static void put_pair(struct page *page, const char *name, const char *word)
{
        put_word(page, name);
        put_word(page, word);
}

static void put_seconds(struct page *page, const char *name, uint32_t seconds)
{
        char value[16];

        (void)snprintf(value, sizeof(value), "%" PRIu32 "s", seconds); /* fits */
        put_pair(page, name, value);
}

/* A text that holds foreign words, none of which shall be a template, a number or a null. */
static void put_text(struct page *page, const char *name, const struct text *text)
{
        if (!text->length)
                return;
        page->is_broken |= text->error != 0;
        put_word(page, name);
        put_scalar(page, text_view(text), YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static void begin_mapping(struct page *page)
{
        yaml_event_t event;

        emit(page,
             yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE),
             &event);
}

static void end_mapping(struct page *page)
{
        yaml_event_t event;

        emit(page, yaml_mapping_end_event_initialize(&event), &event);
}

static void begin_list(struct page *page)
{
        yaml_event_t event;

        emit(page,
             yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE),
             &event);
}

static void end_list(struct page *page)
{
        yaml_event_t event;

        emit(page, yaml_sequence_end_event_initialize(&event), &event);
}

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
                            "Looks back %" PRIu32 " s and not %" PRIu32
                            " s, a whole number of scrapes: may ring longer.",
                            exported_s, window_s);
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

static void put_labels(struct page *page, const struct toc_record *record,
                       const struct toc_rule *rule)
{
        const char *label = listing_label(record);

        put_word(page, "labels");
        begin_mapping(page);
        put_pair(page, "severity", rule_severity_name(rule->severity));
        put_pair(page, "module", record->module);
        put_pair(page, "probe", record->name);
        put_pair(page, "kind", rule_kind_name(record->kind));
        put_pair(page, "signal", rule_signal_name(rule->signal));
        if (*label)
                put_pair(page, "label", label);
        end_mapping(page);
}

static void put_annotations(struct page *page, const struct row *row, const struct row *first,
                            uint32_t slot)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(expr_bytes_max);

        put_word(page, "annotations");
        begin_mapping(page);
        append_foreign(&text, row->record->rule[slot].meaning);
        put_text(page, "summary", &text);
        text_clear(&text);
        append_description(&text, row, slot);
        put_text(page, "description", &text);
        text_clear(&text);
        append_note(&text, row->record, slot, page->scrape_s);
        put_text(page, "note", &text);
        text_clear(&text);
        append_foreign(&text, listing_runbook(row, first));
        put_text(page, "runbook_url", &text);
        end_mapping(page);
}

static void put_rule(struct page *page, const struct row *row, const struct row *first,
                     uint32_t slot)
{
        const struct toc_rule *rule = &row->record->rule[slot];
        const struct promql how = { row->alert[slot], page->scrape_s };
        struct text expr BASE_SCOPE(text_fini) = TEXT_INIT(expr_bytes_max);

        if (promql_expr(&expr, row->record, slot, &how))
                return; /* said above the document */
        page->is_broken |= expr.error != 0;
        begin_mapping(page);
        put_pair(page, "alert", row->alert[slot]);
        put_pair(page, "expr", text_view(&expr));
        if (rule->hold_s)
                put_seconds(page, "for", rule->hold_s);
        if (rule->keep_s)
                put_seconds(page, "keep_firing_for", rule->keep_s);
        put_labels(page, row->record, rule);
        put_annotations(page, row, first, slot);
        end_mapping(page);
}

/* A heart that nobody shows is not silent, it is gone: the rule of silent_ms has nothing to look at
 * then. One more rule, as severe as that one. */
static void put_absent(struct page *page, const struct row *row, const struct row *first)
{
        uint32_t slot = row->record->rule[1].severity > row->record->rule[0].severity;
        const struct toc_rule *rule = &row->record->rule[slot];
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(expr_bytes_max);
        struct promql_series series;

        if (row->record->kind != toc_kind_heartbeat || !rule->severity ||
            promql_series(row->record, 0, &series))
                return;
        begin_mapping(page);
        text_printf(&text, "%s_absent", row->alert[slot]);
        put_pair(page, "alert", text_view(&text));
        text_clear(&text);
        text_append(&text, "absent(");
        promql_selector(&text, row->record, &series);
        text_append(&text, ")");
        put_pair(page, "expr", text_view(&text));
        put_seconds(page, "for", absent_scrapes * page->scrape_s);
        put_labels(page, row->record, rule);
        put_word(page, "annotations");
        begin_mapping(page);
        put_pair(page, "summary", "no program shows this heartbeat any more");
        text_clear(&text);
        append_foreign(&text, row->record->help);
        text_append(&text, ". Rings when no target has the series: the program, its watcher or the "
                           "way to it is down.");
        append_place(&text, row);
        put_text(page, "description", &text);
        text_clear(&text);
        append_foreign(&text, listing_runbook(row, first));
        put_text(page, "runbook_url", &text);
        end_mapping(page);
        end_mapping(page);
}

static bool has_rules(const struct row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (rows[i].record->rule[0].severity || rows[i].record->rule[1].severity)
                        return true;
        return false;
}

static void put_group(struct page *page, const struct row *rows, size_t count)
{
        begin_mapping(page);
        put_pair(page, "name", rows->record->module);
        put_seconds(page, "interval", page->scrape_s);
        put_word(page, "rules");
        begin_list(page);
        for (size_t i = 0; i < count; i++) {
                for (uint32_t slot = 0; slot < 2; slot++)
                        if (rows[i].record->rule[slot].severity)
                                put_rule(page, &rows[i], rows, slot);
                put_absent(page, &rows[i], rows);
        }
        end_list(page);
        end_mapping(page);
}

/* ---- The file -------------------------------------------------------------- */

/* Comments: none of the foreign bytes in them can end a line. */
static int print_heading(const struct listing *listing, uint32_t scrape_s)
{
        int failed =
                printf("# Alert rules that stand in the code, for a Prometheus that scrapes "
                       "every %" PRIu32 " s.\n"
                       "# Written by: tocsin rules --prometheus --scrape-interval %" PRIu32 "\n"
                       "# Where these differ from the watcher, they ring rather than not:\n"
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

static void put_file(struct page *page, const struct listing *listing)
{
        yaml_event_t event;

        emit(page, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event);
        emit(page, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1), &event);
        begin_mapping(page);
        put_word(page, "groups");
        begin_list(page);
        for (size_t i = 0, count; i < listing->row_count; i += count) {
                count = listing_module_rows(listing, i);
                if (has_rules(&listing->rows[i], count))
                        put_group(page, &listing->rows[i], count);
        }
        end_list(page);
        end_mapping(page);
        emit(page, yaml_document_end_event_initialize(&event, 1), &event);
        emit(page, yaml_stream_end_event_initialize(&event), &event);
}

int rules_print_prometheus(const struct listing *listing, uint32_t scrape_s)
{
        struct page page = { .scrape_s = scrape_s };
        int error = print_heading(listing, scrape_s);

        if (error)
                return error;
        if (!yaml_emitter_initialize(&page.emitter))
                return -ENOMEM;
        yaml_emitter_set_output_file(&page.emitter, stdout);
        yaml_emitter_set_unicode(&page.emitter, 1);
        yaml_emitter_set_width(&page.emitter, -1); /* an expression is one line */
        put_file(&page, listing);
        yaml_emitter_delete(&page.emitter);
        if (page.is_broken)
                return ferror(stdout) ? error_last() : -ENOMEM;
        return 0;
}
