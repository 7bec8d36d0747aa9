/* SPDX-License-Identifier: Apache-2.0 */
/* measure.h - fills in figures, in rounds: each holds all figures once, in an order of its own.
 *
 * A slow spell of the machine falls on all rows of a round and not on all rounds of a row, so the
 * median over the rounds does not see it. A round's figure is itself the median of a few samples
 * of about a millisecond; a disturbed sample (crew.h) is taken again.
 *
 * Units:     picoseconds an operation. Ownership: the figures are the caller's.
 * Threads:   one caller; it sleeps while the crew works.
 * Errors:    -errno when a row that is measured one at a time could not be.
 * Limits:    FIGURE_ROUND_MAX rounds, FIGURE_COUNT_MAX figures. A disturbed sample is taken again
 *            only while there is time, and else kept and counted.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "crew.h"
#include "figure.h"

struct measure {
        struct crew *crew;
        struct figure *figures;
        size_t count;
        size_t rounds;
        uint64_t seed; /* of the order; changes */
        void (*on_round)(size_t round, size_t rounds);

        uint64_t start_ns;
        size_t round; /* 0 while the rows are calibrated */

        /* Results beside the figures. */
        uint64_t samples;
        uint64_t again; /* taken once more because they were disturbed */
        uint64_t kept;  /* although they were */
};

int measure_all(struct measure *measure);

#endif
