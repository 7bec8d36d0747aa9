/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.h - what was counted of the BENCH cases, held against budgets. Stage bench fills it.
 *
 * Units:     counts are of the whole loop, `calls` of it; bytes; nanoseconds.
 * Ownership: a series points to its case, which is the stage's context's. Errors: findings and
 *            stage_unknown(); bench_report: 0 or -ENOMEM. Threads: one.
 * Limits:    bench_size_max sizes a case, as in tocsin/case.h.
 */
#ifndef GATE_BENCH_H
#define GATE_BENCH_H

#include "gate/growth.h"
#include "gate/stage.h"

enum { bench_size_max = growth_size_max };

struct bench_point {
        uint64_t size;
        uint64_t calls;
        uint64_t instructions;
        uint64_t allocations;
        uint64_t live_bytes; /* at the end of the loop */
        uint64_t peak_bytes;
        uint64_t ns[3]; /* of each round, then the median first */
        bool has_instructions;
};

struct bench_series {
        const struct session_case *test_case;
        struct bench_point points[bench_size_max];
        size_t point_count;
        bool has_failed; /* said already; nothing of it is judged */
        bool is_whole;   /* every size of the case, not the first few of a quick run */
};

struct bench {
        struct bench_series *series;
        size_t series_count;
        const char *counter; /* "perf" or "callgrind" */
};

/* A finding for each budget that does not hold. */
void bench_judge(const struct stage_context *context, const struct bench *bench,
                 struct stage_result *result);

/* Makes result->measures, as gate.h says. */
int bench_report(const struct stage_context *context, const struct bench *bench,
                 struct stage_result *result);

#endif
