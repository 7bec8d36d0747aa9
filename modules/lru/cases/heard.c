/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is told, and who is left in peace.
 */
#include "lru.h"

#include <tocsin/case.h>

#include <errno.h>

static void put_number(struct lru *cache, uint64_t number, int expected)
{
        uint64_t hidden = toc_case_seed() ^ number * 0x9e3779b97f4a7c15;
        char key[17];

        for (int i = 0; i < 16; i++)
                key[i] = "0123456789abcdef"[hidden >> (4 * i) & 15];
        key[16] = '\0';
        CHECK_EQ(lru_put(cache, key, &number, sizeof(number)), expected);
}

static struct lru *new_cache(size_t capacity)
{
        struct lru *cache = NULL;

        CHECK_EQ(lru_new(&cache, capacity, toc_case_random()), 0);
        CHECK(cache);
        return cache;
}

/* The working set is larger than the cache: nothing stays long enough to be of use. */
ALARM(an_eviction_storm, 120)
{
        struct lru *cache = new_cache(100);
        uint64_t number = 0;

        for (int second = 0; second < 120; second++) {
                for (int i = 0; i < 200; i++)
                        put_number(cache, number++, 0);
                toc_case_tick(1);
        }
        lru_free(&cache);
}

ALARM(memory_ran_out, 60)
{
        struct lru *cache = new_cache(100);

        put_number(cache, 0, 0);
        toc_case_tick(30);
        toc_case_fail_allocations(true);
        put_number(cache, 1, -ENOMEM);
        toc_case_fail_allocations(false);
        toc_case_tick(60);
        lru_free(&cache);
}

/* Hits, misses, replacements and removals, steadily; the cache is large enough. */
CALM(everyday_use)
{
        struct lru *cache = new_cache(100);
        uint64_t got;
        size_t length;

        for (int second = 0; second < 600; second++) {
                for (int i = 0; i < 20; i++)
                        put_number(cache, toc_case_random_below(100), 0);
                (void)lru_get(cache, "no such key", &got, sizeof(got), &length);
                (void)lru_remove(cache, "no such key either");
                toc_case_tick(1);
        }
        lru_free(&cache);
}

/* Somebody walks through everything once, every few minutes. */
CALM(a_burst_now_and_then)
{
        struct lru *cache = new_cache(500);
        uint64_t number = 0;

        for (int burst = 0; burst < 4; burst++) {
                for (int i = 0; i < 2000; i++)
                        put_number(cache, number++, 0);
                toc_case_tick(180);
        }
        lru_free(&cache);
}

/* Requests that cannot be met are the caller's mistake, which it is told. */
CALM(refusals)
{
        struct lru *cache = new_cache(1);

        for (int i = 0; i < 100; i++) {
                CHECK_EQ(lru_put(cache, "", "1", 1), -EINVAL);
                toc_case_tick(1);
        }
        lru_free(&cache);
}
