/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules as a sheet for who is on call: what rings, when, what it means, what to do. In a module
 * what wakes people comes first.
 *
 * Foreign text cannot become a heading, a link or HTML: what Markdown reads as a sign is escaped,
 * and no foreign text stands at the beginning of a line. GitHub's Markdown makes links unasked, of
 * www. and :// and @; the last it finds behind a backslash, too, but not in code.
 */
#include "base/error.h"
#include "cli/rules.h"
#include "rule/rule.h"

#include <errno.h>
#include <inttypes.h>
#include <strings.h>

static bool is_sign(const char *text, const char *at)
{
        if (*at == ':')
                return strncmp(at, "://", 3) == 0;
        if (*at == '.')
                return at - text >= 3 && strncasecmp(at - 3, "www", 3) == 0;
        return strchr("\\`*_[]<&~", *at);
}

void rules_append_markdown(struct text *into, const char *foreign)
{
        struct text escaped BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
        const char *text;

        listing_append_escaped(&escaped, foreign);
        text = text_view(&escaped);
        for (size_t i = 0, length; text[i]; i += length) {
                length = strspn(text + i, "@");
                text_append(into, length ? "`" : is_sign(text, text + i) ? "\\" : "");
                text_append_bytes(into, text + i, length ? length : 1);
                text_append(into, length ? "`" : "");
                length += !length;
        }
}

/* Only what is plainly an address becomes a link. */
static bool is_address(const char *text)
{
        static const char letters[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                "-._~:/?#@!$&+,;=%";
        bool is_web = strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0;

        return is_web && text[strspn(text, letters)] == '\0';
}

static void append_place(struct text *into, const struct row *row)
{
        if (row->is_default) {
                text_append(into, "nowhere: every module has this rule");
                return;
        }
        rules_append_markdown(into, row->record->file);
        text_printf(into, ":%" PRIu32, row->record->line);
}

static void append_what_to_do(struct text *into, const char *runbook)
{
        text_append(into, "- What to do: ");
        if (!runbook[0])
                text_append(into, "nobody wrote a runbook; the place below is the best there is");
        else if (is_address(runbook))
                text_printf(into, "<%s>", runbook);
        else
                rules_append_markdown(into, runbook);
        text_append(into, "\n");
}

static void append_name(struct text *into, const struct toc_record *record)
{
        text_printf(into, "`%s.", record->module);
        listing_append_name(into, record);
        text_append(into, "`");
}

static void append_rule(struct text *into, const struct row *row, const struct row *first,
                        size_t slot)
{
        const struct toc_record *record = row->record;
        const struct toc_rule *rule = &record->rule[slot];
        struct text words BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);

        text_printf(into, "\n### %s: ", rule_severity_name(rule->severity));
        rules_append_markdown(into, rule->meaning);
        text_append(into, "\n\n- Alert: ");
        append_name(into, record);
        text_printf(into, ", %s; in Prometheus `%s`\n- Rings at: ", rule_kind_name(record->kind),
                    row->alert[slot]);
        rules_append_words(&words, record, slot);
        rules_append_markdown(into, text_view(&words));
        text_append(into, record->kind == toc_kind_expectation ? "\n- Expects: " : "\n- Watches: ");
        rules_append_markdown(into, record->help);
        if (listing_stop(record))
                text_printf(into, "\n- A miss %s the program", listing_stop(record));
        text_append(into, "\n");
        append_what_to_do(into, listing_runbook(row, first));
        text_append(into, "- Declared at: ");
        append_place(into, row);
        text_append(into, "\n");
}

static int flush_text(struct text *text)
{
        int error = text->error;

        if (!error && fputs(text_view(text), stdout) < 0)
                error = error_last();
        text_clear(text);
        return error;
}

/* What never rings by itself, and why. */
static int print_quiet(const struct row *rows, size_t count)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
        bool is_begun = false;
        int error = 0;

        for (size_t i = 0; i < count && !error; i++) {
                const struct toc_record *record = rows[i].record;

                if (listing_is_module(record) || record->rule[0].severity ||
                    record->rule[1].severity)
                        continue;
                text_append(&text, is_begun ? "" : "\n### Without an alert of their own\n\n");
                is_begun = true;
                text_append(&text, "- ");
                append_name(&text, record);
                text_append(&text, ": ");
                if (record->flags & TOC_IS_USUAL_)
                        text_printf(&text, "counted by `log_%ss`", rule_kind_name(record->kind));
                else
                        rules_append_markdown(&text, record->rule[0].meaning);
                text_append(&text, "\n");
                error = flush_text(&text);
        }
        return error;
}

static int print_module(const struct row *rows, size_t count)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
        int error;

        text_append(&text, "\n## ");
        rules_append_markdown(&text, rows->record->module);
        text_append(&text, "\n");
        if (listing_is_module(rows->record)) {
                text_append(&text, "\nWhat it is: ");
                rules_append_markdown(&text, rows->record->help);
                text_append(&text, "\n");
        }
        error = flush_text(&text);
        for (unsigned severity = TOC_PAGE; severity >= TOC_NOTE; severity--)
                for (size_t i = 0; i < 2 * count && !error; i++)
                        if (rows[i / 2].record->rule[i % 2].severity == severity) {
                                append_rule(&text, &rows[i / 2], rows, i % 2);
                                error = flush_text(&text);
                        }
        return error ? error : print_quiet(rows, count);
}

int rules_print_markdown(const struct listing *listing, uint32_t scrape_s)
{
        int error = 0;

        (void)scrape_s; /* the watcher looks each second */
        if (fputs("# On call\n\nWhat can ring, by module, as it stands in the code. *page* wakes "
                  "somebody now, *warn* is for the next working day, *note* for the record.\n",
                  stdout) < 0)
                error = error_last();
        for (size_t i = 0, count; i < listing->row_count && !error; i += count) {
                count = listing_module_rows(listing, i);
                error = print_module(&listing->rows[i], count);
        }
        return error;
}
