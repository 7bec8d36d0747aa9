/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locks.h - who waits for whom: an analyser as insight.h describes.
 *
 * A circle of threads that wait for what the next one holds is a deadlock once it has stood for
 * locks_stable_ns: a page that is read while its thread runs may show a circle that never was. Ages
 * are the watcher's: a wait is as old as the first glance that saw its number.
 *
 * Units: nanoseconds. Ownership: none. Threads: one. Errors: none. Limits: INSIDE_THREADS_MAX.
 */
#ifndef WATCH_LOCKS_H
#define WATCH_LOCKS_H

#include "watch/insight.h"

enum { locks_glances = 10 };

struct locks {
        struct {
                uint64_t number; /* of the wait */
                uint64_t since_ns;
                uint64_t held;       /* who holds it, since when: another number each time */
                uint64_t kept_ns;    /* since when that one keeps it from this thread */
                bool is_stuck;       /* in a circle */
        } waits[INSIDE_THREADS_MAX]; /* by page */
        uint32_t waiters[locks_glances][INSIDE_MODULES];
        uint32_t glances;
};

void locks_glance(struct locks *locks, const struct picture *picture, struct insight *insight);
json_t *locks_details(const struct locks *locks, const struct picture *picture,
                      const struct namer *namer, uint32_t module, unsigned probe);

#endif
