/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.h - results of stages by the content of everything that they depend on.
 *
 * $XDG_CACHE_HOME/tocsin/gate, or ~/.cache/tocsin/gate: ours, and writable by nobody else, or it is
 * not used. "Could not find out" is never kept. Whatever cannot be read, or is not what was
 * written, is a miss: a wrong answer of the cache would be a wrong verdict.
 *
 * Ownership: results brought back own what they hold. Threads: one. Units: bytes.
 * Errors:    none: a cache that cannot be had is NULL, which every function takes.
 * Limits:    cache_entries_max files; the oldest go.
 */
#ifndef GATE_CACHE_H
#define GATE_CACHE_H

#include "gate/stage.h"

enum { cache_entries_max = 4000 };

struct cache;

struct cache *cache_open(void);
void cache_close(struct cache **cache);

/* key: 64 digits. The result must be initialised and empty, and is so again on a miss. */
bool cache_find(struct cache *cache, const char *key, struct stage_result *result);
void cache_keep(struct cache *cache, const char *key, const struct stage_result *result);

#endif
