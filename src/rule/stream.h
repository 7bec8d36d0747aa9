/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - random samples of the kinds that are more than one number, and rules for them: bursts,
 * ramps, resets, gaps and moments at which a limit is met exactly.
 *
 * Nothing here computes what a rule should say. */
#ifndef RULE_STREAM_H
#define RULE_STREAM_H

#include "rule/fixture.h"

enum { STREAM_WORDS = 4, STREAM_OPEN_MAX = 6 };

/* c: of a gauge its value; of timers and sizes over[0], over[1] and how many; of a share part and
 * whole; of an operation begun and ended; of a flow its cells; of a must-hit hits and the gate. */
struct stream {
        uint64_t seed;
        struct toc_record record;
        uint64_t began_ns;
        bool from_start;
        bool has_gate;
        unsigned shape;
        uint64_t c[STREAM_WORDS];
        uint64_t cells[512];
        uint64_t open[STREAM_OPEN_MAX];
        uint32_t open_count;
        uint64_t next_open;
};

static inline uint64_t stream_pick(struct stream *s, uint64_t below)
{
        return fixture_below(&s->seed, below);
}

static inline unsigned choose_signal(struct stream *s, unsigned kind)
{
        switch (kind) {
        case toc_kind_gauge:
        case toc_kind_level:
                return toc_signal_growth + (unsigned)stream_pick(s, 2);
        case toc_kind_share:
                return toc_signal_permille + (unsigned)stream_pick(s, 3);
        case toc_kind_timer:
                return toc_signal_p50_us + (unsigned)stream_pick(s, 5);
        case toc_kind_sizes:
                return toc_signal_p50 + (unsigned)stream_pick(s, 5);
        case toc_kind_flow:
                return toc_signal_lost + (unsigned)stream_pick(s, 3);
        case toc_kind_operation:
                return toc_signal_oldest_ms + (unsigned)stream_pick(s, 2);
        default:
                return toc_signal_unreached_s;
        }
}

static inline bool is_upward(unsigned signal)
{
        return signal == toc_signal_growth || signal == toc_signal_burn_fast ||
               signal == toc_signal_burn_slow ||
               (signal >= toc_signal_p50_us && signal <= toc_signal_max);
}

static inline void choose_numbers(struct stream *s, struct toc_rule *rule)
{
        switch (rule->signal) {
        case toc_signal_growth:
                rule->limit = (int64_t)stream_pick(s, 5) - 1;
                break;
        case toc_signal_exhausts_s:
                rule->capacity = 1 + (int64_t)stream_pick(s, 200);
                rule->limit = (int64_t)stream_pick(s, 100);
                break;
        case toc_signal_permille:
                rule->limit = (int64_t)stream_pick(s, 5) * 100;
                break;
        case toc_signal_burn_fast:
        case toc_signal_burn_slow:
                rule->objective_permille = (uint16_t)(500 + stream_pick(s, 500));
                rule->limit = (int64_t)stream_pick(s, 4);
                break;
        case toc_signal_oldest_ms:
        case toc_signal_stalled_ms:
                rule->limit = (int64_t)stream_pick(s, 20) * 500;
                break;
        case toc_signal_unreached_s:
                rule->limit = (int64_t)stream_pick(s, 200);
                break;
        case toc_signal_lost:
        case toc_signal_backlog:
                rule->limit = (int64_t)stream_pick(s, 7) - 2;
                break;
        default:
                rule->limit = (int64_t)stream_pick(s, 5);
                break;
        }
}

static inline struct toc_rule choose_rule(struct stream *s, unsigned kind)
{
        static const uint32_t delays[] = { 0, 0, 0, 1, 3, 17 };
        static const uint32_t windows[] = { 4, 5, 10, 24, 60, 130 };
        static const uint32_t volumes[] = { 0, 1, 5, 20 };
        unsigned signal = choose_signal(s, kind);
        struct toc_rule rule = fixture_rule(signal, 1 + (unsigned)stream_pick(s, 6), 0);
        int64_t gap = (int64_t)stream_pick(s, 8);

        if (is_upward(signal))
                rule.op = stream_pick(s, 2) ? 4 : 6;
        if (signal == toc_signal_exhausts_s)
                rule.op = stream_pick(s, 2) ? 1 : 3;
        choose_numbers(s, &rule);
        if (stream_pick(s, 2) && (rule.op == 4 || rule.op == 6))
                rule.clear_at = rule.limit - 1 - gap;
        if (stream_pick(s, 2) && (rule.op == 1 || rule.op == 3))
                rule.clear_at = rule.limit + 1 + gap;
        if (kind == toc_kind_timer || kind == toc_kind_sizes)
                rule.clear_at = TOC_NO_CLEAR_LEVEL_;
        if (rule.clear_at < 0 && kind != toc_kind_gauge && kind != toc_kind_level &&
            kind != toc_kind_flow)
                rule.clear_at = TOC_NO_CLEAR_LEVEL_;
        rule.hold_s = delays[stream_pick(s, COUNT(delays))];
        rule.keep_s = delays[stream_pick(s, COUNT(delays))];
        rule.window_s = windows[stream_pick(s, COUNT(windows))];
        if (kind == toc_kind_timer || kind == toc_kind_sizes || kind == toc_kind_share)
                rule.volume_min = volumes[stream_pick(s, COUNT(volumes))];
        return rule;
}

/* A number that counts up: idle, steady, bursts, and now and then a reset. */
static inline uint64_t some(struct stream *s)
{
        switch (s->shape) {
        case 0:
                return stream_pick(s, 10) ? 0 : stream_pick(s, 40);
        case 1:
                return 1 + stream_pick(s, 3);
        case 2:
                return stream_pick(s, 12);
        default:
                return stream_pick(s, 4) ? 0 : 10;
        }
}

static inline void go_on_gauge(struct stream *s)
{
        int64_t value = (int64_t)s->c[0];

        if (value == INT64_MIN)
                value = 0;
        switch (s->shape) {
        case 0: /* up by the same */
                value += 1;
                break;
        case 1: /* up, with noise */
                value += (int64_t)stream_pick(s, 5) - 1;
                break;
        case 2: /* sawtooth that climbs, or falls back */
                value += stream_pick(s, 9) ? 3 : -10 - (int64_t)stream_pick(s, 20);
                break;
        case 3: /* steps */
                value += stream_pick(s, 30) ? 0 : (int64_t)stream_pick(s, 40) - 10;
                break;
        default: /* up, and down from time to time, and unset, which only a foreign file can do */
                value = stream_pick(s, 60) ? value + (int64_t)stream_pick(s, 3) : 0;
                if (s->record.kind == toc_kind_gauge && !stream_pick(s, 40))
                        value = INT64_MIN;
                break;
        }
        s->c[0] = (uint64_t)value;
}

/* Values far above and below the limits: whether one is over is the header's to decide. */
static inline void go_on_values(struct stream *s)
{
        uint64_t below = some(s), over[2] = { some(s) / 8, some(s) / 3 };
        struct toc_histogram_ *values = (void *)s->cells;

        if (!stream_pick(s, 80)) {
                memset(s->cells, 0, sizeof(s->cells));
                below = stream_pick(s, 3);
        }
        values->bucket[20] += below;
        values->bucket[300] += over[0] > over[1] ? over[0] : over[1];
        values->over[0] += over[0];
        values->over[1] += over[1];
        values->sum += 77 * below;
        s->c[0] = values->over[0];
        s->c[1] = values->over[1];
        s->c[2] = values->bucket[20] + values->bucket[300];
}

static inline void go_on_operation(struct stream *s)
{
        for (uint32_t i = s->open_count; i-- > 0;)
                if (!stream_pick(s, s->shape == 0 ? 3 : 15)) {
                        memmove(&s->open[i], &s->open[i + 1],
                                (s->open_count - i - 1) * sizeof(s->open[0]));
                        s->open_count--;
                        s->c[1]++;
                }
        while (s->open_count < STREAM_OPEN_MAX && !stream_pick(s, 4)) {
                s->open[s->open_count++] = s->next_open++;
                s->c[0]++;
        }
        if (s->shape == 3 && !stream_pick(s, 20)) /* read at the wrong moment */
                s->c[1] += 3;
}

static inline void go_on_flow(struct stream *s)
{
        uint64_t in = some(s), out;

        if (!stream_pick(s, 60))
                memset(s->c, 0, sizeof(s->c));
        s->c[0] += in;
        s->c[3] += in;
        out = stream_pick(s, 2) ? (int64_t)s->c[3] > 0 ? stream_pick(s, s->c[3] + 1) : 0 : 0;
        s->c[1] += out;
        s->c[3] -= out;
        if (!stream_pick(s, 15) && s->shape > 1)
                s->c[2]++;
        if (!stream_pick(s, 25) && s->shape > 1)
                s->c[3] += stream_pick(s, 3) - 1;
}

static inline void stream_go_on(struct stream *s)
{
        switch (s->record.kind) {
        case toc_kind_gauge:
        case toc_kind_level:
                go_on_gauge(s);
                break;
        case toc_kind_share:
                s->c[1] = stream_pick(s, 80) ? s->c[1] + some(s) : stream_pick(s, 10);
                s->c[0] = stream_pick(s, 80) ? s->c[0] + some(s) / (1 + stream_pick(s, 8))
                                             : stream_pick(s, 3);
                break;
        case toc_kind_timer:
        case toc_kind_sizes:
                go_on_values(s);
                return;
        case toc_kind_operation:
                go_on_operation(s);
                break;
        case toc_kind_flow:
                go_on_flow(s);
                break;
        default:
                s->c[0] += !stream_pick(s, 300);
                if (!stream_pick(s, 20))
                        s->c[1] = stream_pick(s, 3) ? stream_pick(s, 2) : (uint64_t)INT64_MIN;
                break;
        }
        memcpy(s->cells, s->c, sizeof(s->c));
}

static inline uint64_t stream_gap_ns(struct stream *s, unsigned rhythm)
{
        if (rhythm == 0)
                return S;
        if (!stream_pick(s, 60))
                return S + stream_pick(s, 40) * S;
        return S + stream_pick(s, rhythm == 1 ? 30 : 3000) * MS;
}

static inline void stream_start(struct stream *s, uint64_t number)
{
        static const unsigned kinds[] = { toc_kind_gauge,     toc_kind_level, toc_kind_timer,
                                          toc_kind_sizes,     toc_kind_share, toc_kind_share,
                                          toc_kind_operation, toc_kind_flow,  toc_kind_flow,
                                          toc_kind_must_hit };
        unsigned kind = kinds[number % COUNT(kinds)];

        *s = (struct stream){ .seed = number + 1, .next_open = 1 };
        s->record = fixture_record(kind, choose_rule(s, kind));
        if (stream_pick(s, 2))
                s->record.rule[1] = choose_rule(s, kind);
        if (stream_pick(s, 2) && s->record.rule[1].severity)
                s->record.rule[1].window_s = s->record.rule[0].window_s;
        s->has_gate = kind == toc_kind_must_hit && stream_pick(s, 2);
        if (s->has_gate)
                snprintf(s->record.labels, sizeof(s->record.labels), "is_leader");
        s->shape = (unsigned)stream_pick(s, 5);
        s->from_start = stream_pick(s, 4) > 0;
        s->began_ns = stream_pick(s, 100) * S + S;
        s->c[0] = kind == toc_kind_gauge ? (uint64_t)INT64_MIN : 0;
        if (kind == toc_kind_must_hit)
                s->c[1] = (uint64_t)INT64_MIN;
        if (kind == toc_kind_share)
                s->c[1] = stream_pick(s, 2) * 30;
        memcpy(s->cells, s->c, sizeof(s->c));
}

#endif
