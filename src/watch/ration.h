/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ration.h - so many a second and no more, and how many that left out.
 *
 * Units: nanoseconds of CLOCK_MONOTONIC. Ownership: in place. Threads: one. Errors, limits: none.
 */
#ifndef WATCH_RATION_H
#define WATCH_RATION_H

#include "base/clock.h"

#include <stdbool.h>

struct ration {
        unsigned per_s;
        unsigned used;
        uint64_t began_ns; /* the second that is being counted */
        uint64_t withheld;
};

#define RATION_INIT(count)       \
        {                        \
                .per_s = (count) \
        }

/* Whether one more is in order; if not, it is counted as withheld. */
static inline bool ration_admit(struct ration *ration, uint64_t now_ns)
{
        if (now_ns - ration->began_ns >= CLOCK_S_NS) {
                ration->began_ns = now_ns;
                ration->used = 0;
        }
        if (ration->used < ration->per_s) {
                ration->used++;
                return true;
        }
        ration->withheld++;
        return false;
}

/* How many were withheld since the last call, once their second is over; else 0. */
static inline uint64_t ration_settle(struct ration *ration, uint64_t now_ns)
{
        uint64_t withheld = ration->withheld;

        if (now_ns - ration->began_ns < CLOCK_S_NS)
                return 0;
        ration->withheld = 0;
        return withheld;
}

#endif
