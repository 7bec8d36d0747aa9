/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_faults.h - which allocation of a FAULT case is to fail next.
 *
 *         struct unit_faults faults;
 *
 *         unit_faults_begin(&faults, allocations, most, seed);
 *         while ((n = unit_faults_next(&faults)) > 0) {
 *                 ...run with fail_at = n...
 *                 unit_faults_ran(&faults, fired);
 *         }
 *
 * Every one in turn, n = 1, 2, ... until a run in which none fired: a leak on a failed allocation
 * shows at exactly one of them. When a case that ran undisturbed made more than `most`, that many
 * are drawn from the seed, one from each equal part, so that no stretch is left out.
 *
 * Units:     counts. Ownership: nothing is held. Threads: one. Errors: none.
 * Limits:    at most `most` runs.
 */
#ifndef GATE_UNIT_FAULTS_H
#define GATE_UNIT_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

struct unit_faults {
        uint64_t allocations;
        uint64_t most;
        uint64_t seed;
        uint64_t tried; /* runs so far */
        bool is_over;
};

void unit_faults_begin(struct unit_faults *faults, uint64_t allocations, uint64_t most,
                       uint64_t seed);
/* 0: enough. */
uint64_t unit_faults_next(struct unit_faults *faults);
void unit_faults_ran(struct unit_faults *faults, uint64_t fired);
/* Whether some are left out. */
bool unit_faults_is_sample(const struct unit_faults *faults);

/* splitmix64: the next number of a row begun at *state. */
uint64_t unit_faults_draw(uint64_t *state);

#endif
