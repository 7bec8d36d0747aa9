/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a slope alone rings for every cache that warms up and every sawtooth: only a floor
 * that rises window after window is growth. */
#include "rule/trend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { line_windows = 3 };

int trend_new(struct trend **ret_trend, const struct toc_record *record)
{
        struct trend *trend = NULL;
        struct track_spans spans[2] = { 0 };
        int64_t capacity[2] = { 0 };
        uint32_t longest_s = 0;
        int error;

        for (uint32_t slot = 0; slot < 2; slot++) {
                const struct toc_rule *rule = &record->rule[slot];
                const struct signal *signal = signal_find(record->kind, rule->signal);

                if (!rule->severity ||
                    (signal->how != SIGNAL_GROWTH && signal->how != SIGNAL_EXHAUSTS))
                        continue;
                capacity[slot] = rule->capacity;
                spans[slot].count = signal->count;
                spans[slot].window_ns = signal_window_s(signal, rule) * UINT64_C(1000000000);
                if (signal_reach_s(signal, rule) > longest_s)
                        longest_s = signal_reach_s(signal, rule);
        }
        *ret_trend = NULL;
        if (!longest_s)
                return 0;
        trend = calloc(1, sizeof(*trend));
        if (!trend)
                return -ENOMEM;
        error = track_init(&trend->track, longest_s, record->kind == toc_kind_gauge);
        if (error) {
                free(trend);
                return error;
        }
        memcpy(trend->spans, spans, sizeof(spans));
        memcpy(trend->capacity, capacity, sizeof(capacity));
        *ret_trend = trend;
        return 0;
}

void trend_free(struct trend *trend)
{
        if (!trend)
                return;
        track_fini(&trend->track);
        free(trend);
}

void trend_sample(struct trend *trend, int64_t sample)
{
        trend->sample = sample;
        trend->is_new = true;
}

void trend_remember(struct trend *trend, uint64_t tick, uint64_t t_ns)
{
        struct track *track = &trend->track;
        bool is_again = track->first != track->next && tick + 1 == track->next;

        for (uint32_t slot = 0; slot < 2; slot++) {
                if (!trend->capacity[slot]) /* asks for no line */
                        continue;
                if (is_again && track_has(track, track_at(track, tick)))
                        line_remove(&trend->line[slot], trend->newest_ns, track_at(track, tick));
                if (track_has(track, trend->sample))
                        line_add(&trend->line[slot], t_ns, trend->sample);
        }
        track_add(track, tick, trend->sample);
        trend->newest_ns = t_ns;
        trend->is_new = false;
}

/* By how much the floor rose at least, from one window to the next. False: there was no sample in
 * one of them. */
static bool rise(const struct trend *trend, uint32_t slot, signal_wide *ret_rise)
{
        const struct track_spans *spans = &trend->spans[slot];
        struct track_range newer = track_range(&trend->track, spans, 0);

        if (trend->is_new && track_has(&trend->track, trend->sample))
                track_extend(&newer, trend->sample);
        for (uint32_t n = 1; n < spans->count; n++) {
                struct track_range older = track_range(&trend->track, spans, n);
                signal_wide by = (signal_wide)newer.min - older.min;

                if (!newer.has_any || !older.has_any)
                        return false;
                if (n == 1 || by < *ret_rise)
                        *ret_rise = by;
                newer = older;
        }
        return true;
}

struct reading trend_growth(struct trend *trend, uint32_t slot, const struct ticks *ticks,
                            uint64_t t_ns)
{
        signal_wide least;

        track_move(&trend->track, &trend->spans[slot], ticks, t_ns);
        if (!rise(trend, slot, &least))
                return (struct reading){ .is = READING_NONE };
        return reading_of(least);
}

static struct line line_now(const struct trend *trend, uint32_t slot, uint64_t t_ns)
{
        struct line line = trend->line[slot];

        if (trend->is_new && track_has(&trend->track, trend->sample))
                line_add(&line, t_ns, trend->sample);
        return line;
}

struct reading trend_exhausts(struct trend *trend, uint32_t slot, const struct ticks *ticks,
                              uint64_t t_ns)
{
        const struct track *track = &trend->track;
        uint64_t *begin = &trend->line_begin[slot];
        struct line line;
        signal_wide least;

        track_move(track, &trend->spans[slot], ticks, t_ns);
        if (*begin < track->first)
                *begin = track->first;
        for (; *begin < trend->spans[slot].edge[line_windows]; ++*begin)
                if (track_has(track, track_at(track, *begin)))
                        line_remove(&trend->line[slot], ticks_at(ticks, *begin),
                                    track_at(track, *begin));
        trend->rises[slot] = false;
        if (!rise(trend, slot, &least))
                return (struct reading){ .is = READING_NONE };
        trend->rises[slot] = least > 0;
        if (!trend->rises[slot])
                return reading_of(INT64_MAX);
        line = line_now(trend, slot, t_ns);
        return reading_of(line_reaches_s(&line, t_ns, trend->capacity[slot]));
}

bool trend_is_out(const struct trend *trend, uint32_t slot, unsigned op, int64_t seconds,
                  uint64_t t_ns)
{
        struct line line = line_now(trend, slot, t_ns);
        int is;

        if (!trend->rises[slot])
                return false;
        is = line_compare(&line, t_ns, seconds, trend->capacity[slot]);
        return is > 0 || (is == 0 && (op & TOC_EQUAL_));
}
