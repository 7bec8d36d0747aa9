/* SPDX-License-Identifier: Apache-2.0 */
/* ticks.h - when the remembered samples were taken, once for all rows of a set.
 *
 * Ticks are numbered 0, 1, 2 ... A row's history stores events by tick number and no times.
 *
 * Units:     nanoseconds of the caller's clock, never going back.
 * Ownership: the struct owns its ring; ticks_fini frees it.
 * Limits:    a number is due each TICKS_SPACING_NS, and up to TICKS_SAVED_MAX that were not taken
 *            are saved up. A tick that finds none takes the place of the last. So W seconds hold at
 *            most ticks_most(W) ticks however often the caller ticks, and ticks a second apart are
 *            all kept, even if some of them are late. What is lost is an instant at which a window
 *            could have begun: it then begins at the tick before, less than a second earlier. */
#ifndef RULE_TICKS_H
#define RULE_TICKS_H

#include <stddef.h>
#include <stdint.h>

/* Somewhat less than a second: nobody ticks quite punctually. */
#define TICKS_SPACING_NS UINT64_C(968750000)

enum { TICKS_SAVED_MAX = 16 };

struct ticks {
        uint64_t *at_ns; /* of tick n: at_ns[n & (capacity - 1)] */
        size_t capacity; /* a power of two */
        uint64_t next;   /* number of the tick that comes next */
        uint64_t due_ns; /* when it is due */
};

int ticks_init(struct ticks *ticks);
void ticks_fini(struct ticks *ticks);

/* As many ticks are needed to look that far back. */
size_t ticks_most(uint32_t window_s);

/* Makes room for windows of that length. 0 or -ENOMEM. */
int ticks_reserve(struct ticks *ticks, uint32_t window_s);

/* The number of the tick at t_ns: a new one, or that of the last, which moves to t_ns. */
uint64_t ticks_add(struct ticks *ticks, uint64_t t_ns);

/* When tick `number` was. It must not be older than the longest window reserved. */
uint64_t ticks_at(const struct ticks *ticks, uint64_t number);

#endif
