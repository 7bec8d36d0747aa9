/* SPDX-License-Identifier: Apache-2.0 */
/* buckets.h - about how large the values in a window were, for people. Whether a rule rings is
 * decided without this, by exact counts.
 *
 * Units:     windows in seconds, times in nanoseconds.
 * Ownership: buckets_new takes, buckets_free gives back, 14 KiB.
 * Limits:    looks back up to a sixth of the window further, and one tick. Of a bucket, 4294967295
 *            values a window. A reset forgets what was before. */
#ifndef RULE_BUCKETS_H
#define RULE_BUCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "tocsin.h"

/* Six spaces between as many snapshots and one cover any window. */
enum { BUCKETS_SHOTS = 7 };

struct buckets {
        uint64_t window_ns;
        uint64_t at_ns[BUCKETS_SHOTS];
        uint32_t shot[BUCKETS_SHOTS][TOC_BUCKETS_]; /* what they stood at, modulo 2^32 */
        uint32_t newest;
        uint32_t used;
};

struct buckets *buckets_new(uint32_t window_s);
void buckets_free(struct buckets *buckets);

/* What they stand at now was counted before anyone looked, or (0) everything was counted since. */
void buckets_begin(struct buckets *buckets, uint64_t t_ns, const uint64_t *bucket);

/* A tick. */
void buckets_remember(struct buckets *buckets, uint64_t t_ns, const uint64_t *bucket);

/* The value that one of `count` in the window lies above; the largest if count is 0: the largest
 * of its bucket. 0 if there is none. */
uint64_t buckets_above(const struct buckets *buckets, uint64_t t_ns, const uint64_t *bucket,
                       uint32_t count);

#endif
