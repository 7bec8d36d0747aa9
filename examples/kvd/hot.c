/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that no command has to remember the cache: whatever changes the store here changes, or
 * drops, what is held of it. The cache is somebody else's code, so it is not believed for ever:
 * now and then its answer is compared with the store's. How full it is and what it pushes out are
 * the business of its own probes.
 */
#include "hot.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <tocsin.h>

#include "lru.h"

TOC_MODULE(hot, "Recently used values held in front of the store");

_Static_assert(HOT_VALUES_MAX == LRU_CAPACITY_MAX && HOT_KEY_MAX == LRU_KEY_MAX &&
                       HOT_VALUE_MAX == LRU_VALUE_MAX,
               "hot.h says what lru.h can hold");

struct hot {
        struct lru *cache; /* NULL after a clear: the next value that comes makes a new one */
        size_t values_max;
        uint64_t secret;
        uint64_t hits;
        uint64_t misses;
        char *room;                 /* HOT_VALUE_MAX bytes, for the value that was asked for last */
        char name[HOT_KEY_MAX + 1]; /* the key at hand, as a text */
};

int hot_new(struct hot **ret_hot, size_t values)
{
        struct hot *hot;
        int result;

        if (values == 0 || values > HOT_VALUES_MAX)
                return -EINVAL;
        hot = calloc(1, sizeof(*hot));
        if (!hot)
                return -ENOMEM;
        hot->values_max = values;
        hot->room = malloc(HOT_VALUE_MAX);
        if (!hot->room)
                result = -ENOMEM;
        else if (getrandom(&hot->secret, sizeof(hot->secret), 0) != (ssize_t)sizeof(hot->secret))
                result = -EIO;
        else
                result = lru_new(&hot->cache, values, hot->secret);
        if (result) {
                hot_free(&hot);
                return result;
        }
        *ret_hot = hot;
        return 0;
}

void hot_free(struct hot **hot)
{
        if (!*hot)
                return;
        lru_free(&(*hot)->cache);
        free((*hot)->room);
        free(*hot);
        *hot = NULL;
}

/* The key as lru.h takes it, or NULL if it can hold no such key: one with a NUL in it would be
 * taken for another. */
static const char *name_of(struct hot *hot, struct store_text key)
{
        if (!hot || key.length == 0 || key.length > HOT_KEY_MAX ||
            memchr(key.bytes, '\0', key.length))
                return NULL;
        memcpy(hot->name, key.bytes, key.length);
        hot->name[key.length] = '\0';
        return hot->name;
}

static void forget(struct hot *hot, struct store_text key)
{
        const char *name = name_of(hot, key);

        if (name && hot->cache)
                (void)lru_remove(hot->cache, name); /* all it can say is that there was no such */
}

/* A value that is refused, too long or for want of memory, leaves the one before: it must go. */
static void hold(struct hot *hot, struct store_text key, struct store_text value)
{
        const char *name = name_of(hot, key);

        if (!name || (!hot->cache && lru_new(&hot->cache, hot->values_max, hot->secret)))
                return;
        if (lru_put(hot->cache, name, value.bytes, value.length))
                forget(hot, key);
}

/* Does the cache have it? It is asked only for what lru.h can hold. */
static bool is_held(struct hot *hot, struct store_text key, struct store_text *ret_value)
{
        const char *name = name_of(hot, key);
        size_t length = 0;

        if (!name || !hot->cache || lru_get(hot->cache, name, hot->room, HOT_VALUE_MAX, &length))
                return false;
        if (!TOC_EXPECT_CMP(length, <=, (size_t)HOT_VALUE_MAX, TOC_PAGE,
                            "the cache gave more than there was room for"))
                return false;
        *ret_value = (struct store_text){ hot->room, length };
        return true;
}

static bool is_same(struct store_text a, struct store_text b)
{
        return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

/* Asks the store after all. If it says something else, it is right; nothing held is believed. */
static int audit(struct hot *hot, struct store *store, const struct store_item *held,
                 uint64_t now_ms, struct store_item *ret_item)
{
        struct store_item item = { .expires_ms = 0 };
        int result = store_get(store, held->key, now_ms, &item);

        if (!TOC_EXPECT(result == 0 && item.expires_ms == 0 && is_same(item.value, held->value),
                        TOC_PAGE, "the cache holds another value than the store: it is emptied"))
                lru_free(&hot->cache);
        if (result == 0)
                *ret_item = item;
        return result;
}

int hot_get(struct hot *hot, struct store *store, struct store_text key, uint64_t now_ms,
            struct store_item *ret_item)
{
        struct store_item held = { .key = key };
        int result;

        if (!hot)
                return store_get(store, key, now_ms, ret_item);
        if (is_held(hot, key, &held.value)) {
                if (++hot->hits % HOT_AUDIT_EVERY == 0)
                        return audit(hot, store, &held, now_ms, ret_item);
                store_count_hit(store);
                *ret_item = held;
                return 0;
        }
        hot->misses++;
        result = store_get(store, key, now_ms, ret_item);
        if (result == 0 && ret_item->expires_ms == 0)
                hold(hot, key, ret_item->value);
        return result;
}

int hot_set(struct hot *hot, struct store *store, const struct store_item *item, uint64_t now_ms)
{
        int result = store_set(store, item, now_ms);

        if (result == 0 && item->expires_ms == 0)
                hold(hot, item->key, item->value);
        else if (result == 0)
                forget(hot, item->key);
        return result;
}

int hot_change(struct hot *hot, struct store *store, const struct store_item *item, uint64_t now_ms)
{
        int result = store_set(store, item, now_ms);

        if (result == 0)
                forget(hot, item->key);
        return result;
}

int hot_remove(struct hot *hot, struct store *store, struct store_text key, uint64_t now_ms)
{
        int result = store_remove(store, key, now_ms);

        if (result == 0)
                forget(hot, key);
        return result;
}

void hot_clear(struct hot *hot, struct store *store)
{
        store_clear(store);
        if (hot)
                lru_free(&hot->cache);
}

struct hot_stats hot_stats(const struct hot *hot)
{
        if (!hot)
                return (struct hot_stats){ .entries = 0 };
        return (struct hot_stats){ .entries = hot->cache ? lru_count(hot->cache) : 0,
                                   .hits = hot->hits,
                                   .misses = hot->misses };
}
