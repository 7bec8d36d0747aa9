/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floors of windows, and what a staircase must look like to be called a leak.
 */
#include "gate/drift.h"

static uint64_t drift_minimum(const uint64_t *values, size_t begin, size_t end)
{
        uint64_t least = values[begin];

        for (size_t i = begin + 1; i < end; i++) {
                if (values[i] < least)
                        least = values[i];
        }
        return least;
}

enum drift_outcome drift_judge(const uint64_t *values, size_t count, uint64_t least,
                               struct drift *ret_drift)
{
        uint64_t floors[drift_window_count];
        unsigned steps_up = 0;

        if (count < drift_sample_min)
                return DRIFT_UNJUDGED;
        const size_t begin = count / 3;
        const size_t rest = count - begin;

        for (size_t i = 0; i < drift_window_count; i++)
                floors[i] = drift_minimum(values, begin + rest * i / drift_window_count,
                                          begin + rest * (i + 1) / drift_window_count);

        const uint64_t first = floors[0];
        const uint64_t middle = floors[drift_window_count / 2];
        const uint64_t last = floors[drift_window_count - 1];

        *ret_drift = (struct drift){ .first = first, .last = last };
        for (size_t i = 1; i < drift_window_count; i++) {
                if (floors[i] < floors[i - 1])
                        return DRIFT_NONE;
                steps_up += floors[i] > floors[i - 1];
        }
        if (steps_up + 2 < drift_window_count || last - first < (least > 0 ? least : 1))
                return DRIFT_NONE;
        /* Three steps to the middle, two after it: per step, half as much as before. */
        if ((last - middle) * 3 < middle - first)
                return DRIFT_NONE;
        return DRIFT_RISES;
}
