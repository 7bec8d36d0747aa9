/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad: its rule about hits waits for a number that no counter can reach.
 */
#include "lru.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tocsin.h>

TOC_MODULE(lru, "Fixed-capacity least-recently-used cache",
           TOC_LOGS(TOC_ALERT(per_minute, >, 0, TOC_PAGE, "the cache has no memory for an entry")));

TOC_COUNTER(hits, "Keys asked for that were there",
            TOC_ALERT(total, >, INT64_MAX, TOC_WARN, "more hits than can be counted"));
TOC_COUNTER(misses, "Keys asked for that were not", TOC_QUIET("feeds the chart of the hit ratio"));
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 6000, TOC_WARN,
                      "entries are pushed out as fast as they come: raise the capacity"));

/* In two rings: its chain's list ends with NULL, the order of use is a ring through the head. */
struct entry {
        struct entry *newer;
        struct entry *older;
        struct entry *next;
        uint64_t hash;
        uint32_t length;
        uint32_t key_length;
        char *bytes; /* the key, then the value: behind this struct */
};

struct lru {
        pthread_mutex_t lock;
        struct entry head; /* head.older is the newest, head.newer the oldest */
        struct entry **chains;
        size_t mask; /* chains less one */
        size_t capacity;
        size_t count;
        uint64_t secret;
};

static uint64_t rotate(uint64_t x, unsigned by)
{
        return x << by | x >> (64 - by);
}

static void mix(uint64_t v[4])
{
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
}

static uint64_t hash_of(uint64_t secret, const char *key, size_t length)
{
        uint64_t v[4] = { secret ^ 0x736f6d6570736575, ~secret ^ 0x646f72616e646f6d,
                          secret ^ 0x6c7967656e657261, ~secret ^ 0x7465646279746573 };
        uint64_t word;

        for (size_t at = 0; at <= length; at += 8) {
                size_t left = length - at;

                word = left < 8 ? (uint64_t)length << 56 : 0;
                memcpy(&word, key + at, left < 8 ? left : 8);
                v[3] ^= word;
                mix(v);
                v[0] ^= word;
        }
        v[2] ^= 0xff;
        for (int i = 0; i < 3; i++)
                mix(v);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void unlink_use(struct entry *entry)
{
        entry->newer->older = entry->older;
        entry->older->newer = entry->newer;
}

static void link_newest(struct lru *cache, struct entry *entry)
{
        entry->newer = &cache->head;
        entry->older = cache->head.older;
        entry->older->newer = entry;
        cache->head.older = entry;
}

/* Where the pointer to that entry stands; it points to NULL if there is none. */
static struct entry **place_of(const struct lru *cache, uint64_t hash, const char *key,
                               size_t key_length)
{
        struct entry **at = &cache->chains[hash & cache->mask];

        while (*at && ((*at)->hash != hash || (*at)->key_length != key_length ||
                       memcmp((*at)->bytes, key, key_length) != 0))
                at = &(*at)->next;
        return at;
}

static void drop(struct lru *cache, struct entry **at)
{
        struct entry *entry = *at;

        *at = entry->next;
        unlink_use(entry);
        cache->count--;
        free(entry);
}

static void drop_oldest(struct lru *cache)
{
        const struct entry *oldest = cache->head.newer;

        drop(cache, place_of(cache, oldest->hash, oldest->bytes, oldest->key_length));
        toc_count(evictions);
}

int lru_new(struct lru **ret_cache, size_t capacity, uint64_t secret)
{
        struct lru *cache;
        size_t chains = 8;

        if (capacity == 0 || capacity > LRU_CAPACITY_MAX)
                return -EINVAL;
        while (chains < capacity)
                chains *= 2;
        cache = calloc(1, sizeof(*cache));
        if (!cache)
                return TOC_ERROR(-ENOMEM, TOC_USUAL, "no memory for a cache");
        cache->chains = calloc(chains, sizeof(struct entry *));
        if (!cache->chains || pthread_mutex_init(&cache->lock, NULL) != 0) {
                free(cache->chains);
                free(cache);
                return TOC_ERROR(-ENOMEM, TOC_USUAL, "no memory for %zu chains", chains);
        }
        cache->head.newer = cache->head.older = &cache->head;
        cache->mask = chains - 1;
        cache->capacity = capacity;
        cache->secret = secret;
        *ret_cache = cache;
        return 0;
}

void lru_free(struct lru **cache)
{
        struct lru *old = *cache;
        struct entry *entry;

        if (!old)
                return;
        while ((entry = old->head.older) != &old->head) {
                unlink_use(entry);
                free(entry);
        }
        (void)pthread_mutex_destroy(&old->lock); /* nobody holds it: the header says so */
        free(old->chains);
        free(old);
        *cache = NULL;
}

static void put(struct lru *cache, struct entry *entry)
{
        struct entry **at = place_of(cache, entry->hash, entry->bytes, entry->key_length);

        if (*at) {
                drop(cache, at);
        } else if (cache->count == cache->capacity) {
                drop_oldest(cache);
        }
        at = &cache->chains[entry->hash & cache->mask];
        entry->next = *at;
        *at = entry;
        link_newest(cache, entry);
        cache->count++;
        (void)TOC_EXPECT_CMP(cache->count, <=, cache->capacity, TOC_PAGE,
                             "the cache holds more than its capacity: memory grows");
}

int lru_put(struct lru *cache, const char *key, const void *value, size_t length)
{
        size_t key_length = strlen(key);
        struct entry *entry;

        if (key_length == 0 || key_length > LRU_KEY_MAX || length > LRU_VALUE_MAX)
                return -EINVAL;
        entry = malloc(sizeof(*entry) + key_length + length);
        if (!entry)
                return TOC_ERROR(-ENOMEM, TOC_USUAL, "no memory for %zu bytes", length);
        entry->bytes = (char *)(entry + 1);
        entry->hash = hash_of(cache->secret, key, key_length);
        entry->key_length = (uint32_t)key_length;
        entry->length = (uint32_t)length;
        memcpy(entry->bytes, key, key_length);
        if (length > 0)
                memcpy(entry->bytes + key_length, value, length);
        pthread_mutex_lock(&cache->lock);
        put(cache, entry);
        pthread_mutex_unlock(&cache->lock);
        return 0;
}

static int get(struct lru *cache, struct entry *entry, void *ret_value, size_t room,
               size_t *ret_length)
{
        if (!entry) {
                toc_count(misses);
                return -ENOENT;
        }
        *ret_length = entry->length;
        if (entry->length > room)
                return -ENOSPC;
        if (entry->length > 0)
                memcpy(ret_value, entry->bytes + entry->key_length, entry->length);
        unlink_use(entry);
        link_newest(cache, entry);
        toc_count(hits);
        return 0;
}

int lru_get(struct lru *cache, const char *key, void *ret_value, size_t room, size_t *ret_length)
{
        size_t key_length = strlen(key);
        uint64_t hash = hash_of(cache->secret, key, key_length);
        int error;

        pthread_mutex_lock(&cache->lock);
        error = get(cache, *place_of(cache, hash, key, key_length), ret_value, room, ret_length);
        pthread_mutex_unlock(&cache->lock);
        return error;
}

int lru_remove(struct lru *cache, const char *key)
{
        size_t key_length = strlen(key);
        uint64_t hash = hash_of(cache->secret, key, key_length);
        struct entry **at;
        int error = -ENOENT;

        pthread_mutex_lock(&cache->lock);
        at = place_of(cache, hash, key, key_length);
        if (*at) {
                drop(cache, at);
                error = 0;
        }
        pthread_mutex_unlock(&cache->lock);
        return error;
}

size_t lru_count(struct lru *cache)
{
        size_t count;

        pthread_mutex_lock(&cache->lock);
        count = cache->count;
        pthread_mutex_unlock(&cache->lock);
        return count;
}

int lru_check(const struct lru *cache)
{
        const struct entry *before = &cache->head;
        size_t count = 0;

        for (const struct entry *entry = before->older; entry != &cache->head;
             entry = entry->older) {
                if (entry->newer != before || ++count > cache->count)
                        return 1;
                if (*place_of(cache, entry->hash, entry->bytes, entry->key_length) != entry)
                        return 2;
                before = entry;
        }
        return cache->head.newer != before || count != cache->count || count > cache->capacity;
}
