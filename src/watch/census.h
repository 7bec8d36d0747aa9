/* SPDX-License-Identifier: Apache-2.0 */
/*
 * census.h - who has how much: a module's heap, descriptors, threads and calls, and the places that
 * hold most of it, with what they made in the last ten seconds.
 *
 *         census_see(&census, picture);                                  // each second
 *         json_t *all = census_module(&census, picture, namer, module);  // details of an alert
 *
 * {"live_bytes", "blocks", "blocks_made", "blocks_per_second", "descriptors", "threads",
 *  "calls": {"reads", "read_bytes", "writes", "written_bytes", "errors", "short_writes",
 *            "mean_us"},
 *  "sites": [{"kind", "stack", "bytes", "live", "made", "per_second"}, ...]}
 *
 * `calls` is left out where there was none, and mean_us where none was timed. Sites are the first
 * census_sites by bytes, then by number.
 *
 * Units:     as the names say. Ownership: census_module returns a new reference. Threads: one.
 * Errors:    none: without memory there is less, or NULL. Limits: INSIDE_SITES.
 */
#ifndef WATCH_CENSUS_H
#define WATCH_CENSUS_H

#include "watch/insight.h"

enum { census_s = 10, census_sites = 5 };

struct census {
        uint64_t made[census_s + 1][INSIDE_SITES]; /* by tick */
        uint64_t ticks;
};

void census_see(struct census *census, const struct picture *picture);
json_t *census_module(const struct census *census, const struct picture *picture,
                      const struct namer *namer, uint32_t module);

/* Whether it has ever made or called anything. */
bool census_has(const struct picture *picture, uint32_t module);

#endif
