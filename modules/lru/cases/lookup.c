/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes in, what comes out, and what goes away: small cases with an order that a reader can
 * follow, and one long one against a model that is too simple to be wrong.
 */
#include "lru.h"

#include <tocsin/case.h>

#include <errno.h>
#include <stdlib.h>

enum { ROOM = 64 };

/* "k" and a number that the seed hides. */
static void name_key(char key[32], uint64_t number)
{
        uint64_t hidden = toc_case_seed() ^ number * 0x9e3779b97f4a7c15;
        size_t at = 0;

        key[at++] = 'k';
        for (int i = 0; i < 16; i++)
                key[at++] = "0123456789abcdef"[hidden >> (4 * i) & 15];
        key[at] = '\0';
}

static int put_number(struct lru *cache, uint64_t key_number, uint64_t value)
{
        char key[32];

        name_key(key, key_number);
        return lru_put(cache, key, &value, sizeof(value));
}

static int get_number(struct lru *cache, uint64_t key_number, uint64_t *ret_value)
{
        char key[32];
        size_t length = 0;
        int error;

        name_key(key, key_number);
        error = lru_get(cache, key, ret_value, sizeof(*ret_value), &length);
        if (!error)
                CHECK_EQ(length, sizeof(*ret_value));
        return error;
}

static struct lru *new_cache(size_t capacity)
{
        struct lru *cache = NULL;

        CHECK_EQ(lru_new(&cache, capacity, toc_case_random()), 0);
        CHECK(cache);
        return toc_case_object(cache);
}

static void free_cache(struct lru **cache)
{
        CHECK_EQ(lru_check(*cache), 0);
        toc_case_object_gone(*cache);
        lru_free(cache);
        CHECK(!*cache);
}

TEST(gives_back_what_was_put)
{
        struct lru *cache = new_cache(10);
        uint64_t value = toc_case_random();
        uint64_t got = 0;

        CHECK_EQ(lru_count(cache), 0);
        CHECK_EQ(get_number(cache, 1, &got), -ENOENT);
        CHECK_EQ(put_number(cache, 1, value), 0);
        CHECK_EQ(lru_count(cache), 1);
        CHECK_EQ(get_number(cache, 1, &got), 0);
        CHECK(got == value);
        CHECK_EQ(get_number(cache, 2, &got), -ENOENT);
        free_cache(&cache);
}

TEST(copies_in_and_out)
{
        struct lru *cache = new_cache(2);
        unsigned char bytes[ROOM];
        unsigned char kept[ROOM];
        unsigned char got[ROOM + 1];
        char key[8] = "a-key";
        size_t length = 0;

        for (size_t i = 0; i < ROOM; i++)
                kept[i] = bytes[i] = (unsigned char)toc_case_random();
        CHECK_EQ(lru_put(cache, key, bytes, ROOM), 0);
        memset(bytes, 0, sizeof(bytes));
        memset(key, 'z', 5);
        memset(got, 0x5a, sizeof(got));
        CHECK_EQ(lru_get(cache, "a-key", got, ROOM, &length), 0);
        CHECK_EQ(length, ROOM);
        CHECK_BYTES(got, kept, ROOM);
        CHECK_EQ(got[ROOM], 0x5a);
        CHECK_EQ(lru_get(cache, key, got, ROOM, &length), -ENOENT);
        memset(got, 0, sizeof(got));
        CHECK_EQ(lru_get(cache, "a-key", got, ROOM, &length), 0);
        CHECK_BYTES(got, kept, ROOM);
        free_cache(&cache);
}

TEST(replaces_longer_and_shorter)
{
        struct lru *cache = new_cache(2);
        char got[ROOM];
        size_t length = 0;

        CHECK_EQ(lru_put(cache, "key", "four", 4), 0);
        CHECK_EQ(lru_put(cache, "key", "much longer than that", 21), 0);
        CHECK_EQ(lru_count(cache), 1);
        CHECK_EQ(lru_get(cache, "key", got, sizeof(got), &length), 0);
        CHECK_EQ(length, 21);
        CHECK_BYTES(got, "much longer than that", 21);
        CHECK_EQ(lru_put(cache, "key", "2", 1), 0);
        CHECK_EQ(lru_get(cache, "key", got, sizeof(got), &length), 0);
        CHECK_EQ(length, 1);
        CHECK_EQ(got[0], '2');
        CHECK_EQ(lru_put(cache, "key", NULL, 0), 0);
        CHECK_EQ(lru_get(cache, "key", got, 0, &length), 0);
        CHECK_EQ(length, 0);
        CHECK_EQ(lru_count(cache), 1);
        free_cache(&cache);
}

TEST(forgets_the_longest_not_used)
{
        struct lru *cache = new_cache(3);
        uint64_t got = 0;

        for (uint64_t i = 1; i <= 3; i++)
                CHECK_EQ(put_number(cache, i, 10 * i), 0);
        CHECK_EQ(get_number(cache, 1, &got), 0); /* 2 3 1 */
        CHECK_EQ(put_number(cache, 4, 40), 0);   /* 3 1 4 */
        CHECK_EQ(lru_count(cache), 3);
        CHECK_EQ(get_number(cache, 2, &got), -ENOENT);
        CHECK_EQ(put_number(cache, 3, 33), 0); /* 1 4 3: a put is a use */
        CHECK_EQ(put_number(cache, 5, 50), 0); /* 4 3 5 */
        CHECK_EQ(get_number(cache, 1, &got), -ENOENT);
        CHECK_EQ(get_number(cache, 4, &got), 0); /* 3 5 4 */
        CHECK_EQ(got, 40);
        CHECK_EQ(put_number(cache, 6, 60), 0); /* 5 4 6 */
        CHECK_EQ(get_number(cache, 3, &got), -ENOENT);
        CHECK_EQ(get_number(cache, 5, &got), 0);
        CHECK_EQ(got, 50);
        free_cache(&cache);
}

TEST(room_too_small_is_no_use)
{
        struct lru *cache = new_cache(2);
        char got[4] = "???";
        size_t length = 0;

        CHECK_EQ(lru_put(cache, "old", "12345678", 8), 0);
        CHECK_EQ(lru_put(cache, "new", "1", 1), 0);
        CHECK_EQ(lru_get(cache, "old", got, 3, &length), -ENOSPC);
        CHECK_EQ(length, 8);
        CHECK_STR(got, "???");
        CHECK_EQ(lru_put(cache, "newer", "2", 1), 0);
        CHECK_EQ(lru_get(cache, "old", got, 3, &length), -ENOENT);
        CHECK_EQ(lru_get(cache, "new", got, 3, &length), 0);
        free_cache(&cache);
}

TEST(removes)
{
        struct lru *cache = new_cache(3);
        uint64_t got = 0;
        char key[32];

        for (uint64_t i = 1; i <= 3; i++)
                CHECK_EQ(put_number(cache, i, i), 0);
        for (uint64_t i = 2; i <= 4; i += 2) {
                name_key(key, i);
                CHECK_EQ(lru_remove(cache, key), i == 2 ? 0 : -ENOENT);
        }
        CHECK_EQ(lru_count(cache), 2);
        CHECK_EQ(get_number(cache, 2, &got), -ENOENT);
        CHECK_EQ(put_number(cache, 5, 5), 0);
        CHECK_EQ(get_number(cache, 1, &got), 0);
        CHECK_EQ(get_number(cache, 3, &got), 0);
        name_key(key, 1);
        CHECK_EQ(lru_remove(cache, key), 0);
        CHECK_EQ(lru_remove(cache, key), -ENOENT);
        free_cache(&cache);
}

TEST(holds_one)
{
        struct lru *cache = new_cache(1);
        uint64_t got = 0;

        for (uint64_t i = 0; i < 50; i++) {
                CHECK_EQ(put_number(cache, i, i), 0);
                CHECK_EQ(lru_count(cache), 1);
                CHECK_EQ(get_number(cache, i, &got), 0);
                CHECK_EQ(got, i);
                CHECK_EQ(get_number(cache, i + 1, &got), -ENOENT);
        }
        free_cache(&cache);
}

TEST(misses_what_is_not_in_a_full_cache)
{
        uint64_t got;
        char key[32];

        for (size_t capacity = 1; capacity <= 70; capacity++) {
                struct lru *cache = new_cache(capacity);

                for (uint64_t i = 0; i < capacity; i++)
                        CHECK_EQ(put_number(cache, i, i), 0);
                name_key(key, capacity);
                CHECK_EQ(get_number(cache, capacity, &got), -ENOENT);
                CHECK_EQ(lru_remove(cache, key), -ENOENT);
                CHECK_EQ(lru_count(cache), capacity);
                free_cache(&cache);
        }
}

TEST(refuses_what_is_out_of_bounds)
{
        unsigned char *bytes = calloc(1, LRU_VALUE_MAX + 1);
        char key[LRU_KEY_MAX + 2];
        struct lru *cache = NULL;
        size_t length = 0;

        CHECK(bytes);
        CHECK_EQ(lru_new(&cache, 0, 1), -EINVAL);
        CHECK_EQ(lru_new(&cache, (size_t)LRU_CAPACITY_MAX + 1, 1), -EINVAL);
        CHECK_EQ(lru_new(&cache, SIZE_MAX, 1), -EINVAL);
        CHECK(!cache);
        lru_free(&cache);
        cache = new_cache(2);
        memset(key, 'k', sizeof(key));
        key[LRU_KEY_MAX + 1] = '\0';
        CHECK_EQ(lru_put(cache, key, "1", 1), -EINVAL);
        CHECK_EQ(lru_get(cache, key, bytes, 1, &length), -ENOENT);
        CHECK_EQ(lru_remove(cache, key), -ENOENT);
        CHECK_EQ(lru_put(cache, "", "1", 1), -EINVAL);
        CHECK_EQ(lru_get(cache, "", bytes, 1, &length), -ENOENT);
        CHECK_EQ(lru_remove(cache, ""), -ENOENT);
        key[LRU_KEY_MAX] = '\0';
        CHECK_EQ(lru_put(cache, key, "1", 1), 0);
        CHECK_EQ(lru_get(cache, key, bytes, 1, &length), 0);
        CHECK_EQ(lru_put(cache, "large", bytes, LRU_VALUE_MAX + 1), -EINVAL);
        CHECK_EQ(lru_put(cache, "large", bytes, LRU_VALUE_MAX), 0);
        CHECK_EQ(lru_get(cache, "large", bytes, LRU_VALUE_MAX, &length), 0);
        CHECK_EQ(length, LRU_VALUE_MAX);
        free_cache(&cache);
        free(bytes);
}

/* ---- Against a model ---------------------------------------------------------------------- */

enum { MODEL_CAPACITY = 24, MODEL_KEYS = 40 };

/* What is held, longest not used first. */
struct model {
        struct {
                uint64_t key, value;
        } held[MODEL_CAPACITY];
        size_t count;
        size_t capacity;
};

static size_t model_find(const struct model *model, uint64_t key)
{
        size_t at = 0;

        while (at < model->count && model->held[at].key != key)
                at++;
        return at;
}

static void model_remove(struct model *model, size_t at)
{
        model->count--;
        for (; at < model->count; at++)
                model->held[at] = model->held[at + 1];
}

static void model_put(struct model *model, uint64_t key, uint64_t value)
{
        size_t at = model_find(model, key);

        if (at < model->count)
                model_remove(model, at);
        else if (model->count == model->capacity)
                model_remove(model, 0);
        model->held[model->count].key = key;
        model->held[model->count].value = value;
        model->count++;
}

static void one_step(struct lru *cache, struct model *model)
{
        uint64_t key = toc_case_random_below(MODEL_KEYS);
        uint64_t value = toc_case_random();
        size_t at = model_find(model, key);
        uint64_t got = 0;
        char name[32];

        switch (toc_case_random_below(5)) {
        case 0:
                name_key(name, key);
                CHECK_EQ(lru_remove(cache, name), at < model->count ? 0 : -ENOENT);
                if (at < model->count)
                        model_remove(model, at);
                break;
        case 1:
        case 2:
                CHECK_EQ(put_number(cache, key, value), 0);
                model_put(model, key, value);
                break;
        default:
                CHECK_EQ(get_number(cache, key, &got), at < model->count ? 0 : -ENOENT);
                if (at < model->count) {
                        CHECK(got == model->held[at].value);
                        model_put(model, key, got);
                }
        }
        CHECK_EQ(lru_count(cache), model->count);
}

TEST(agrees_with_a_model)
{
        for (size_t round = 0; round < 8; round++) {
                struct model model = { .capacity = 1 + toc_case_random_below(MODEL_CAPACITY) };
                struct lru *cache = new_cache(model.capacity);

                for (int i = 0; i < 500; i++)
                        one_step(cache, &model);
                toc_case_check_invariant();
                for (uint64_t key = 0; key < MODEL_KEYS; key++) {
                        uint64_t got;
                        bool is_held = model_find(&model, key) < model.count;

                        CHECK_EQ(get_number(cache, key, &got), is_held ? 0 : -ENOENT);
                }
                free_cache(&cache);
        }
}
