/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory runs out: a call may fail, but what was held is held, and everything goes on.
 */
#include "lru.h"

#include <tocsin/case.h>

#include <errno.h>

static const char *const keys[] = { "ash", "beech", "cedar", "dogwood", "elm", "fir" };

enum { KEYS = sizeof(keys) / sizeof(keys[0]), CAPACITY = 4 };

static struct lru *new_or_null(size_t capacity)
{
        struct lru *cache = NULL;
        int error = lru_new(&cache, capacity, toc_case_random());

        CHECK(error == 0 || error == -ENOMEM);
        CHECK((error == 0) == (cache != NULL));
        return cache ? toc_case_object(cache) : NULL;
}

static void gone(struct lru **cache)
{
        toc_case_object_gone(*cache);
        lru_free(cache);
}

/* A put that fails leaves the value as it was, and a put that succeeds brings the new one. */
FAULT(a_failed_put_changes_nothing)
{
        struct lru *cache = new_or_null(CAPACITY);
        char before[64];
        char after[64];
        size_t length_before = 0;
        size_t length_after = 0;

        if (!cache)
                return;
        for (size_t i = 0; i < 4 * KEYS; i++) {
                const char *key = keys[toc_case_random_below(KEYS)];
                size_t length = toc_case_random_below(sizeof(before));
                size_t count = lru_count(cache);
                int held = lru_get(cache, key, before, sizeof(before), &length_before);
                int put;

                memset(after, (int)i, sizeof(after));
                put = lru_put(cache, key, after, length);
                CHECK(put == 0 || put == -ENOMEM);
                if (put == -ENOMEM) {
                        CHECK_EQ(lru_count(cache), count);
                        CHECK_EQ(lru_get(cache, key, after, sizeof(after), &length_after), held);
                        if (held == 0) {
                                CHECK_EQ(length_after, length_before);
                                CHECK_BYTES(after, before, length_before);
                        }
                }
                toc_case_check_invariant();
        }
        gone(&cache);
}

/* Nothing is pushed out for an entry that never came. */
FAULT(a_failed_put_pushes_nothing_out)
{
        struct lru *cache = new_or_null(CAPACITY);
        size_t length;
        char got[8];

        if (!cache)
                return;
        for (size_t i = 0; i < KEYS; i++) {
                size_t held = lru_count(cache);
                const char *oldest = i >= CAPACITY ? keys[i - CAPACITY] : NULL;

                if (lru_put(cache, keys[i], &i, sizeof(i)) != 0) {
                        CHECK_EQ(lru_count(cache), held);
                        if (held == CAPACITY && oldest)
                                CHECK_EQ(lru_get(cache, oldest, got, sizeof(got), &length), 0);
                        break;
                }
        }
        gone(&cache);
}

/* Whatever failed, the cache can be used on. */
FAULT(goes_on_after_an_error)
{
        struct lru *cache = new_or_null(2);
        size_t length;
        char got[64];

        if (!cache)
                return;
        for (size_t i = 0; i < 3 * KEYS; i++) {
                (void)lru_put(cache, keys[i % KEYS], "a value of some length", 23);
                (void)lru_get(cache, keys[i % 2], got, sizeof(got), &length);
                (void)lru_remove(cache, keys[(i + 1) % KEYS]);
                CHECK_LE(lru_count(cache), 2);
        }
        gone(&cache);
}
