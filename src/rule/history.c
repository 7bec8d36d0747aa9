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

/* merge() copies all slots to its stack, and halves their number. */
_Static_assert(HISTORY_BYTES_MAX % (2 * width_max) == 0, "an even number of slots at any width");

/* One slot a second, and some more because ticks are not punctual. */
static uint32_t slots_wanted(uint32_t window_s)
{
        return window_s + window_s / 16 + 8;
}

int history_init(struct history *history, uint32_t window_s)
{
        uint32_t wanted = slots_wanted(window_s);
        uint32_t stride = (wanted + HISTORY_BYTES_MAX - 1) / HISTORY_BYTES_MAX;
        uint32_t slots = (wanted + stride - 1) / stride;
        uint32_t width = width_max;

        while (width > 1 && slots * width > HISTORY_BYTES_MAX)
                width /= 2;
        *history = (struct history){
                .bytes = (slots * width + 2 * width_max - 1) / (2 * width_max) * (2 * width_max),
                .width = width,
                .stride = stride,
                .window_ns = (uint64_t)window_s * 1000000000,
        };
        history->slots = calloc(1, history->bytes);
        history->count = history->bytes / width;
        return history->slots ? 0 : -ENOMEM;
}

void history_fini(struct history *history)
{
        free(history->slots);
        *history = (struct history){ 0 };
}

static bool fits(uint64_t events, uint32_t width)
{
        return width >= width_max || events >> (8 * width) == 0;
}

static uint64_t load(const uint8_t *slots, uint32_t width, uint32_t index)
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

static void store(uint8_t *slots, uint32_t width, uint32_t index, uint64_t events)
{
        uint8_t *slot = slots + (size_t)index * width;
        uint16_t two = (uint16_t)events;
        uint32_t four = (uint32_t)events;

        assert(fits(events, width));
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

static uint64_t pair(const uint8_t *slots, uint32_t width, uint32_t used, uint32_t first)
{
        uint64_t sum = load(slots, width, first);

        return first + 1 < used ? sum + load(slots, width, first + 1) : sum;
}

/* Doubles the stride: neighbours become one slot, twice as wide if `wider` or if need be. */
static void merge(struct history *history, bool wider)
{
        uint8_t old[HISTORY_BYTES_MAX];
        uint32_t width = history->width;
        uint32_t used = history->used;
        uint32_t to_end = history->count - history->head;
        size_t split = (size_t)(used < to_end ? used : to_end) * width;

        assert(history->bytes <= sizeof(old));
        memcpy(old, history->slots + (size_t)history->head * width, split);
        memcpy(old + split, history->slots, (size_t)used * width - split);

        for (uint32_t i = 0; i < used && !wider; i += 2)
                wider = !fits(pair(old, width, used, i), width);
        if (wider) {
                history->width *= 2;
                history->count /= 2;
        }
        for (uint32_t i = 0; i < used; i += 2)
                store(history->slots, history->width, i / 2, pair(old, width, used, i));
        history->head = 0;
        history->used = (used + 1) / 2;
        history->stride *= 2;
}

void history_add(struct history *history, uint64_t tick, uint64_t events)
{
        bool joins;
        uint64_t sum;

        if (!history->used)
                history->first = tick;
        history->last = tick;
        history->inside += events;
        for (;;) {
                joins = tick - history->first < (uint64_t)history->used * history->stride;
                sum = events;
                if (joins)
                        sum += load(history->slots, history->width,
                                    place(history, history->used - 1));
                if (!fits(sum, history->width))
                        merge(history, true);
                else if (!joins && history->used == history->count)
                        merge(history, false);
                else
                        break;
        }
        history->used += !joins;
        store(history->slots, history->width, place(history, history->used - 1), sum);
}

/* The last tick of the oldest slot. */
static uint64_t oldest(const struct history *history)
{
        uint64_t tick = history->first + history->stride - 1;

        return tick < history->last ? tick : history->last;
}

uint64_t history_count(struct history *history, const struct ticks *ticks, uint64_t t_ns)
{
        while (history->used && t_ns - ticks_at(ticks, oldest(history)) >= history->window_ns) {
                history->inside -= load(history->slots, history->width, history->head);
                history->head = place(history, 1);
                history->used--;
                history->first += history->stride;
        }
        return history->inside;
}
