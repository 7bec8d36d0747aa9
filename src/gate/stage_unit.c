/* SPDX-License-Identifier: Apache-2.0 */
/* No dynamic tool is enough alone: each sees what the others miss, and what ships is none of them.
 * So every case runs in every build that is there to be run, release first, then under valgrind and
 * on a dirty heap; and FAULT cases once for each allocation that may fail. Builds and tools run
 * side by side; in each of them one session after the other. */
#include "gate/unit_faults.h"
#include "gate/unit_trouble.h"

#include "base/error.h"
#include "tocsin/case.h"

#include <errno.h>
#include <stdatomic.h>

enum {
        way_max = BUILD_COUNT + 2,
        late_max = 2,     /* hangs, until the rest of the stage is left out */
        trouble_max = 20, /* failed runs of one case with failures, until the rest is left out */
        thread_count = 4, /* of a short STRESS */
};

#define SESSION_NS    (600 * CLOCK_S_NS) /* of one session, which is renewed at half of it */
#define STRESS_NS     (300 * CLOCK_MS_NS)
#define FAULT_NS      (10 * CLOCK_S_NS)
#define ROW_NS        (60 * CLOCK_S_NS)
#define FAULT_SLOW_NS (20 * CLOCK_S_NS)

/* A build or tool that cases run in. */
struct way {
        const char *name;
        enum build_id build;
        enum session_tool tool;
        unsigned faults_max; /* failing allocations tried for each case, once and for ever each */
        bool is_slow;
        bool runs_bench, runs_stress;
};

/* One thread's work: a way, and either its cases or its faults. */
struct job {
        const struct way *way;
        bool is_faults;
        struct session *session;
        uint64_t session_ns; /* when it was opened */
        struct unit_troubles troubles;
        unsigned cases, passed;
        uint64_t spent_ns;
        json_t *faults; /* measures */
};

struct unit {
        struct stage_context *context;
        struct stage_result *result;
        const struct session_case *cases;
        size_t case_count;
        struct way ways[way_max];
        size_t way_count;
        struct job *jobs; /* in the order in which they are begun */
        size_t job_count;
        size_t first;       /* job of the round that runs */
        atomic_bool *hangs; /* for each case: seen to hang, so no other build has to wait for it */
        atomic_uint late_count;
};

static bool build_runs(const struct unit *unit, enum build_id id)
{
        const struct gate_options *options = unit->context->options;

        if (!(builds[id].roles & BUILD_RUN))
                return false;
        if ((builds[id].roles & BUILD_IF_THREADS) &&
            unit->context->contract->threads == CONTRACT_THREADS_NONE)
                return false;
        return !options->is_quick || options->build || id == BUILD_RELEASE || id == BUILD_ASAN;
}

static void add_way(struct unit *unit, const struct way *way)
{
        if (stage_wants_build(unit->context, way->name))
                unit->ways[unit->way_count++] = *way;
}

static void plan_ways(struct unit *unit)
{
        const struct gate_options *options = unit->context->options;

        for (int id = 0; id < BUILD_COUNT; id++) {
                struct way way = { .name = builds[id].name, .build = (enum build_id)id };

                if (!build_runs(unit, way.build))
                        continue;
                if (id == BUILD_RELEASE)
                        way.faults_max = options->is_quick ? 100 : 2000;
                if (id == BUILD_ASAN)
                        way.faults_max = options->is_quick ? 40 : 500;
                if (id == BUILD_TSAN)
                        way.faults_max = 250;
                way.is_slow = id != BUILD_RELEASE;
                way.runs_bench = id == BUILD_RELEASE || id == BUILD_ASAN;
                way.runs_stress = id == BUILD_TSAN || id == BUILD_ASAN;
                add_way(unit, &way);
        }
        if (options->is_quick && !options->build)
                return;
        add_way(unit, &(struct way){ .name = "valgrind",
                                     .build = BUILD_DEBUG,
                                     .tool = SESSION_VALGRIND,
                                     .is_slow = true });
        add_way(unit,
                &(struct way){ .name = "dirty", .build = BUILD_DEBUG, .tool = SESSION_DIRTY });
}

/* What ships first, then the longest, so that the last to end is a short one. */
static int plan_jobs(struct unit *unit)
{
        const bool only_faults = unit->context->options->fail_at > 0;

        unit->jobs = calloc(2 * way_max, sizeof *unit->jobs);
        if (!unit->jobs)
                return -ENOMEM;
        for (int round = 0; round < 3; round++) {
                for (size_t i = 0; i < unit->way_count; i++) {
                        const struct way *way = &unit->ways[i];
                        const int turn = way->build == BUILD_RELEASE     ? 0
                                         : way->tool == SESSION_VALGRIND ? 1
                                         : way->faults_max > 0           ? 1
                                                                         : 2;

                        if (turn != round)
                                continue;
                        if (!only_faults)
                                unit->jobs[unit->job_count++] = (struct job){ .way = way };
                        if (way->faults_max > 0 || (only_faults && way->tool == SESSION_PLAIN) ||
                            (only_faults && unit->context->options->build))
                                unit->jobs[unit->job_count++] =
                                        (struct job){ .way = way, .is_faults = true };
                }
        }
        return 0;
}

/* ---- One run ------------------------------------------------------------------------- */

/* WORKSHOP_REJECTED: told as a finding; the caller leaves the job. */
static int open_session(struct unit *unit, struct job *job)
{
        const struct workshop_product *product = NULL;
        struct session_plan plan = { .build = job->way->build,
                                     .tool = job->way->tool,
                                     .wall_max_ns = SESSION_NS,
                                     .watches_segments = true };
        struct finding *finding;
        int outcome = workshop_program(unit->context->workshop, job->way->build, &product);

        if (outcome == WORKSHOP_UNSOUND)
                stage_unknown(unit->result, "the contract's cases do not compile as %s",
                              builds[job->way->build].name);
        if (outcome == WORKSHOP_REJECTED) {
                finding = finding_add(unit->result, "unit.build", "does not compile or link as %s",
                                      builds[job->way->build].name);
                finding_case(finding, NULL, job->way->name);
                if (product->output)
                        finding_evidence(finding, product->output, product->output_length);
        }
        if (outcome != 0)
                return outcome;
        plan.program = product->path;
        job->session_ns = clock_monotonic_ns();
        return session_open(unit->context->sandbox, &plan, &job->session);
}

static int run_case(struct unit *unit, struct job *job, const struct session_run *run,
                    struct session_verdict *verdict)
{
        if (job->session && (session_is_over(job->session) ||
                             clock_monotonic_ns() - job->session_ns > SESSION_NS / 2))
                session_close(&job->session, NULL);
        if (!job->session) {
                const int outcome = open_session(unit, job);

                if (outcome != 0)
                        return outcome;
        }
        return session_run(job->session, run, verdict);
}

/* Runs it and notes what went wrong. */
static int run_and_note(struct unit *unit, struct job *job, const struct session_case *test,
                        const struct session_run *run, struct session_verdict *verdict)
{
        const struct unit_sight sight = {
                .way = job->way->name, .kind = test->kind, .run = run, .verdict = verdict
        };
        int outcome = run_case(unit, job, run, verdict);

        if (outcome != 0 || verdict->state == SESSION_PASSED)
                return outcome;
        if (strcmp(verdict->kind, "tool") == 0) {
                stage_unknown(unit->result, "build %s could not look at case %s: %s",
                              job->way->name, test->name, verdict->message);
                return 0;
        }
        if (verdict->state == SESSION_LATE) {
                atomic_fetch_add(&unit->late_count, 1);
                atomic_store(&unit->hangs[test - unit->cases], true);
        }
        return unit_trouble_note(&job->troubles, unit->context->candidate, &sight);
}

/* Waiting for what hangs costs more than everything else together. */
static bool is_given_up(struct unit *unit, const struct session_case *test)
{
        return atomic_load(&unit->late_count) >= late_max ||
               atomic_load(&unit->hangs[test - unit->cases]);
}

/* ---- Cases, undisturbed -------------------------------------------------------------- */

static bool runs_here(const struct unit *unit, const struct way *way,
                      const struct session_case *test)
{
        if (!stage_wants_case(unit->context, test->name))
                return false;
        if (test->kind == TOC_CASE_BENCH_)
                return way->runs_bench;
        if (test->kind == TOC_CASE_STRESS_)
                return way->runs_stress;
        return true;
}

static void shuffle(size_t *order, size_t count, uint64_t seed)
{
        for (size_t i = count; i > 1; i--) {
                const size_t k = unit_faults_draw(&seed) % i;
                const size_t held = order[i - 1];

                order[i - 1] = order[k];
                order[k] = held;
        }
}

static int do_case(struct unit *unit, struct job *job, const struct session_case *test)
{
        struct session_verdict verdict BASE_SCOPE(session_verdict_fini) = SESSION_VERDICT_NULL;
        struct session_run run = { .name = test->name, .seed = unit->context->seed };
        int outcome;

        if (test->kind == TOC_CASE_BENCH_)
                run.size = test->sizes[0];
        if (test->kind == TOC_CASE_STRESS_) {
                run.run_ns = STRESS_NS;
                run.sample_ns = STRESS_NS / 2;
                run.threads = unit->context->contract->threads == CONTRACT_THREADS_NONE
                                      ? 1
                                      : thread_count;
        }
        if (test->kind == TOC_CASE_BENCH_ || test->kind == TOC_CASE_STRESS_)
                run.wall_max_ns = 60 * CLOCK_S_NS;
        outcome = run_and_note(unit, job, test, &run, &verdict);
        if (outcome == 0) {
                job->cases++;
                job->passed += verdict.state == SESSION_PASSED;
        }
        return outcome;
}

static int do_cases(struct unit *unit, struct job *job)
{
        size_t *order = calloc(unit->case_count + 1, sizeof *order);
        int outcome = order ? 0 : -ENOMEM;

        for (size_t i = 0; order && i < unit->case_count; i++)
                order[i] = i;
        if (order)
                shuffle(order, unit->case_count,
                        unit->context->seed + (uint64_t)(job->way - unit->ways));
        for (size_t i = 0; outcome == 0 && i < unit->case_count; i++) {
                const struct session_case *test = &unit->cases[order[i]];

                if (!runs_here(unit, job->way, test) || is_given_up(unit, test))
                        continue;
                stage_progress(unit->context, "%s: %s (%zu of %zu)", job->way->name, test->name,
                               i + 1, unit->case_count);
                outcome = do_case(unit, job, test);
        }
        free(order);
        return outcome;
}

/* ---- FAULT cases, with failing allocations ------------------------------------------- */

/* One failure. *ret_failed: it was no pass. */
static int do_fault(struct unit *unit, struct job *job, const struct session_case *test, uint64_t n,
                    bool is_sticky, uint64_t *ret_fired, bool *ret_failed)
{
        struct session_verdict verdict BASE_SCOPE(session_verdict_fini) = SESSION_VERDICT_NULL;
        const struct session_run run = {
                .name = test->name,
                .seed = unit->context->seed,
                .fail_at = n,
                .is_sticky = is_sticky,
                .wall_max_ns = job->way->tool != SESSION_PLAIN ? 0
                               : job->way->is_slow             ? FAULT_SLOW_NS
                                                               : FAULT_NS,
        };
        const int outcome = run_and_note(unit, job, test, &run, &verdict);

        if (outcome != 0)
                return outcome;
        *ret_failed = verdict.state != SESSION_PASSED;
        /* A run that died could not say; then surely one fired. */
        *ret_fired = *ret_failed && verdict.fired == 0 ? 1 : verdict.fired;
        return 0;
}

/* 1: its time was over before its last allocation. */
static int do_fault_row(struct unit *unit, struct job *job, const struct session_case *test,
                        uint64_t allocations, bool is_sticky, uint64_t *injected)
{
        struct unit_faults faults;
        const uint64_t began_ns = clock_monotonic_ns();
        unsigned failures = 0;
        uint64_t n;

        unit_faults_begin(&faults, allocations, job->way->faults_max, unit->context->seed);
        while ((n = unit_faults_next(&faults)) > 0) {
                uint64_t fired = 0;
                bool has_failed = false;
                const int outcome = do_fault(unit, job, test, n, is_sticky, &fired, &has_failed);

                if (outcome != 0)
                        return outcome;
                *injected += fired > 0;
                unit_faults_ran(&faults, fired);
                failures += has_failed;
                if (failures >= trouble_max || is_given_up(unit, test))
                        return 0;
                /* One who is slow at every failure would keep us for hours. */
                if (clock_monotonic_ns() - began_ns > ROW_NS)
                        return 1;
        }
        return 0;
}

/* The quiet run says how many there are; how it ended is judged by the other job of this way. */
static int do_fault_case(struct unit *unit, struct job *job, const struct session_case *test)
{
        struct session_verdict quiet BASE_SCOPE(session_verdict_fini) = SESSION_VERDICT_NULL;
        const struct session_run run = { .name = test->name, .seed = unit->context->seed };
        uint64_t injected = 0;
        bool was_cut = false;
        int outcome = run_case(unit, job, &run, &quiet);

        if (outcome != 0 || quiet.state != SESSION_PASSED)
                return outcome;
        for (int sticky = 0; outcome == 0 && sticky < 2; sticky++) {
                outcome = do_fault_row(unit, job, test, quiet.allocations, sticky, &injected);
                was_cut = was_cut || outcome > 0;
                outcome = outcome > 0 ? 0 : outcome;
        }
        if (outcome == 0 &&
            json_array_append_new(
                    job->faults,
                    json_pack("{s:s, s:s, s:I, s:I, s:b}", "case", test->name, "build",
                              job->way->name, "allocations", (json_int_t)quiet.allocations,
                              "injected", (json_int_t)injected, "sampled",
                              was_cut || quiet.allocations > job->way->faults_max)) != 0)
                outcome = -ENOMEM;
        return outcome;
}

static int do_faults(struct unit *unit, struct job *job)
{
        const struct gate_options *options = unit->context->options;
        bool has_one = false;
        int outcome = 0;

        job->faults = json_array();
        if (!job->faults)
                return -ENOMEM;
        for (size_t i = 0; outcome == 0 && i < unit->case_count; i++) {
                const struct session_case *test = &unit->cases[i];
                uint64_t fired = 0;
                bool has_failed = false;

                if (test->kind != TOC_CASE_FAULT_ || !stage_wants_case(unit->context, test->name))
                        continue;
                has_one = true;
                if (is_given_up(unit, test))
                        continue;
                stage_progress(unit->context, "%s: %s, each allocation failing in turn",
                               job->way->name, test->name);
                if (options->fail_at > 0)
                        outcome = do_fault(unit, job, test, options->fail_at, options->is_sticky,
                                           &fired, &has_failed);
                else
                        outcome = do_fault_case(unit, job, test);
                if (outcome == 0 && options->fail_at > 0 && fired == 0 && !has_failed)
                        stage_unknown(unit->result,
                                      "%s makes fewer than %llu allocations in build %s, so none "
                                      "failed",
                                      test->name, (unsigned long long)options->fail_at,
                                      job->way->name);
        }
        if (options->fail_at > 0 && !has_one)
                stage_unknown(unit->result, "--fault is for FAULT cases, and none was asked for");
        return outcome;
}

/* ---- The stage ----------------------------------------------------------------------- */

static int do_job(void *context, size_t i)
{
        struct unit *unit = context;
        struct job *job = &unit->jobs[unit->first + i];
        const uint64_t begun_ns = clock_monotonic_ns();
        int outcome = job->is_faults ? do_faults(unit, job) : do_cases(unit, job);

        if (job->session)
                session_close(&job->session, NULL);
        job->spent_ns = clock_monotonic_ns() - begun_ns;
        return outcome < 0 ? outcome : 0;
}

/* Without stage contract before it, the release program itself is asked. */
static int know_cases(struct unit *unit, struct job *job)
{
        int outcome;

        unit->cases = unit->context->cases;
        unit->case_count = unit->context->case_count;
        if (unit->case_count > 0)
                return 0;
        outcome = open_session(unit, job);
        if (outcome != 0)
                return outcome;
        outcome = session_list(job->session, &unit->cases, &unit->case_count);
        if (outcome == SESSION_NO_CASES)
                (void)finding_add(unit->result, "unit.lost",
                                  "the program with this candidate does not answer");
        return outcome;
}

/* Measures of all jobs of a way, in the order of the ways. */
static int tell_ways(struct unit *unit)
{
        json_t *listed = json_array();
        json_t *faults = json_array();
        int failed = listed && faults ? 0 : -ENOMEM;

        for (size_t i = 0; i < unit->way_count; i++) {
                unsigned cases = 0, passed = 0;
                uint64_t spent_ns = 0;

                for (size_t k = 0; k < unit->job_count; k++) {
                        struct job *job = &unit->jobs[k];

                        if (job->way != &unit->ways[i])
                                continue;
                        cases += job->cases;
                        passed += job->passed;
                        spent_ns += job->spent_ns;
                        if (job->faults && json_array_extend(faults, job->faults) != 0)
                                failed = -ENOMEM;
                }
                if (json_array_append_new(
                            listed, json_pack("{s:s, s:i, s:i, s:f}", "name", unit->ways[i].name,
                                              "cases", (int)cases, "passed", (int)passed, "seconds",
                                              (double)(spent_ns / CLOCK_MS_NS) / 1000.0)) != 0)
                        failed = -ENOMEM;
        }
        if (!unit->result->measures)
                unit->result->measures = json_object();
        if (json_object_set_new(unit->result->measures, "builds", listed) != 0 ||
            json_object_set_new(unit->result->measures, "faults", faults) != 0)
                failed = -ENOMEM;
        return failed;
}

static int tell_troubles(struct unit *unit)
{
        struct unit_troubles all = { 0 };
        int failed = 0;

        for (size_t i = 0; i < unit->way_count; i++)
                for (size_t k = 0; k < unit->job_count; k++)
                        if (unit->jobs[k].way == &unit->ways[i]) {
                                const int outcome =
                                        unit_trouble_join(&all, &unit->jobs[k].troubles);

                                failed = failed ? failed : outcome;
                        }
        unit_trouble_tell(&all, unit->result);
        unit_troubles_fini(&all);
        return failed;
}

static void unit_fini(struct unit *unit)
{
        for (size_t i = 0; i < unit->job_count; i++) {
                unit_troubles_fini(&unit->jobs[i].troubles);
                json_decref(unit->jobs[i].faults);
        }
        free(unit->jobs);
        free(unit->hangs);
}

/* Release alone at first: it is quick, and what hangs there need not hang in slower builds. */
static int run_jobs(struct unit *unit)
{
        size_t release = 0;
        int outcome;

        unit->hangs = calloc(unit->case_count + 1, sizeof *unit->hangs);
        if (!unit->hangs)
                return -ENOMEM;
        outcome = plan_jobs(unit);
        while (release < unit->job_count && unit->jobs[release].way->build == BUILD_RELEASE)
                release++;
        if (outcome == 0)
                outcome = stage_in_parallel(unit->context, release, do_job, unit);
        unit->first = release;
        if (outcome == 0)
                outcome = stage_in_parallel(unit->context, unit->job_count - release, do_job, unit);
        if (outcome == 0)
                outcome = tell_ways(unit);
        if (outcome == 0)
                outcome = tell_troubles(unit);
        return outcome;
}

int stage_unit(struct stage_context *context, struct stage_result *result)
{
        struct unit unit BASE_SCOPE(unit_fini) = { .context = context, .result = result };
        const struct way release = { .name = builds[BUILD_RELEASE].name, .build = BUILD_RELEASE };
        struct job asked = { .way = &release };
        int outcome;

        plan_ways(&unit);
        if (unit.way_count == 0) {
                stage_unknown(result, "no case runs in a build of that name: %s",
                              context->options->build ? context->options->build : "");
                return 0;
        }
        outcome = know_cases(&unit, &asked);
        if (outcome == 0)
                outcome = run_jobs(&unit);
        if (asked.session)
                session_close(&asked.session, NULL);
        return outcome < 0 ? outcome : 0;
}
