/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a floor or a line is not to be had from sums: its samples are needed one by one.
 * Blocks of them remember their range, so that a window of an hour is not walked at each tick. */
#include "rule/track.h"
#include "tocsin.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { block_size = 64 };

int track_init(struct track *track, uint32_t window_s, bool has_unset)
{
        /* A block that is being overwritten must not lie in any window any more. */
        size_t needed = ticks_most(window_s) + block_size;
        size_t capacity = block_size;

        while (capacity < needed)
                capacity *= 2;
        *track = (struct track){ .capacity = capacity, .has_unset = has_unset };
        track->values = calloc(capacity, sizeof(*track->values));
        track->blocks = calloc(capacity / block_size, sizeof(*track->blocks));
        if (track->values && track->blocks)
                return 0;
        track_fini(track);
        return -ENOMEM;
}

size_t track_bytes(const struct track *track)
{
        return track->capacity * sizeof(*track->values) +
               track->capacity / block_size * sizeof(*track->blocks);
}

void track_fini(struct track *track)
{
        free(track->values);
        free(track->blocks);
        *track = (struct track){ 0 };
}

bool track_has(const struct track *track, int64_t value)
{
        return !track->has_unset || value != TOC_GAUGE_UNSET_;
}

int64_t track_at(const struct track *track, uint64_t tick)
{
        return track->values[tick & (track->capacity - 1)];
}

static struct track_range *block_of(const struct track *track, uint64_t tick)
{
        return &track->blocks[(tick & (track->capacity - 1)) / block_size];
}

static void extend_by_ticks(const struct track *track, struct track_range *range, uint64_t from,
                            uint64_t to)
{
        for (uint64_t n = from; n < to; n++)
                if (track_has(track, track_at(track, n)))
                        track_extend(range, track_at(track, n));
}

void track_add(struct track *track, uint64_t tick, int64_t value)
{
        struct track_range *block = block_of(track, tick);
        uint64_t begin = tick - tick % block_size;
        bool is_again = track->first != track->next && tick + 1 == track->next;

        assert(track->first == track->next || is_again || tick == track->next);
        if (track->first == track->next)
                track->first = tick;
        track->next = tick + 1;
        if (track->next - track->first > track->capacity)
                track->first = track->next - track->capacity;
        track->values[tick & (track->capacity - 1)] = value;
        if (tick == begin || tick == track->first || is_again) {
                *block = (struct track_range){ 0 };
                extend_by_ticks(track, block, begin > track->first ? begin : track->first,
                                track->next);
        } else if (track_has(track, value)) {
                track_extend(block, value);
        }
}

void track_move(const struct track *track, struct track_spans *spans, const struct ticks *ticks,
                uint64_t t_ns)
{
        /* What the clock has forgotten is in no window any more. */
        uint64_t oldest = ticks->next > ticks->capacity ? ticks->next - ticks->capacity : 0;

        if (oldest < track->first)
                oldest = track->first;
        spans->edge[0] = track->next;
        for (uint32_t k = 1; k <= spans->count; k++) {
                uint64_t *edge = &spans->edge[k];

                if (*edge < oldest)
                        *edge = oldest;
                while (*edge < track->next && t_ns - ticks_at(ticks, *edge) >= k * spans->window_ns)
                        ++*edge;
        }
}

struct track_range track_range(const struct track *track, const struct track_spans *spans,
                               uint32_t n)
{
        struct track_range range = { .has_any = false };
        uint64_t tick = spans->edge[n + 1];
        uint64_t end = spans->edge[n];
        uint64_t block = (tick + block_size - 1) / block_size * block_size;

        if (block > end)
                block = end;
        extend_by_ticks(track, &range, tick, block);
        for (tick = block; end - tick >= block_size; tick += block_size) {
                const struct track_range *whole = block_of(track, tick);

                if (whole->has_any) {
                        track_extend(&range, whole->min);
                        track_extend(&range, whole->max);
                }
        }
        extend_by_ticks(track, &range, tick, end);
        return range;
}
