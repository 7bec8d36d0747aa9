/* SPDX-License-Identifier: Apache-2.0 */
/* tell.h - who hears of an alert: the callback, and whoever reads standard error.
 *
 * Units:     nanoseconds of CLOCK_MONOTONIC. Ownership: the struct owns what it remembers.
 * Errors:    none; without memory a line lacks how long the alert lasted.
 * Threads:   one. Limits: a line has at most tell_line_max bytes, and waits tell_wait_ms for
 *            whoever reads it; then it is withheld, and counted, and no other waits until one
 *            has gone out. */
#ifndef INLINE_TELL_H
#define INLINE_TELL_H

#include <tocsin-inline.h>

#include "rule/rule.h"

enum { tell_line_max = 1024, tell_wait_ms = 1000 };

struct tell {
        struct tocsin_inline options;
        uint64_t *rang_ns; /* since when, by row and slot */
        size_t rang_count;
        uint64_t withheld;
};

void tell_fini(struct tell *tell);

/* Changes to and from FIRING; all others are nobody's business. */
void tell_changes(struct tell *tell, const struct rule_set *rules, uint64_t now_ns,
                  const struct rule_change *changes, size_t count);

/* What rings still, to the callback alone. */
void tell_ended(struct tell *tell, const struct rule_set *rules);

/* A line about the evaluator itself. */
void tell_say(struct tell *tell, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
