/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tocsin diff - which alerts a new binary has lost, and which ring less. A review asks for it, and
 * a pipeline that lets nobody weaken an alarm by the way.
 */
#include "base/error.h"
#include "base/option.h"
#include "base/say.h"
#include "cli/change.h"
#include "cli/command.h"
#include "cli/rules.h"
#include "rule/rule.h"

#include <errno.h>
#include <unistd.h>

/* ---- Table ----------------------------------------------------------------- */

static const struct toc_record *record_of(const struct change *change)
{
        return change->now ? change->now : change->old;
}

/* The rule as it was, or as it is if it is new; NULL: of the probe itself. */
static const struct toc_rule *rule_of(const struct change *change)
{
        const struct toc_record *record = change->old ? change->old : change->now;
        size_t slot = change->old ? change->old_slot : change->now_slot;

        return slot < change_slots ? &record->rule[slot] : NULL;
}

static void append_quoted(struct text *into, const char *before, const char *foreign)
{
        text_printf(into, "%s\"", before);
        listing_append_escaped(into, foreign);
        text_append(into, "\"");
}

static bool is_prose(const char *field)
{
        static const char *const names[] = { "meaning", "help", "runbook", "reason" };

        for (size_t i = 0; i < BASE_COUNT(names); i++)
                if (strcmp(field, names[i]) == 0)
                        return true;
        return false;
}

/* "limit 1000 -> 5000", and which way that is where not all go the same. */
static void append_field(struct text *into, const struct change *change,
                         const struct change_field *field)
{
        text_printf(into, "%s ", field->name);
        if (is_prose(field->name)) {
                append_quoted(into, "", field->old);
                append_quoted(into, " -> ", field->now);
                return;
        }
        listing_append_escaped(into, field->old);
        text_append(into, " -> ");
        listing_append_escaped(into, field->now);
        if (change->what == CHANGE_CHANGED && field->way != CHANGE_CHANGED)
                text_printf(into, " (%s)", change_word(field->way));
}

/* What became of the probe of a rule that is gone, or what was there before one that is new. */
static void append_beside(struct text *into, const struct change *change)
{
        const struct toc_record *beside = change->beside;
        const char *verb = change->what == CHANGE_REMOVED ? "is" : "was";

        if (!beside) {
                text_append(into, change->what == CHANGE_REMOVED ? "; the probe is gone" : "");
        } else if (beside->flags & TOC_IS_USUAL_) {
                text_printf(into, "; it %s one of log_%ss", verb, rule_kind_name(beside->kind));
        } else if (!beside->rule[0].severity && !beside->rule[1].severity) {
                text_printf(into, "; it %s quiet", verb);
                append_quoted(into, ": ", beside->rule[0].meaning);
        }
}

static void append_text(struct text *into, const struct change *change)
{
        const struct toc_rule *rule = rule_of(change);

        if (rule)
                rules_append_rule(into, rule);
        if (change->old && change->now) {
                for (size_t i = 0; i < change->field_count; i++) {
                        text_append(into, i ? ", " : rule ? ": " : "");
                        append_field(into, change, &change->fields[i]);
                }
                return;
        }
        if (rule)
                append_quoted(into, " ", rule->meaning);
        else if (listing_is_module(record_of(change)))
                append_quoted(into, "module ", record_of(change)->help);
        else
                append_quoted(into, "quiet ", record_of(change)->rule[0].meaning);
        if (rule || change->old)
                append_beside(into, change);
}

static const char *colour_of(enum change_what what)
{
        static const char *const colours[] = {
                [CHANGE_REMOVED] = "\033[31m", [CHANGE_LOOSENED] = "\033[31m",
                [CHANGE_CHANGED] = "\033[33m", [CHANGE_TIGHTENED] = "\033[32m",
                [CHANGE_ADDED] = "\033[32m",
        };

        return colours[what];
}

static void append_name(struct text *into, const struct toc_record *record)
{
        text_append(into, record->module);
        if (listing_is_module(record))
                return;
        text_append(into, ".");
        listing_append_name(into, record);
}

static size_t name_columns(const struct changes *changes)
{
        size_t columns = 0;

        for (size_t i = 0; i < changes->count; i++) {
                struct text name BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);

                append_name(&name, record_of(&changes->changes[i]));
                columns = name.length > columns ? name.length : columns;
        }
        return columns;
}

static int print_table(const struct changes *changes)
{
        bool has_colour = say_wants_colour(STDOUT_FILENO);
        int columns = (int)name_columns(changes);

        for (size_t i = 0; i < changes->count; i++) {
                const struct change *change = &changes->changes[i];
                struct text name BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
                struct text line BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);

                append_name(&name, record_of(change));
                text_printf(&line, "%s%-9s%s  %-4s  %-*s  ",
                            has_colour ? colour_of(change->what) : "", change_word(change->what),
                            has_colour ? "\033[0m" : "",
                            change->severity ? rule_severity_name(change->severity) : "", columns,
                            text_view(&name));
                append_text(&line, change);
                text_append(&line, "\n");
                if (line.error)
                        return line.error;
                if (fputs(text_view(&line), stdout) < 0)
                        return error_last();
        }
        return 0;
}

/* ---- JSON ------------------------------------------------------------------ */

static json_t *json_of_side(const struct toc_record *record, size_t slot)
{
        return record && slot < change_slots ? rules_json_of_rule(record->kind, &record->rule[slot])
                                             : json_null();
}

static json_t *json_of_fields(const struct change *change)
{
        json_t *array = json_array();

        for (size_t i = 0; i < change->field_count; i++) {
                const struct change_field *field = &change->fields[i];

                rules_put_json(&array, json_pack("{s:s, s:s, s:s, s:s}", "field", field->name,
                                                 "old", field->old, "new", field->now, "way",
                                                 change_word(field->way)));
        }
        return array;
}

/* clang-format off */
static json_t *json_of_change(const struct change *change)
{
        const struct toc_record *record = record_of(change);
        const char *label = rule_label(record);

        return json_pack("{s:s, s:s?, s:s, s:s, s:o, s:s, s:s, s:I, s:o, s:o, s:o}",
                         "change", change_word(change->what),
                         "severity", change->severity ? rule_severity_name(change->severity) : NULL,
                         "module", record->module,
                         "probe", record->name,
                         "labels", *label ? json_pack("{s:s}", "label", label) : json_object(),
                         "kind", rule_kind_name(record->kind),
                         "file", record->file,
                         "line", (json_int_t)record->line,
                         "fields", json_of_fields(change),
                         "old", json_of_side(change->old, change->old_slot),
                         "new", json_of_side(change->now, change->now_slot));
}
/* clang-format on */

static int print_json(const struct changes *changes, const char *const *paths)
{
        struct text old BASE_SCOPE(text_fini) = TEXT_INIT(listing_path_bytes_max);
        struct text now BASE_SCOPE(text_fini) = TEXT_INIT(listing_path_bytes_max);
        json_t *array = json_array();
        json_t *whole;
        int error;

        listing_append_escaped(&old, paths[0]);
        listing_append_escaped(&now, paths[1]);
        for (size_t i = 0; i < changes->count; i++)
                rules_put_json(&array, json_of_change(&changes->changes[i]));
        whole = json_pack("{s:s, s:s, s:s, s:o}", "tocsin", "1", "old", text_view(&old), "new",
                          text_view(&now), "changes", array);
        error = whole ? 0 : -ENOMEM;
        if (!error && (json_dumpf(whole, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) ||
                       putc('\n', stdout) == EOF))
                error = error_last();
        json_decref(whole);
        return error;
}

/* ---- The command ----------------------------------------------------------- */

/* A file that nobody can judge in full cannot be compared either; one without probes can. */
static int read_file(struct listing *listing, const char *path)
{
        struct text problem BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
        int status = listing_add(listing, path, &problem);

        if (status == ERROR_EXIT_UNKNOWN || listing->found.refused_count)
                return ERROR_EXIT_UNKNOWN;
        return listing_arrange(listing);
}

static int compare(const char *const *paths, bool wants_json)
{
        struct listing old BASE_SCOPE(listing_fini) = LISTING_NULL;
        struct listing now BASE_SCOPE(listing_fini) = LISTING_NULL;
        struct changes changes BASE_SCOPE(changes_fini) = CHANGES_NULL;
        int outcome = read_file(&old, paths[0]);
        int other = read_file(&now, paths[1]); /* both are said, if both are bad */

        outcome = outcome ? outcome : other;
        if (outcome > 0)
                return outcome;
        if (!outcome)
                outcome = changes_find(&changes, &old, &now);
        if (!outcome)
                outcome = wants_json ? print_json(&changes, paths) : print_table(&changes);
        if (!outcome && fflush(stdout))
                outcome = error_last();
        if (outcome) {
                say_error("cannot write what differs: %s", error_text(outcome));
                return ERROR_EXIT_UNKNOWN;
        }
        return changes.count ? ERROR_EXIT_NO : ERROR_EXIT_YES;
}

int cmd_diff(int argc, char **argv)
{
        bool wants_json = false;
        const struct option options[] = {
                OPTION_FLAG("json", 'j', "print JSON instead of a table", &wants_json),
        };
        const struct option_page page = {
                .command = "tocsin diff",
                .operands = "OLD NEW",
                .summary = "Say which alert rules differ between two programs, libraries, objects "
                           "or archives: removed and loosened ones first. Nothing is run. Exits "
                           "with 0 if none differs, 1 if one does, 3 if a file cannot be judged.",
                .options = options,
                .option_count = BASE_COUNT(options),
                .operand_min = 2,
                .operand_max = 2,
                .examples = "tocsin diff ./kvd.old ./kvd\n"
                            "tocsin diff --json old.so new.so | jq '.changes[] | "
                            "select(.change != \"added\" and .change != \"tightened\")'\n",
        };
        struct option_operands operands;
        int outcome = option_parse_or_say(&page, argc, argv, &operands);

        return outcome ? option_exit(outcome)
                       : compare((const char *const *)operands.values, wants_json);
}
