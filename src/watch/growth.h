/* SPDX-License-Identifier: Apache-2.0 */
/*
 * growth.h - what only ever grows, place by place: an analyser as insight.h describes.
 *
 * A ratchet (doc/rules.md, `growth`): the floor, which is the least that was live in a window, has
 * risen in five windows of growth_window_s running. Of memory each time by at least 64 KiB and a
 * hundredth: less than that is the noise of an allocator, and more would hide a slow leak for a
 * day. Of descriptors and threads by a twentieth: a cache of open files fills more and more slowly.
 *
 * Descriptors and threads come to an end, and that does not wait: they ring, too, when the floor
 * rose in three windows of growth_pace_s, and at the least of these rises the end is less than
 * growth_soon_s away. It is the soft RLIMIT_NOFILE of the process, and the number of threads that
 * libtocsin-inside has room for.
 *
 * What that cannot tell from a load that rises for as long, rests can: a module that nobody is in,
 * and that has made no block for growth_rest_s, has no work of which it could hold anything. It
 * grows if it holds more at each of growth_rests rests than at all before. A cache may be filled in
 * as many bursts: a budget of idle_bytes (idle.h) says what may stay.
 *
 * A load that rises in each of five windows is taken for growth, until a window comes in which it
 * does not: twenty minutes of it are enough for that, and no numbers could tell.
 *
 * Units: seconds, bytes. Ownership: none. Threads: one. Errors: none. Limits: INSIDE_SITES.
 */
#ifndef WATCH_GROWTH_H
#define WATCH_GROWTH_H

#include "watch/insight.h"

enum {
        growth_windows = 5,
        growth_window_s = 300,
        growth_heap_least = 64 << 10,
        growth_pace_s = 10,
        growth_pace_windows = 3,
        growth_soon_s = 600,
        growth_rest_s = 30,
        growth_rests = 5,
};

/* A module as a whole: memory only. */
struct growth_module {
        uint64_t bytes, made;  /* at the last tick */
        uint64_t made_before;  /* at the one before */
        uint64_t made_at_rest; /* at the last one */
        uint64_t most_at_rest; /* of all so far */
        uint64_t rose;         /* over the rests that rose */
        uint32_t rests, risen;
        uint32_t quiet_s;
};

struct growth_ratchet {
        uint64_t floor; /* of the window that goes on */
        uint64_t last;  /* of the one before */
        uint64_t rose;  /* since the first of the windows that rose */
        uint64_t least; /* of the rises since then */
        uint32_t risen; /* windows in a row */
};

struct growth {
        struct growth_ratchet site[INSIDE_SITES];
        struct growth_ratchet pace[INSIDE_SITES]; /* of descriptors and threads, too */
        struct growth_module module[INSIDE_MODULES];
        uint64_t ticks;
        uint32_t window_s;     /* 0: growth_window_s */
        uint64_t files_limit;  /* 0: not known */
        uint64_t files, tasks; /* of the whole process, as far as they are seen */
};

void growth_see(struct growth *growth, const struct picture *picture, struct insight *insight);
json_t *growth_details(const struct growth *growth, const struct picture *picture,
                       const struct namer *namer, uint32_t module, unsigned probe);

#endif
