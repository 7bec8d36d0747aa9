/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cache, many threads.
 */
#include "lru.h"

#include <tocsin/case.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, STEPS = 300, KEYS = 96, CAPACITY = 64 };

struct worker {
        pthread_t thread;
        struct lru *cache;
        uint64_t state;
};

/* Each thread needs numbers of its own: toc_case_random() belongs to the case's thread. */
static uint64_t next_of(uint64_t *state)
{
        *state = *state * 6364136223846793005 + 1442695040888963407;
        return *state >> 33;
}

/* A value tells its key, so that a mixture shows. */
static void use_once(struct lru *cache, uint64_t *state)
{
        uint64_t number = next_of(state) % KEYS;
        uint64_t value[2] = { number, ~number };
        uint64_t got[2] = { 0, 0 };
        size_t length = 0;
        char key[24];

        (void)snprintf(key, sizeof(key), "key-%u", (unsigned)number);
        switch (next_of(state) % 8) {
        case 0:
                (void)lru_remove(cache, key);
                break;
        case 1:
        case 2:
        case 3:
                CHECK_EQ(lru_put(cache, key, value, sizeof(value)), 0);
                break;
        case 4:
                CHECK_LE(lru_count(cache), CAPACITY);
                break;
        default:
                if (lru_get(cache, key, got, sizeof(got), &length) == 0) {
                        CHECK_EQ(length, sizeof(got));
                        CHECK(got[0] == value[0] && got[1] == value[1]);
                }
        }
}

static void *work(void *argument)
{
        struct worker *worker = argument;

        for (int i = 0; i < STEPS; i++)
                use_once(worker->cache, &worker->state);
        return NULL;
}

TEST(many_threads_at_once)
{
        struct worker workers[THREADS];
        struct lru *cache = NULL;

        CHECK_EQ(lru_new(&cache, CAPACITY, toc_case_random()), 0);
        CHECK(cache);
        for (int i = 0; i < THREADS; i++) {
                workers[i] = (struct worker){ .cache = cache, .state = toc_case_random() };
                CHECK_EQ(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
        }
        for (int i = 0; i < THREADS; i++)
                CHECK_EQ(pthread_join(workers[i].thread, NULL), 0);
        CHECK_EQ(lru_check(cache), 0);
        lru_free(&cache);
}

/* The cache that all threads of the stress case share: whoever comes first makes it, whoever goes
 * last frees it. */
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static struct lru *shared;
static unsigned sharers;

static struct lru *come(void)
{
        pthread_mutex_lock(&shared_lock);
        if (sharers++ == 0)
                CHECK_EQ(lru_new(&shared, CAPACITY, toc_case_seed()), 0);
        pthread_mutex_unlock(&shared_lock);
        return shared;
}

static void go(void)
{
        pthread_mutex_lock(&shared_lock);
        if (--sharers == 0) {
                CHECK_EQ(lru_check(shared), 0);
                lru_free(&shared);
        }
        pthread_mutex_unlock(&shared_lock);
}

STRESS(everything_at_once)
{
        struct lru *cache = come();
        uint64_t state = toc_case_seed() + toc_case_thread() * 0x9e3779b97f4a7c15;

        while (toc_case_running())
                use_once(cache, &state);
        go();
}
