/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache and the store beside it, looked at from both sides. Linked with --wrap=lru_put and
 * --wrap=lru_new, so that the cache can refuse on purpose, whichever lru.c is linked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hot.h"
#include "lru.h"

enum { VALUES = 4, MODEL_KEYS = 8, MODEL_ROUNDS = 20000, NEVER_DENIED = -1 };

static const struct hash_seed seed = { 1, 2 };
static const struct store_limits roomy = { 1000, 8 << 20 };
static struct hot *hot;
static struct store *store;
static int allocations_left = NEVER_DENIED;
static bool puts_fail;
static bool news_fail;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_lru_new(struct lru **ret_cache, size_t capacity, uint64_t secret);
int __wrap_lru_new(struct lru **ret_cache, size_t capacity, uint64_t secret);
int __real_lru_put(struct lru *cache, const char *key, const void *value, size_t length);
int __wrap_lru_put(struct lru *cache, const char *key, const void *value, size_t length);

static bool is_denied(void)
{
        if (allocations_left == NEVER_DENIED)
                return false;
        return allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
        return is_denied() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
        return is_denied() ? NULL : __real_calloc(count, size);
}

int __wrap_lru_new(struct lru **ret_cache, size_t capacity, uint64_t secret)
{
        return news_fail ? -ENOMEM : __real_lru_new(ret_cache, capacity, secret);
}

int __wrap_lru_put(struct lru *cache, const char *key, const void *value, size_t length)
{
        return puts_fail ? -ENOMEM : __real_lru_put(cache, key, value, length);
}

static int set_up(void **state)
{
        (void)state;
        puts_fail = news_fail = false;
        if (store_new(&store, &roomy, &seed))
                return -1;
        return hot_new(&hot, VALUES);
}

static int tear_down(void **state)
{
        (void)state;
        hot_free(&hot);
        store_free(&store);
        return hot || store ? -1 : 0;
}

static struct store_text text(const char *bytes)
{
        return (struct store_text){ bytes, strlen(bytes) };
}

static void set(const char *key, const char *value, uint64_t expires_ms)
{
        const struct store_item item = { text(key), text(value), expires_ms };

        assert_int_equal(hot_set(hot, store, &item, 1), 0);
}

/* value NULL: there is none. by_cache: whether the store was spared. */
static void assert_get(struct store_text key, const char *value, bool by_cache)
{
        uint64_t hits = hot_stats(hot).hits;
        uint64_t misses = hot_stats(hot).misses;
        struct store_stats before = store_stats(store);
        struct store_item item;

        assert_int_equal(hot_get(hot, store, key, 1, &item), value ? 0 : STORE_ABSENT);
        if (value) {
                assert_int_equal(item.value.length, strlen(value));
                assert_memory_equal(item.value.bytes, value, strlen(value));
                assert_int_equal(item.key.length, key.length);
        }
        assert_int_equal(hot_stats(hot).hits, hits + (by_cache ? 1 : 0));
        assert_int_equal(hot_stats(hot).misses, misses + (by_cache ? 0 : 1));
        assert_int_equal(store_stats(store).hits, before.hits + (value ? 1 : 0));
        assert_int_equal(store_stats(store).misses, before.misses + (value ? 0 : 1));
}

static void test_get_and_set(void **state)
{
        (void)state;
        assert_get(text("k"), NULL, false);
        set("k", "1", 0);
        assert_get(text("k"), "1", true);
        set("k", "22", 0);
        assert_get(text("k"), "22", true);
        set("k", "", 0);
        assert_get(text("k"), "", true);
        assert_int_equal(hot_stats(hot).entries, 1);
}

static void test_miss_is_held(void **state)
{
        const struct store_item item = { text("k"), text("v"), 0 };

        (void)state;
        assert_int_equal(store_set(store, &item, 1), 0);
        assert_get(text("k"), "v", false);
        assert_get(text("k"), "v", true);
}

/* All that is held can be pushed out, and comes back. */
static void test_fewer_than_keys(void **state)
{
        static const char *const keys[] = { "a", "b", "c", "d", "e" };

        (void)state;
        for (size_t i = 0; i < 5; i++)
                set(keys[i], keys[i], 0);
        assert_int_equal(hot_stats(hot).entries, VALUES);
        assert_get(text("e"), "e", true);
        assert_get(text("a"), "a", false);
        assert_get(text("a"), "a", true);
        assert_int_equal(hot_stats(hot).entries, VALUES);
}

static void test_expiry_is_never_held(void **state)
{
        struct store_item item;

        (void)state;
        set("k", "v", 0);
        set("k", "w", 100);
        assert_get(text("k"), "w", false);
        assert_get(text("k"), "w", false);
        assert_int_equal(hot_stats(hot).entries, 0);
        assert_int_equal(hot_get(hot, store, text("k"), 99, &item), 0);
        assert_int_equal(item.expires_ms, 100);
        assert_int_equal(hot_get(hot, store, text("k"), 100, &item), STORE_ABSENT);
        set("k", "x", 0);
        assert_get(text("k"), "x", true);
}

static void test_change_and_remove(void **state)
{
        const struct store_item item = { text("k"), text("2"), 0 };

        (void)state;
        set("k", "1", 0);
        assert_int_equal(hot_change(hot, store, &item, 1), 0);
        assert_int_equal(hot_stats(hot).entries, 0);
        assert_get(text("k"), "2", false);
        assert_get(text("k"), "2", true);
        assert_int_equal(hot_remove(hot, store, text("k"), 1), 0);
        assert_int_equal(hot_stats(hot).entries, 0);
        assert_get(text("k"), NULL, false);
        assert_int_equal(hot_remove(hot, store, text("k"), 1), STORE_ABSENT);
}

static void test_clear(void **state)
{
        (void)state;
        set("k", "v", 0);
        hot_clear(hot, store);
        assert_int_equal(hot_stats(hot).entries, 0);
        assert_get(text("k"), NULL, false);
        hot_clear(hot, store);
        assert_int_equal(hot_remove(hot, store, text("k"), 1), STORE_ABSENT);
        set("k", "w", 0);
        assert_get(text("k"), "w", true);
        hot_clear(hot, store);
        news_fail = true; /* no cache any more is no reason to fail */
        set("k", "x", 0);
        assert_get(text("k"), "x", false);
        assert_get(text("k"), "x", false);
        news_fail = false;
        assert_get(text("k"), "x", false);
        assert_get(text("k"), "x", true);
}

/* The store refuses: what is held is still what it has. */
static void test_refused_writes(void **state)
{
        const struct store_item item = { text("k"), text("w"), 0 };

        (void)state;
        set("k", "v", 0);
        store_break(store);
        assert_int_equal(hot_set(hot, store, &item, 1), -EUCLEAN);
        assert_int_equal(hot_change(hot, store, &item, 1), -EUCLEAN);
        assert_int_equal(hot_remove(hot, store, text("k"), 1), -EUCLEAN);
        assert_get(text("k"), "v", true);
        store_mend(store);
}

/* The cache refuses: the client's command succeeds, and the value before is not served. */
static void test_refused_puts(void **state)
{
        (void)state;
        set("k", "v", 0);
        puts_fail = true;
        set("k", "w", 0);
        assert_get(text("k"), "w", false);
        assert_get(text("k"), "w", false);
        assert_int_equal(hot_stats(hot).entries, 0);
        puts_fail = false;
        set("k", "x", 0);
        assert_get(text("k"), "x", true);
}

static void test_keys_at_the_limit(void **state)
{
        char key[HOT_KEY_MAX + 2];

        (void)state;
        memset(key, 'k', sizeof(key));
        key[HOT_KEY_MAX + 1] = '\0';
        set(key, "one beyond", 0);
        assert_get(text(key), "one beyond", false);
        assert_get(text(key), "one beyond", false);
        key[HOT_KEY_MAX] = '\0';
        assert_get(text(key), NULL, false);
        set(key, "at the limit", 0);
        assert_get(text(key), "at the limit", true);
        set("", "of no name", 0);
        assert_get(text(""), "of no name", false);
        assert_get(text(""), "of no name", false);
        assert_int_equal(hot_stats(hot).entries, 1);
}

static void test_key_with_nul(void **state)
{
        const struct store_text odd = { "k\0x", 3 };
        const struct store_item item = { odd, text("odd"), 0 };

        (void)state;
        set("k", "even", 0);
        assert_int_equal(hot_set(hot, store, &item, 1), 0);
        assert_get(odd, "odd", false);
        assert_get(odd, "odd", false);
        assert_get(text("k"), "even", true);
        assert_int_equal(hot_remove(hot, store, odd, 1), 0);
        assert_get(text("k"), "even", true);
}

static void test_values_at_the_limit(void **state)
{
        char *value = calloc(1, HOT_VALUE_MAX + 2);

        (void)state;
        assert_non_null(value);
        memset(value, 'v', HOT_VALUE_MAX + 1);
        set("k", "short", 0);
        set("k", value, 0);
        assert_get(text("k"), value, false);
        assert_get(text("k"), value, false);
        value[HOT_VALUE_MAX] = '\0';
        set("k", value, 0);
        assert_get(text("k"), value, true);
        free(value);
}

/* Somebody changes the store behind the cache's back. It is found out, and nobody believes the
 * rest of what is held either. */
static void test_audit(void **state)
{
        const struct store_item item = { text("k"), text("truth"), 0 };

        (void)state;
        set("k", "truthful", 0);
        set("other", "v", 0);
        assert_int_equal(store_set(store, &item, 1), 0);
        for (int i = 1; i < HOT_AUDIT_EVERY; i++)
                assert_get(text("k"), "truthful", true);
        assert_get(text("k"), "truth", true);
        assert_int_equal(hot_stats(hot).entries, 0);
        assert_get(text("k"), "truth", false);
        assert_get(text("k"), "truth", true);
        assert_int_equal(store_remove(store, text("k"), 1), 0);
        for (int i = 2; i < HOT_AUDIT_EVERY; i++)
                assert_get(text("k"), "truth", true);
        assert_get(text("k"), NULL, true);
        assert_int_equal(hot_stats(hot).entries, 0);
}

static void test_without_cache(void **state)
{
        struct hot *none = NULL;
        const struct store_item item = { text("k"), text("v"), 0 };
        struct store_item found;

        (void)state;
        assert_int_equal(hot_set(none, store, &item, 1), 0);
        assert_int_equal(hot_change(none, store, &item, 1), 0);
        assert_int_equal(hot_get(none, store, text("k"), 1, &found), 0);
        assert_int_equal(hot_remove(none, store, text("k"), 1), 0);
        assert_int_equal(hot_get(none, store, text("k"), 1, &found), STORE_ABSENT);
        hot_clear(none, store);
        assert_int_equal(hot_stats(none).entries + hot_stats(none).hits + hot_stats(none).misses,
                         0);
        hot_free(&none);
}

static void test_new(void **state)
{
        struct hot *other = NULL;
        int denied = 0;

        (void)state;
        assert_int_equal(hot_new(&other, 0), -EINVAL);
        assert_int_equal(hot_new(&other, HOT_VALUES_MAX + 1), -EINVAL);
        assert_int_equal(hot_new(&other, HOT_VALUES_MAX), 0);
        hot_free(&other);
        for (;; denied++) {
                int result;

                allocations_left = denied;
                result = hot_new(&other, 1);
                allocations_left = NEVER_DENIED;
                if (result == 0)
                        break;
                assert_int_equal(result, -ENOMEM);
                assert_null(other);
        }
        assert_in_range(denied, 3, 100); /* hot's own two, and one or more of the cache */
        hot_free(&other);
}

/* Any order of commands: what is said is what a store without a cache says. */
static void test_against_a_plain_store(void **state)
{
        static const char *const keys[MODEL_KEYS] = { "a", "b", "c", "d", "e", "f", "g", "" };
        static const char *const values[] = { "", "1", "22", "333" };
        struct store_item item, found, expected;
        struct store *plain = NULL;

        (void)state;
        srand(1);
        assert_int_equal(store_new(&plain, &roomy, &seed), 0);
        for (uint64_t now_ms = 1; now_ms < MODEL_ROUNDS; now_ms++) {
                int what = rand() % 16;
                int result;

                puts_fail = rand() % 8 == 0;
                item = (struct store_item){ text(keys[rand() % MODEL_KEYS]),
                                            text(values[rand() % 4]),
                                            rand() % 4 ? 0 : now_ms + (uint64_t)(rand() % 9) };
                if (what < 4) {
                        result = hot_set(hot, store, &item, now_ms);
                        assert_int_equal(result, store_set(plain, &item, now_ms));
                } else if (what < 6) {
                        result = hot_change(hot, store, &item, now_ms);
                        assert_int_equal(result, store_set(plain, &item, now_ms));
                } else if (what < 7) {
                        result = hot_remove(hot, store, item.key, now_ms);
                        assert_int_equal(result, store_remove(plain, item.key, now_ms));
                } else if (rand() % 256 == 0) {
                        hot_clear(hot, store);
                        store_clear(plain);
                } else {
                        result = hot_get(hot, store, item.key, now_ms, &found);
                        assert_int_equal(result, store_get(plain, item.key, now_ms, &expected));
                        if (result == 0) {
                                assert_int_equal(found.value.length, expected.value.length);
                                assert_memory_equal(found.value.bytes, expected.value.bytes,
                                                    expected.value.length);
                        }
                }
        }
        assert_int_equal(store_stats(store).hits, store_stats(plain).hits);
        assert_int_equal(store_stats(store).misses, store_stats(plain).misses);
        assert_in_range(hot_stats(hot).hits, MODEL_ROUNDS / 16, MODEL_ROUNDS);
        store_free(&plain);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_get_and_set, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_miss_is_held, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_fewer_than_keys, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_expiry_is_never_held, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_change_and_remove, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_clear, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_refused_writes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_refused_puts, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_keys_at_the_limit, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_key_with_nul, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_values_at_the_limit, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_audit, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_without_cache, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_new, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_against_a_plain_store, set_up, tear_down),
        };

        return cmocka_run_group_tests_name("kvd hot", tests, NULL, NULL);
}
