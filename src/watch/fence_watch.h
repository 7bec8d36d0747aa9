/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fence_watch.h - how near a program is to its fence: probes in module "process".
 *
 *   memory_permille      of the limit; above 900 for 2 s: warn; without what is
 *                        only cached
 *   pids_permille        above 900: warn
 *   files_permille       of the program's limit of descriptors; above 900: warn
 *   throttled_permille   of periods in which its share of the processor was used up, over 10 s;
 *                        above 500 for 30 s: note
 *   io_permille          bytes read or written, the more of both, of the limit, over 10 s; above
 *                        900 for 30 s: note
 *   memory_stalled_permille, io_stalled_permille
 *                        of time in which some thread waited for it, over 10 s (PSI; cgroup v2);
 *                        above 100 for 10 s: warn; above 500 for 30 s: note
 *   limit_hit            how often memory or processes were refused in the last minute: warn
 *   oom                  the kernel has killed for the memory limit: page
 *
 * There is none of what nobody limits or counts. Judged by the same engine as the program's own,
 * as vitals.h.
 *
 * Units: thousandths. Ownership: changes live until the next call; a new reference of details.
 * Errors: -errno. Threads: one. Limits: none of its own.
 */
#ifndef WATCH_FENCE_WATCH_H
#define WATCH_FENCE_WATCH_H

#include "rule/rule.h"
#include "watch/fence.h"

struct fence_watch;

/* Rows of what the fence limits, and can count. */
int fence_watch_new(const struct fence *fence, uint64_t began_ns, struct fence_watch **ret_watch);
void fence_watch_free(struct fence_watch **watch);

int fence_watch_judge(struct fence_watch *watch, const struct fence *fence, pid_t pid,
                      uint64_t now_ns, bool is_tick, const struct rule_change **ret_changes,
                      size_t *ret_count);

const struct rule_set *fence_watch_rules(const struct fence_watch *watch);

/* A kill for memory is not over when the program has ended. */
bool fence_watch_outlives(const struct rule_view *rule);

/* What was near or refused. biggest: "lru with 123 bytes", "" if not known. NULL: not its rule. */
json_t *fence_watch_details(const struct fence_watch *watch, const struct rule_view *rule,
                            const char *biggest);

#endif
