/* SPDX-License-Identifier: Apache-2.0 */
/*
 * insider.h - what libtocsin-inside says of one case: budgets of its module, and what is wrong.
 *
 *         failed = insider_new(pid, "/tmp/x/program", &insider);
 *         outcome = insider_look(insider, view, &why);      // at each tick of the rules
 *         target->see_module = insider_module;
 *         target->seer = insider;
 *         insider_collect(insider, &verdict);
 *
 * A rule's time may run a hundred times faster than the clock here; what this sees is of the clock:
 * a lock that is kept for 20 ms is nobody's two seconds.
 *
 * What asks /proc about single threads is not had, for a sandbox has numbers of its own: budgets of
 * cpu_permille and of leak stand at 0. Neither would tell in seconds.
 *
 * Units:     as watch/seer.h. Ownership: what insider_collect() gives is the verdict's. Threads:
 *            one. Errors: 0; -errno; SEGMENTS_BROKEN with a constant sentence.
 * Limits:    each of deadlock, lock_order and heap_damage is told once a module.
 */
#ifndef GATE_INSIDER_H
#define GATE_INSIDER_H

#include "gate/session.h"
#include "watch/segment.h"

struct insider;

/* pid: as the gate sees it; program: on the host, where names for places are. */
int insider_new(pid_t pid, const char *program, struct insider **ret_insider);
void insider_free(struct insider **insider);

int insider_look(struct insider *insider, const struct segment_view *view, const char **ret_why);

/* As target.h wants it. */
const uint64_t *insider_module(void *insider, const char *module);

void insider_collect(struct insider *insider, struct session_verdict *verdict);

#endif
