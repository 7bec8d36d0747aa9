/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overhead.h - what the probes cost: instructions of all BENCH loops, with them and without.
 *
 * Counted by callgrind, at the largest size of each case, in the release build and in the same with
 * TOCSIN_OFF; the ratio of the sums is judged, for a cheap call that is made often weighs as it
 * should only beside the others.
 *
 * Units:     instructions a call; percent. Ownership: none. Threads: one.
 * Errors:    0; -errno: nobody knows (sandbox_why() says); OVERHEAD_UNKNOWN: a case did not come
 *            to its end, why says which.
 */
#ifndef GATE_OVERHEAD_H
#define GATE_OVERHEAD_H

#include "gate/stage.h"

enum overhead_outcome { OVERHEAD_UNKNOWN = 1 };

struct overhead {
        double with; /* instructions of one call of each case, added up */
        double without;
        double percent; /* of all */
        double worst;   /* percent of the case that pays most */
        char worst_case[48];
        size_t case_count; /* 0: there is nothing to count */
};

int overhead_measure(struct stage_context *context, struct overhead *ret_overhead,
                     struct text *why);

#endif
