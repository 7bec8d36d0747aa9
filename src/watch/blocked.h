/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocked.h - calls on files that do not come back: an analyser as insight.h describes.
 *
 * Whoever reads from a socket, pipe or terminal waits as long as it takes; a file answers. So only
 * reads, writes and syncs of regular files and block devices are looked at, and what a descriptor
 * is, is asked once a call has lasted for BLOCKED_ASK_NS.
 *
 * Units: nanoseconds. Ownership: none. Threads: one. Errors: none. Limits: INSIDE_THREADS_MAX.
 */
#ifndef WATCH_BLOCKED_H
#define WATCH_BLOCKED_H

#include "watch/insight.h"

#define BLOCKED_ASK_NS CLOCK_S_NS

enum { blocked_looks_min = 5 };

struct blocked {
        struct {
                uint64_t number; /* of the call */
                uint64_t since_ns;
                uint32_t looks; /* that saw it: a machine may have stood still in between */
                bool is_asked, is_file;
        } calls[INSIDE_THREADS_MAX]; /* by page */
};

void blocked_glance(struct blocked *blocked, const struct picture *picture,
                    struct insight *insight);
json_t *blocked_details(const struct blocked *blocked, const struct picture *picture,
                        const struct namer *namer, uint32_t module);

#endif
