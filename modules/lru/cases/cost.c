/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What calls cost: with many entries, with keys that somebody chose so that they crowd, and after
 * much has come and gone. Keys are made before the loop, which is all that is counted.
 */
#include "lru.h"

#include <tocsin/case.h>

#include <stdlib.h>

enum { KEY_SIZE = 33, VALUE_LENGTH = 16, CHURN_CAPACITY = 128 };

static const char value[VALUE_LENGTH] = "sixteen bytes: v";

struct keys {
        char (*at)[KEY_SIZE];
        size_t count;
};

typedef void make_key(char key[KEY_SIZE], uint64_t number);

/* Sixteen hexadecimal digits of a one-to-one map of numbers that the seed hides. */
static void make_plain(char key[KEY_SIZE], uint64_t number)
{
        uint64_t hidden = (number ^ toc_case_seed()) * 0x9e3779b97f4a7c15;

        for (int i = 0; i < 16; i++)
                key[i] = "0123456789abcdef"[hidden >> (4 * i) & 15];
        key[16] = '\0';
}

/* The number's lower sixteen bits, each written as one of two pairs of letters. */
static void make_of_pairs(char key[KEY_SIZE], uint64_t number, const char *zero, const char *one)
{
        for (int i = 0; i < 16; i++)
                memcpy(key + 2 * i, number >> i & 1 ? one : zero, 2);
        key[32] = '\0';
}

/* Alike for h * 31 + c: 65 * 31 + 97 == 66 * 31 + 66. */
static void make_alike_31(char key[KEY_SIZE], uint64_t number)
{
        make_of_pairs(key, number, "Aa", "BB");
}

/* Alike for h * 33 + c, and for h * 33 ^ c: 69 * 33 + 122 == 70 * 33 + 89. */
static void make_alike_33(char key[KEY_SIZE], uint64_t number)
{
        make_of_pairs(key, number, "Ez", "FY");
}

/* Alike for whoever adds or xors bytes. */
static void make_alike_sum(char key[KEY_SIZE], uint64_t number)
{
        make_of_pairs(key, number, "mn", "nm");
}

/* Alike in the lower 16 bits of FNV-1a with 64 bits, which index a table. The bytes that lead a
 * state to the one wanted are looked for one ahead: its lower bits depend on lower bits only. */
static void make_alike_fnv(char key[KEY_SIZE], uint64_t number)
{
        const uint64_t prime = 0x100000001b3;
        const uint64_t inverse = 0xce965057aff6957b; /* prime * inverse == 1 modulo 2^64 */
        uint64_t hash = 0xcbf29ce484222325;
        unsigned last = 0;

        make_plain(key, number);
        for (int i = 0; i < 16; i++)
                hash = (hash ^ (unsigned char)key[i]) * prime;
        for (unsigned c = 1; c < 65536; c++) {
                uint64_t next = ((hash ^ (c & 255)) * prime ^ c >> 8) * prime;

                last = (unsigned)((0x5117 * inverse ^ next) & 65535);
                if (c & 255 && c >> 8 && last > 0 && last < 256) {
                        key[16] = (char)(c & 255);
                        key[17] = (char)(c >> 8);
                        key[18] = (char)last;
                        break;
                }
        }
        CHECK(last > 0 && last < 256);
        key[19] = '\0';
}

static struct keys make_keys(size_t count, make_key *make)
{
        struct keys keys = { malloc(count * sizeof(*keys.at)), count };

        CHECK(keys.at);
        for (size_t i = 0; i < count; i++)
                make(keys.at[i], i);
        return keys;
}

static struct lru *new_filled(size_t capacity, const struct keys *keys, size_t count)
{
        struct lru *cache = NULL;

        CHECK_EQ(lru_new(&cache, capacity, toc_case_random()), 0);
        for (size_t i = 0; i < count; i++)
                CHECK_EQ(lru_put(cache, keys->at[i], value, VALUE_LENGTH), 0);
        return cache;
}

static void end_of(struct lru **cache, struct keys *keys)
{
        CHECK_EQ(lru_check(*cache), 0);
        lru_free(cache);
        free(keys->at);
}

/* ---- count: the number of entries ----------------------------------------------------------- */

BENCH(get, count, 1000, 2000, 4000, 8000)
{
        struct keys keys = make_keys(toc_case_size(), make_plain);
        struct lru *cache = new_filled(keys.count, &keys, keys.count);
        char got[VALUE_LENGTH];
        size_t length = 0;
        uint64_t found = 0;

        BENCH_LOOP(2000)
        {
                found += lru_get(cache, keys.at[toc_case_iteration() * 7 % keys.count], got,
                                 sizeof(got), &length) == 0;
        }
        CHECK_EQ(found, 2000);
        end_of(&cache, &keys);
}

BENCH(get_missing, count, 1000, 2000, 4000, 8000)
{
        struct keys keys = make_keys(2 * toc_case_size(), make_plain);
        struct lru *cache = new_filled(toc_case_size(), &keys, toc_case_size());
        char got[VALUE_LENGTH];
        size_t length = 0;
        uint64_t found = 0;

        BENCH_LOOP(2000)
        {
                found += lru_get(cache,
                                 keys.at[toc_case_size() + toc_case_iteration() % toc_case_size()],
                                 got, sizeof(got), &length) == 0;
        }
        CHECK_EQ(found, 0);
        end_of(&cache, &keys);
}

/* Into a full cache: each pushes one out. */
BENCH(put, count, 1000, 2000, 4000, 8000)
{
        struct keys keys = make_keys(toc_case_size() + 2000, make_plain);
        struct lru *cache = new_filled(toc_case_size(), &keys, toc_case_size());
        uint64_t refused = 0;

        BENCH_LOOP(2000)
        {
                refused += lru_put(cache, keys.at[toc_case_size() + toc_case_iteration()], value,
                                   VALUE_LENGTH) != 0;
        }
        CHECK_EQ(refused, 0);
        CHECK_EQ(lru_count(cache), toc_case_size());
        end_of(&cache, &keys);
}

/* From empty to full; what is looked at is memory. */
BENCH(fill, count, 1000, 2000, 4000, 8000)
{
        struct keys keys = make_keys(toc_case_size(), make_plain);
        struct lru *cache = new_filled(toc_case_size(), &keys, 0);
        uint64_t refused = 0;

        BENCH_LOOP(toc_case_size())
        {
                refused += lru_put(cache, keys.at[toc_case_iteration()], value, VALUE_LENGTH) != 0;
        }
        CHECK_EQ(refused, 0);
        end_of(&cache, &keys);
}

/* ---- collisions: the number of entries whose keys are alike ---------------------------------- */

/* From empty to full: what a table that doubles now and then costs is spread over the calls. */
static void put_alike(make_key *make)
{
        struct keys keys = make_keys(toc_case_size(), make);
        struct lru *cache = new_filled(keys.count, &keys, 0);
        uint64_t refused = 0;

        BENCH_LOOP(keys.count)
        {
                refused += lru_put(cache, keys.at[toc_case_iteration()], value, VALUE_LENGTH) != 0;
        }
        CHECK_EQ(refused, 0);
        CHECK_EQ(lru_count(cache), keys.count);
        end_of(&cache, &keys);
}

BENCH(put_alike_31, collisions, 250, 500, 1000, 2000)
{
        put_alike(make_alike_31);
}

BENCH(put_alike_33, collisions, 250, 500, 1000, 2000)
{
        put_alike(make_alike_33);
}

BENCH(put_alike_sum, collisions, 250, 500, 1000, 2000)
{
        put_alike(make_alike_sum);
}

BENCH(put_alike_fnv, collisions, 250, 500, 1000, 2000)
{
        put_alike(make_alike_fnv);
}

/* ---- churn: how many entries have come and gone ------------------------------------------ */

/* Pushed out by those that come. */
BENCH(churn, churn, 1000, 2000, 4000, 8000)
{
        struct keys keys = make_keys(toc_case_size() + CHURN_CAPACITY, make_plain);
        struct lru *cache = new_filled(CHURN_CAPACITY, &keys, CHURN_CAPACITY);
        uint64_t refused = 0;

        BENCH_LOOP(toc_case_size())
        {
                refused += lru_put(cache, keys.at[CHURN_CAPACITY + toc_case_iteration()], value,
                                   VALUE_LENGTH) != 0;
        }
        CHECK_EQ(refused, 0);
        end_of(&cache, &keys);
}

/* Taken out by hand, and another put in its place. */
BENCH(remove_and_put, churn, 1000, 2000, 4000, 8000)
{
        struct keys keys = make_keys(toc_case_size() + CHURN_CAPACITY, make_plain);
        struct lru *cache = new_filled(CHURN_CAPACITY, &keys, CHURN_CAPACITY);
        uint64_t refused = 0;

        BENCH_LOOP(toc_case_size())
        {
                uint64_t i = toc_case_iteration();

                refused += lru_remove(cache, keys.at[i]) != 0;
                refused += lru_put(cache, keys.at[CHURN_CAPACITY + i], value, VALUE_LENGTH) != 0;
        }
        CHECK_EQ(refused, 0);
        end_of(&cache, &keys);
}
