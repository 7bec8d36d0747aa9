/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate.h - says which request of which client may pass, so that one client cannot crowd out all.
 *
 * Each client has a bucket that fills at `per_second` tokens up to `burst`; a request takes one.
 * A client whose bucket is full again is forgotten when its place is needed.
 *
 * Units:     times are milliseconds of a clock that does not go back; what seems to is ignored.
 * Ownership: the limiter is the caller's until rate_free(), which leaves NULL.
 * Errors:    0 or a negative errno; a call that fails changes nothing.
 * Threads:   any number may use one limiter at once, except for rate_free().
 * Limits:    RATE_CLIENTS_MAX clients that are known at a time.
 * Heard of:  a warning within a minute when 100 requests a minute or more come and half of them are
 *            refused; nothing while a tenth is. A page within ten seconds when 10 or more a second
 *            are turned away because no more clients can be remembered; nothing for up to 10 a
 *            minute. A warning when the places of clients will have run out within ten minutes, if
 *            it goes on as in the last half minute. A warning when memory runs out.
 */
#ifndef RATE_H
#define RATE_H

#include <stdint.h>

#define RATE_CLIENTS_MAX    4096
#define RATE_PER_SECOND_MAX 1000000
#define RATE_BURST_MAX      1000000

struct rate;

enum rate_verdict {
        RATE_PASSED = 0,
        RATE_REFUSED = 1, /* the client asks too often */
        RATE_CROWDED = 2, /* there are too many clients to remember this one */
};

/* -EINVAL if a number is 0 or beyond its limit, -ENOMEM. */
int rate_new(struct rate **ret_rate, uint32_t per_second, uint32_t burst);

/* NULL in *rate is nothing to do. */
void rate_free(struct rate **rate);

/* A request of that client at that time. */
enum rate_verdict rate_ask(struct rate *rate, uint64_t client, uint64_t now_ms);

#endif
