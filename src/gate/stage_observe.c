/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Would anyone notice? ALARM cases have to ring by a rule of the module, in time; CALM cases have
 * to be silent; each rule has to be able to ring and to fall silent; each probe that its author
 * declared has to move in some case; and probes must not cost so much that somebody removes them.
 *
 * Only RELEASE is looked at: what rings in a debug build wakes nobody. `detects` is detect.c's.
 */
#include "gate/detect.h"
#include "gate/lineup.h"
#include "gate/overhead.h"
#include "gate/witness.h"

#include "base/error.h"
#include "tocsin/case.h"

#include <errno.h>
#include <inttypes.h>

enum {
        fault_tries = 8, /* failing allocations tried to move a probe that has not moved */
        stop = 16,       /* of our callback, apart from enum session_outcome */
        evidence_max = 64 << 10,
        stress_threads = 2,
};

static const uint64_t case_wall_ns = 30 * CLOCK_S_NS;
static const uint64_t stress_ns = 200 * CLOCK_MS_NS;

struct observe {
        struct stage_context *context;
        struct stage_result *result;
        struct witness witness;
        const char *program;
        struct session_run *runs; /* of the session under way */
        const struct session_case **tests;
        size_t run_count;
};

/* ---- What rang ------------------------------------------------------------------------------ */

static bool is_of_module(const struct observe *observe, const struct session_rang *rang)
{
        return strcmp(rang->record.module, observe->context->contract->module) == 0 &&
               witness_knows(&observe->witness, &rang->record);
}

/* What all rules of the module do, for whoever asks why none rang. */
static void append_rules(const struct observe *observe, const struct session_verdict *verdict,
                         struct text *into)
{
        text_printf(into, "Rule time that passed: %" PRIu64 " s\n\nRang:\n", verdict->ticked_s);
        for (size_t i = 0; i < verdict->rang_count; i++) {
                const struct session_rang *rang = &verdict->rang[i];

                text_printf(into, "  after %" PRIu64 " s: %s %s %s %" PRId64 ", %s: %s\n",
                            rang->at_s, rang->record.name, rule_signal_name(rang->rule.signal),
                            rule_op_name(rang->rule.op), rang->rule.limit,
                            rule_severity_name(rang->rule.severity), rang->rule.meaning);
        }
        text_printf(into, "%s\nRules of the candidate:\n",
                    verdict->rang_count ? "" : "  nothing\n");
        for (size_t i = 0; i < observe->witness.count; i++) {
                const struct toc_record *record = &observe->witness.probes[i].record;

                for (size_t k = 0; k < 2; k++)
                        if (record->rule[k].severity)
                                text_printf(into, "  %s %s %s %" PRId64 " for %u s, %s: %s\n",
                                            record->name, rule_signal_name(record->rule[k].signal),
                                            rule_op_name(record->rule[k].op), record->rule[k].limit,
                                            record->rule[k].hold_s,
                                            rule_severity_name(record->rule[k].severity),
                                            record->rule[k].meaning);
        }
}

static void give_evidence(const struct observe *observe, struct finding *finding,
                          const struct session_case *test_case,
                          const struct session_verdict *verdict)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(evidence_max);

        append_rules(observe, verdict, &text);
        finding_evidence(finding, text_view(&text), text.length);
        finding_case(finding, test_case->name, builds[BUILD_RELEASE].name);
}

/* One rule of the module that wakes somebody is enough. */
static void judge_alarm(struct observe *observe, const struct session_case *test_case,
                        const struct session_verdict *verdict)
{
        const struct session_rang *late = NULL;
        struct finding *finding;

        for (size_t i = 0; i < verdict->rang_count; i++) {
                const struct session_rang *rang = &verdict->rang[i];

                if (!is_of_module(observe, rang) || rang->rule.severity < TOC_WARN)
                        continue;
                if (rang->at_s <= test_case->seconds)
                        return;
                late = rang;
        }
        if (late)
                finding = finding_add(observe->result, "observe.alarm-silent",
                                      "%s of probe %s rang only after %" PRIu64
                                      " s in %s, which allows %" PRIu64 " s",
                                      rule_signal_name(late->rule.signal), late->record.name,
                                      late->at_s, test_case->name, test_case->seconds);
        else
                finding = finding_add(
                        observe->result, "observe.alarm-silent",
                        "%s: no warn or page rule of module %s rang within %" PRIu64 " s",
                        test_case->name, observe->context->contract->module, test_case->seconds);
        finding_at(finding, test_case->file, test_case->line);
        give_evidence(observe, finding, test_case, verdict);
}

static void judge_calm(struct observe *observe, const struct session_case *test_case,
                       const struct session_verdict *verdict)
{
        for (size_t i = 0; i < verdict->rang_count; i++) {
                const struct session_rang *rang = &verdict->rang[i];
                struct finding *finding;

                if (rang->rule.severity < TOC_WARN)
                        continue;
                finding = finding_add(observe->result, "observe.calm-rang",
                                      "%s: %s %s %" PRId64 " of probe %s rang after %" PRIu64
                                      " s of legal use: %s",
                                      test_case->name, rule_signal_name(rang->rule.signal),
                                      rule_op_name(rang->rule.op), rang->rule.limit,
                                      rang->record.name, rang->at_s, rang->rule.meaning);
                finding_at(finding, rang->record.file, rang->record.line);
                give_evidence(observe, finding, test_case, verdict);
        }
}

/* As it would wherever the module runs with libtocsin-inside. */
static void judge_seen(struct observe *observe, const struct session_case *test_case,
                       const struct session_verdict *verdict)
{
        for (size_t i = 0; i < verdict->seen_count; i++) {
                const struct session_seen *seen = &verdict->seen[i];
                struct finding *finding = finding_add(
                        observe->result, "observe.calm-rang", "%s: %s of module %s rang: %s",
                        test_case->name, seen->record.name, seen->record.module,
                        seen->record.rule[0].meaning);

                finding_at(finding, test_case->file, test_case->line);
                finding_evidence(finding, seen->details, strlen(seen->details));
                finding_case(finding, test_case->name, builds[BUILD_RELEASE].name);
        }
}

static void judge_failure(struct observe *observe, const struct session_case *test_case,
                          const struct session_verdict *verdict)
{
        struct finding *finding;

        finding = finding_add(observe->result, "observe.case", "%s %s: %s", test_case->name,
                              session_state_name(verdict->state), verdict->message);
        finding_at(finding, verdict->file, verdict->line);
        finding_evidence(finding, text_view(&verdict->output), verdict->output.length);
        finding_case(finding, test_case->name, builds[BUILD_RELEASE].name);
}

/* Of the others only probes are watched: how they end is for other stages to judge. */
static int see(void *context, const struct session_run *run, const struct session_verdict *verdict)
{
        struct observe *observe = context;
        const struct session_case *test_case = observe->tests[run - observe->runs];
        const bool is_heard =
                test_case->kind == TOC_CASE_ALARM_ || test_case->kind == TOC_CASE_CALM_;

        stage_progress(observe->context, "observe: %s", test_case->name);
        if (strcmp(verdict->kind, "tool") == 0) {
                stage_unknown(observe->result, "case %s could not be watched: %s", test_case->name,
                              verdict->message);
                return stop;
        }
        if (is_heard && verdict->state != SESSION_PASSED)
                judge_failure(observe, test_case, verdict);
        else if (test_case->kind == TOC_CASE_ALARM_)
                judge_alarm(observe, test_case, verdict);
        else if (test_case->kind == TOC_CASE_CALM_)
                judge_calm(observe, test_case, verdict);
        if (test_case->kind == TOC_CASE_CALM_)
                judge_seen(observe, test_case, verdict);
        return witness_see(&observe->witness, test_case, verdict);
}

/* ---- Running cases --------------------------------------------------------------------------- */

static int run_planned(struct observe *observe)
{
        const struct session_plan plan = {
                .program = observe->program,
                .build = BUILD_RELEASE,
                .limits = &observe->context->contract->limits,
                .wall_max_ns = (observe->run_count + 1) * case_wall_ns,
                .watches_segments = true,
                .sees_inside = true,
        };
        int outcome;

        if (observe->run_count == 0)
                return 0;
        outcome = session_run_all(observe->context->sandbox, &plan, observe->runs,
                                  observe->run_count, see, observe);
        if (outcome == SESSION_NO_CASES)
                stage_unknown(observe->result, "the program of the cases did not answer");
        return outcome < 0 ? outcome : 0;
}

static void plan(struct observe *observe, const struct session_case *test_case, uint64_t fail_at)
{
        struct session_run *run = &observe->runs[observe->run_count];

        *run = (struct session_run){ .name = test_case->name,
                                     .seed = observe->context->seed,
                                     .fail_at = fail_at,
                                     .wall_max_ns = case_wall_ns };
        if (test_case->kind == TOC_CASE_STRESS_) {
                run->run_ns = stress_ns;
                run->sample_ns = stress_ns;
                run->threads = observe->context->contract->threads == CONTRACT_THREADS_NONE
                                       ? 1
                                       : stress_threads;
        }
        observe->tests[observe->run_count++] = test_case;
}

static int run_heard(struct observe *observe)
{
        const struct stage_context *context = observe->context;

        observe->run_count = 0;
        for (size_t i = 0; i < context->case_count; i++) {
                const struct session_case *test_case = &context->cases[i];

                if ((test_case->kind == TOC_CASE_ALARM_ || test_case->kind == TOC_CASE_CALM_) &&
                    stage_wants_case(context, test_case->name))
                        plan(observe, test_case, 0);
        }
        return run_planned(observe);
}

/* All that ALARM and CALM did not move: cases of another kind once as they are, then those that
 * tolerate failures with one allocation after the other failing. */
static int run_others(struct observe *observe)
{
        const struct stage_context *context = observe->context;
        int outcome = 0;

        for (uint64_t fail_at = 0; fail_at <= fault_tries && !outcome; fail_at++) {
                if (witness_is_all_moved(&observe->witness))
                        return 0;
                observe->run_count = 0;
                for (size_t i = 0; i < context->case_count; i++) {
                        const struct session_case *test_case = &context->cases[i];
                        const bool is_plain = test_case->kind == TOC_CASE_TEST_ ||
                                              test_case->kind == TOC_CASE_STRESS_;

                        if (test_case->kind == TOC_CASE_FAULT_ || (is_plain && fail_at == 0))
                                plan(observe, test_case, fail_at);
                }
                outcome = run_planned(observe);
        }
        return outcome;
}

/* ---- Records --------------------------------------------------------------------------------- */

static void place(struct finding *finding, const struct toc_record *record)
{
        finding_at(finding, record->file, record->line);
        finding_case(finding, NULL, builds[BUILD_RELEASE].name);
}

static bool lists_tocsin(const struct contract *contract)
{
        for (size_t i = 0; i < contract->headers.count; i++)
                if (strcmp(contract->headers.items[i], "tocsin.h") == 0)
                        return true;
        return false;
}

static void judge_records(struct observe *observe)
{
        const struct contract *contract = observe->context->contract;
        const struct witness *witness = &observe->witness;

        for (size_t i = 0; i < witness->found.refused_count; i++)
                (void)finding_add(observe->result, "observe.record",
                                  "probe %s cannot be judged: %s", witness->found.refused[i].name,
                                  witness->found.refused[i].why);
        if (witness->count == 0 && witness->found.refused_count == 0 && lists_tocsin(contract))
                (void)finding_add(
                        observe->result, "observe.no-probes",
                        "the candidate carries no probe, so nobody is ever told anything");
        for (size_t i = 0; i < witness->count; i++) {
                const struct toc_record *record = &witness->probes[i].record;

                if (strcmp(record->module, contract->module) != 0)
                        place(finding_add(observe->result, "observe.foreign-module",
                                          "probe %s says that it belongs to module %s, not %s",
                                          record->name, record->module, contract->module),
                              record);
        }
}

static void judge_rule(struct observe *observe, const struct witness_probe *probe, unsigned slot)
{
        const struct toc_rule *rule = &probe->record.rule[slot];
        const bool is_deaf = probe->synthetic[slot] == SYNTHETIC_CANNOT_FIRE;

        if (!is_deaf && probe->synthetic[slot] != SYNTHETIC_CANNOT_CLEAR)
                return;
        place(finding_add(observe->result,
                          is_deaf ? "observe.rule-cannot-fire" : "observe.rule-cannot-clear",
                          "%s %s %" PRId64 " of probe %s %s", rule_signal_name(rule->signal),
                          rule_op_name(rule->op), rule->limit, probe->record.name,
                          is_deaf ? "rings at no value that it can have"
                                  : "never ends once it rings, whatever the value is"),
              &probe->record);
}

static int judge_rules(struct observe *observe)
{
        int failed;

        stage_progress(observe->context, "observe: rules on synthetic cells");
        failed = witness_judge(&observe->witness);
        for (size_t i = 0; i < observe->witness.count && !failed; i++) {
                judge_rule(observe, &observe->witness.probes[i], 0);
                judge_rule(observe, &observe->witness.probes[i], 1);
        }
        return failed;
}

static void judge_unmoved(struct observe *observe)
{
        for (size_t i = 0; i < observe->witness.count; i++) {
                const struct witness_probe *probe = &observe->witness.probes[i];

                const struct toc_record *record = &probe->record;

                if (witness_is_missed(&observe->witness, probe))
                        place(finding_add(observe->result, "observe.must-hit",
                                          "%s (%s) happened in no case: %s; add a case that makes "
                                          "it happen, or remove the site",
                                          record->name, record->help, record->rule[0].meaning),
                              record);
                if (probe->is_written && witness_is_declared(probe) && !probe->moved)
                        place(finding_add(observe->result, "observe.probe-unmoved",
                                          "%s %s%s%s (%s) moved in no case",
                                          rule_kind_name(record->kind), record->name,
                                          record->labels[0] ? " " : "", record->labels,
                                          record->help),
                              record);
        }
}

/* ---- Cost ------------------------------------------------------------------------------------ */

static const struct contract_budget *overhead_budget(const struct contract *contract)
{
        for (size_t i = 0; i < contract->budget_count; i++)
                if (contract->budgets[i].overhead_percent != CONTRACT_NO_LIMIT)
                        return &contract->budgets[i];
        return NULL;
}

/* Without a budget it is shown all the same, and then whether it could be counted matters to
 * nobody's verdict. */
static int judge_overhead(struct observe *observe, struct overhead *ret_overhead)
{
        const struct contract_budget *budget = overhead_budget(observe->context->contract);
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(1024);
        int outcome;

        stage_progress(observe->context, "observe: what the probes cost");
        outcome = overhead_measure(observe->context, ret_overhead, &why);
        if (outcome == OVERHEAD_UNKNOWN) {
                if (budget)
                        stage_unknown(observe->result, "the cost of the probes is not known: %s",
                                      text_view(&why));
                return 0;
        }
        if (outcome || !budget || ret_overhead->case_count == 0)
                return outcome;
        if (ret_overhead->percent > (double)budget->overhead_percent)
                (void)finding_add(observe->result, "observe.overhead",
                                  "probes add %.1f %% to the instructions of all benchmarks, most "
                                  "(%.1f %%) in %s; at most %" PRIu64 " %% is allowed",
                                  ret_overhead->percent, ret_overhead->worst,
                                  ret_overhead->worst_case, budget->overhead_percent);
        return 0;
}

/* ---- The stage ------------------------------------------------------------------------------- */

/* Takes detects. */
static int report(struct observe *observe, const struct overhead *overhead, json_t *detects)
{
        json_t *measures = witness_measures(&observe->witness);
        int failed = measures ? 0 : -ENOMEM;

        if (!failed && overhead->case_count > 0)
                failed = json_object_update_new(measures,
                                                json_pack("{s:f, s:f, s:s}", "overhead_percent",
                                                          overhead->percent, "overhead_max_percent",
                                                          overhead->worst, "overhead_max_case",
                                                          overhead->worst_case));
        if (!failed && detects)
                failed = json_object_set(measures, "detects", detects);
        json_decref(detects);
        observe->result->measures = measures;
        return failed ? -ENOMEM : 0;
}

/* 1: there is nothing to look at, and the result says why. */
static int load_probes(struct observe *observe)
{
        const struct workshop_product *object = NULL;
        struct stage_result *result = observe->result;
        const char *why = NULL;
        int outcome = workshop_object(observe->context->workshop, BUILD_RELEASE, &object);

        if (outcome > 0) { /* it linked a moment ago */
                stage_unknown(result, "the candidate's object is gone");
                return 1;
        }
        if (!outcome)
                outcome = witness_load(&observe->witness, object->path, &why);
        if (outcome == -E2BIG)
                (void)finding_add(result, "observe.too-many-probes",
                                  "the candidate carries more than %d probes", witness_probe_max);
        else if (outcome > 0)
                stage_unknown(result, "the candidate's object %s", why);
        return outcome == -E2BIG ? 1 : outcome;
}

static int look(struct observe *observe)
{
        const struct gate_options *options = observe->context->options;
        struct overhead overhead = { .case_count = 0 };
        json_t *detects = NULL;
        int outcome = load_probes(observe);

        if (outcome)
                return outcome < 0 ? outcome : 0;
        judge_records(observe);
        outcome = run_heard(observe);
        if (!outcome && !options->test_case)
                outcome = run_others(observe);
        if (!outcome && !observe->result->is_unknown && !options->test_case) {
                judge_unmoved(observe);
                outcome = judge_rules(observe);
                if (!outcome && !options->is_quick)
                        outcome = detect_judge(observe->context, observe->result, observe->program,
                                               &detects);
                if (!outcome && !options->is_quick)
                        outcome = judge_overhead(observe, &overhead);
        }
        if (!outcome)
                return report(observe, &overhead, detects);
        json_decref(detects);
        return outcome;
}

int stage_observe(struct stage_context *context, struct stage_result *result)
{
        struct lineup lineup BASE_SCOPE(lineup_fini) = { 0 };
        struct stage_context mine = *context;
        struct observe observe = { .context = &mine, .result = result };
        int outcome =
                lineup_program(context, result, BUILD_RELEASE, "observe.build", &observe.program);

        if (!outcome)
                outcome = lineup_cases(context, result, observe.program, &lineup);
        if (outcome)
                return outcome < 0 ? outcome : 0;
        mine.cases = lineup.cases;
        mine.case_count = lineup.count;
        observe.runs = calloc(lineup.count + 1, sizeof(*observe.runs));
        observe.tests = calloc(lineup.count + 1, sizeof(struct session_case *));
        outcome = observe.runs && observe.tests ? look(&observe) : -ENOMEM;
        witness_fini(&observe.witness);
        free(observe.tests);
        free(observe.runs);
        return outcome;
}
