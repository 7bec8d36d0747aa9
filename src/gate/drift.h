/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drift.h - whether something that should come back keeps rising: a ratchet of minima.
 *
 *         struct drift drift;
 *
 *         if (drift_judge(live_bytes, count, 4096, &drift) == DRIFT_RISES)
 *                 ...                       // from drift.first to drift.last
 *
 * Samples taken at even times: the first third is warm-up and dropped, the rest is split into
 * drift_window_count windows. A load that breathes comes down to the same floor in each; a leak
 * lifts the floor. It drifts if no window's minimum lies below the one before, all but one of the
 * steps rise, the whole rise is at least `least`, and the second half rises at least half as much
 * as the first, so that neither one step nor a warm-up that levels off counts.
 *
 * Units:     whatever the samples are in. Ownership: nothing is kept. Threads: any.
 * Errors:    outcomes only. Limits: drift_sample_min samples at least.
 */
#ifndef GATE_DRIFT_H
#define GATE_DRIFT_H

#include <stddef.h>
#include <stdint.h>

enum { drift_window_count = 6, drift_sample_min = 36 };

enum drift_outcome {
        DRIFT_NONE,
        DRIFT_RISES = 1,
        DRIFT_UNJUDGED, /* too few samples */
};

struct drift {
        uint64_t first; /* minimum of the first window */
        uint64_t last;  /* and of the last */
};

/* Returned with both outcomes but DRIFT_UNJUDGED. least: at least 1. */
enum drift_outcome drift_judge(const uint64_t *values, size_t count, uint64_t least,
                               struct drift *ret_drift);

#endif
