/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vitals.h - the probes that tocsin adds to a program by itself, in module "process".
 *
 *   log_errors    lines at error level in its error output: more than none in a minute, warn
 *   log_warnings  lines at warning level: more than 10 in a minute, note
 *   crash         it was killed by a signal that nobody asked for: page
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
};

int vitals_new(uint64_t began_ns, struct vitals **ret_vitals);
void vitals_free(struct vitals **vitals);

int vitals_judge(struct vitals *vitals, uint64_t now_ns, bool is_tick,
                 const struct vitals_counts *counts, const struct rule_change **ret_changes,
                 size_t *ret_count);

const struct rule_set *vitals_rules(const struct vitals *vitals);

/* A crash is not over when the program has ended: nobody resolves it but a person. */
bool vitals_outlives(const struct rule_view *rule);

#endif
