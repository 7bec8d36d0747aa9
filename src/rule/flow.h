/* SPDX-License-Identifier: Apache-2.0 */
/* flow.h - what came in and must go out, be dropped or be held.
 *
 * Units:     nanoseconds; items, which a difference may turn negative.
 * Ownership: a flow owns its track; flow_free frees all.
 * Errors:    0 or -ENOMEM. Only flow_new allocates.
 * Limits:    a window of FLOW_WINDOW_MAX_S. 8 KiB with that, 1 KiB with 10 s. */
#ifndef RULE_FLOW_H
#define RULE_FLOW_H

#include "rule/track.h"
#include "tocsin.h"

enum { FLOW_WINDOW_MAX_S = 600 };

struct flow {
        struct toc_flow_ now;  /* in this evaluation */
        struct toc_flow_ past; /* as remembered */
        bool is_still;         /* `now` is what the tick before it found */
        uint64_t moved_ns;     /* the latest tick at which something went out, or nothing waited */
        struct track missing;  /* in - out - dropped - held; no ring if nobody looks */
        struct track_spans spans[2]; /* by rule */
};

/* *ret_flow: NULL if there is no rule. */
int flow_new(struct flow **ret_flow, const struct toc_record *record, uint64_t began_ns);
void flow_free(struct flow *flow);

void flow_sample(struct flow *flow, const uint64_t *cells);
void flow_remember(struct flow *flow, uint64_t tick, uint64_t t_ns);

int64_t flow_backlog(const struct flow *flow);

/* When it moved last, or was empty. */
uint64_t flow_moved_ns(const struct flow *flow, uint64_t t_ns);

int64_t flow_lost(struct flow *flow, uint32_t slot, const struct ticks *ticks, uint64_t t_ns);

#endif
