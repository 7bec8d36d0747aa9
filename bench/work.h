/* SPDX-License-Identifier: Apache-2.0 */
/* work.h - what a probe adds to a turn of a loop that also does something else (work.def).
 *
 * A loop of nothing but probes shows the most that a probe can cost: there is nothing else for the
 * CPU to do. Here there is. Units: times is the number of turns. Threads: any number at once. */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stdint.h>

#define WORK(kernel, probe, against, help) void work_##kernel##_##probe(uint64_t times);
#include "work.def"
#undef WORK

#endif
