/* SPDX-License-Identifier: Apache-2.0 */
/* fault_cache.c - memory that is live, and meant to be: with and without an end. */
#include "faults.h"

#include <stdlib.h>
#include <string.h>

#include <tocsin.h>

TOC_MODULE(cache, "What was asked for once",
           TOC_BUDGET(live_bytes, 8 << 20, TOC_WARN, "the cache outgrew its share of memory"));

enum { slot_max = 1 << 16, entry_bytes = 4096 };

static char *slots[slot_max];

static FAULTS_SITE char *cache_entry_new(void)
{
        char *entry = malloc(entry_bytes);

        if (!entry)
                exit(9);
        memset(entry, 1, entry_bytes);
        return entry;
}

static FAULTS_SITE void cache_insert(size_t slot)
{
        TOC_ENTER(cache);

        free(slots[slot]);
        slots[slot] = cache_entry_new();
}

/* 500 a second. */
static void insert_all(size_t begin, size_t capacity)
{
        for (size_t number = begin;; number++) {
                cache_insert(number % capacity);
                if (number % 10 == 9)
                        faults_pause_ms(20);
        }
}

void cache_unbounded(void)
{
        size_t number = 0;

        for (; !faults_has_begun(); number++) {
                cache_insert(number % 200);
                faults_pause_ms(2);
        }
        insert_all(200, slot_max);
}

void cache_full(void)
{
        insert_all(0, 1000);
}
