/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vitals.h - the probes that tocsin adds to a program by itself, in module "process".
 *
 *   log_errors    lines at error level in its error output: more than none in a minute, warn
 *   log_warnings  lines at warning level: more than 10 in a minute, note
 *   crash         it was killed by a signal that nobody asked for: page
 *   clock_step    the wall clock was set by more than a second, in the last minute: note
 *
 * They are judged by the same engine as the program's own.
 *
 * Units:     nanoseconds of CLOCK_MONOTONIC, counts since the start. Ownership: changes live until
 *            the next call. Threads: one. Errors: -errno. Limits: none of its own.
 */
#ifndef WATCH_VITALS_H
#define WATCH_VITALS_H

#include "rule/rule.h"

struct vitals;

struct vitals_counts {
        uint64_t errors;
        uint64_t warnings;
        uint64_t crashes;
        uint64_t clock_steps;
};

/* How far the wall clock is ahead of the monotonic one; in counts, whenever that jumps. */
struct vitals_clock {
        int64_t ahead_ns;
        bool is_known;
};

void vitals_see_clock(struct vitals_clock *clock, uint64_t wall_ns, uint64_t monotonic_ns,
                      struct vitals_counts *counts);

int vitals_new(uint64_t began_ns, struct vitals **ret_vitals);
void vitals_free(struct vitals **vitals);

int vitals_judge(struct vitals *vitals, uint64_t now_ns, bool is_tick,
                 const struct vitals_counts *counts, const struct rule_change **ret_changes,
                 size_t *ret_count);

const struct rule_set *vitals_rules(const struct vitals *vitals);

/* A crash is not over when the program has ended: nobody resolves it but a person. */
bool vitals_outlives(const struct rule_view *rule);

#endif
