/* SPDX-License-Identifier: Apache-2.0 */
/* self.h - the probes of this very process, and what their rules say.
 *
 * Units:     nanoseconds of CLOCK_MONOTONIC. Ownership: changes live until the next call.
 * Errors:    0 or -errno; an error changes no state, and the next call tries again.
 * Threads:   one. Limits: those of rule.h; self_open_max operations of a row are shown to it. */
#ifndef INLINE_SELF_H
#define INLINE_SELF_H

#include "rule/rule.h"

enum { self_open_max = 1024 };

struct self;

int self_new(struct self **ret_self);
void self_free(struct self **self);

/* At a regular tick, or in between. */
int self_judge(struct self *self, uint64_t now_ns, bool is_tick,
               const struct rule_change **ret_changes, size_t *ret_count);

/* NULL while there are no probes. */
const struct rule_set *self_rules(const struct self *self);

/* How many probes cannot be judged; why the first cannot. */
uint32_t self_ignored(const struct self *self, const char **ret_why);

#endif
