/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h - the operations that are measured, each in a loop of its own.
 *
 * What takes less than a nanosecond stands eight times in a turn, probes and what they are compared
 * with alike: so a figure has an eighth of what a turn costs in it (the row "empty"), and ratios
 * are of operations and not of loops.
 *
 * Units:     times is the number of operations, not of turns.
 * Ownership: loop_open() opens what the loops write to, loop_close() closes it.
 * Threads:   any number at once, between open and close.
 * Errors:    -errno from loop_open(); the loops cannot fail.
 * Limits:    times must be a multiple of LOOP_STRIDE.
 */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

#include <stdint.h>

enum { LOOP_STRIDE = 8 };

int loop_open(void);
void loop_close(void);

/* What the machine does without Tocsin. */
void loop_empty(uint64_t times);
void loop_increment(uint64_t times);
void loop_increment_at(uint64_t times);
void loop_increments(uint64_t times);
void loop_store(uint64_t times);
void loop_branch(uint64_t times);
void loop_locked_add(uint64_t times);
void loop_fprintf(uint64_t times);
void loop_write(uint64_t times);

/* Probes. */
void loop_counter(uint64_t times);
void loop_counters(uint64_t times);
void loop_level(uint64_t times);
void loop_gauge(uint64_t times);
void loop_heartbeat(uint64_t times);
void loop_expect(uint64_t times);
void loop_expect_cmp(uint64_t times);
void loop_error_suppressed(uint64_t times);
void loop_error_reported(uint64_t times);
void loop_miss_storm(uint64_t times);

/* One failed expectation that is reported with values and stack, and rings the doorbell. */
void loop_miss(void);

#endif
