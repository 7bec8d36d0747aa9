/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leak.h - memory that nobody can find any more: an analyser as insight.h describes.
 *
 * A site is suspected when the least that lived of it rose in three windows of five seconds. Then
 * the memory of the process is read from outside (heapscan.h), and again five seconds later: blocks
 * that nothing reached both times, of at least two epochs, are a leak. If all is reached, the next
 * look waits for ten seconds, twenty, and so on up to five minutes; so a cache that fills costs a
 * few looks. As long as there is a leak, it is looked at every 30 s.
 *
 * Units: bytes, seconds. Ownership: the struct owns a thread, which reads. Threads: one, but for
 * that. Errors: -errno of leak_new(). Limits: those of heapscan.h.
 */
#ifndef WATCH_LEAK_H
#define WATCH_LEAK_H

#include "watch/insight.h"

struct leak;

int leak_new(pid_t pid, struct leak **ret_leak);
void leak_free(struct leak **leak); /* waits until the thread is out of the process's memory */

void leak_see(struct leak *leak, const struct picture *picture, struct insight *insight);
json_t *leak_details(const struct leak *leak, const struct picture *picture,
                     const struct namer *namer, uint32_t module);

#endif
