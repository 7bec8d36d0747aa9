/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because probes that cost too much are switched off, and then nobody is told anything.
 */
#include "gate/overhead.h"

#include "tocsin/case.h"

#include <errno.h>

/* stop: of our callback, apart from enum session_outcome. */
enum { count_max = 512, stop = 16 };

static const uint64_t case_wall_ns = 90 * CLOCK_S_NS;

/* One build's counts, case by case. */
struct counts {
        const struct session_run *runs;
        double per_call[count_max];
        const char *failed; /* the case that did not come to its end */
};

static int take(void *context, const struct session_run *run, const struct session_verdict *verdict)
{
        struct counts *counts = context;

        if (verdict->state != SESSION_PASSED || !verdict->has_instructions || !verdict->calls) {
                counts->failed = run->name;
                return stop;
        }
        counts->per_call[run - counts->runs] =
                (double)verdict->instructions / (double)verdict->calls;
        return 0;
}

/* OVERHEAD_UNKNOWN: why says. */
static int count(struct stage_context *context, enum build_id build, size_t run_count,
                 struct counts *counts, struct text *why)
{
        const struct workshop_product *product = NULL;
        struct session_plan plan = {
                .build = build,
                .tool = SESSION_CALLGRIND,
                .wall_max_ns = (run_count + 1) * case_wall_ns,
        };
        int outcome = workshop_program(context->workshop, build, &product);

        if (outcome > 0) {
                text_printf(why, "the program cannot be built as %s", builds[build].name);
                return OVERHEAD_UNKNOWN;
        }
        if (outcome)
                return outcome;
        plan.program = product->path;
        outcome = session_run_all(context->sandbox, &plan, counts->runs, run_count, take, counts);
        if (outcome < 0)
                return outcome;
        if (counts->failed)
                text_printf(why, "case %s did not come to its end as %s under callgrind",
                            counts->failed, builds[build].name);
        else if (outcome)
                text_printf(why, "the program built as %s does not answer under callgrind",
                            builds[build].name);
        return outcome ? OVERHEAD_UNKNOWN : 0;
}

static size_t plan_runs(const struct stage_context *context, struct session_run *runs)
{
        size_t run_count = 0;

        for (size_t i = 0; i < context->case_count && run_count < count_max; i++) {
                const struct session_case *test_case = &context->cases[i];

                if (test_case->kind != TOC_CASE_BENCH_ || test_case->size_count == 0)
                        continue;
                runs[run_count++] = (struct session_run){
                        .name = test_case->name,
                        .seed = context->seed,
                        .size = test_case->sizes[test_case->size_count - 1],
                        .wall_max_ns = case_wall_ns,
                };
        }
        return run_count;
}

static double percent_of(double with, double without)
{
        return without > 0 ? 100 * (with - without) / without : 0;
}

static void compare(const struct counts *with, const struct counts *without, size_t run_count,
                    struct overhead *overhead)
{
        for (size_t i = 0; i < run_count; i++) {
                const double percent = percent_of(with->per_call[i], without->per_call[i]);

                overhead->with += with->per_call[i];
                overhead->without += without->per_call[i];
                if (i > 0 && percent <= overhead->worst)
                        continue;
                overhead->worst = percent;
                (void)snprintf(overhead->worst_case, sizeof(overhead->worst_case), "%s",
                               with->runs[i].name);
        }
        overhead->percent = percent_of(overhead->with, overhead->without);
        overhead->case_count = run_count;
}

int overhead_measure(struct stage_context *context, struct overhead *ret_overhead, struct text *why)
{
        struct session_run *runs = calloc(count_max, sizeof(*runs));
        struct counts *counts = calloc(2, sizeof(*counts));
        size_t run_count = 0;
        int outcome = runs && counts ? 0 : -ENOMEM;

        *ret_overhead = (struct overhead){ 0 };
        if (!outcome) {
                run_count = plan_runs(context, runs);
                counts[0].runs = counts[1].runs = runs;
        }
        if (!outcome && run_count > 0)
                outcome = count(context, BUILD_RELEASE, run_count, &counts[0], why);
        if (!outcome && run_count > 0)
                outcome = count(context, BUILD_QUIET, run_count, &counts[1], why);
        if (!outcome)
                compare(&counts[0], &counts[1], run_count, ret_overhead);
        free(counts);
        free(runs);
        return outcome;
}
