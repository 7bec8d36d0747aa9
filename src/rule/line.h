/* SPDX-License-Identifier: Apache-2.0 */
/* line.h - the least-squares line through the samples in a window, in integers.
 *
 * Units:  nanoseconds, samples as they are.
 * Errors: none.
 * Limits: 3602 samples, all within half an hour; see line.c for why. */
#ifndef RULE_LINE_H
#define RULE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "rule/signal.h"

/* Sums over the samples, modulo 2^128. */
struct line {
        signal_sum n, x, y, xx, xy;
};

void line_add(struct line *line, uint64_t t_ns, int64_t value);
void line_remove(struct line *line, uint64_t t_ns, int64_t value);

/* Where the line is at t_ns + seconds: above the level (1), there (0) or below (-1). There must be
 * two samples at least, at different times. */
int line_compare(const struct line *line, uint64_t t_ns, int64_t seconds, int64_t level);

/* Seconds from t_ns on until the line is at the level, rounded down: 0 if it is there or above,
 * INT64_MAX if it never will be. */
int64_t line_reaches_s(const struct line *line, uint64_t t_ns, int64_t level);

#endif
