/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the STRESS cases for seconds, in company, and looks at what keeps rising.
 *
 * How many threads a case is run in is the contract's word: none: 1; one_per_object: as many as
 * below, and a case gives each an object of its own (toc_case_thread() says which thread it is);
 * any: as many, and they may share what the case made static.
 *
 * The release build runs longest, for drift; with threads a shorter run under TSan looks for races
 * that only a load shows. Each run has a sandbox of its own, whose fence lies above the budget.
 */
#include "gate/drift.h"
#include "gate/lineup.h"
#include "gate/stage.h"

#include "base/error.h"
#include "rule/rule.h"
#include "tocsin/case.h"

#include <errno.h>
#include <inttypes.h>

enum { stress_threads = 4, stress_columns_max = 400 };

static const uint64_t stress_run_ns = 4 * CLOCK_S_NS;
static const uint64_t stress_tsan_ns = 3 * CLOCK_S_NS;
static const uint64_t stress_quick_ns = 1 * CLOCK_S_NS;
static const uint64_t stress_sample_ns = 20 * CLOCK_MS_NS;
/* To come to an end after toc_case_running() said no. */
static const uint64_t stress_patience_ns = 8 * CLOCK_S_NS;

/* Beside what the candidate may hold: the harness, libc, stacks of threads, the case's own data. */
static const uint64_t stress_overhead_bytes = UINT64_C(256) << 20;

struct stress_run {
        const struct session_case *test_case;
        enum build_id build;
        unsigned threads;
        uint64_t run_ns;
        uint64_t live_max; /* 1.2 times the budget; CONTRACT_NO_LIMIT: none */
        struct session_verdict verdict;
        bool has_run;
};

struct stress {
        struct stage_context *context;
        struct stage_result *result;
        struct stress_run *runs;
        size_t run_count;
        const char *programs[BUILD_COUNT];
};

static void stress_fini(struct stress *stress)
{
        for (size_t i = 0; i < stress->run_count; i++)
                session_verdict_fini(&stress->runs[i].verdict);
        free(stress->runs);
}

static uint64_t stress_live_max(const struct contract *contract, const char *name)
{
        uint64_t least = CONTRACT_NO_LIMIT;

        for (size_t i = 0; i < contract->budget_count; i++) {
                const struct contract_budget *budget = &contract->budgets[i];

                if (!budget->test_case || strcmp(budget->test_case, name) != 0 ||
                    budget->live_bytes > CONTRACT_NO_LIMIT / 2)
                        continue;
                if (budget->live_bytes + budget->live_bytes / 5 < least)
                        least = budget->live_bytes + budget->live_bytes / 5;
        }
        return least;
}

static void stress_list(struct stress *stress, enum build_id build, uint64_t run_ns)
{
        const struct stage_context *context = stress->context;
        const bool is_alone = context->contract->threads == CONTRACT_THREADS_NONE;

        if (!stage_wants_build(context, builds[build].name))
                return;
        for (size_t i = 0; i < context->case_count; i++) {
                const struct session_case *test_case = &context->cases[i];

                if (test_case->kind != TOC_CASE_STRESS_ ||
                    !stage_wants_case(context, test_case->name))
                        continue;
                stress->runs[stress->run_count++] = (struct stress_run){
                        .test_case = test_case,
                        .build = build,
                        .threads = is_alone ? 1 : stress_threads,
                        .run_ns = context->options->is_quick ? stress_quick_ns : run_ns,
                        .live_max = stress_live_max(context->contract, test_case->name),
                        .verdict = SESSION_VERDICT_NULL,
                };
        }
}

/* What the run said is taken over, not copied: it may be long. */
static int stress_run_one(struct stress *stress, struct stress_run *run)
{
        const bool is_tsan = run->build == BUILD_TSAN;
        const struct session_plan plan = {
                .program = stress->programs[run->build],
                .build = run->build,
                .memory_max_bytes = run->live_max == CONTRACT_NO_LIMIT || is_tsan
                                            ? 0
                                            : run->live_max + stress_overhead_bytes,
                .wall_max_ns = run->run_ns + 3 * stress_patience_ns,
                .watches_segments = run->build == BUILD_RELEASE,
                .sees_inside = run->build == BUILD_RELEASE,
                .limits = is_tsan ? NULL : &stress->context->contract->limits,
        };
        const struct session_run order = {
                .name = run->test_case->name,
                .seed = stress->context->seed,
                .threads = run->threads,
                .run_ns = run->run_ns,
                .sample_ns = stress_sample_ns,
                .second_ns = stress_sample_ns,
                .wall_max_ns = run->run_ns + (is_tsan ? 2 : 1) * stress_patience_ns,
        };
        struct session *session = NULL;
        int outcome = session_open(stress->context->sandbox, &plan, &session);

        if (outcome < 0)
                return outcome;
        outcome = session_run(session, &order, &run->verdict);
        session_close(&session, &run->verdict.output);
        run->has_run = outcome == 0;
        return outcome;
}

static int stress_work(void *context, size_t i)
{
        struct stress *stress = context;
        struct stress_run *run = &stress->runs[i];
        int outcome;

        stage_progress(stress->context, "stress: %s, %u threads, %s", run->test_case->name,
                       run->threads, builds[run->build].name);
        outcome = stress_run_one(stress, run);
        /* Only the thread that failed can ask why. */
        if (outcome < 0 && outcome != -ECANCELED)
                stage_unknown(stress->result, "case %s could not be run in build %s: %s",
                              run->test_case->name, builds[run->build].name,
                              *sandbox_why() ? sandbox_why() : error_text(outcome));
        return outcome;
}

static bool stress_raced(const struct session_verdict *verdict)
{
        static const char mark[] = "WARNING: ThreadSanitizer:";

        return strcmp(verdict->kind, "race") == 0 ||
               memmem(text_view(&verdict->output), verdict->output.length, mark, sizeof(mark) - 1);
}

static const char *stress_rule(const struct stress_run *run)
{
        const struct session_verdict *verdict = &run->verdict;

        if (run->build == BUILD_TSAN && stress_raced(verdict))
                return "stress.race";
        if (strcmp(verdict->kind, "memory") == 0)
                return "stress.memory";
        switch (verdict->state) {
        case SESSION_PASSED:
                return NULL;
        case SESSION_FAILED:
                return "stress.check";
        case SESSION_LATE:
                return "stress.hang";
        case SESSION_LEFT:
                return "stress.left";
        case SESSION_BROKEN:
                return "stress.invariant";
        case SESSION_CRASHED:
        case SESSION_SILENT:
        case SESSION_LOST:
                break;
        }
        return "stress.crash";
}

enum stress_column {
        STRESS_LIVE_BYTES,
        STRESS_DESCRIPTORS,
        STRESS_THREADS,
        STRESS_AT_MS,
        STRESS_ITERATIONS,
};

static uint64_t stress_value(const struct session_sample *sample, enum stress_column column)
{
        switch (column) {
        case STRESS_LIVE_BYTES:
                return sample->live_bytes;
        case STRESS_DESCRIPTORS:
                return sample->descriptors;
        case STRESS_THREADS:
                return sample->threads;
        case STRESS_AT_MS:
                return sample->at_ns / CLOCK_MS_NS;
        case STRESS_ITERATIONS:
                break;
        }
        return sample->iterations;
}

/* The samples as text, for whoever wants to draw them. */
static void stress_evidence(struct finding *finding, const struct stress_run *run)
{
        struct text table BASE_SCOPE(text_fini) = TEXT_INIT(finding_evidence_max);

        text_printf(&table, "%10s %16s %12s %10s %14s\n", "ms", "live bytes", "descriptors",
                    "threads", "iterations");
        for (size_t i = 0; i < run->verdict.sample_count; i++) {
                const struct session_sample *sample = &run->verdict.samples[i];

                text_printf(&table,
                            "%10" PRIu64 " %16" PRIu64 " %12" PRIu64 " %10" PRIu64 " %14" PRIu64
                            "\n",
                            sample->at_ns / CLOCK_MS_NS, sample->live_bytes, sample->descriptors,
                            sample->threads, sample->iterations);
        }
        finding_evidence(finding, text_view(&table), table.length);
        finding_case(finding, run->test_case->name, builds[run->build].name);
}

static void stress_judge_end(struct stage_result *result, const struct stress_run *run)
{
        const struct session_verdict *verdict = &run->verdict;
        const char *rule = stress_rule(run);
        struct finding *finding;

        if (!rule)
                return;
        if (strcmp(verdict->kind, "tool") == 0) {
                stage_unknown(result, "case %s, build %s: %s", run->test_case->name,
                              builds[run->build].name, verdict->message);
                return;
        }
        finding = finding_add(result, rule, "case %s, %u thread%s for %.0f s, build %s: %s",
                              run->test_case->name, run->threads, run->threads > 1 ? "s" : "",
                              (double)run->run_ns / (double)CLOCK_S_NS, builds[run->build].name,
                              *verdict->message ? verdict->message : "ThreadSanitizer's report");
        finding_at(finding, verdict->file, verdict->line);
        stress_evidence(finding, run);
        finding_evidence(finding, text_view(&verdict->output), verdict->output.length);
}

/* A rise below `least` in one run is not worth a word. */
static const struct {
        enum stress_column column;
        const char *rule;
        const char *what;
        uint64_t least;
} stress_drifts[] = {
        { STRESS_LIVE_BYTES, "stress.drift-memory", "live bytes", 2048 },
        { STRESS_DESCRIPTORS, "stress.drift-descriptors", "descriptors", 4 },
        { STRESS_THREADS, "stress.drift-threads", "threads", 4 },
};

static int stress_judge_drift(struct stage_result *result, const struct stress_run *run,
                              bool is_quick)
{
        const size_t count = run->verdict.sample_count;
        uint64_t *values = calloc(count + 1, sizeof(*values));

        if (!values)
                return -ENOMEM;
        for (size_t i = 0; i < BASE_COUNT(stress_drifts); i++) {
                struct drift drift;
                enum drift_outcome outcome;

                for (size_t k = 0; k < count; k++)
                        values[k] = stress_value(&run->verdict.samples[k], stress_drifts[i].column);
                outcome = drift_judge(values, count, stress_drifts[i].least, &drift);
                if (outcome == DRIFT_UNJUDGED && !is_quick)
                        stage_unknown(result,
                                      "case %s gave %zu samples in %.0f s, too few to see a drift "
                                      "in: it must go on while toc_case_running(), and the host "
                                      "must not be too busy",
                                      run->test_case->name, count,
                                      (double)run->run_ns / (double)CLOCK_S_NS);
                if (outcome == DRIFT_RISES)
                        stress_evidence(
                                finding_add(result, stress_drifts[i].rule,
                                            "case %s: %s never come back down: at least %" PRIu64
                                            " after the warm-up, at least %" PRIu64
                                            " at the end, %.1f s later",
                                            run->test_case->name, stress_drifts[i].what,
                                            drift.first, drift.last,
                                            (double)run->run_ns / (double)CLOCK_S_NS * 5 / 9),
                                run);
        }
        free(values);
        return 0;
}

static void stress_judge_memory(struct stage_result *result, const struct stress_run *run)
{
        uint64_t peak = run->verdict.peak_bytes;

        for (size_t i = 0; i < run->verdict.sample_count; i++) {
                if (run->verdict.samples[i].live_bytes > peak)
                        peak = run->verdict.samples[i].live_bytes;
        }
        if (run->live_max != CONTRACT_NO_LIMIT && peak > run->live_max)
                stress_evidence(finding_add(result, "stress.memory",
                                            "case %s: %" PRIu64 " live bytes, more than %" PRIu64
                                            " (1.2 times its budget)",
                                            run->test_case->name, peak, run->live_max),
                                run);
}

/* A budget that rings under a legal load was meant for less, or the load holds too much. */
static void stress_judge_budgets(struct stage_result *result, const struct stress_run *run)
{
        for (size_t i = 0; i < run->verdict.rang_count; i++) {
                const struct session_rang *rang = &run->verdict.rang[i];
                struct finding *finding;

                if (rang->record.kind != toc_kind_module || rang->rule.severity < TOC_WARN)
                        continue;
                finding = finding_add(result, "stress.budget",
                                      "case %s: TOC_BUDGET(%s, %" PRId64
                                      ") of the module rang under load: %s",
                                      run->test_case->name, rule_signal_name(rang->rule.signal),
                                      rang->rule.limit, rang->rule.meaning);
                finding_at(finding, rang->record.file, rang->record.line);
                stress_evidence(finding, run);
        }
}

/* What Tocsin would ring for wherever this module runs. */
static void stress_judge_seen(struct stage_result *result, const struct stress_run *run)
{
        static const struct {
                const char *probe;
                const char *rule;
        } rules[] = {
                { "deadlock", "stress.deadlock" },
                { "lock_order", "stress.lock-order" },
                { "heap_damage", "stress.heap-damage" },
        };

        for (size_t i = 0; i < run->verdict.seen_count; i++) {
                const struct session_seen *seen = &run->verdict.seen[i];

                for (size_t k = 0; k < BASE_COUNT(rules); k++) {
                        struct finding *finding;

                        if (strcmp(seen->record.name, rules[k].probe) != 0)
                                continue;
                        finding = finding_add(result, rules[k].rule, "case %s, module %s: %s",
                                              run->test_case->name, seen->record.module,
                                              seen->record.rule[0].meaning);
                        finding_evidence(finding, seen->details, strlen(seen->details));
                        finding_at(finding, run->test_case->file, run->test_case->line);
                        finding_case(finding, run->test_case->name, builds[run->build].name);
                }
        }
}

static int stress_judge(struct stress *stress)
{
        for (size_t i = 0; i < stress->run_count; i++) {
                const struct stress_run *run = &stress->runs[i];
                int outcome;

                if (!run->has_run)
                        continue;
                stress_judge_end(stress->result, run);
                if (run->build == BUILD_TSAN)
                        continue;
                stress_judge_memory(stress->result, run);
                stress_judge_budgets(stress->result, run);
                stress_judge_seen(stress->result, run);
                /* A run that came to a bad end shows nothing of a steady state. */
                if (run->verdict.state != SESSION_PASSED && run->verdict.state != SESSION_LEFT)
                        continue;
                outcome =
                        stress_judge_drift(stress->result, run, stress->context->options->is_quick);
                if (outcome)
                        return outcome;
        }
        return 0;
}

/* Thinned evenly, so that a page can hold it. */
static json_t *stress_json(const struct stress_run *run, enum stress_column column)
{
        const size_t count = run->verdict.sample_count;
        const size_t stride = count / stress_columns_max + 1;
        json_t *values = json_array();

        for (size_t i = 0; i < count; i += stride)
                (void)json_array_append_new(values, json_integer((json_int_t)stress_value(
                                                            &run->verdict.samples[i], column)));
        return values;
}

static int stress_report(const struct stress *stress)
{
        json_t *cases = json_array();

        for (size_t i = 0; i < stress->run_count; i++) {
                const struct stress_run *run = &stress->runs[i];
                const size_t count = run->verdict.sample_count;
                json_t *row;

                if (!run->has_run || run->build == BUILD_TSAN)
                        continue;
                row = json_pack(
                        "{s:s, s:i, s:f, s:I, s:o, s:o, s:o, s:o}", "case", run->test_case->name,
                        "threads", (int)run->threads, "seconds",
                        (double)run->run_ns / (double)CLOCK_S_NS, "iterations",
                        (json_int_t)(count ? run->verdict.samples[count - 1].iterations : 0),
                        "at_ms", stress_json(run, STRESS_AT_MS), "live_bytes",
                        stress_json(run, STRESS_LIVE_BYTES), "descriptors",
                        stress_json(run, STRESS_DESCRIPTORS), "thread_counts",
                        stress_json(run, STRESS_THREADS));
                if (json_array_append_new(cases, row)) {
                        json_decref(cases);
                        return -ENOMEM;
                }
        }
        stress->result->measures = json_pack("{s:o}", "cases", cases);
        return stress->result->measures ? 0 : -ENOMEM;
}

/* With cases known. */
static int stress_of(struct stress *stress)
{
        struct stage_context *context = stress->context;
        int outcome;

        stress->runs = calloc(context->case_count * 2 + 1, sizeof(*stress->runs));
        if (!stress->runs)
                return -ENOMEM;
        stress_list(stress, BUILD_RELEASE, stress_run_ns);
        if (context->contract->threads != CONTRACT_THREADS_NONE && !context->options->is_quick)
                stress_list(stress, BUILD_TSAN, stress_tsan_ns);
        for (size_t i = 0; i < stress->run_count; i++) {
                const enum build_id build = stress->runs[i].build;

                if (stress->programs[build])
                        continue;
                outcome = lineup_program(context, stress->result, build, "stress.build",
                                         &stress->programs[build]);
                if (outcome)
                        return outcome < 0 ? outcome : 0;
        }
        outcome = stage_in_parallel(context, stress->run_count, stress_work, stress);
        if (outcome >= 0)
                outcome = stress_judge(stress);
        return outcome ? outcome : stress_report(stress);
}

int stage_stress(struct stage_context *context, struct stage_result *result)
{
        struct lineup lineup BASE_SCOPE(lineup_fini) = { 0 };
        struct stage_context mine = *context;
        struct stress stress BASE_SCOPE(stress_fini) = { .context = &mine, .result = result };
        int outcome = lineup_program(context, result, BUILD_RELEASE, "stress.build",
                                     &stress.programs[BUILD_RELEASE]);

        if (outcome == 0)
                outcome = lineup_cases(context, result, stress.programs[BUILD_RELEASE], &lineup);
        if (outcome)
                return outcome < 0 ? outcome : 0;
        mine.cases = lineup.cases;
        mine.case_count = lineup.count;
        return stress_of(&stress);
}
