/* SPDX-License-Identifier: Apache-2.0 */
/* figure.h - what was measured of a row with so many threads, and what is said about it.
 *
 * Units:     picoseconds an operation; permille. Integers throughout: a verdict does not hang on
 *            how a fraction is rounded. Ownership: figures are values; `against` points into the
 *            same array. Threads: one. Errors: none.
 * Limits:    FIGURE_ROUND_MAX rounds, FIGURE_COUNT_MAX figures in a run.
 */
#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

#include "row.h"

#include <stddef.h>
#include <stdint.h>

enum { FIGURE_ROUND_MAX = 99, FIGURE_COUNT_MAX = 160 };

enum figure_verdict {
        FIGURE_UNJUDGED, /* no budget */
        FIGURE_OK,
        FIGURE_OVER,
};

struct figure {
        const struct row *row;
        unsigned threads;
        uint64_t times; /* operations in a sample */
        uint64_t round_ps[FIGURE_ROUND_MAX];
        size_t round_count;

        /* Filled in by figure_judge(). */
        uint64_t median_ps;
        uint64_t quarter_ps, three_quarters_ps;
        uint64_t min_ps, max_ps;
        const struct figure *against; /* NULL: not measured, or there is none */
        const struct figure *single;  /* the same with one thread; NULL likewise */
        uint64_t ratio_permille;      /* 0: none */
        uint64_t ratio_max_permille;  /* the row's, or what its added_max_ps comes to; 0: none */
        uint64_t growth_permille;     /* 0: none */
        enum figure_verdict verdict;
};

/* Sorts them. count >= 1. */
uint64_t figure_median(uint64_t *numbers, size_t count);

/*
 * The ratio is of medians as they stand, with what the loop costs still in both. It is not taken
 * off, because a CPU runs it beside the operation and not after it: the difference would be of two
 * figures that overlap. That it is small is seen to by loop.h.
 *
 * Growth is of two threads over one. It is divided by that of what the row is compared with, if
 * that grew: two CPUs may be one core, and are slower then whatever they do.
 */
void figure_judge(struct figure *figures, size_t count);

#endif
