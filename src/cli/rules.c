/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tocsin rules - what would ring, and when, as it stands in a file that nobody has to run.
 *
 * Every text in the file is foreign. The table escapes it for the terminal; JSON is plain ASCII.
 */
#include "base/error.h"
#include "base/option.h"
#include "base/say.h"
#include "cli/command.h"
#include "rule/rule.h"
#include "watch/elf.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
        line_bytes_max = 8192,
        path_bytes_max = 4 * 4096,
        file_count_max = 4096,
        said_refused_max = 16, /* records of one file that are complained about one by one */
        text_columns_min = 32, /* narrower than that, a rule stands below its probe */
        text_indent = 8,       /* and that far to the right */
        columns_unlimited = 1 << 20,
};

static const char dim[] = "\033[2m";
static const char bold[] = "\033[1m";
static const char plain[] = "\033[0m";

/* What is listed: a record of the file, or rules that it has by default. */
struct row {
        const struct toc_record *record;
        bool is_default;
};

struct listing {
        const char *path;
        struct elf_records found;
        struct toc_record *defaults;
        size_t default_count;
        struct row *rows; /* sorted */
        size_t row_count;
};

static void listing_fini(struct listing *listing)
{
        elf_records_fini(&listing->found);
        free(listing->defaults);
        free(listing->rows);
}

/* ---- Order ---------------------------------------------------------------- */

/* TOC_MODULE itself: a budget has a severity. */
static bool is_module(const struct toc_record *record)
{
        return record->kind == toc_kind_module && !record->rule[0].severity;
}

static int rank(const struct row *row)
{
        if (row->record->kind == toc_kind_module)
                return is_module(row->record) ? 0 : 1;
        if (row->record->kind == toc_kind_logs)
                return row->is_default ? 3 : 2;
        return 4;
}

/* Linkers and compilers reorder, so the order of the file is worth nothing. */
static int compare_rows(const void *left, const void *right)
{
        const struct toc_record *a = ((const struct row *)left)->record;
        const struct toc_record *b = ((const struct row *)right)->record;
        int order = strcmp(a->module, b->module);

        if (!order)
                order = rank(left) - rank(right);
        if (!order)
                order = strcmp(a->file, b->file);
        if (!order)
                order = (a->line > b->line) - (a->line < b->line);
        return order ? order : memcmp(a, b, sizeof(*a));
}

/* How many rows from there on belong to the same module. */
static size_t module_rows(const struct listing *listing, size_t from)
{
        size_t to = from;

        while (to < listing->row_count &&
               strcmp(listing->rows[to].record->module, listing->rows[from].record->module) == 0)
                to++;
        return to - from;
}

/* The rules of a module's usual sites, unless its TOC_LOGS has others. */
static void add_default(struct listing *listing, const struct row *rows, size_t count,
                        enum toc_kind kind)
{
        struct toc_record *logs = &listing->defaults[listing->default_count];
        bool is_needed = false;

        if (!is_module(rows[0].record) || rule_default_logs(kind, rows[0].record->module, logs))
                return; /* whoever holds the TOC_MODULE knows */
        for (size_t i = 0; i < count; i++) {
                if (rows[i].record->kind == toc_kind_logs &&
                    strcmp(rows[i].record->name, logs->name) == 0)
                        return;
                is_needed |= rows[i].record->kind == kind && rows[i].record->flags & TOC_IS_USUAL_;
        }
        if (is_needed)
                listing->default_count++;
}

static int add_defaults(struct listing *listing)
{
        size_t module_count = 0;

        for (size_t i = 0; i < listing->row_count; i += module_rows(listing, i))
                module_count++;
        listing->defaults = calloc(2 * module_count, sizeof(*listing->defaults));
        if (!listing->defaults)
                return -ENOMEM;
        for (size_t i = 0, count; i < listing->row_count; i += count) {
                count = module_rows(listing, i);
                add_default(listing, &listing->rows[i], count, toc_kind_error);
                add_default(listing, &listing->rows[i], count, toc_kind_warning);
        }
        return 0;
}

/* Sorts what was found, and adds what it implies. */
static int arrange(struct listing *listing)
{
        size_t found = listing->found.count;
        struct row *rows;
        int error;

        if (!found)
                return 0;
        rows = listing->rows = calloc(3 * found, sizeof(*rows)); /* two defaults a record at most */
        if (!rows)
                return -ENOMEM;
        for (size_t i = 0; i < found; i++)
                rows[i].record = &listing->found.records[i];
        listing->row_count = found;
        qsort(rows, found, sizeof(*rows), compare_rows);
        error = add_defaults(listing);
        if (error)
                return error;
        for (size_t i = 0; i < listing->default_count; i++)
                rows[listing->row_count++] = (struct row){ &listing->defaults[i], true };
        qsort(rows, listing->row_count, sizeof(*rows), compare_rows);
        return 0;
}

/* ---- Table ---------------------------------------------------------------- */

struct table {
        bool has_colour;
        size_t columns; /* of the terminal */
        size_t name_columns;
        size_t kind_columns;
        size_t place_columns;
};

static void append_foreign(struct text *into, const char *foreign)
{
        text_append_escaped(into, foreign, strlen(foreign));
}

static void append_quoted(struct text *into, const char *before, const char *foreign)
{
        text_printf(into, "%s\"", before);
        append_foreign(into, foreign);
        text_append(into, "\"");
}

static void append_place(struct text *into, const struct row *row)
{
        if (row->is_default) {
                text_append(into, "(default)");
                return;
        }
        append_foreign(into, row->record->file);
        text_printf(into, ":%" PRIu32, row->record->line);
}

/* per_minute > 1000 for 300 s, clear at 800 -> warn "working set outgrew the cache" */
static void append_rule(struct text *into, const struct toc_rule *rule)
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
}

/* What row `slot` says, 0 and up; nothing past the last. */
static void append_text(struct text *into, const struct toc_record *record, size_t slot)
{
        const struct toc_rule *rule = &record->rule[slot < 2 ? slot : 0];
        bool is_site = record->kind == toc_kind_error || record->kind == toc_kind_warning;

        if (slot == 2 && record->runbook[0]) {
                text_append(into, "see ");
                append_foreign(into, record->runbook);
        } else if (slot == 3 && is_site) {
                append_quoted(into, "says ", record->help);
        } else if (slot == 0 && (record->flags & TOC_IS_USUAL_)) {
                text_printf(into, "as log_%ss", rule_kind_name(record->kind));
        } else if (slot < 2 && rule->severity) {
                if (record->kind == toc_kind_expectation) {
                        text_append(into, "expects ");
                        append_foreign(into, record->help);
                } else {
                        append_rule(into, rule);
                }
                text_printf(into, " -> %s", rule_severity_name(rule->severity));
                append_quoted(into, " ", rule->meaning);
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

static void append_row(struct text *into, const struct table *table, const struct row *row)
{
        size_t head =
                2 + table->name_columns + 2 + table->kind_columns + 2 + table->place_columns + 2;
        bool is_narrow = table->columns < head + text_columns_min;
        size_t indent = is_narrow ? text_indent : head;
        size_t columns = table->columns > indent ? table->columns - indent : 1;
        struct text cell BASE_SCOPE(text_fini) = TEXT_INIT(line_bytes_max);
        bool is_begun = !is_narrow;

        append_place(&cell, row);
        text_append(into, "  ");
        append_cell(into, row->record->name, table->name_columns);
        append_cell(into, rule_kind_name(row->record->kind), table->kind_columns);
        append_cell(into, text_view(&cell), table->place_columns);
        text_append(into, is_narrow ? "\n" : "");
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
        append_foreign(into,
                       is_module(record) ? record->help : "(its TOC_MODULE is in another file)");
        text_append(into, "\n");
}

static size_t wider(size_t columns, const char *text)
{
        size_t used = columns_of(text, strlen(text));

        return used > columns ? used : columns;
}

static void measure(struct table *table, const struct listing *listing)
{
        struct text place BASE_SCOPE(text_fini) = TEXT_INIT(line_bytes_max);

        for (const struct row *row = listing->rows; row < listing->rows + listing->row_count;
             row++) {
                text_clear(&place);
                append_place(&place, row);
                table->name_columns = wider(table->name_columns, row->record->name);
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

static int print_table(const struct listing *listing, bool has_heading)
{
        struct table table = { .has_colour = say_wants_colour(STDOUT_FILENO),
                               .columns = terminal_columns() };
        struct text line BASE_SCOPE(text_fini) = TEXT_INIT(line_bytes_max + path_bytes_max);
        int error = 0;

        measure(&table, listing);
        if (has_heading) {
                append_foreign(&line, listing->path);
                text_append(&line, ":\n");
        }
        for (size_t i = 0; i < listing->row_count && !error; i++) {
                const struct row *row = &listing->rows[i];

                if (i == 0 || strcmp(row->record->module, row[-1].record->module) != 0) {
                        text_append(&line, i ? "\n" : "");
                        append_module(&line, &table, row->record);
                }
                if (!is_module(row->record))
                        append_row(&line, &table, row);
                error = line.error;
                if (!error && fputs(text_view(&line), stdout) < 0)
                        error = error_last();
                text_clear(&line);
        }
        if (!error && has_heading && putc('\n', stdout) == EOF)
                error = error_last();
        return error;
}

/* ---- JSON ------------------------------------------------------------------- */

/* NULL stands for memory that could not be had, and makes NULL of whatever it is put into. */
static void put_json(json_t **array, json_t *item_take)
{
        if (json_array_append_new(*array, item_take)) {
                json_decref(*array);
                *array = NULL;
        }
}

/* Each line is a name and its value. */
/* clang-format off */
static json_t *json_of_rule(unsigned kind, const struct toc_rule *rule)
{
        bool clears = rule->clear_at != TOC_NO_CLEAR_LEVEL_;

        return json_pack("{s:s, s:s, s:I, s:o, s:I, s:I, s:I, s:s, s:s}",
                         "signal", rule_signal_name(rule->signal),
                         "op", rule_op_name(rule->op),
                         "limit", (json_int_t)rule->limit,
                         "clear_at", clears ? json_integer(rule->clear_at) : json_null(),
                         "hold_s", (json_int_t)rule->hold_s,
                         "keep_s", (json_int_t)rule->keep_s,
                         "window_s", (json_int_t)rule_window_s(kind, rule),
                         "severity", rule_severity_name(rule->severity),
                         "meaning", rule->meaning);
}

static json_t *json_of_probe(const struct row *row)
{
        const struct toc_record *record = row->record;
        bool is_quiet = !record->rule[0].severity && record->rule[0].meaning[0];
        json_t *rules = json_array();

        for (size_t i = 0; i < 2; i++)
                if (record->rule[i].severity)
                        put_json(&rules, json_of_rule(record->kind, &record->rule[i]));
        return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s?, s:b, s:b, s:o, s:s?}",
                         "name", record->name,
                         "kind", rule_kind_name(record->kind),
                         "help", record->help,
                         "file", record->file,
                         "line", (json_int_t)record->line,
                         "quiet", is_quiet ? record->rule[0].meaning : NULL,
                         "usual", (record->flags & TOC_IS_USUAL_) != 0,
                         "default", (int)row->is_default,
                         "rules", rules,
                         "runbook", record->runbook[0] ? record->runbook : NULL);
}
/* clang-format on */

static json_t *json_of_module(const struct row *rows, size_t count)
{
        const struct toc_record *first = rows[0].record;
        json_t *probes = json_array();

        for (size_t i = 0; i < count; i++)
                if (!is_module(rows[i].record))
                        put_json(&probes, json_of_probe(&rows[i]));
        return json_pack("{s:s, s:s?, s:o}", "name", first->module, "help",
                         is_module(first) ? first->help : NULL, "probes", probes);
}

static json_t *json_of_listing(const struct listing *listing, const struct text *problem)
{
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(path_bytes_max);
        json_t *modules = json_array();
        json_t *refused = json_array();

        append_foreign(&path, listing->path);
        for (size_t i = 0, count; i < listing->row_count; i += count) {
                count = module_rows(listing, i);
                put_json(&modules, json_of_module(&listing->rows[i], count));
        }
        for (size_t i = 0; i < listing->found.refused_count; i++)
                put_json(&refused, json_pack("{s:I, s:s}", "record",
                                             (json_int_t)listing->found.refused[i].number, "why",
                                             listing->found.refused[i].why));
        return json_pack("{s:s, s:s?, s:o, s:o}", "path", text_view(&path), "problem",
                         problem->length ? text_view(problem) : NULL, "refused", refused, "modules",
                         modules);
}

static int print_json(json_t *files_take)
{
        json_t *whole = json_pack("{s:s, s:o}", "tocsin", "1", "files", files_take);
        int error = whole ? 0 : -ENOMEM;

        if (!error && (json_dumpf(whole, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) ||
                       putc('\n', stdout) == EOF))
                error = error_last();
        json_decref(whole);
        return error;
}

/* ---- The command ------------------------------------------------------------ */

/* What became of one file, said once. The exit status that it deserves. */
static int say_problem(const struct listing *listing, int outcome, struct text *problem)
{
        const struct elf_records *found = &listing->found;

        if (outcome)
                say_error("%s: %s", listing->path, text_view(problem));
        for (size_t i = 0; i < found->refused_count && i < said_refused_max; i++)
                say_error("%s: record %zu, '%s': %s", listing->path, found->refused[i].number,
                          found->refused[i].name, found->refused[i].why);
        if (found->refused_count > said_refused_max)
                say_error("%s: and %zu more records like that", listing->path,
                          found->refused_count - said_refused_max);
        if (outcome)
                return ERROR_EXIT_UNKNOWN;
        if (found->awaits_link)
                text_append(problem,
                            "holds objects for link-time optimisation, whose probes appear "
                            "when it is linked; list the result");
        else if (!found->count && !found->refused_count)
                text_append(problem, "no probes (it was not compiled with tocsin.h)");
        if (problem->length)
                say_note("%s: %s", listing->path, text_view(problem));
        if (found->awaits_link)
                return ERROR_EXIT_UNKNOWN;
        return found->count && !found->refused_count ? ERROR_EXIT_YES : ERROR_EXIT_NO;
}

static int list_file(struct listing *listing, struct text *problem)
{
        const char *why = NULL;
        int outcome = elf_read_records(listing->path, &listing->found, &why);

        if (!outcome)
                outcome = arrange(listing);
        if (outcome == ELF_UNREADABLE)
                text_append(problem, why);
        else if (outcome)
                text_printf(problem, "cannot be read: %s", error_text(outcome));
        return say_problem(listing, outcome, problem);
}

/* The worst of all exit statuses, or a negative error. Into `files` if they are to be JSON. */
static int list_files(const struct option_operands *operands, json_t **files)
{
        int worst = ERROR_EXIT_YES;

        for (size_t i = 0; i < operands->count; i++) {
                struct listing listing BASE_SCOPE(listing_fini) = { .path = operands->values[i],
                                                                    .found = ELF_RECORDS_NULL };
                struct text problem BASE_SCOPE(text_fini) = TEXT_INIT(line_bytes_max);
                int status = list_file(&listing, &problem);
                int error = 0;

                worst = status > worst ? status : worst;
                if (*files) {
                        put_json(files, json_of_listing(&listing, &problem));
                        error = *files ? 0 : -ENOMEM;
                } else if (listing.row_count) {
                        error = print_table(&listing, operands->count > 1);
                }
                if (error)
                        return error;
        }
        return worst;
}

static int list(const struct option_operands *operands, bool wants_json)
{
        json_t *files = wants_json ? json_array() : NULL;
        int status = wants_json && !files ? -ENOMEM : list_files(operands, &files);
        int error = status < 0 ? status : 0; /* of memory, and then there are no files */

        if (!error && wants_json)
                error = print_json(files);
        if (!error && fflush(stdout))
                error = error_last();
        if (error)
                say_error("cannot write the list: %s", error_text(error));
        return error ? ERROR_EXIT_UNKNOWN : status;
}

int cmd_rules(int argc, char **argv)
{
        bool wants_json = false;
        const struct option options[] = {
                OPTION_FLAG("json", 'j', "print JSON instead of a table", &wants_json),
        };
        const struct option_page page = {
                .command = "tocsin rules",
                .operands = "ELF...",
                .summary = "List the probes in programs, libraries, objects and archives, and the "
                           "rules by which they ring. Nothing is run. Exits with 1 if a file has "
                           "no probes or one that cannot be judged, 3 if a file cannot be read.",
                .options = options,
                .option_count = BASE_COUNT(options),
                .operand_min = 1,
                .operand_max = file_count_max,
                .examples = "tocsin rules ./kvd\n"
                            "tocsin rules --json ./kvd ./liblru.so | jq '.files[].modules[].name'\n"
                            "tocsin rules build/liblru.a\n",
        };
        struct option_operands operands;
        int outcome = option_parse_or_say(&page, argc, argv, &operands);

        return outcome ? option_exit(outcome) : list(&operands, wants_json);
}
