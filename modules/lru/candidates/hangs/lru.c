/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad: the table has as many places as the cache has entries, rounded up to a power of two. So if
 * the capacity is one (16 or more), a full table has no empty place at which a search for a
 * missing key could end. With any other capacity nothing shows.
 */
#include "lru.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tocsin.h>

TOC_MODULE(lru, "Cache of slots in the order of their use");

TOC_COUNTER(lookups, "Keys asked for", TOC_QUIET("feeds the chart of the hit ratio"));
TOC_COUNTER(found, "Keys asked for that were there", TOC_QUIET("feeds the chart of the hit ratio"));
TOC_COUNTER(pushed_out, "Entries that made room for others",
            TOC_ALERT(per_second, >, 100, TOC_WARN, "the cache thrashes: its capacity is too small",
                      .hold_s = 30));
TOC_LEVEL(entries, "Entries held by all caches", TOC_QUIET("feeds the chart of how full they are"));

static const uint32_t none = UINT32_MAX;

struct slot {
        char *bytes; /* the key with its NUL, then the value */
        uint32_t hash;
        uint32_t length;
        uint32_t newer; /* or the next free slot */
        uint32_t older;
};

struct lru {
        pthread_mutex_t lock;
        struct slot *slots;
        uint32_t *table; /* numbers of slots, or none */
        uint32_t mask;
        uint32_t room;  /* slots that there are */
        uint32_t fresh; /* slots never used begin here */
        uint32_t free;  /* the first of those that are free again */
        uint32_t newest;
        uint32_t oldest;
        uint32_t count;
        uint32_t capacity;
        uint64_t secret[2];
};

static uint64_t turn(uint64_t x, unsigned by)
{
        return x << by | x >> (64 - by);
}

/* SipHash-2-4, with the two halves of the key made from the secret. */
static uint32_t hash_of(const struct lru *cache, const char *key, size_t length)
{
        uint64_t a = cache->secret[0] ^ 0x736f6d6570736575;
        uint64_t b = cache->secret[1] ^ 0x646f72616e646f6d;
        uint64_t c = cache->secret[0] ^ 0x6c7967656e657261;
        uint64_t d = cache->secret[1] ^ 0x7465646279746573;
        size_t words = length / 8 + 1;

        for (size_t i = 0; i < words + 2; i++) {
                uint64_t word = 0;

                if (i + 1 < words)
                        memcpy(&word, key + 8 * i, 8);
                else if (i + 1 == words)
                        memcpy(&word, key + 8 * i, length % 8);
                if (i + 1 == words)
                        word |= (uint64_t)length << 56;
                if (i == words)
                        c ^= 0xff;
                d ^= word;
                for (int round = 0; round < 2; round++) {
                        a += b;
                        c += d;
                        b = turn(b, 13) ^ a;
                        d = turn(d, 16) ^ c;
                        a = turn(a, 32);
                        c += b;
                        a += d;
                        b = turn(b, 17) ^ c;
                        d = turn(d, 21) ^ a;
                        c = turn(c, 32);
                }
                a ^= word;
        }
        return (uint32_t)(a ^ b ^ c ^ d);
}

/* The place in the table of that key, or the empty one where it would be. */
static uint32_t place_of(const struct lru *cache, uint32_t hash, const char *key)
{
        uint32_t place = hash & cache->mask;

        for (; cache->table[place] != none; place = (place + 1) & cache->mask) {
                const struct slot *slot = &cache->slots[cache->table[place]];

                if (slot->hash == hash && strcmp(slot->bytes, key) == 0)
                        break;
        }
        return place;
}

static void unlink_use(struct lru *cache, uint32_t number)
{
        const struct slot *slot = &cache->slots[number];

        if (slot->newer == none)
                cache->newest = slot->older;
        else
                cache->slots[slot->newer].older = slot->older;
        if (slot->older == none)
                cache->oldest = slot->newer;
        else
                cache->slots[slot->older].newer = slot->newer;
}

static void link_use(struct lru *cache, uint32_t number)
{
        struct slot *slot = &cache->slots[number];

        slot->newer = none;
        slot->older = cache->newest;
        if (cache->newest == none)
                cache->oldest = number;
        else
                cache->slots[cache->newest].newer = number;
        cache->newest = number;
}

/* Takes an entry out; those behind it move up where their own place allows. */
static void drop(struct lru *cache, uint32_t place)
{
        uint32_t number = cache->table[place];
        uint32_t next = place;

        unlink_use(cache, number);
        free(cache->slots[number].bytes);
        cache->slots[number].bytes = NULL;
        cache->slots[number].newer = cache->free;
        cache->free = number;
        cache->count--;
        toc_lower(entries, 1);
        for (;;) {
                uint32_t home;

                next = (next + 1) & cache->mask;
                if (cache->table[next] == none)
                        break;
                home = cache->slots[cache->table[next]].hash & cache->mask;
                if (((next - home) & cache->mask) < ((next - place) & cache->mask))
                        continue;
                cache->table[place] = cache->table[next];
                place = next;
        }
        cache->table[place] = none;
}

/* Makes sure of a free slot, unless the cache is full and one will be given up. */
static bool has_slot(struct lru *cache)
{
        struct slot *slots;
        uint32_t room = cache->room * 2;

        if (cache->free != none || cache->fresh < cache->room || cache->count == cache->capacity)
                return true;
        if (room > cache->capacity)
                room = cache->capacity;
        slots = realloc(cache->slots, room * sizeof(*slots));
        if (!slots)
                return false;
        cache->slots = slots;
        cache->room = room;
        return true;
}

static uint32_t take_slot(struct lru *cache)
{
        uint32_t number = cache->free;

        if (number == none)
                return cache->fresh++;
        cache->free = cache->slots[number].newer;
        return number;
}

int lru_new(struct lru **ret_cache, size_t capacity, uint64_t secret)
{
        struct lru *cache;
        size_t places = 16;

        if (capacity == 0 || capacity > LRU_CAPACITY_MAX)
                return -EINVAL;
        while (places < capacity)
                places *= 2;
        cache = calloc(1, sizeof(*cache));
        if (!cache)
                return TOC_ERROR(-ENOMEM, TOC_USUAL, "no memory for a cache");
        cache->room = capacity < 16 ? (uint32_t)capacity : 16;
        cache->slots = calloc(cache->room, sizeof(*cache->slots));
        cache->table = malloc(places * sizeof(*cache->table));
        if (!cache->slots || !cache->table || pthread_mutex_init(&cache->lock, NULL) != 0) {
                free(cache->slots);
                free(cache->table);
                free(cache);
                return TOC_ERROR(-ENOMEM, TOC_USUAL, "no memory for %zu places", places);
        }
        memset(cache->table, 0xff, places * sizeof(*cache->table));
        cache->mask = (uint32_t)places - 1;
        cache->free = cache->newest = cache->oldest = none;
        cache->capacity = (uint32_t)capacity;
        cache->secret[0] = secret;
        cache->secret[1] = turn(secret * 0x9e3779b97f4a7c15, 29);
        *ret_cache = cache;
        return 0;
}

void lru_free(struct lru **cache)
{
        struct lru *old = *cache;

        if (!old)
                return;
        for (uint32_t i = 0; i < old->fresh; i++)
                free(old->slots[i].bytes);
        toc_lower(entries, old->count);
        (void)pthread_mutex_destroy(&old->lock); /* nobody holds it */
        free(old->slots);
        free(old->table);
        free(old);
        *cache = NULL;
}

static void insert(struct lru *cache, const char *key, uint32_t hash, char *bytes, size_t length)
{
        uint32_t place;
        uint32_t number;

        if (cache->count == cache->capacity) {
                const struct slot *oldest = &cache->slots[cache->oldest];

                drop(cache, place_of(cache, oldest->hash, oldest->bytes));
                toc_count(pushed_out);
        }
        place = place_of(cache, hash, key);
        number = take_slot(cache);
        cache->table[place] = number;
        cache->slots[number].bytes = bytes;
        cache->slots[number].hash = hash;
        cache->slots[number].length = (uint32_t)length;
        link_use(cache, number);
        cache->count++;
        toc_raise(entries, 1);
}

/* Takes bytes, unless it fails. */
static int put_take(struct lru *cache, const char *key, uint32_t hash, char *bytes, size_t length)
{
        uint32_t number = cache->table[place_of(cache, hash, key)];

        if (number == none) {
                if (!has_slot(cache))
                        return -ENOMEM;
                insert(cache, key, hash, bytes, length);
                return 0;
        }
        free(cache->slots[number].bytes);
        cache->slots[number].bytes = bytes;
        cache->slots[number].length = (uint32_t)length;
        unlink_use(cache, number);
        link_use(cache, number);
        return 0;
}

int lru_put(struct lru *cache, const char *key, const void *value, size_t length)
{
        size_t key_length = strlen(key);
        char *bytes;
        int error;

        if (key_length == 0 || key_length > LRU_KEY_MAX || length > LRU_VALUE_MAX)
                return -EINVAL;
        bytes = malloc(key_length + 1 + length);
        if (!bytes)
                return TOC_ERROR(-ENOMEM, TOC_USUAL, "no memory for %zu bytes", length);
        memcpy(bytes, key, key_length + 1);
        if (length > 0)
                memcpy(bytes + key_length + 1, value, length);
        pthread_mutex_lock(&cache->lock);
        error = put_take(cache, key, hash_of(cache, key, key_length), bytes, length);
        pthread_mutex_unlock(&cache->lock);
        if (error) {
                free(bytes);
                return TOC_ERROR(error, TOC_USUAL, "no memory for more slots");
        }
        return 0;
}

int lru_get(struct lru *cache, const char *key, void *ret_value, size_t room, size_t *ret_length)
{
        size_t key_length = strlen(key);
        uint32_t hash = hash_of(cache, key, key_length);
        uint32_t number;
        int error = -ENOENT;

        pthread_mutex_lock(&cache->lock);
        toc_count(lookups);
        number = cache->table[place_of(cache, hash, key)];
        if (number != none) {
                const struct slot *slot = &cache->slots[number];

                *ret_length = slot->length;
                error = slot->length > room ? -ENOSPC : 0;
        }
        if (error == 0) {
                if (*ret_length > 0)
                        memcpy(ret_value, cache->slots[number].bytes + key_length + 1, *ret_length);
                unlink_use(cache, number);
                link_use(cache, number);
                toc_count(found);
        }
        pthread_mutex_unlock(&cache->lock);
        return error;
}

int lru_remove(struct lru *cache, const char *key)
{
        uint32_t hash = hash_of(cache, key, strlen(key));
        uint32_t place;
        int error = -ENOENT;

        pthread_mutex_lock(&cache->lock);
        place = place_of(cache, hash, key);
        if (cache->table[place] != none) {
                drop(cache, place);
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
        uint32_t before = none;
        uint32_t count = 0;

        for (uint32_t at = cache->newest; at != none; at = cache->slots[at].older) {
                const struct slot *slot = &cache->slots[at];

                if (at >= cache->fresh || slot->newer != before || ++count > cache->count)
                        return 1;
                if (!slot->bytes || cache->table[place_of(cache, slot->hash, slot->bytes)] != at)
                        return 2;
                before = at;
        }
        return cache->oldest != before || count != cache->count || count > cache->capacity;
}
