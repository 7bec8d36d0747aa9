/* SPDX-License-Identifier: Apache-2.0 */
/* series.h - what a cell that only counts up has counted. A cell that fell was reset, and its new
 * value is what it counted since.
 *
 * An evaluation is series_sample, then series_remember if it is a tick.
 *
 * Units:  events. Sums stay at UINT64_MAX instead of beginning anew.
 * Errors: none. */
#ifndef RULE_SERIES_H
#define RULE_SERIES_H

#include <stdbool.h>
#include <stdint.h>

/* Resets are gone: both only grow. */
struct series_count {
        uint64_t before; /* those that the first sample found, if nobody saw the start */
        uint64_t since;
};

struct series {
        uint64_t sample;          /* of this evaluation */
        uint64_t last;            /* the latest that is remembered */
        struct series_count now;  /* in this evaluation */
        struct series_count past; /* as remembered */
};

static inline uint64_t series_add(uint64_t a, uint64_t b)
{
        return a + b < a ? UINT64_MAX : a + b;
}

/* is_base: whatever it stands at was counted before anyone looked. */
static inline void series_sample(struct series *series, uint64_t sample, bool is_base)
{
        series->sample = sample;
        series->now = series->past;
        if (is_base)
                series->now.before = sample;
        else
                series->now.since = series_add(
                        series->now.since, sample >= series->last ? sample - series->last : sample);
}

static inline void series_remember(struct series *series)
{
        series->past = series->now;
        series->last = series->sample;
}

/* At a tick that is remembered 0; at a peek what no tick has seen yet. */
static inline uint64_t series_fresh(const struct series *series)
{
        return series->now.since - series->past.since;
}

#endif
