/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts what a call costs at each size, and holds it against the budgets.
 *
 * Instructions come from the CPU where the harness can have its counter, else from callgrind, which
 * is exact and says the same each time. Allocations and live bytes come from a run without a tool.
 * Time is shown and never judged: on a busy machine it says more about the neighbours.
 */
#include "gate/bench.h"
#include "gate/lineup.h"

#include "base/error.h"
#include "tocsin/case.h"

#include <errno.h>
#include <unistd.h>

enum { bench_rounds = 3, bench_quick_sizes = 4 };

/* Of our callbacks to session_run_all(), apart from enum session_outcome. */
enum { bench_stop = 16 };

static const uint64_t bench_wall_ns = 10 * CLOCK_S_NS;
static const uint64_t bench_tool_wall_ns = 90 * CLOCK_S_NS;

/* Where the sandbox has it. */
static const char bench_valgrind[] = "/usr/bin/valgrind";

static void bench_fail(struct stage_result *result, const struct bench_series *series,
                       const struct session_run *run, const struct session_verdict *verdict,
                       const char *tool)
{
        const char *name = series->test_case->name;
        const char *rule = "bench.crash";
        struct finding *finding;

        if (strcmp(verdict->kind, "tool") == 0) {
                stage_unknown(result, "case %s%s: %s", name, tool, verdict->message);
                return;
        }
        switch (verdict->state) {
        case SESSION_FAILED:
        case SESSION_BROKEN:
                rule = "bench.check";
                break;
        case SESSION_LATE:
                rule = "bench.hang";
                break;
        case SESSION_LEFT:
                rule = "bench.left";
                break;
        case SESSION_PASSED:
        case SESSION_CRASHED:
        case SESSION_SILENT:
        case SESSION_LOST:
                break;
        }
        finding = finding_add(result, rule, "case %s, %s %ju%s: %s", name, series->test_case->axis,
                              (uintmax_t)run->size, tool, verdict->message);
        finding_at(finding, verdict->file, verdict->line);
        finding_evidence(finding, text_view(&verdict->output), verdict->output.length);
        finding_case(finding, name, NULL);
}

struct bench_job {
        struct stage_context *context;
        struct stage_result *result;
        struct bench *bench;
        const char *program;
        /* of one series at a time */
        struct bench_series *series;
        const struct session_run *runs;
        unsigned round;
};

static void bench_sort(uint64_t *values, size_t count)
{
        for (size_t i = 1; i < count; i++) {
                for (size_t k = i; k > 0 && values[k - 1] > values[k]; k--) {
                        const uint64_t swapped = values[k];

                        values[k] = values[k - 1];
                        values[k - 1] = swapped;
                }
        }
}

/* Of a run without a tool. What follows a failure would fail as well, so it ends the series. */
static int bench_take_plain(void *context, const struct session_run *run,
                            const struct session_verdict *verdict)
{
        struct bench_job *job = context;
        struct bench_series *series = job->series;
        struct bench_point *point = &series->points[run - job->runs];

        if (verdict->state != SESSION_PASSED) {
                bench_fail(job->result, series, run, verdict, "");
                series->has_failed = true;
                return bench_stop;
        }
        point->ns[job->round] = verdict->loop_ns;
        if (job->round > 0)
                return 0;
        if (verdict->calls == 0) {
                stage_unknown(
                        job->result,
                        "%s:%u: case %s never came to BENCH_LOOP at size %ju; put the call to "
                        "be counted in one",
                        series->test_case->file, series->test_case->line, series->test_case->name,
                        (uintmax_t)run->size);
                series->has_failed = true;
                return bench_stop;
        }
        point->calls = verdict->calls;
        point->allocations = verdict->allocations;
        point->live_bytes = verdict->loop_live_bytes;
        point->peak_bytes = verdict->peak_bytes;
        point->instructions = verdict->instructions;
        point->has_instructions = verdict->has_instructions;
        return 0;
}

static int bench_take_counted(void *context, const struct session_run *run,
                              const struct session_verdict *verdict)
{
        struct bench_job *job = context;
        struct bench_series *series = job->series;
        struct bench_point *point = &series->points[run - job->runs];

        if (verdict->state != SESSION_PASSED) {
                bench_fail(job->result, series, run, verdict, " under callgrind");
                series->has_failed = true;
                return bench_stop;
        }
        if (!verdict->has_instructions || verdict->calls == 0) {
                stage_unknown(job->result,
                              "callgrind counted nothing in case %s at size %ju; see whether "
                              "'valgrind --tool=callgrind true' works on this host",
                              series->test_case->name, (uintmax_t)run->size);
                series->has_failed = true;
                return bench_stop;
        }
        point->calls = verdict->calls;
        point->instructions = verdict->instructions;
        point->has_instructions = true;
        return 0;
}

static int bench_run(struct bench_job *job, struct bench_series *series, enum session_tool tool,
                     unsigned round)
{
        struct session_run runs[bench_size_max] = { 0 };
        const uint64_t wall_ns = tool == SESSION_PLAIN ? bench_wall_ns : bench_tool_wall_ns;
        const struct session_plan plan = {
                .program = job->program,
                .build = BUILD_RELEASE,
                .tool = tool,
                .wall_max_ns = (series->point_count + 1) * wall_ns,
        };
        struct bench_job mine = *job;
        int outcome;

        for (size_t i = 0; i < series->point_count; i++)
                runs[i] = (struct session_run){
                        .name = series->test_case->name,
                        .seed = job->context->seed,
                        .size = series->points[i].size,
                        .wall_max_ns = wall_ns,
                };
        mine.series = series;
        mine.runs = runs;
        mine.round = round;
        outcome = session_run_all(job->context->sandbox, &plan, runs, series->point_count,
                                  tool == SESSION_PLAIN ? bench_take_plain : bench_take_counted,
                                  &mine);
        if (outcome == SESSION_NO_CASES && !series->has_failed) {
                stage_unknown(job->result, "the program of the cases did not answer%s",
                              tool == SESSION_PLAIN ? "" : " under callgrind");
                series->has_failed = true;
        }
        /* Only the thread that failed can ask why. */
        if (outcome < 0 && outcome != -ECANCELED)
                stage_unknown(job->result, "case %s%s could not be run: %s",
                              series->test_case->name,
                              tool == SESSION_PLAIN ? "" : " under callgrind",
                              *sandbox_why() ? sandbox_why() : error_text(outcome));
        return outcome < 0 ? outcome : 0;
}

static int bench_count(void *context, size_t i)
{
        struct bench_job *job = context;
        struct bench_series *series = &job->bench->series[i];

        if (series->has_failed)
                return 0;
        stage_progress(job->context, "bench: counting the instructions of %s",
                       series->test_case->name);
        return bench_run(job, series, SESSION_CALLGRIND, 0);
}

/* Rounds outermost, so that a busy moment of the host meets one round of each series only. */
static int bench_measure(struct bench_job *job)
{
        const unsigned rounds = job->context->options->is_quick ? 1 : bench_rounds;
        struct bench *bench = job->bench;
        bool has_counter = true;

        for (unsigned round = 0; round < rounds; round++) {
                for (size_t i = 0; i < bench->series_count; i++) {
                        struct bench_series *series = &bench->series[i];
                        int outcome;

                        if (series->has_failed)
                                continue;
                        stage_progress(job->context, "bench: %s, round %u of %u",
                                       series->test_case->name, round + 1, rounds);
                        outcome = bench_run(job, series, SESSION_PLAIN, round);
                        if (outcome)
                                return outcome;
                }
        }
        for (size_t i = 0; i < bench->series_count; i++) {
                struct bench_series *series = &bench->series[i];

                for (size_t k = 0; k < series->point_count; k++) {
                        struct bench_point *point = &series->points[k];

                        bench_sort(point->ns, rounds);
                        point->ns[0] = point->ns[rounds / 2];
                        has_counter =
                                has_counter && (series->has_failed || point->has_instructions);
                }
        }
        bench->counter = has_counter ? "perf" : "callgrind";
        if (has_counter)
                return 0;
        if (access(bench_valgrind, X_OK)) {
                stage_unknown(job->result, "no instruction counter of the CPU, and no callgrind; "
                                           "install the package valgrind");
                return 0;
        }
        return stage_in_parallel(job->context, bench->series_count, bench_count, job);
}

static int bench_list(struct stage_context *context, struct bench *bench)
{
        bench->series = calloc(context->case_count + 1, sizeof(*bench->series));
        if (!bench->series)
                return -ENOMEM;
        for (size_t i = 0; i < context->case_count; i++) {
                const struct session_case *test_case = &context->cases[i];
                struct bench_series *series = &bench->series[bench->series_count];
                size_t sizes = test_case->size_count;

                if (test_case->kind != TOC_CASE_BENCH_ ||
                    !stage_wants_case(context, test_case->name))
                        continue;
                series->test_case = test_case;
                if (sizes > bench_size_max)
                        sizes = bench_size_max;
                if (context->options->is_quick && sizes > bench_quick_sizes)
                        sizes = bench_quick_sizes;
                for (size_t k = 0; k < sizes; k++)
                        series->points[k].size = test_case->sizes[k];
                series->point_count = sizes;
                series->is_whole = sizes == test_case->size_count;
                bench->series_count++;
        }
        return 0;
}

static void bench_fini(struct bench *bench)
{
        free(bench->series);
}

/* With cases known. */
static int bench_of(struct stage_context *context, const char *program, struct stage_result *result)
{
        struct bench bench BASE_SCOPE(bench_fini) = { .counter = "callgrind" };
        struct bench_job job = {
                .context = context, .result = result, .bench = &bench, .program = program
        };
        int outcome = bench_list(context, &bench);

        if (outcome == 0 && bench.series_count > 0)
                outcome = bench_measure(&job);
        if (outcome < 0)
                return outcome;
        bench_judge(context, &bench, result);
        return bench_report(context, &bench, result);
}

int stage_bench(struct stage_context *context, struct stage_result *result)
{
        struct lineup lineup BASE_SCOPE(lineup_fini) = { 0 };
        struct stage_context mine = *context;
        const char *program = NULL;
        int outcome = lineup_program(context, result, BUILD_RELEASE, "bench.build", &program);

        if (outcome == 0)
                outcome = lineup_cases(context, result, program, &lineup);
        if (outcome)
                return outcome < 0 ? outcome : 0;
        mine.cases = lineup.cases;
        mine.case_count = lineup.count;
        return bench_of(&mine, program, result);
}
