/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lru.h - a cache that holds a fixed number of entries, and forgets what was longest not used.
 *
 *         struct lru *cache = NULL;
 *         int error = lru_new(&cache, 1000, secret);
 *
 *         error = lru_put(cache, "answer", bytes, length);
 *         error = lru_get(cache, "answer", room, sizeof(room), &length);
 *         lru_free(&cache);
 *
 * Keys are texts; values are bytes. A use is a successful lru_get() or lru_put() of a key. When
 * lru_put() brings a key that is not there to a full cache, the entry whose last use is longest
 * ago goes.
 *
 * Units:     capacities and counts are entries, lengths are bytes; a key's ending NUL is not
 *            counted.
 * Ownership: the cache copies keys and values in, and values out; it keeps no pointer of the
 *            caller's. The cache is the caller's until lru_free(), which leaves NULL.
 * Errors:    0 or a negative errno. A call that fails changes nothing: not what is held, not the
 *            order of uses. Memory that runs out is -ENOMEM, never the end of the process.
 * Threads:   any number may use one cache at once, except for lru_free() and lru_check(), during
 *            which nobody else may.
 * Limits:    LRU_CAPACITY_MAX entries, LRU_KEY_MAX and LRU_VALUE_MAX bytes.
 * Cost:      lru_get(), lru_put() and lru_remove() cost the same whatever the number of entries
 *            and whatever the keys, even if somebody chose them who knows this source; `secret` is
 *            what he does not know. Memory is what is held now, not what once was.
 * Heard of:  a warning or page within two minutes when entries are pushed out by 200 a second or
 *            more (the capacity is too small for the work), and within one minute when memory ran
 *            out. Nothing rings for a burst of up to 2000 pushed out within a minute.
 */
#ifndef LRU_H
#define LRU_H

#include <stddef.h>
#include <stdint.h>

#define LRU_CAPACITY_MAX 1048576
#define LRU_KEY_MAX      255
#define LRU_VALUE_MAX    1048576

struct lru;

/* secret: a number that whoever chooses the keys cannot know. 0; -EINVAL: capacity is 0 or above
 * LRU_CAPACITY_MAX; -ENOMEM. On an error *ret_cache is left alone. */
int lru_new(struct lru **ret_cache, size_t capacity, uint64_t secret);

/* Gives everything back and leaves NULL. *cache may be NULL. */
void lru_free(struct lru **cache);

/* Inserts, or replaces the value of a key that is there. value may be NULL if length is 0.
 * 0; -EINVAL: the key is empty or longer than LRU_KEY_MAX, or length is above LRU_VALUE_MAX;
 * -ENOMEM. */
int lru_put(struct lru *cache, const char *key, const void *value, size_t length);

/* Copies the value out. 0; -ENOENT: no such key (any key that lru_put() would refuse is none);
 * -ENOSPC: it is longer than room, and only *ret_length is written, which is no use of the entry.
 * *ret_length is the value's length, and is left alone on -ENOENT. */
int lru_get(struct lru *cache, const char *key, void *ret_value, size_t room, size_t *ret_length);

/* 0; -ENOENT: no such key. */
int lru_remove(struct lru *cache, const char *key);

/* How many entries there are. */
size_t lru_count(struct lru *cache);

/* 0 if everything in the cache agrees with everything else: counts, order, and that each entry
 * is found by its key. Else any other number. Costs a walk over all entries. */
int lru_check(const struct lru *cache);

#endif
