/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because events are written while we read them: a slot counts only if its number is the
 * same before and after the copy, and whatever it says about sizes and rows is checked in the copy.
 */
#include "watch/segment.h"

#include <errno.h>
#include <stddef.h>

static bool is_in_range(const struct segment_event *event)
{
        return event->kind >= SEGMENT_EVENT_MISS && event->kind <= SEGMENT_EVENT_WARNING &&
               event->stack_depth <= SEGMENT_STACK_MAX && event->text_bytes <= sizeof(event->text);
}

/* An object that was loaded since the last refresh: its rows come with the next one. */
static bool is_too_new(const struct segment_view *view, const struct segment_event *event)
{
        return event->object >= view->object_count || !view->objects[event->object].has_rows;
}

static bool find_row(const struct segment_view *view, const struct segment_event *event,
                     uint32_t *ret_row)
{
        const struct segment_view_object *object = &view->objects[event->object];

        if (event->row >= object->row_count)
                return false;
        *ret_row = object->first_row + event->row;
        return !view->rows[*ret_row].bad;
}

static int compare_news(const void *left, const void *right)
{
        const struct segment_news *a = left, *b = right;

        return a->event->seq < b->event->seq ? -1 : a->event->seq > b->event->seq;
}

/* Whether the slot still holds what was copied. */
static int read_seq(const struct segment_view *view, uint32_t slot, uint64_t *ret_seq,
                    const char **ret_why)
{
        uint64_t offset = view->slots.offset + sizeof(struct segment_ring) +
                          (uint64_t)slot * sizeof(struct segment_event) +
                          offsetof(struct segment_event, seq);

        return segment_copy(view, offset, ret_seq, sizeof(*ret_seq), ret_why);
}

static int take_slot(struct segment_view *view, uint32_t slot, struct segment_news *ret_news,
                     bool *ret_is_news, const char **ret_why)
{
        struct segment_view_slots *slots = &view->slots;
        const struct segment_event *event = &slots->copy[slot];
        uint64_t seq = 0;
        int outcome;

        *ret_is_news = false;
        if (event->seq & 1)
                slots->has_unfinished = true;
        if ((event->seq & 1) || event->seq <= slots->seen[slot])
                return 0;
        outcome = read_seq(view, slot, &seq, ret_why);
        if (outcome)
                return outcome;
        if (seq != event->seq || (is_in_range(event) && is_too_new(view, event))) {
                slots->has_unfinished = true; /* the next look finds it */
                return 0;
        }
        slots->seen[slot] = seq;
        *ret_is_news = is_in_range(event) && find_row(view, event, &ret_news->row);
        ret_news->event = event;
        return 0;
}

/* Most processes report seldom, and those that are watched may be many. */
static int keep_copy(struct segment_view_slots *slots, bool is_needed)
{
        if (!is_needed) {
                free(slots->copy);
                slots->copy = NULL;
        } else if (!slots->copy) {
                slots->copy = calloc(slots->count, sizeof(*slots->copy));
        }
        return is_needed && !slots->copy ? -ENOMEM : 0;
}

void segment_forget_events(struct segment_view *view)
{
        (void)keep_copy(&view->slots, false); /* frees, which cannot fail */
}

int segment_read_events(struct segment_view *view, struct segment_news *into, size_t into_max,
                        size_t *ret_count, const char **ret_why)
{
        struct segment_view_slots *slots = &view->slots;
        struct segment_ring ring;
        size_t count = 0;
        bool is_needed;
        int outcome;

        *ret_count = 0;
        if (!slots->offset)
                return 0;
        outcome = segment_copy(view, slots->offset, &ring, sizeof(ring), ret_why);
        if (outcome)
                return outcome;
        is_needed = ring.next_number != slots->next_number || slots->has_unfinished;
        outcome = keep_copy(slots, is_needed);
        if (outcome || !is_needed)
                return outcome;
        outcome = segment_copy(view, slots->offset + sizeof(ring), slots->copy,
                               slots->count * sizeof(*slots->copy), ret_why);
        if (outcome)
                return outcome;
        slots->next_number = ring.next_number;
        slots->has_unfinished = false;
        for (uint32_t i = 0; i < slots->count && count < into_max; i++) {
                bool is_news;

                outcome = take_slot(view, i, &into[count], &is_news, ret_why);
                if (outcome)
                        return outcome;
                count += is_news;
        }
        if (count)
                qsort(into, count, sizeof(*into), compare_news);
        *ret_count = count;
        return 0;
}
