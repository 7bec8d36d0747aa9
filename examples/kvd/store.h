/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - keys, values and when they expire: a hash table of fixed width.
 *
 * Pure: no I/O, no lock, no clock of its own; every call is told what time it is. Time is in
 * milliseconds of any clock that never goes back. The number of chains is fixed when the store is
 * made, from keys_max, so a key never moves to another chain and a sweep that goes stripe by stripe
 * meets every key that was there all the while.
 *
 * Ownership: keys and values are copied in. What comes out are views, valid until the next call
 *            that is not store_stats().
 * Errors:    0; positive outcomes as named below; -ENOMEM; -EUCLEAN when a check of the store's own
 *            books failed: then nothing is changed any more, but reads are still answered.
 * Threads:   one at a time.
 * Limits:    keys_max and bytes_max, which counts keys, values and ENTRY_BYTES for each.
 */
#ifndef KVD_STORE_H
#define KVD_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "entry.h"
#include "hash.h"

#define STORE_KEYS_LIMIT ((size_t)1 << 28) /* for keys_max */

struct store;

struct store_limits {
        size_t keys_max;
        size_t bytes_max;
};

struct store_stats {
        uint64_t keys;
        uint64_t bytes;
        uint64_t hits;
        uint64_t misses;
        uint64_t expired;
        uint64_t changes; /* every set, removal and expiry */
};

enum store_outcome {
        STORE_ABSENT = 1, /* there is no such key */
        STORE_FULL = 2,   /* keys_max or bytes_max is reached; nothing was changed */
};

int store_new(struct store **ret_store, const struct store_limits *limits,
              const struct hash_seed *seed);
void store_free(struct store **store);

/* 0 or STORE_ABSENT. */
int store_get(struct store *store, struct store_text key, uint64_t now_ms,
              struct store_item *ret_item);

/* Counts as store_get() does for a key that is there: a cache before the store has answered. */
void store_count_hit(struct store *store);

/* Sets or replaces. 0, STORE_FULL, -ENOMEM or -EUCLEAN; only 0 changed anything. */
int store_set(struct store *store, const struct store_item *item, uint64_t now_ms);

/* 0, STORE_ABSENT or -EUCLEAN. */
int store_remove(struct store *store, struct store_text key, uint64_t now_ms);

/* Removes everything, even from a store whose books are wrong: afterwards they are right. */
void store_clear(struct store *store);

struct store_stats store_stats(const struct store *store);

/* A visitor returns 0 to go on; anything else ends the sweep and is its result. */
typedef int (*store_visit_f)(void *context, const struct store_item *item);

/*
 * Walks stripe number 0 .. store_stripes()-1: removes what has expired, checks the books of this
 * stripe against its chains, and shows each living item to `visit`, which may be NULL and must not
 * call the store. 0, -EUCLEAN or the visitor's result.
 */
size_t store_stripes(const struct store *store);
int store_sweep(struct store *store, size_t stripe, uint64_t now_ms, store_visit_f visit,
                void *context);

/* For drills: makes the key count wrong, and right again. */
void store_break(struct store *store);
void store_mend(struct store *store);

#endif
