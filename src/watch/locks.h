/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locks.h - who waits for whom: an analyser as insight.h describes.
 *
 * A circle of threads that wait for what the next one holds, or for its end, is a deadlock once it
 * has stood for LOCKS_STABLE_NS: a page that is read while its thread runs may show a circle that
 * never was. Whoever wants a lock that several hold waits for all of them. Ages are the watcher's:
 * a wait is as old as the first glance that saw its number.
 *
 * Units: nanoseconds. Ownership: none. Threads: one. Errors: none. Limits: INSIDE_THREADS_MAX;
 *        the time of a glance grows with the square of the threads that wait, and no faster.
 */
#ifndef WATCH_LOCKS_H
#define WATCH_LOCKS_H

#include "watch/insight.h"

#define LOCKS_STABLE_NS (150 * CLOCK_MS_NS)

/* A machine that stood still makes a short wait look long: it has to be seen a few times. */
enum { locks_looks_min = 5 };

enum { locks_glances = 10, locks_owned_max = INSIDE_THREADS_MAX * (INSIDE_HELD + 1) };

/* Who holds what. The end of a thread is held by it, and joining waits for that. */
struct locks_owned {
        uint64_t lock;
        bool is_end;
        uint32_t holder; /* in the picture */
        uint32_t number; /* of the holding */
        uint32_t search; /* the last one that went through all holders of it; of the first only */
};

struct locks {
        struct {
                uint64_t number; /* of the wait */
                uint64_t since_ns;
                uint64_t held;       /* who holds it, since when: another number each time */
                uint64_t kept_ns;    /* since when that one keeps it from this thread */
                uint32_t kept_looks; /* how often it was seen to */
                bool is_stuck;       /* in a circle */
        } waits[INSIDE_THREADS_MAX]; /* by page */
        uint32_t waiters[locks_glances][INSIDE_MODULES];
        uint32_t glances;
        /* Of the glance that goes on, in order of locks. */
        struct locks_owned owned[locks_owned_max];
        uint32_t owned_count;
        bool is_stable[INSIDE_THREADS_MAX];   /* by thread of the picture */
        uint32_t reached[INSIDE_THREADS_MAX]; /* by which of the searches */
        uint32_t search;
};

void locks_glance(struct locks *locks, const struct picture *picture, struct insight *insight);
json_t *locks_details(const struct locks *locks, const struct picture *picture,
                      const struct namer *namer, uint32_t module, unsigned probe);

/* All who wait in a module, for conditions, semaphores and ends of threads as well: whether anybody
 * will ever wake them cannot be known, but whoever asks why nothing moves wants to see them. */
json_t *locks_waiters(const struct locks *locks, const struct picture *picture,
                      const struct namer *namer, uint32_t module);

#endif
