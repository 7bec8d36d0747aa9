/* SPDX-License-Identifier: Apache-2.0 */
/* track.h - the samples of one row, tick by tick, and which of them lie in the windows
 * (t-W, t], (t-2W, t-W] ... that a rule looks at.
 *
 * Units:     windows in seconds, times in nanoseconds, samples as they are.
 * Ownership: a track owns its ring; track_fini frees it.
 * Errors:    0 or -ENOMEM. Only track_init allocates.
 * Limits:    as many ticks as struct ticks keeps: 9 bytes for each second of the windows together
 *            and 700 besides, rounded up to a power of two, and a 21st of that for the blocks. */
#ifndef RULE_TRACK_H
#define RULE_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rule/ticks.h"

/* The smallest and the largest of some samples. */
struct track_range {
        bool has_any;
        int64_t min;
        int64_t max;
};

struct track {
        int64_t *values; /* of tick n: values[n & (capacity - 1)] */
        struct track_range *blocks;
        size_t capacity; /* a power of two */
        uint64_t first;  /* the oldest tick that is there */
        uint64_t next;   /* first == next: none is */
        bool has_unset;  /* TOC_GAUGE_UNSET_ is no sample */
};

enum { TRACK_SPANS_MAX = 6 };

/* Windows in a row. */
struct track_spans {
        uint64_t window_ns;
        uint32_t count;
        uint64_t edge[TRACK_SPANS_MAX + 1]; /* the first tick after t - k * W */
};

int track_init(struct track *track, uint32_t window_s, bool has_unset);
void track_fini(struct track *track);
size_t track_bytes(const struct track *track); /* of memory, beside the struct */

/* The next tick, or the newest again, whose sample this replaces. */
void track_add(struct track *track, uint64_t tick, int64_t value);

bool track_has(const struct track *track, int64_t value);
int64_t track_at(const struct track *track, uint64_t tick);

static inline void track_extend(struct track_range *range, int64_t value)
{
        range->min = !range->has_any || value < range->min ? value : range->min;
        range->max = !range->has_any || value > range->max ? value : range->max;
        range->has_any = true;
}

/* Moves the windows to t_ns, which never goes back. */
void track_move(const struct track *track, struct track_spans *spans, const struct ticks *ticks,
                uint64_t t_ns);

/* Of the samples in window n, 0 being the newest. */
struct track_range track_range(const struct track *track, const struct track_spans *spans,
                               uint32_t n);

#endif
