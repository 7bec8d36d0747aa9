/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seer.h - sees inside one process: pictures in, alerts out, and values for budgets of modules.
 *
 *         struct seer *seer = NULL;
 *         int failed = seer_new(pid, began_ns, budget_of, context, &seer);
 *         failed = seer_tick(seer, view, now_ns, &changes, &count, &why);    // each second
 *         failed = seer_glance(seer, view, now_ns, &changes, &count, &why);  // each 100 ms
 *         target->see_module = seer_module;
 *         target->seer = seer;
 *
 * Units:     nanoseconds of CLOCK_MONOTONIC. Ownership: the view is the caller's; changes point
 *            into the seer until the next call; seer_details() returns a new reference, or NULL.
 * Errors:    as target.h. Threads: one.
 * Limits:    those of probe/inside.h.
 */
#ifndef WATCH_SEER_H
#define WATCH_SEER_H

#include "rule/rule.h"
#include "watch/insight.h"

struct seer;

#define SEER_GLANCE_NS (100 * CLOCK_MS_NS)

/* The budget of live bytes that a module of the process declares, valid during the call; NULL: none
 * is known, or yet. It is asked for while a module is new. */
typedef const struct toc_rule *seer_budget(void *context, pid_t pid, const char *module);

/* budget: NULL: nothing is said of when one will be used up. */
int seer_new(pid_t pid, uint64_t began_ns, seer_budget *budget, void *context,
             struct seer **ret_seer);
void seer_free(struct seer **seer);

int seer_tick(struct seer *seer, const struct segment_view *view, uint64_t now_ns,
              const struct rule_change **ret_changes, size_t *ret_count, const char **ret_why);
int seer_glance(struct seer *seer, const struct segment_view *view, uint64_t now_ns,
                const struct rule_change **ret_changes, size_t *ret_count, const char **ret_why);

/* Before each of both: the sum of all heartbeats of the process. While they move, nobody spins. */
void seer_hear(struct seer *seer, uint64_t beats);

const struct rule_set *seer_rules(const struct seer *seer);

/* For target.h: what a module stands at; NULL before the first tick. */
const uint64_t *seer_module(void *seer, const char *module);

/* Of a rule of its own, or of the budget of a module. */
json_t *seer_details(const struct seer *seer, const struct namer *namer,
                     const struct rule_view *rule);

/* Long enough that what it held says something: a few seconds. */
bool seer_has_lasted(const struct seer *seer);

/* Whether its memory could not be read in time (leak.h). */
bool seer_gave_up(const struct seer *seer);

/* {"lru": as census_module(), ...}: of all modules, as they stand now. */
json_t *seer_census(struct seer *seer, const struct segment_view *view, const struct namer *namer);

/* Who waits in a module, for whatever; in the program, if it is none that was entered. */
json_t *seer_waiters(const struct seer *seer, const struct namer *namer, const char *module);

/* "lru with 12345678 bytes": the module that holds most. */
void seer_append_biggest(const struct seer *seer, struct text *into);

#endif
