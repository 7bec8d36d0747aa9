/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because 10 000 rows that each remember an hour must fit into a small watcher. A tick in
 * which nothing much happened needs one byte; the memory is taken once, when the row is added.
 *
 * What gives way when something does not fit is the resolution in time, by merging neighbours, and
 * never the count: blurred counts would make a rule `> 5` ring for ever after one large burst. */
#include "rule/history.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { width_max = 8 };

/* Bytes of a series in all slots together. A series alone takes few; several are compared with each
 * other, seldom many, and must not lose an hour's exactness to a busy second. */
static uint32_t bytes_max(uint32_t series)
{
        return series == 1 ? HISTORY_SLOTS_MAX : 4 * HISTORY_SLOTS_MAX;
}

/* One slot a second, and some more because ticks are not punctual. */
static uint32_t slots_wanted(uint32_t window_s)
{
        uint32_t wanted = window_s + window_s / 16 + 8;

        return wanted < HISTORY_SLOTS_MAX ? wanted : HISTORY_SLOTS_MAX;
}

int history_init(struct history *history, uint32_t window_s, uint32_t series)
{
        uint32_t slots = slots_wanted(window_s);
        uint32_t width = width_max;

        assert(series >= 1 && series <= HISTORY_SERIES_MAX);
        if (series > 1)
                width /= 2; /* seldom too little, and then they become wider */
        while (slots * width > bytes_max(series))
                width /= 2;
        *history = (struct history){
                .series = series,
                .width = width,
                .count = (slots * width + 2 * width_max - 1) / (2 * width_max) * 2 * width_max /
                         width,
                .stride = 1,
                .window_ns = (uint64_t)window_s * 1000000000,
        };
        history->slots = calloc((size_t)history->count * series, width);
        return history->slots ? 0 : -ENOMEM;
}

size_t history_bytes(const struct history *history)
{
        return (size_t)history->count * history->series * history->width;
}

void history_fini(struct history *history)
{
        free(history->slots);
        *history = (struct history){ 0 };
}

static inline uint64_t load(const uint8_t *slots, uint32_t width, uint32_t index)
{
        const uint8_t *slot = slots + (size_t)index * width;
        uint16_t two;
        uint32_t four;
        uint64_t eight;

        switch (width) {
        case 1:
                return *slot;
        case 2:
                memcpy(&two, slot, sizeof(two));
                return two;
        case 4:
                memcpy(&four, slot, sizeof(four));
                return four;
        default:
                memcpy(&eight, slot, sizeof(eight));
                return eight;
        }
}

static inline void store(uint8_t *slots, uint32_t width, uint32_t index, uint64_t events)
{
        uint8_t *slot = slots + (size_t)index * width;
        uint16_t two = (uint16_t)events;
        uint32_t four = (uint32_t)events;

        switch (width) {
        case 1:
                *slot = (uint8_t)events;
                break;
        case 2:
                memcpy(slot, &two, sizeof(two));
                break;
        case 4:
                memcpy(slot, &four, sizeof(four));
                break;
        default:
                memcpy(slot, &events, sizeof(events));
                break;
        }
}

/* Where the nth slot in use lies, the oldest being 0. */
static uint32_t place(const struct history *history, uint32_t nth)
{
        uint32_t index = history->head + nth;

        return index < history->count ? index : index - history->count;
}

static inline void load_slot(const struct history *history, uint32_t index, uint64_t *ret_events)
{
        for (uint32_t i = 0; i < history->series; i++)
                ret_events[i] = load(history->slots, history->width, index * history->series + i);
}

static inline void store_slot(struct history *history, uint32_t index, const uint64_t *events)
{
        for (uint32_t i = 0; i < history->series; i++)
                store(history->slots, history->width, index * history->series + i, events[i]);
}

static bool fits(const struct history *history, const uint64_t *events)
{
        uint64_t all = 0;

        for (uint32_t i = 0; i < history->series; i++)
                all |= events[i];
        return history->width >= width_max || all >> (8 * history->width) == 0;
}

static void reverse(uint8_t *bytes, size_t count)
{
        for (size_t i = 0; i < count / 2; i++) {
                uint8_t byte = bytes[i];

                bytes[i] = bytes[count - 1 - i];
                bytes[count - 1 - i] = byte;
        }
}

/* Moves the oldest slot to the front. Three reversals need no second buffer. */
static void straighten(struct history *history)
{
        size_t slot = (size_t)history->series * history->width;
        size_t split = history->head * slot;
        size_t all = history->count * slot;

        if (!split)
                return;

        reverse(history->slots, split);
        reverse(history->slots + split, all - split);
        reverse(history->slots, all);
        history->head = 0;
}

/* Slots twice as wide, and half as many. Backwards: none is overwritten before it was read. */
static void widen(struct history *history)
{
        struct history wide = *history;
        uint64_t events[HISTORY_SERIES_MAX];

        straighten(history);
        wide.head = 0;
        wide.width *= 2;
        wide.count /= 2;
        for (uint32_t i = history->used; i-- > 0;) {
                load_slot(history, i, events);
                store_slot(&wide, i, events);
        }
        *history = wide;
}

static void load_pair(const struct history *history, uint32_t first, uint64_t *ret_events)
{
        uint64_t second[HISTORY_SERIES_MAX];

        load_slot(history, first, ret_events);
        if (first + 1 == history->used)
                return;
        load_slot(history, first + 1, second);
        for (uint32_t i = 0; i < history->series; i++)
                ret_events[i] += second[i];
}

/* Doubles the stride: neighbours become one slot, twice as wide if `wider` or if need be. A pair
 * lies where both of its slots did or before. */
static void merge(struct history *history, bool wider)
{
        struct history merged;
        uint64_t events[HISTORY_SERIES_MAX];

        straighten(history);
        for (uint32_t i = 0; i < history->used && !wider; i += 2) {
                load_pair(history, i, events);
                wider = !fits(history, events);
        }
        merged = *history;
        if (wider) {
                merged.width *= 2;
                merged.count /= 2;
        }
        for (uint32_t i = 0; i < history->used; i += 2) {
                load_pair(history, i, events);
                store_slot(&merged, i / 2, events);
        }
        merged.used = (merged.used + 1) / 2;
        merged.stride *= 2;
        *history = merged;
}

void history_add(struct history *history, uint64_t tick, const uint64_t *events)
{
        uint64_t sum[HISTORY_SERIES_MAX];
        bool joins;

        if (!history->used)
                history->first = tick;
        history->last = tick;
        for (uint32_t i = 0; i < history->series; i++)
                history->inside[i] += events[i];
        for (;;) {
                joins = tick - history->first < (uint64_t)history->used * history->stride;
                if (joins)
                        load_slot(history, place(history, history->used - 1), sum);
                for (uint32_t i = 0; i < history->series; i++)
                        sum[i] = joins ? sum[i] + events[i] : events[i];
                if (!fits(history, sum) && history->used < history->count / 2)
                        widen(history);
                else if (!fits(history, sum))
                        merge(history, true);
                else if (!joins && history->used == history->count)
                        merge(history, false);
                else
                        break;
        }
        history->used += !joins;
        store_slot(history, place(history, history->used - 1), sum);
}

/* The last tick of the oldest slot. */
static uint64_t oldest(const struct history *history)
{
        uint64_t tick = history->first + history->stride - 1;

        return tick < history->last ? tick : history->last;
}

const uint64_t *history_count(struct history *history, const struct ticks *ticks, uint64_t t_ns)
{
        uint64_t events[HISTORY_SERIES_MAX];

        while (history->used && t_ns - ticks_at(ticks, oldest(history)) >= history->window_ns) {
                load_slot(history, history->head, events);
                for (uint32_t i = 0; i < history->series; i++)
                        history->inside[i] -= events[i];
                history->head = place(history, 1);
                history->used--;
                history->first += history->stride;
        }
        return history->inside;
}
