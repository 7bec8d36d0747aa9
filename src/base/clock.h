/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - two clocks that must not be mixed, and how a time is written for people.
 *
 * Units:     nanoseconds in uint64_t. Monotonic time counts from boot and serves every duration and
 *            deadline; wall time counts from 1970 UTC, may jump, and only labels events.
 * Ownership: the caller gives the buffer. Threads: any. Errors: none; both clocks always exist on
 *            Linux. Limits: wall times up to the year 2554, where the count of 64 bits ends.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/base.h"

#include <stdint.h>

#define CLOCK_US_NS   UINT64_C(1000)
#define CLOCK_MS_NS   UINT64_C(1000000)
#define CLOCK_S_NS    UINT64_C(1000000000)
#define CLOCK_MIN_NS  (60 * CLOCK_S_NS)
#define CLOCK_HOUR_NS (60 * CLOCK_MIN_NS)
#define CLOCK_DAY_NS  (24 * CLOCK_HOUR_NS)

enum { clock_text_bytes = sizeof("2026-01-31T23:59:59.999Z") };

uint64_t clock_monotonic_ns(void);
uint64_t clock_wall_ns(void);

/* RFC 3339 in UTC with milliseconds, cut and not rounded: a text never names a time to come. */
void clock_text(uint64_t wall_ns, char ret_text[static clock_text_bytes]);

#endif
