/* SPDX-License-Identifier: Apache-2.0 */
/* tally.h - shares, timers and sizes: several cells that only count up, and what a window holds of
 * each. All cells of a row look back equally far, or parts would be compared with other wholes.
 *
 * Units:     windows in seconds, times in nanoseconds.
 * Ownership: a tally owns its windows; tally_free frees all.
 * Errors:    0 or -ENOMEM. Only tally_new allocates.
 * Limits:    four windows; each takes at most 30 KiB of a share, 45 KiB and 6 KiB of values; with
 *            the 60 s that are usual, 0.6 KiB and 7 KiB. */
#ifndef RULE_TALLY_H
#define RULE_TALLY_H

#include "rule/buckets.h"
#include "rule/history.h"
#include "rule/series.h"
#include "rule/signal.h"

/* Which series is which: of a share ... */
enum { TALLY_PART, TALLY_WHOLE };
/* ... and of values, after those that are over the limit of rule 0 and rule 1. */
enum { TALLY_VALUES = 2 };

struct tally_window {
        uint32_t window_s;
        struct history history;
        struct buckets *buckets; /* NULL of a share */
};

struct tally {
        uint32_t series_count;
        uint32_t window_count;
        struct series series[HISTORY_SERIES_MAX];
        struct tally_window window[4];
        uint32_t of_rule[2][2]; /* which window rule n looks at, and which is its brief one */
        bool is_over[2];        /* in the latest evaluation, the quantile that rule n looks at */
};

/* *ret_tally: NULL if there is no rule. began_ns: when the row did. */
int tally_new(struct tally **ret_tally, const struct toc_record *record, uint64_t began_ns);
void tally_free(struct tally *tally);
size_t tally_bytes(const struct tally *tally); /* of memory, the struct and all; 0 of NULL */

/* is_base: what the cells stand at was counted before anyone looked. */
void tally_sample(struct tally *tally, const uint64_t *cells, uint64_t t_ns, bool is_base);
void tally_remember(struct tally *tally, uint64_t tick);

/* What that rule looks at. Of a quantile, a value that is on the same side of the limit. */
struct reading tally_quantile(struct tally *tally, const struct toc_record *record, uint32_t slot,
                              const struct ticks *ticks, uint64_t t_ns);
struct reading tally_share(struct tally *tally, const struct toc_record *record, uint32_t slot,
                           const struct ticks *ticks, uint64_t t_ns);
struct reading tally_burn(struct tally *tally, const struct toc_record *record, uint32_t slot,
                          const struct ticks *ticks, uint64_t t_ns);

/* After tally_quantile said that there is a value: for people, on the side of the limit that the
 * exact counts say. */
struct reading tally_estimate(const struct tally *tally, const struct toc_record *record,
                              uint32_t slot);

#endif
