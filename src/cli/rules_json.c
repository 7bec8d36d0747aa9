/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules as JSON, for programs. What is printed is plain ASCII.
 */
#include "base/error.h"
#include "cli/rules.h"
#include "rule/rule.h"

#include <errno.h>

void rules_put_json(json_t **array, json_t *item_take)
{
        if (json_array_append_new(*array, item_take)) {
                json_decref(*array);
                *array = NULL;
        }
}

/* Each line is a name and its value. */
/* clang-format off */
json_t *rules_json_of_rule(unsigned kind, const struct toc_rule *rule)
{
        bool clears = rule->clear_at != TOC_NO_CLEAR_LEVEL_;

        return json_pack("{s:s, s:s, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s}",
                         "signal", rule_signal_name(rule->signal),
                         "op", rule_op_name(rule->op),
                         "limit", (json_int_t)rule->limit,
                         "clear_at", clears ? json_integer(rule->clear_at) : json_null(),
                         "hold_s", (json_int_t)rule->hold_s,
                         "keep_s", (json_int_t)rule->keep_s,
                         "window_s", (json_int_t)rule_window_s(kind, rule),
                         "volume_min", (json_int_t)rule->volume_min,
                         "capacity", (json_int_t)rule->capacity,
                         "objective_permille", (json_int_t)rule->objective_permille,
                         "severity", rule_severity_name(rule->severity),
                         "meaning", rule->meaning);
}

static json_t *json_of_probe(const struct row *row)
{
        const struct toc_record *record = row->record;
        bool is_quiet = !record->rule[0].severity && record->rule[0].meaning[0];
        const char *label = rule_label(record);
        json_t *labels = *label ? json_pack("{s:s}", "label", label) : json_object();
        json_t *rules = json_array();

        for (size_t i = 0; i < 2; i++)
                if (record->rule[i].severity)
                        rules_put_json(&rules, rules_json_of_rule(record->kind, &record->rule[i]));
        return json_pack("{s:s, s:o, s:s, s:s, s:s, s:I, s:s?, s:b, s:b, s:s?, s:o, s:s?}",
                         "name", record->name,
                         "labels", labels,
                         "kind", rule_kind_name(record->kind),
                         "help", record->help,
                         "file", record->file,
                         "line", (json_int_t)record->line,
                         "quiet", is_quiet ? record->rule[0].meaning : NULL,
                         "usual", (record->flags & TOC_IS_USUAL_) != 0,
                         "default", (int)row->is_default,
                         "stop", listing_stop(record),
                         "rules", rules,
                         "runbook", record->runbook[0] ? record->runbook : NULL);
}
/* clang-format on */

static json_t *json_of_module(const struct row *rows, size_t count)
{
        const struct toc_record *first = rows[0].record;
        json_t *probes = json_array();

        for (size_t i = 0; i < count; i++)
                if (!listing_is_module(rows[i].record))
                        rules_put_json(&probes, json_of_probe(&rows[i]));
        return json_pack("{s:s, s:s?, s:o}", "name", first->module, "help",
                         listing_is_module(first) ? first->help : NULL, "probes", probes);
}

json_t *rules_json(const struct listing *listing, const char *name, const struct text *problem)
{
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(listing_path_bytes_max);
        json_t *modules = json_array();
        json_t *refused = json_array();

        listing_append_escaped(&path, name);
        for (size_t i = 0, count; i < listing->row_count; i += count) {
                count = listing_module_rows(listing, i);
                rules_put_json(&modules, json_of_module(&listing->rows[i], count));
        }
        for (size_t i = 0; i < listing->found.refused_count; i++)
                rules_put_json(&refused, json_pack("{s:I, s:s}", "record",
                                                   (json_int_t)listing->found.refused[i].number,
                                                   "why", listing->found.refused[i].why));
        return json_pack("{s:s, s:s?, s:o, s:o}", "path", text_view(&path), "problem",
                         problem->length ? text_view(problem) : NULL, "refused", refused, "modules",
                         modules);
}

int rules_print_json(json_t *files_take)
{
        json_t *whole = json_pack("{s:s, s:o}", "tocsin", "1", "files", files_take);
        int error = whole ? 0 : -ENOMEM;

        if (!error && (json_dumpf(whole, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) ||
                       putc('\n', stdout) == EOF))
                error = error_last();
        json_decref(whole);
        return error;
}
