/* SPDX-License-Identifier: Apache-2.0 */
/* kind.h - the kinds of probes that have more than one cell, and sites that must be hit, each in a
 * loop as those of loop.h are.
 *
 * Values that are observed come from a table, 50 ns to 52 ms, each octave as often as another; the
 * loop "values" only reads them. About one in a hundred is above the timer's limit, so that a rule
 * does not ring and its branch is taken now and then.
 *
 * Units:     times is the number of operations, not of turns.
 * Ownership: kind_open() fills the table. Threads: any number at once, after that. Errors: none.
 * Limits:    times must be a multiple of LOOP_STRIDE.
 */
#ifndef BENCH_KIND_H
#define BENCH_KIND_H

#include <stdint.h>

enum { KIND_VALUE_COUNT = 1024 }; /* 8 KiB: they stay in the first cache */

extern int64_t kind_value[KIND_VALUE_COUNT];

void kind_open(void);

/* What the machine does without Tocsin. */
void kind_values(uint64_t times);
void kind_increment_two(uint64_t times);
void kind_clocks(uint64_t times);

/* Probes. */
void kind_counter_by(uint64_t times);
void kind_timer(uint64_t times);
void kind_sizes(uint64_t times);
void kind_time_scope(uint64_t times);
void kind_share(uint64_t times);
void kind_operation(uint64_t times);
void kind_operation_scope(uint64_t times);
void kind_flow(uint64_t times);
void kind_sometimes(uint64_t times);
void kind_reached(uint64_t times);

#endif
