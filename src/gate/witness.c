/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a probe is only worth what was once seen of it.
 */
#include "gate/witness.h"

#include "base/base.h"
#include "tocsin/case.h"

#include <errno.h>

static struct witness_probe *find(const struct witness *witness, const struct toc_record *record)
{
        for (size_t i = 0; i < witness->count; i++)
                if (memcmp(&witness->probes[i].record, record, sizeof(*record)) == 0)
                        return &witness->probes[i];
        return NULL;
}

static int add(struct witness *witness, const struct toc_record *record, bool is_written,
               struct witness_probe **ret_probe)
{
        struct witness_probe *probe = find(witness, record);
        struct witness_probe *probes;

        if (!probe) {
                if (witness->count == witness_probe_max)
                        return -E2BIG;
                probes = reallocarray(witness->probes, witness->count + 1, sizeof(*probes));
                if (!probes)
                        return -ENOMEM;
                witness->probes = probes;
                probe = &probes[witness->count];
                *probe = (struct witness_probe){ .record = *record, .is_written = is_written };
                for (size_t i = 0; i < 2; i++) {
                        probe->synthetic[i] = SYNTHETIC_NOT_JUDGED;
                        probe->rang_in[i] = json_array();
                }
                witness->count++;
        }
        *ret_probe = probe;
        return probe->rang_in[0] && probe->rang_in[1] ? 0 : -ENOMEM;
}

int witness_load(struct witness *witness, const char *object, const char **ret_why)
{
        struct witness_probe *probe;
        int outcome = elf_read_records(object, &witness->found, ret_why);

        for (size_t i = 0; !outcome && i < witness->found.count; i++)
                outcome = add(witness, &witness->found.records[i], true, &probe);
        witness->cases = json_array();
        return outcome || witness->cases ? outcome : -ENOMEM;
}

void witness_fini(struct witness *witness)
{
        for (size_t i = 0; i < witness->count; i++) {
                json_decref(witness->probes[i].rang_in[0]);
                json_decref(witness->probes[i].rang_in[1]);
        }
        free(witness->probes);
        json_decref(witness->cases);
        elf_records_fini(&witness->found);
        *witness = (struct witness){ .found = ELF_RECORDS_NULL };
}

static int see_rang(struct witness *witness, const char *test_case, const struct session_rang *rang)
{
        struct witness_probe *probe;
        int failed = add(witness, &rang->record, false, &probe);

        for (size_t i = 0; i < 2 && !failed; i++)
                if (memcmp(&probe->record.rule[i], &rang->rule, sizeof(rang->rule)) == 0)
                        failed = json_array_append_new(probe->rang_in[i], json_string(test_case))
                                         ? -ENOMEM
                                         : 0;
        return failed;
}

static int note_case(struct witness *witness, const struct session_case *test_case,
                     const struct session_verdict *verdict)
{
        json_t *rang = json_array();
        int failed = rang ? 0 : -ENOMEM;

        for (size_t i = 0; i < verdict->rang_count && !failed; i++) {
                const struct session_rang *one = &verdict->rang[i];

                failed = json_array_append_new(
                        rang, json_pack("{s:s, s:s, s:s, s:I}", "probe", one->record.name, "signal",
                                        rule_signal_name(one->rule.signal), "severity",
                                        rule_severity_name(one->rule.severity), "at_s",
                                        (json_int_t)one->at_s));
        }
        /* json_pack takes rang, whatever it returns. */
        return json_array_append_new(
                       witness->cases,
                       json_pack("{s:s, s:s, s:I, s:I, s:o}", "case", test_case->name, "kind",
                                 test_case->kind == TOC_CASE_ALARM_ ? "alarm" : "calm", "seconds",
                                 (json_int_t)test_case->seconds, "ticked_s",
                                 (json_int_t)verdict->ticked_s, "rang", rang)) ||
                               failed
                       ? -ENOMEM
                       : 0;
}

int witness_see(struct witness *witness, const struct session_case *test_case,
                const struct session_verdict *verdict)
{
        const bool is_heard =
                test_case->kind == TOC_CASE_ALARM_ || test_case->kind == TOC_CASE_CALM_;
        int failed = 0;

        for (size_t i = 0; i < verdict->probe_count; i++) {
                struct witness_probe *probe = find(witness, &verdict->probes[i]);

                if (probe && verdict->moved[i])
                        probe->moved = true;
        }
        for (size_t i = 0; is_heard && i < verdict->rang_count && !failed; i++)
                failed = see_rang(witness, test_case->name, &verdict->rang[i]);
        return failed || !is_heard ? failed : note_case(witness, test_case, verdict);
}

bool witness_knows(const struct witness *witness, const struct toc_record *record)
{
        static const enum toc_kind kinds[] = { toc_kind_error, toc_kind_warning };
        const struct witness_probe *probe = find(witness, record);

        if (probe && probe->is_written)
                return true;
        for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
                struct toc_record usual;

                if (rule_default_logs(kinds[i], record->module, &usual) == 0 &&
                    memcmp(&usual, record, sizeof(usual)) == 0)
                        return true;
        }
        return false;
}

int witness_judge(struct witness *witness)
{
        size_t judged = 0;
        int failed = 0;

        for (size_t i = 0; i < witness->count && !failed; i++) {
                struct witness_probe *probe = &witness->probes[i];

                for (unsigned slot = 0; slot < 2 && !failed && judged < witness_rule_max; slot++) {
                        judged += probe->record.rule[slot].severity != 0;
                        failed = synthetic_judge(&probe->record, slot, &probe->synthetic[slot]);
                }
        }
        return failed;
}

bool witness_is_declared(const struct witness_probe *probe)
{
        switch (probe->record.kind) {
        case toc_kind_counter:
        case toc_kind_gauge:
        case toc_kind_level:
        case toc_kind_timer:
        case toc_kind_sizes:
        case toc_kind_share:
        case toc_kind_heartbeat:
        case toc_kind_operation:
        case toc_kind_flow:
                return true;
        default:
                return false;
        }
}

/* A gauge that was set to 0 alone has not moved. */
static bool is_gate_open(const struct witness *witness, const struct toc_record *record)
{
        for (size_t i = 0; i < witness->count; i++) {
                const struct witness_probe *gate = &witness->probes[i];

                if (gate->moved && gate->record.kind == toc_kind_gauge && !gate->record.labels[0] &&
                    strcmp(gate->record.name, record->labels) == 0 &&
                    strcmp(gate->record.module, record->module) == 0)
                        return true;
        }
        return false;
}

bool witness_is_missed(const struct witness *witness, const struct witness_probe *probe)
{
        return probe->is_written && probe->record.kind == toc_kind_must_hit && !probe->moved &&
               (!probe->record.labels[0] || is_gate_open(witness, &probe->record));
}

bool witness_is_all_moved(const struct witness *witness)
{
        for (size_t i = 0; i < witness->count; i++) {
                const struct witness_probe *probe = &witness->probes[i];
                const bool is_site = probe->record.kind == toc_kind_error ||
                                     probe->record.kind == toc_kind_warning ||
                                     probe->record.kind == toc_kind_must_hit;

                if ((is_site || witness_is_declared(probe)) && !probe->moved)
                        return false;
        }
        return true;
}

static int report_rules(const struct witness_probe *probe, json_t *rules)
{
        int failed = 0;

        for (size_t i = 0; i < 2 && !failed; i++) {
                const struct toc_rule *rule = &probe->record.rule[i];

                if (!rule->severity)
                        continue;
                failed = json_array_append_new(
                        rules,
                        json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:O}", "probe",
                                  probe->record.name, "signal", rule_signal_name(rule->signal),
                                  "op", rule_op_name(rule->op), "limit", (json_int_t)rule->limit,
                                  "severity", rule_severity_name(rule->severity), "meaning",
                                  rule->meaning, "synthetic", synthetic_name(probe->synthetic[i]),
                                  "rang_in", probe->rang_in[i]));
        }
        return failed;
}

json_t *witness_measures(const struct witness *witness)
{
        json_t *rules = json_array();
        json_t *probes = json_array();
        int failed = rules && probes ? 0 : -ENOMEM;

        for (size_t i = 0; i < witness->count && !failed; i++) {
                const struct witness_probe *probe = &witness->probes[i];

                failed = report_rules(probe, rules);
                if (!failed && probe->is_written && probe->record.kind != toc_kind_module &&
                    probe->record.kind != toc_kind_logs)
                        failed = json_array_append_new(
                                probes,
                                json_pack("{s:s, s:s, s:s, s:b}", "probe", probe->record.name,
                                          "kind", rule_kind_name(probe->record.kind), "help",
                                          probe->record.help, "moved", probe->moved));
        }
        if (failed) {
                json_decref(rules);
                json_decref(probes);
                return NULL;
        }
        return json_pack("{s:o, s:o, s:O}", "rules", rules, "probes", probes, "cases",
                         witness->cases);
}
