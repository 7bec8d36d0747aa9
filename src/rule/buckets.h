/* SPDX-License-Identifier: Apache-2.0 */
/* buckets.h - about how large the values in a window were, for people. Whether a rule rings is
 * decided without this, by exact counts.
 *
 * An evaluation is buckets_see, then buckets_remember if it is a tick. buckets_above may be asked
 * at any time after.
 *
 * Units:     windows in seconds, times in nanoseconds.
 * Ownership: buckets_new takes, buckets_free gives back, 6 KiB.
 * Limits:    looks back up to a quarter of the window further, and one tick. Counts of what is not
 *            of the latest quarter are exact up to 15, then to a sixteenth. Of a bucket, 4294967295
 *            values a quarter. A reset forgets what was before. */
#ifndef RULE_BUCKETS_H
#define RULE_BUCKETS_H

#include <stdint.h>

#include "tocsin.h"

/* With the one that goes on they cover any window. */
enum { BUCKETS_PARTS = 4 };

struct buckets {
        uint64_t window_ns;
        uint64_t begun_ns;           /* the part that goes on */
        uint64_t seen_ns;            /* the latest evaluation */
        uint32_t base[TOC_BUCKETS_]; /* what they stood at then, modulo 2^32 ... */
        uint32_t seen[TOC_BUCKETS_]; /* ... and now */
        uint32_t newest;
        uint32_t used;
        struct buckets_part {
                uint64_t begun_ns;
                uint8_t count[TOC_BUCKETS_]; /* rounded */
        } part[BUCKETS_PARTS];
};

struct buckets *buckets_new(uint32_t window_s);
void buckets_free(struct buckets *buckets);

/* What they stand at now was counted before anyone looked, or (0) everything was counted since. */
void buckets_begin(struct buckets *buckets, uint64_t t_ns, const uint64_t *bucket);

void buckets_see(struct buckets *buckets, uint64_t t_ns, const uint64_t *bucket);
void buckets_remember(struct buckets *buckets);

/* The value that one of `count` in the window lies above; the largest if count is 0: the largest
 * of its bucket. 0 if there is none. */
uint64_t buckets_above(const struct buckets *buckets, uint32_t count);

#endif
