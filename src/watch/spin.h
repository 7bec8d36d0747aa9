/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spin.h - who uses the processor, and who uses it for nothing: an analyser as insight.h describes.
 *
 * CPU time goes to the module that a thread worked for when it was looked at: a sample each 100 ms.
 *
 * A thread spins if it runs at full speed, neither reads nor writes, and makes no progress: inside
 * a module for SPIN_INSIDE_NS without entering or leaving one, outside of all for SPIN_OUTSIDE_NS
 * without anything that libtocsin-inside sees (a compressor computes for a while; that is no
 * fault), and no heartbeat of the process moves meanwhile. The kernel's own count of time in system
 * calls is of no help: it goes by ticks, and on a busy machine charged more than half of a loop
 * that never left user mode.
 *
 * Units: nanoseconds. Ownership: none. Threads: one. Errors: none. Limits: INSIDE_THREADS_MAX.
 */
#ifndef WATCH_SPIN_H
#define WATCH_SPIN_H

#include "watch/insight.h"

#define SPIN_INSIDE_NS  (300 * CLOCK_MS_NS)
#define SPIN_OUTSIDE_NS (5 * CLOCK_S_NS)

enum { spin_rate_s = 10 };

/* Since when, and what the thread had used and waited for then. */
struct spin_since {
        uint64_t ns, cpu_ns, waited_ns;
};

struct spin {
        struct {
                uint32_t id;
                uint64_t at_ns, cpu_ns;
                uint64_t entries, activity, io_calls;
                struct spin_since entered, moved; /* without entering; without anything */
        } seen[INSIDE_THREADS_MAX];               /* by page */
        uint64_t beats;      /* the caller's: sum of all heartbeats of the process */
        uint64_t beats_then; /* at the last glance */
        uint64_t used_ns[INSIDE_MODULES];
        uint64_t used_then_ns[spin_rate_s + 1][INSIDE_MODULES];
        uint64_t ticks;
        uint32_t spinner[INSIDE_MODULES]; /* thread id */
};

void spin_glance(struct spin *spin, const struct picture *picture, struct insight *insight);
void spin_see(struct spin *spin, const struct picture *picture, struct insight *insight);
json_t *spin_details(const struct spin *spin, const struct picture *picture,
                     const struct namer *namer, uint32_t module);

#endif
