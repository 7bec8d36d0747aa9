/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leak.h - memory that nobody can find any more: an analyser as insight.h describes.
 *
 * A site is suspected when the least that lived of it rose in three windows of five seconds. Then
 * the memory of the process is read from outside (heapscan.h), and if something is not reached,
 * again five seconds later: what nothing reached both times is a leak, if it is of two epochs at
 * least and more blocks than the process has threads, each of which may hide one in a register.
 * Otherwise the next look at that site waits for ten seconds, twenty, and so on up to five minutes;
 * so a cache that fills costs a few looks. As long as there is a leak, it is looked at every 30 s.
 * There is one look at a time, of all processes that are watched. One that is not done in
 * leak_look_max_s is given up, whoever serves that memory: it is left to come back when it can, and
 * until five minutes after that this process is not looked at again.
 *
 * Units: bytes, seconds. Ownership: looks are errands (errand.h). Threads: one, but for those.
 * Errors: -errno of leak_new(). Limits: those of heapscan.h; a look may last leak_look_max_s, which
 * is long, for much memory is read four times, by a thread of low priority.
 */
#ifndef WATCH_LEAK_H
#define WATCH_LEAK_H

#include "watch/heapscan.h"
#include "watch/insight.h"

enum { leak_look_max_s = 60 };

struct leak;

/* scan: heapscan_run(), but in tests. */
int leak_new(pid_t pid, heapscan_look *scan, struct leak **ret_leak);
void leak_free(struct leak **leak); /* does not wait for a look */

void leak_see(struct leak *leak, const struct picture *picture, struct insight *insight);
/* Whether a look has ever been given up. */
bool leak_gave_up(const struct leak *leak);
json_t *leak_details(const struct leak *leak, const struct picture *picture,
                     const struct namer *namer, uint32_t module);

#endif
