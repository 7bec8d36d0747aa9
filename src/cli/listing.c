/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because linkers and compilers reorder, so that the order of a file is worth nothing, and
 * because a module that says nothing about its logs has rules all the same.
 */
#include "cli/listing.h"

#include "base/error.h"
#include "base/say.h"
#include "rule/rule.h"

#include <errno.h>

enum {
        said_refused_max = 16, /* records of one file that are complained about one by one */
        distinct_rounds_max = 8,
};

void listing_fini(struct listing *listing)
{
        elf_records_fini(&listing->found);
        free(listing->defaults);
        free(listing->rows);
        free(listing->alerts);
        *listing = (struct listing)LISTING_NULL;
}

bool listing_is_module(const struct toc_record *record)
{
        return record->kind == toc_kind_module && !record->rule[0].severity;
}

const char *listing_runbook(const struct row *row, const struct row *first)
{
        if (row->record->runbook[0] || !listing_is_module(first->record))
                return row->record->runbook;
        return first->record->runbook;
}

const char *listing_stop(const struct toc_record *record)
{
        if (record->flags & TOC_STOPS_)
                return "stops";
        return record->flags & TOC_MAY_STOP_ ? "may stop" : NULL;
}

void listing_append_escaped(struct text *into, const char *foreign)
{
        text_append_escaped(into, foreign, strlen(foreign));
}

void listing_append_name(struct text *into, const struct toc_record *record)
{
        text_append(into, record->name);
        if (rule_label(record)[0])
                text_printf(into, "{%s}", record->labels);
}

/* ---- Files ---------------------------------------------------------------- */

/* Says once what became of a file, and what status that deserves. */
static int say_problem(const char *path, const struct elf_records *found, int outcome,
                       struct text *problem)
{
        if (outcome)
                say_error("%s: %s", path, text_view(problem));
        for (size_t i = 0; i < found->refused_count && i < said_refused_max; i++)
                say_error("%s: record %zu, '%s': %s", path, found->refused[i].number,
                          found->refused[i].name, found->refused[i].why);
        if (found->refused_count > said_refused_max)
                say_error("%s: and %zu more records like that", path,
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
                say_note("%s: %s", path, text_view(problem));
        if (found->awaits_link)
                return ERROR_EXIT_UNKNOWN;
        return found->count && !found->refused_count ? ERROR_EXIT_YES : ERROR_EXIT_NO;
}

/* Moves to `into` what the file had; refused records too. */
static int join(struct elf_records *into, struct elf_records *from)
{
        struct toc_record *records;
        struct elf_refused *refused;

        if (!into->count && !into->refused_count) {
                elf_records_fini(into);
                *into = *from;
                *from = (struct elf_records)ELF_RECORDS_NULL;
                return 0;
        }
        if (from->count > listing_record_max - into->count)
                return -E2BIG;
        records = reallocarray(into->records, into->count + from->count + 1, sizeof(*records));
        if (!records)
                return -ENOMEM;
        into->records = records;
        refused = reallocarray(into->refused, into->refused_count + from->refused_count + 1,
                               sizeof(*refused));
        if (!refused)
                return -ENOMEM;
        into->refused = refused;
        if (from->count)
                memcpy(records + into->count, from->records, from->count * sizeof(*records));
        if (from->refused_count)
                memcpy(refused + into->refused_count, from->refused,
                       from->refused_count * sizeof(*refused));
        into->count += from->count;
        into->refused_count += from->refused_count;
        return 0;
}

int listing_add(struct listing *listing, const char *path, struct text *problem)
{
        struct elf_records found BASE_SCOPE(elf_records_fini) = ELF_RECORDS_NULL;
        const char *why = NULL;
        int outcome = elf_read_records(path, &found, &why);
        int status;

        if (outcome == ELF_UNREADABLE)
                text_append(problem, why);
        else if (outcome)
                text_printf(problem, "cannot be read: %s", error_text(outcome));
        status = say_problem(path, &found, outcome, problem);
        outcome = join(&listing->found, &found);
        if (outcome) {
                say_error("%s: is not listed: %s", path,
                          outcome == -E2BIG ? "the files have more than 262144 probes"
                                            : error_text(outcome));
                status = ERROR_EXIT_UNKNOWN;
        }
        return status;
}

/* ---- Order ---------------------------------------------------------------- */

static int rank(const struct row *row)
{
        if (row->record->kind == toc_kind_module)
                return listing_is_module(row->record) ? 0 : 1;
        if (row->record->kind == toc_kind_logs)
                return row->is_default ? 3 : 2;
        return 4;
}

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

size_t listing_module_rows(const struct listing *listing, size_t from)
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

        if (!listing_is_module(rows[0].record) ||
            rule_default_logs(kind, rows[0].record->module, logs))
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

        for (size_t i = 0; i < listing->row_count; i += listing_module_rows(listing, i))
                module_count++;
        listing->defaults = calloc(2 * module_count, sizeof(*listing->defaults));
        if (!listing->defaults)
                return -ENOMEM;
        for (size_t i = 0, count; i < listing->row_count; i += count) {
                count = listing_module_rows(listing, i);
                add_default(listing, &listing->rows[i], count, toc_kind_error);
                add_default(listing, &listing->rows[i], count, toc_kind_warning);
        }
        return 0;
}

/* Of neighbours that are the same but one. */
static void drop_copies(struct listing *listing)
{
        struct row *rows = listing->rows;
        size_t kept = 0;

        for (size_t i = 1; i < listing->row_count; i++)
                if (compare_rows(&rows[kept], &rows[i]) != 0)
                        rows[++kept] = rows[i];
        listing->row_count = kept + 1;
}

int listing_arrange(struct listing *listing)
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
        drop_copies(listing);
        error = add_defaults(listing);
        if (error)
                return error;
        for (size_t i = 0; i < listing->default_count; i++)
                rows[listing->row_count++] = (struct row){ &listing->defaults[i], true, NULL };
        qsort(rows, listing->row_count, sizeof(*rows), compare_rows);
        return 0;
}

/* ---- Names ---------------------------------------------------------------- */

/* A name that is to differ from all others of its group. Where it stands decides who is first. */
struct name {
        const char *group;
        const char *label;
        char *text;
        size_t size;
        size_t place;
};

static int compare_names(const void *left, const void *right)
{
        const struct name *a = left;
        const struct name *b = right;
        int order = strcmp(a->group, b->group);

        if (!order)
                order = strcmp(a->label, b->label);
        return order ? order : strcmp(a->text, b->text);
}

static int compare_names_and_places(const void *left, const void *right)
{
        int order = compare_names(left, right);
        size_t a = ((const struct name *)left)->place;
        size_t b = ((const struct name *)right)->place;

        return order ? order : (a > b) - (a < b);
}

/* NAME_2, cut so that the number is there in full. */
static void append_number(struct name *name, size_t number)
{
        char digits[24];
        size_t length = (size_t)snprintf(digits, sizeof(digits), "_%zu", number);
        size_t room = name->size - 1 - length;
        size_t kept = strnlen(name->text, room);

        memcpy(name->text + kept, digits, length + 1);
}

/* A numbered name may be one that is taken, too; hence rounds. */
static void make_distinct(struct name *names, size_t count)
{
        bool is_done = false;

        for (size_t round = 0; round < distinct_rounds_max && !is_done; round++) {
                qsort(names, count, sizeof(*names), compare_names_and_places);
                is_done = true;
                for (size_t i = 0, same; i < count; i += same) {
                        for (same = 1; i + same < count; same++)
                                if (compare_names(&names[i], &names[i + same]) != 0)
                                        break;
                        for (size_t j = 1; j < same; j++)
                                append_number(&names[i + j], j + 1);
                        is_done &= same == 1;
                }
        }
}

int listing_make_distinct(struct listing *listing)
{
        struct name *names = calloc(listing->row_count + 1, sizeof(*names));

        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < listing->row_count; i++) {
                struct toc_record *record = listing->rows[i].record;

                names[i] = (struct name){ record->module, rule_label(record), record->name,
                                          sizeof(record->name), i };
        }
        make_distinct(names, listing->row_count);
        free(names);
        return 0;
}

static void name_alert(char *into, const struct toc_record *record, size_t slot)
{
        const char *label = rule_label(record);

        (void)snprintf(into, listing_alert_bytes, "%s_%s%s%s%s", record->module, record->name,
                       *label ? "_" : "", label, slot && record->rule[0].severity ? "_2" : "");
}

int listing_name_alerts(struct listing *listing)
{
        struct name *names = calloc(2 * listing->row_count + 1, sizeof(*names));
        size_t count = 0;
        int error;

        free(listing->alerts);
        listing->alerts = calloc(listing->row_count + 1, sizeof(*listing->alerts));
        error = names && listing->alerts ? 0 : -ENOMEM;
        for (size_t i = 0; !error && i < listing->row_count; i++) {
                listing->rows[i].alert = listing->alerts[i];
                for (size_t slot = 0; slot < 2; slot++) {
                        char *alert = listing->alerts[i][slot];

                        if (!listing->rows[i].record->rule[slot].severity)
                                continue;
                        name_alert(alert, listing->rows[i].record, slot);
                        names[count] = (struct name){ "", "", alert, listing_alert_bytes, count };
                        count++;
                }
        }
        if (!error)
                make_distinct(names, count);
        free(names);
        return error;
}
