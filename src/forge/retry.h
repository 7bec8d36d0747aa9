/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry.h - whether to ask again, and when: what both official clients agree on.
 *
 * Units:     nanoseconds; wall time only to read a date. Ownership: plain values. Threads: any.
 * Errors:    none: a header that is not understood says nothing. Limits: retry_after_max_ns.
 */
#ifndef FORGE_RETRY_H
#define FORGE_RETRY_H

#include "base/clock.h"

#include <curl/curl.h>
#include <stdbool.h>

#define RETRY_AFTER_MAX_NS CLOCK_DAY_NS
#define RETRY_BASE_NS      (500 * CLOCK_MS_NS)
#define RETRY_MAX_NS       (8 * CLOCK_S_NS)

enum retry_wish { RETRY_UNSAID, RETRY_WANTED, RETRY_UNWANTED };

/* What the headers of an answer say. */
struct retry_hints {
        enum retry_wish wish;
        bool has_ms; /* retry-after-ms counts, also if retry-after comes later */
        uint64_t after_ns;
};

/* Values are views that end with a NUL, without blanks around. Names in any case. */
void retry_take_header(struct retry_hints *hints, const char *name, const char *value,
                       uint64_t wall_ns);

/* Of an answer that is no success. */
bool retry_is_worth_status(long status, const struct retry_hints *hints);

/* Of a transfer that broke off. */
bool retry_is_worth_code(CURLcode code);

/* How long to wait before attempt n + 1, if the server did not say: min(0.5 s * 2^n, 8 s), less up
 * to a quarter of it, as `random` (all 64 bits) will have it. n counts from 0. */
uint64_t retry_backoff_ns(unsigned n, uint64_t random);

#endif
