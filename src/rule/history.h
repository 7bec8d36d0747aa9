/* SPDX-License-Identifier: Apache-2.0 */
/* history.h - how many events of one row lie in the window (t-W, t], for up to three series, which
 * are compared with each other and must therefore look back equally far.
 *
 * A ring of slots in order of time. A slot holds the events of `stride` ticks in a row, in `width`
 * bytes a series, and leaves the window as a whole, when its last tick does. `inside` is the sum of
 * all slots, so a count costs no loop over the window.
 *
 * Exactness: with stride 1 the count is exact: the value at t less that of the latest tick at or
 *            before t-W. With stride k the latest tick may be one of up to k-1 ticks before that:
 *            the window reaches back further by less than k ticks, never less far.
 *            The stride begins at 1. It doubles when slots no longer suffice: there are some more
 *            than W has seconds, but no more than HISTORY_SLOTS_MAX, which at a tick a second is an
 *            hour. For one series, it also doubles when a slot's events no longer fit and making
 *            slots wider leaves too few of them. Slots are 8 bytes wide up to 445 s, 4 up to 896 s,
 *            2 up to 1800 s, 1 above. So shorter windows never lack width, and an hour is exact
 *            until a tick brings more than 255 events; from then on it is exact to 2 ticks, and
 *            beyond 65535 in 2 ticks to 4. Two or three series have 4 bytes.
 * Units:     windows in seconds, times in nanoseconds.
 * Ownership: the struct owns its slots; history_fini frees them.
 * Limits:    HISTORY_SLOTS_MAX bytes for one series, four times that for each of several. Nothing
 *            but history_init allocates. */
#ifndef RULE_HISTORY_H
#define RULE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "rule/ticks.h"

enum { HISTORY_SLOTS_MAX = 3840, HISTORY_SERIES_MAX = 3 };

struct history {
        uint8_t *slots;
        uint32_t series; /* how many */
        uint32_t width;  /* of a series in a slot: 1, 2, 4 or 8 bytes */
        uint32_t count;  /* of slots, an even number while they can become wider */
        uint32_t stride; /* ticks a slot */
        uint32_t head;   /* the oldest slot in use */
        uint32_t used;
        uint64_t first; /* tick with which the oldest slot begins */
        uint64_t last;  /* newest tick */
        uint64_t inside[HISTORY_SERIES_MAX];
        uint64_t window_ns;
};

int history_init(struct history *history, uint32_t window_s, uint32_t series);
void history_fini(struct history *history);
size_t history_bytes(const struct history *history); /* of memory, beside the struct */

/* That many events of each series happened up to `tick`, since the tick before it: the newest so
 * far, or the next one. Events beyond UINT64_MAX in one window are the caller's to prevent. */
void history_add(struct history *history, uint64_t tick, const uint64_t *events);

/* The events of each series that were added in (t-W, t]: history->inside. t_ns never goes back:
 * older slots are forgotten. */
const uint64_t *history_count(struct history *history, const struct ticks *ticks, uint64_t t_ns);

#endif
