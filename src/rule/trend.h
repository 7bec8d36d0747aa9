/* SPDX-License-Identifier: Apache-2.0 */
/* trend.h - where a gauge or level is going: by how much its floor rises from window to window, and
 * when the line through its samples reaches a capacity.
 *
 * Units:     windows in seconds, times in nanoseconds, samples as they are.
 * Ownership: a trend owns its track; trend_free frees all.
 * Errors:    0 or -ENOMEM. Only trend_new allocates.
 * Limits:    windows of TREND_WINDOW_MAX_S: an hour of samples, 34 KiB; 17 KiB with windows of
 *            300 s. Two rules share the samples. */
#ifndef RULE_TREND_H
#define RULE_TREND_H

#include "rule/line.h"
#include "rule/signal.h"
#include "rule/track.h"

enum { TREND_WINDOW_MAX_S = 600 };

struct trend {
        struct track track;
        struct track_spans spans[2]; /* by rule; of no windows: the rule is none of ours */
        struct line line[2];         /* through the newest three windows */
        uint64_t line_begin[2];      /* the first tick that is in it */
        bool rises[2];               /* the floor, in this evaluation */
        int64_t capacity[2];
        uint64_t newest_ns; /* of the track */
        int64_t sample;     /* of this evaluation ... */
        bool is_new;        /* ... which the track has not got */
};

/* *ret_trend: NULL if none of the rules looks at one. */
int trend_new(struct trend **ret_trend, const struct toc_record *record);
void trend_free(struct trend *trend);

void trend_sample(struct trend *trend, int64_t sample);
void trend_remember(struct trend *trend, uint64_t tick, uint64_t t_ns);

/* By how much the floor rose at least, from one window to the next. */
struct reading trend_growth(struct trend *trend, uint32_t slot, const struct ticks *ticks,
                            uint64_t t_ns);

/* Seconds until the line is at the capacity; INT64_MAX if the floor does not rise, too. */
struct reading trend_exhausts(struct trend *trend, uint32_t slot, const struct ticks *ticks,
                              uint64_t t_ns);

/* Whether the floor rises, and the line is beyond the capacity in so many seconds (op <), or also
 * just there (<=). After trend_exhausts of the same evaluation. */
bool trend_is_out(const struct trend *trend, uint32_t slot, unsigned op, int64_t seconds,
                  uint64_t t_ns);

#endif
