/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules as a table, for people. Every text in the file is foreign and escaped.
 */
#include "base/error.h"
#include "base/say.h"
#include "cli/rules.h"
#include "rule/rule.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
        text_columns_min = 32, /* narrower than that, a rule stands below its probe */
        text_indent = 8,       /* and that far to the right */
        columns_unlimited = 1 << 20,
};

static const char dim[] = "\033[2m";
static const char bold[] = "\033[1m";
static const char plain[] = "\033[0m";

struct table {
        bool has_colour;
        size_t columns; /* of the terminal */
        size_t name_columns;
        size_t kind_columns;
        size_t place_columns;
};

static void append_quoted(struct text *into, const char *before, const char *foreign)
{
        text_printf(into, "%s\"", before);
        listing_append_escaped(into, foreign);
        text_append(into, "\"");
}

static void append_place(struct text *into, const struct row *row)
{
        if (row->is_default) {
                text_append(into, "(default)");
                return;
        }
        listing_append_escaped(into, row->record->file);
        text_printf(into, ":%" PRIu32, row->record->line);
}

/* per_minute > 1000 for 300 s, clear at 800 -> warn "working set outgrew the cache" */
void rules_append_rule(struct text *into, const struct toc_rule *rule)
{
        text_printf(into, "%s %s %" PRId64, rule_signal_name(rule->signal), rule_op_name(rule->op),
                    rule->limit);
        if (rule->hold_s)
                text_printf(into, " for %" PRIu32 " s", rule->hold_s);
        if (rule->window_s)
                text_printf(into, ", window %" PRIu32 " s", rule->window_s);
        if (rule->clear_at != TOC_NO_CLEAR_LEVEL_)
                text_printf(into, ", clear at %" PRId64, rule->clear_at);
        if (rule->keep_s)
                text_printf(into, ", keep %" PRIu32 " s", rule->keep_s);
        if (rule->volume_min)
                text_printf(into, ", of %" PRIu32 " at least", rule->volume_min);
        if (rule->capacity)
                text_printf(into, ", capacity %" PRId64, rule->capacity);
        if (rule->objective_permille)
                text_printf(into, ", objective %d of 1000", rule->objective_permille);
}

/* What row `slot` says, 0 and up; nothing past the last. */
static void append_text(struct text *into, const struct toc_record *record, size_t slot)
{
        const struct toc_rule *rule = &record->rule[slot < 2 ? slot : 0];
        bool is_site = record->kind == toc_kind_error || record->kind == toc_kind_warning;

        if (slot == 2 && record->runbook[0]) {
                text_append(into, "see ");
                listing_append_escaped(into, record->runbook);
        } else if (slot == 3 && is_site) {
                append_quoted(into, "says ", record->help);
        } else if (slot == 0 && (record->flags & TOC_IS_USUAL_)) {
                text_printf(into, "as log_%ss", rule_kind_name(record->kind));
        } else if (slot < 2 && rule->severity) {
                if (record->kind == toc_kind_expectation) {
                        text_append(into, "expects ");
                        listing_append_escaped(into, record->help);
                } else {
                        rules_append_rule(into, rule);
                }
                text_printf(into, " -> %s", rule_severity_name(rule->severity));
                append_quoted(into, " ", rule->meaning);
                if (listing_stop(record))
                        text_printf(into, ", %s the program", listing_stop(record));
        } else if (slot == 0 && rule->meaning[0]) {
                append_quoted(into, "quiet ", rule->meaning);
        }
}

/* Columns of a text that was escaped; a wide character counts as one. */
static size_t columns_of(const char *text, size_t bytes)
{
        size_t columns = 0;

        for (size_t i = 0; i < bytes; i++)
                columns += ((unsigned char)text[i] & 0xc0) != 0x80;
        return columns;
}

static void append_cell(struct text *into, const char *cell, size_t columns)
{
        size_t used = columns_of(cell, strlen(cell));

        text_append(into, cell);
        text_printf(into, "%*s", used < columns ? (int)(columns - used) + 2 : 2, "");
}

/* The bytes of the words that fit into so many columns: one at least, however long. */
static size_t fitting(const char *text, size_t columns)
{
        size_t length = strcspn(text, " ");

        while (text[length]) {
                size_t more = length + 1 + strcspn(text + length + 1, " ");

                if (columns_of(text, more) > columns)
                        break;
                length = more;
        }
        return length;
}

static const char *colour_of(const struct table *table, const struct toc_record *record,
                             size_t slot)
{
        static const char *const colours[] = {
                [TOC_NOTE] = "", [TOC_WARN] = "\033[33m", [TOC_PAGE] = "\033[31m"
        };
        unsigned severity = slot < 2 ? record->rule[slot].severity : 0;

        if (!table->has_colour)
                return "";
        return severity && severity <= TOC_PAGE ? colours[severity] : dim;
}

/* One text, in as many lines as it takes. The first may go on a line that is begun. */
static void append_wrapped(struct text *into, const char *text, const char *colour, size_t indent,
                           size_t columns)
{
        for (size_t used; *text; text += used) {
                used = fitting(text, columns);
                text_append(into, colour);
                text_append_bytes(into, text, used);
                text_printf(into, "%s\n", *colour ? plain : "");
                used += strspn(text + used, " ");
                if (text[used])
                        text_printf(into, "%*s", (int)indent, "");
        }
}

static void append_head(struct text *into, const struct row *row, const struct table *table)
{
        struct text name BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
        struct text place BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);

        append_place(&place, row);
        listing_append_name(&name, row->record);
        append_cell(into, text_view(&name), table->name_columns);
        append_cell(into, rule_kind_name(row->record->kind), table->kind_columns);
        append_cell(into, text_view(&place), table->place_columns);
}

static void append_row(struct text *into, const struct table *table, const struct row *row)
{
        static const struct table unaligned;
        size_t head =
                2 + table->name_columns + 2 + table->kind_columns + 2 + table->place_columns + 2;
        bool is_narrow = table->columns < head + text_columns_min;
        size_t indent = is_narrow ? text_indent : head;
        size_t columns = table->columns > indent ? table->columns - indent : 1;
        struct text cell BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
        bool is_begun = !is_narrow;

        append_head(&cell, row, table->columns < head ? &unaligned : table);
        text_append(into, "  ");
        if (is_narrow)
                append_wrapped(into, text_view(&cell), "", indent, table->columns - 2);
        else
                text_append(into, text_view(&cell));
        for (size_t slot = 0; slot < 4; slot++) {
                text_clear(&cell);
                append_text(&cell, row->record, slot);
                if (!cell.length)
                        continue;
                text_printf(into, "%*s", is_begun ? 0 : (int)indent, "");
                append_wrapped(into, text_view(&cell), colour_of(table, row->record, slot), indent,
                               columns);
                is_begun = false;
        }
        text_append(into, is_begun ? "\n" : "");
}

static void append_module(struct text *into, const struct table *table,
                          const struct toc_record *record)
{
        text_printf(into, "%s%s%s  ", table->has_colour ? bold : "", record->module,
                    table->has_colour ? plain : "");
        listing_append_escaped(into, listing_is_module(record)
                                             ? record->help
                                             : "(its TOC_MODULE is in another file)");
        text_append(into, "\n");
}

static size_t wider(size_t columns, const char *text)
{
        size_t used = columns_of(text, strlen(text));

        return used > columns ? used : columns;
}

static void measure(struct table *table, const struct listing *listing)
{
        struct text name BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
        struct text place BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);

        for (const struct row *row = listing->rows; row < listing->rows + listing->row_count;
             row++) {
                text_clear(&name);
                text_clear(&place);
                listing_append_name(&name, row->record);
                append_place(&place, row);
                table->name_columns = wider(table->name_columns, text_view(&name));
                table->kind_columns = wider(table->kind_columns, rule_kind_name(row->record->kind));
                table->place_columns = wider(table->place_columns, text_view(&place));
        }
}

static size_t terminal_columns(void)
{
        struct winsize size;

        /* Fails for everything that is no terminal. */
        return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col
                                                                       : columns_unlimited;
}

int rules_print_table(const struct listing *listing, const char *heading)
{
        struct table table = { .has_colour = say_wants_colour(STDOUT_FILENO),
                               .columns = terminal_columns() };
        struct text line BASE_SCOPE(text_fini) =
                TEXT_INIT(listing_line_bytes_max + listing_path_bytes_max);
        int error = 0;

        measure(&table, listing);
        if (heading) {
                listing_append_escaped(&line, heading);
                text_append(&line, ":\n");
        }
        for (size_t i = 0; i < listing->row_count && !error; i++) {
                const struct row *row = &listing->rows[i];

                if (i == 0 || strcmp(row->record->module, row[-1].record->module) != 0) {
                        text_append(&line, i ? "\n" : "");
                        append_module(&line, &table, row->record);
                }
                if (!listing_is_module(row->record))
                        append_row(&line, &table, row);
                error = line.error;
                if (!error && fputs(text_view(&line), stdout) < 0)
                        error = error_last();
                text_clear(&line);
        }
        if (!error && heading && putc('\n', stdout) == EOF)
                error = error_last();
        return error;
}
