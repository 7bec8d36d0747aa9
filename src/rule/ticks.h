/* SPDX-License-Identifier: Apache-2.0 */
/* ticks.h - when the remembered samples were taken, once for all rows of a set.
 *
 * Ticks are numbered 0, 1, 2 ... A row's history stores events by tick number and no times.
 *
 * Units:     nanoseconds of the caller's clock, never going back.
 * Ownership: the struct owns its ring; ticks_fini frees it.
 * Limits:    a tick less than TICKS_SPACING_NS after the last but one takes the place of the last.
 *            So W seconds hold at most 2 W ticks however often the caller ticks, and ticks half a
 *            second apart or more are all kept. What is lost is one instant at which a window could
 *            have begun: it then begins at the tick before, less than a second earlier. */
#ifndef RULE_TICKS_H
#define RULE_TICKS_H

#include <stddef.h>
#include <stdint.h>

#define TICKS_SPACING_NS UINT64_C(1000000000)

struct ticks {
        uint64_t *at_ns; /* of tick n: at_ns[n & (capacity - 1)] */
        size_t capacity; /* a power of two */
        uint64_t next;   /* number of the tick that comes next */
};

int ticks_init(struct ticks *ticks);
void ticks_fini(struct ticks *ticks);

/* Makes room for windows of that length. 0 or -ENOMEM. */
int ticks_reserve(struct ticks *ticks, uint32_t window_s);

/* The number of the tick at t_ns: a new one, or that of the last, which moves to t_ns. */
uint64_t ticks_add(struct ticks *ticks, uint64_t t_ns);

/* When tick `number` was. It must not be older than the longest window reserved. */
uint64_t ticks_at(const struct ticks *ticks, uint64_t number);

#endif
