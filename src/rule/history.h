/* SPDX-License-Identifier: Apache-2.0 */
/* history.h - how many events of one row lie in the window (t-W, t].
 *
 * A ring of slots in order of time. A slot holds the events of `stride` ticks in a row, in `width`
 * bytes, and leaves the window as a whole, when its last tick does. `inside` is the sum of all
 * slots, so a count costs no loop over the window.
 *
 * Exactness: with stride 1 the count is exact: the value at t less that of the latest tick at or
 *            before t-W. With stride k the latest tick may be one of up to k-1 ticks before that:
 *            the window reaches back further by less than k ticks, never less far.
 *            The stride begins at 1, for windows longer than an hour at as many ticks as it has
 *            hours (24 for a day). It doubles when slots no longer suffice, because ticks come more
 *            often than once a second, or when a slot's events no longer fit. Slots are made as
 *            wide as HISTORY_BYTES_MAX allows: 8 bytes up to 445 s, 4 up to 896 s, 2 up to 1800 s,
 *            1 above. So shorter windows never lack width, and an hour is exact until a tick brings
 *            more than 255 events; from then on it is exact to 2 ticks, and beyond 65535 in 2 ticks
 *            to 4.
 * Units:     windows in seconds, times in nanoseconds.
 * Ownership: the struct owns its slots; history_fini frees them.
 * Limits:    HISTORY_BYTES_MAX. Nothing but history_init allocates. */
#ifndef RULE_HISTORY_H
#define RULE_HISTORY_H

#include <stdint.h>

#include "rule/ticks.h"

enum { HISTORY_BYTES_MAX = 3840 };

struct history {
        uint8_t *slots;
        uint32_t bytes;  /* of all slots, a multiple of 16 */
        uint32_t width;  /* of a slot: 1, 2, 4 or 8 bytes */
        uint32_t count;  /* of slots: bytes / width, an even number */
        uint32_t stride; /* ticks a slot */
        uint32_t head;   /* the oldest slot in use */
        uint32_t used;
        uint64_t first; /* tick with which the oldest slot begins */
        uint64_t last;  /* newest tick */
        uint64_t inside;
        uint64_t window_ns;
};

int history_init(struct history *history, uint32_t window_s);
void history_fini(struct history *history);

/* That many events happened up to `tick`, since the tick before it: the newest so far, or the next
 * one. Events beyond UINT64_MAX in one window are the caller's to prevent. */
void history_add(struct history *history, uint64_t tick, uint64_t events);

/* The events that were added in (t-W, t]. t_ns never goes back: older slots are forgotten. */
uint64_t history_count(struct history *history, const struct ticks *ticks, uint64_t t_ns);

#endif
