/* SPDX-License-Identifier: Apache-2.0 */
/* bell.h - failed expectations one at a time, as they come in real programs: cold, and seldom.
 *
 * libtocsin rings the doorbell at most every 5 ms, so each of these waits for a while before. They
 * are to be run by a thread of the crew.
 *
 * Units:     nanoseconds. Ownership: the listener lives only as long as one call.
 * Threads:   one call at a time. Errors: -errno; -ETIMEDOUT when the bell was not heard.
 * Limits:    one second for a ring to arrive.
 */
#ifndef BENCH_BELL_H
#define BENCH_BELL_H

#include <stdint.h>

/* Where the bell hangs, and on which CPU its listener runs (-1: any). Once, before the others. */
int bell_place(const char *directory, int cpu);

int bell_miss_unheard(uint64_t *ret_ns); /* the call alone; nobody listens */
int bell_miss_heard(uint64_t *ret_ns);   /* the call alone; it wakes a listener */
int bell_doorbell(uint64_t *ret_ns);     /* from before the call until the listener knows */

#endif
