/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hot.h - the store with the recently used values that never expire held in front of it.
 *
 * The cache is the module `lru` (modules/lru, a contract): whichever lru.c was accepted is linked.
 * What it holds, the store holds too, with the same bytes and without expiry; so it never answers
 * for a key that is gone, and its values never take more than --max-memory once more. To keep
 * that so, every command changes keys through these functions. The flusher needs not: it removes
 * only what has expired.
 *
 * hot may be NULL everywhere: then there is no cache, and the store does all.
 *
 * Ownership: hot_new() copies nothing; the store is borrowed for each call. What comes out are
 *            views, valid until the next call that is not hot_stats().
 * Errors:    the store's. When the cache cannot hold a value, it just does not; the memory that
 *            ran out has been reported by lru's own probes.
 * Threads:   one for a cache, the event loop's; with the store locked.
 * Limits:    HOT_VALUES_MAX values. Keys of 1 to HOT_KEY_MAX bytes without a NUL, and values up to
 *            HOT_VALUE_MAX bytes, are held; others are the store's alone.
 */
#ifndef KVD_HOT_H
#define KVD_HOT_H

#include "store.h"

#define HOT_VALUES_MAX 1048576
#define HOT_KEY_MAX    255
#define HOT_VALUE_MAX  1048576

/* Of so many answers from the cache, one is compared with the store's. */
enum { HOT_AUDIT_EVERY = 64 };

struct hot;

struct hot_stats {
        uint64_t entries;
        uint64_t hits;   /* hot_get() was answered without the store */
        uint64_t misses; /* it was not, whether or not the store had the key */
};

/* values: 1 to HOT_VALUES_MAX. 0, -EINVAL, -ENOMEM, or -EIO: there are no random numbers. */
int hot_new(struct hot **ret_hot, size_t values);
void hot_free(struct hot **hot);

/* As store_get(), whose hits and misses it counts; the value is held if it never expires. */
int hot_get(struct hot *hot, struct store *store, struct store_text key, uint64_t now_ms,
            struct store_item *ret_item);

/* As store_set(); what was set without expiry is held. */
int hot_set(struct hot *hot, struct store *store, const struct store_item *item, uint64_t now_ms);

/* As store_set(), for a value that is changed in place: it is held once somebody gets it. */
int hot_change(struct hot *hot, struct store *store, const struct store_item *item,
               uint64_t now_ms);

/* As store_remove() and store_clear(). */
int hot_remove(struct hot *hot, struct store *store, struct store_text key, uint64_t now_ms);
void hot_clear(struct hot *hot, struct store *store);

struct hot_stats hot_stats(const struct hot *hot);

#endif
