/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because the threads of a flow are read one after the other: what is on its way between two
 * of them while they are read looks lost, or found, and is neither. */
#include "rule/flow.h"
#include "rule/signal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int flow_new(struct flow **ret_flow, const struct toc_record *record, uint64_t began_ns)
{
        struct flow *flow;
        uint32_t longest_s = 0;

        *ret_flow = NULL;
        if (!record->rule[0].severity && !record->rule[1].severity)
                return 0;
        flow = calloc(1, sizeof(*flow));
        if (!flow)
                return -ENOMEM;
        flow->moved_ns = began_ns;
        for (uint32_t slot = 0; slot < 2; slot++) {
                const struct toc_rule *rule = &record->rule[slot];
                uint32_t window_s;

                if (!rule->severity || rule->signal != toc_signal_lost)
                        continue;
                window_s = signal_window_s(signal_find(record->kind, rule->signal), rule);
                flow->spans[slot].count = 1;
                flow->spans[slot].window_ns = window_s * UINT64_C(1000000000);
                if (window_s > longest_s)
                        longest_s = window_s;
        }
        if (longest_s && track_init(&flow->missing, longest_s, false)) {
                free(flow);
                return -ENOMEM;
        }
        *ret_flow = flow;
        return 0;
}

void flow_free(struct flow *flow)
{
        if (!flow)
                return;
        track_fini(&flow->missing);
        free(flow);
}

void flow_sample(struct flow *flow, const uint64_t *cells)
{
        memcpy(&flow->now, cells, sizeof(flow->now));
        flow->is_still = memcmp(&flow->now, &flow->past, sizeof(flow->now)) == 0;
}

int64_t flow_backlog(const struct flow *flow)
{
        return (int64_t)(flow->now.in - flow->now.out - flow->now.dropped);
}

static int64_t missing(const struct flow *flow)
{
        return (int64_t)(flow->now.in - flow->now.out - flow->now.dropped - flow->now.held);
}

/* Something went out or was dropped, or nothing waits. What the first sample finds to have gone out
 * is of unknown age and counted as gone now, like the first beat of a heart. */
static bool moves(const struct flow *flow)
{
        return flow->now.out + flow->now.dropped != flow->past.out + flow->past.dropped ||
               flow_backlog(flow) <= 0;
}

void flow_remember(struct flow *flow, uint64_t tick, uint64_t t_ns)
{
        if (moves(flow))
                flow->moved_ns = t_ns;
        if (flow->missing.values)
                track_add(&flow->missing, tick, missing(flow));
        flow->past = flow->now;
}

uint64_t flow_moved_ns(const struct flow *flow, uint64_t t_ns)
{
        return moves(flow) ? t_ns : flow->moved_ns;
}

int64_t flow_lost(struct flow *flow, uint32_t slot, const struct ticks *ticks, uint64_t t_ns)
{
        struct track_range range;

        if (flow->is_still)
                return missing(flow);
        track_move(&flow->missing, &flow->spans[slot], ticks, t_ns);
        range = track_range(&flow->missing, &flow->spans[slot], 0);
        track_extend(&range, missing(flow)); /* at a peek the track has not got it */
        if (range.min > 0)
                return range.min;
        return range.max < 0 ? range.max : 0;
}
