/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linked with --wrap=malloc and --wrap=calloc, so that memory can be denied on purpose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

enum { MODEL_KEYS = 64, MODEL_ROUNDS = 50000, NEVER_DENIED = -1 };

static const struct hash_seed seed = { 1, 2 };
static const struct store_limits roomy = { 1000, 1 << 20 };
static int allocations_left = NEVER_DENIED;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

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

static struct store_text text(const char *bytes)
{
        return (struct store_text){ bytes, strlen(bytes) };
}

static int set(struct store *store, const char *key, const char *value, uint64_t expires_ms)
{
        struct store_item item = { text(key), text(value), expires_ms };

        return store_set(store, &item, 1);
}

static void assert_value(struct store *store, const char *key, uint64_t now_ms, const char *value)
{
        struct store_item item;

        assert_int_equal(store_get(store, text(key), now_ms, &item), value ? 0 : STORE_ABSENT);
        if (!value)
                return;
        assert_int_equal(item.value.length, strlen(value));
        assert_memory_equal(item.value.bytes, value, strlen(value));
        assert_int_equal(item.key.length, strlen(key));
        assert_memory_equal(item.key.bytes, key, strlen(key));
}

/* A whole sweep; counts what it shows. */
static int count_item(void *context, const struct store_item *item)
{
        uint64_t *count = context;

        (void)item;
        (*count)++;
        return 0;
}

static uint64_t sweep_all(struct store *store, uint64_t now_ms)
{
        uint64_t count = 0;

        for (size_t i = 0; i < store_stripes(store); i++)
                assert_int_equal(store_sweep(store, i, now_ms, count_item, &count), 0);
        return count;
}

static void test_nothing(void **state)
{
        struct store *store = NULL;

        (void)state;
        store_free(&store);
        assert_int_equal(store_new(&store, &roomy, &seed), 0);
        assert_value(store, "key", 1, NULL);
        assert_int_equal(store_remove(store, text("key"), 1), STORE_ABSENT);
        assert_int_equal(sweep_all(store, 1), 0);
        assert_int_equal(store_stats(store).keys, 0);
        store_free(&store);
        assert_null(store);
}

static void test_wrong_limits(void **state)
{
        struct store *store = NULL;

        (void)state;
        assert_int_equal(store_new(&store, &(struct store_limits){ 0, 100 }, &seed), -EINVAL);
        assert_int_equal(store_new(&store, &(struct store_limits){ 100, 0 }, &seed), -EINVAL);
        assert_int_equal(
                store_new(&store, &(struct store_limits){ STORE_KEYS_LIMIT + 1, 100 }, &seed),
                -EINVAL);
        assert_null(store);
}

static void test_no_memory(void **state)
{
        struct store *store = NULL;
        struct store_stats before;

        (void)state;
        for (int i = 0; i < 3; i++) {
                allocations_left = i;
                assert_int_equal(store_new(&store, &roomy, &seed), -ENOMEM);
                allocations_left = NEVER_DENIED;
                assert_null(store);
        }
        assert_int_equal(store_new(&store, &roomy, &seed), 0);
        assert_int_equal(set(store, "key", "value", 0), 0);
        before = store_stats(store);
        allocations_left = 0;
        assert_int_equal(set(store, "other", "value", 0), -ENOMEM);
        allocations_left = 0;
        assert_int_equal(set(store, "key", "longer value", 0), -ENOMEM);
        allocations_left = NEVER_DENIED;
        assert_int_equal(store_stats(store).changes, before.changes);
        assert_value(store, "key", 1, "value");
        assert_int_equal(sweep_all(store, 1), 1);
        store_free(&store);
}

static void test_set_replace_remove(void **state)
{
        struct store *store;
        struct store_item same;

        (void)state;
        assert_int_equal(store_new(&store, &roomy, &seed), 0);
        assert_int_equal(set(store, "key", "one", 0), 0);
        assert_value(store, "key", 1, "one");
        assert_int_equal(set(store, "key", "two", 0), 0); /* in place */
        assert_value(store, "key", 1, "two");
        assert_int_equal(set(store, "key", "a longer one", 0), 0);
        assert_value(store, "key", 1, "a longer one");
        assert_int_equal(set(store, "key", "", 0), 0);
        assert_value(store, "key", 1, "");
        assert_int_equal(set(store, "", "of the empty key", 0), 0);
        assert_value(store, "", 1, "of the empty key");
        assert_int_equal(store_get(store, text(""), 1, &same), 0);
        assert_int_equal(store_set(store, &same, 1), 0); /* a view of itself */
        assert_value(store, "", 1, "of the empty key");
        assert_int_equal(store_stats(store).keys, 2);
        assert_int_equal(store_stats(store).bytes, 2 * ENTRY_BYTES + 3 + 16);
        assert_int_equal(store_remove(store, text("key"), 1), 0);
        assert_int_equal(store_remove(store, text("key"), 1), STORE_ABSENT);
        assert_value(store, "key", 1, NULL);
        assert_int_equal(sweep_all(store, 1), 1);
        store_clear(store);
        assert_int_equal(store_stats(store).keys, 0);
        assert_int_equal(store_stats(store).bytes, 0);
        assert_value(store, "", 1, NULL);
        store_free(&store);
}

static void test_expiry(void **state)
{
        struct store *store;

        (void)state;
        assert_int_equal(store_new(&store, &roomy, &seed), 0);
        assert_int_equal(set(store, "a", "1", 100), 0);
        assert_int_equal(set(store, "b", "2", 100), 0);
        assert_int_equal(set(store, "c", "3", 100), 0);
        assert_int_equal(set(store, "d", "4", 200), 0);
        assert_value(store, "a", 99, "1");
        assert_int_equal(sweep_all(store, 99), 4);
        assert_value(store, "a", 100, NULL);
        assert_int_equal(store_stats(store).keys, 3);
        assert_int_equal(store_remove(store, text("b"), 100), STORE_ABSENT);
        assert_int_equal(store_stats(store).keys, 2);
        assert_int_equal(sweep_all(store, 100), 1);
        assert_int_equal(store_stats(store).keys, 1);
        assert_int_equal(store_stats(store).expired, 3);
        /* An expired key counts as absent for a set, also when the store is full. */
        assert_int_equal(store_set(store, &(struct store_item){ text("d"), text("55"), 0 }, 200),
                         0);
        assert_value(store, "d", 999999, "55");
        assert_int_equal(store_stats(store).expired, 4);
        store_free(&store);
}

static void test_key_limit(void **state)
{
        const struct store_limits two = { 2, 1 << 20 };
        struct store *store;

        (void)state;
        assert_int_equal(store_new(&store, &two, &seed), 0);
        assert_int_equal(set(store, "a", "1", 0), 0);
        assert_int_equal(set(store, "b", "1", 0), 0);
        assert_int_equal(set(store, "c", "1", 0), STORE_FULL);
        assert_int_equal(set(store, "b", "replaced", 0), 0);
        assert_int_equal(store_remove(store, text("a"), 1), 0);
        assert_int_equal(set(store, "c", "1", 0), 0);
        store_free(&store);
}

static void test_byte_limit(void **state)
{
        const struct store_limits small = { 10, 2 * (ENTRY_BYTES + 2) };
        struct store *store;

        (void)state;
        assert_int_equal(store_new(&store, &small, &seed), 0);
        assert_int_equal(set(store, "a", "1", 0), 0);
        assert_int_equal(set(store, "b", "22", 0), STORE_FULL);
        assert_int_equal(set(store, "b", "2", 0), 0);
        assert_int_equal(set(store, "b", "22", 0), STORE_FULL);
        assert_value(store, "b", 1, "2");
        assert_int_equal(set(store, "b", "", 0), 0);
        assert_int_equal(set(store, "a", "11", 0), 0);
        assert_int_equal(store_stats(store).bytes, small.bytes_max);
        store_free(&store);
}

static void test_broken_books(void **state)
{
        struct store *store;
        struct store_stats before;

        (void)state;
        assert_int_equal(store_new(&store, &roomy, &seed), 0);
        assert_int_equal(set(store, "key", "value", 0), 0);
        assert_int_equal(set(store, "old", "value", 50), 0);
        store_break(store);
        before = store_stats(store);
        assert_int_equal(set(store, "key", "other", 0), -EUCLEAN);
        assert_int_equal(set(store, "new", "other", 0), -EUCLEAN);
        assert_int_equal(store_remove(store, text("key"), 1), -EUCLEAN);
        assert_int_equal(store_sweep(store, 0, 1, NULL, NULL), -EUCLEAN);
        assert_value(store, "key", 1, "value"); /* reads go on */
        assert_value(store, "old", 60, NULL);   /* and tell the truth */
        assert_int_equal(store_stats(store).changes, before.changes);
        store_mend(store);
        assert_int_equal(set(store, "key", "other", 0), 0);
        assert_int_equal(sweep_all(store, 60), 1);
        store_break(store);
        store_clear(store);
        assert_int_equal(set(store, "key", "after clearing", 0), 0);
        assert_int_equal(sweep_all(store, 1), 1);
        store_free(&store);
}

static struct entry *entry_of(struct store *store, const char *key)
{
        struct store_item item;

        assert_int_equal(store_get(store, text(key), 1, &item), 0);
        return (struct entry *)(uintptr_t)(item.key.bytes - offsetof(struct entry, bytes));
}

/* Damages what only a stray write could, and sees it found by the sweep, for good. */
static void test_damaged_memory(void **state)
{
        const struct store_limits one_stripe = { 10, 10000 };
        struct store *store;
        struct entry *entry;

        (void)state;
        for (int damage = 0; damage < 3; damage++) {
                assert_int_equal(store_new(&store, &one_stripe, &seed), 0);
                assert_int_equal(set(store, "a", "value", 0), 0);
                assert_int_equal(set(store, "b", "value", 0), 0);
                entry = entry_of(store, "b");
                if (damage == 0)
                        entry->hash++; /* hangs in the wrong chain */
                else if (damage == 1)
                        entry->value_length--; /* bytes are missing */
                else
                        entry->next = entry; /* goes round */
                assert_int_equal(store_sweep(store, 0, 1, NULL, NULL), -EUCLEAN);
                if (damage == 0)
                        entry->hash--;
                else if (damage == 1)
                        entry->value_length++;
                else
                        entry->next = NULL;
                assert_int_equal(set(store, "a", "other", 0), -EUCLEAN);
                assert_value(store, "a", 1, "value");
                store_clear(store);
                assert_int_equal(set(store, "a", "other", 0), 0);
                store_free(&store);
        }
}

static int stop_at_once(void *context, const struct store_item *item)
{
        (void)context;
        (void)item;
        return -EIO;
}

static void test_visitor_ends_sweep(void **state)
{
        struct store *store;

        (void)state;
        assert_int_equal(store_new(&store, &(struct store_limits){ 1, 1000 }, &seed), 0);
        assert_int_equal(store_stripes(store), 1);
        assert_int_equal(set(store, "key", "value", 0), 0);
        assert_int_equal(store_sweep(store, 0, 1, stop_at_once, NULL), -EIO);
        assert_int_equal(sweep_all(store, 1), 1);
        store_free(&store);
}

struct model {
        bool is_there;
        uint64_t expires_ms;
        char value[24];
};

static bool lives(const struct model *model, uint64_t now_ms)
{
        return model->is_there && (model->expires_ms == 0 || model->expires_ms > now_ms);
}

static uint32_t random_next(uint32_t *random)
{
        *random = *random * 1664525 + 1013904223;
        return *random >> 8;
}

/* One random change or look, and the same on the model. */
static void step(struct store *store, struct model *model, uint32_t *random, uint64_t now_ms)
{
        uint32_t number = random_next(random) % MODEL_KEYS;
        struct model *other = &model[number];
        struct store_item item;
        char key[16];

        (void)snprintf(key, sizeof(key), "key %u", number);
        if (random_next(random) % 3 == 0) {
                assert_int_equal(store_remove(store, text(key), now_ms),
                                 lives(other, now_ms) ? 0 : STORE_ABSENT);
                other->is_there = false;
        } else if (random_next(random) % 2 == 0) {
                (void)snprintf(other->value, sizeof(other->value), "%0*u",
                               1 + (int)(random_next(random) % 20), number);
                other->is_there = true;
                other->expires_ms =
                        random_next(random) % 2 ? now_ms + random_next(random) % 200 : 0;
                item = (struct store_item){ text(key), text(other->value), other->expires_ms };
                assert_int_equal(store_set(store, &item, now_ms), 0);
        }
        assert_value(store, key, now_ms, lives(other, now_ms) ? other->value : NULL);
}

static void test_against_model(void **state)
{
        static struct model model[MODEL_KEYS];
        struct store *store;
        uint32_t random = 7;

        (void)state;
        /* Few chains and many keys, so that chains are long. */
        assert_int_equal(store_new(&store, &(struct store_limits){ 64, 1 << 20 }, &seed), 0);
        for (uint64_t now_ms = 1; now_ms < MODEL_ROUNDS; now_ms++) {
                uint64_t living = 0;

                step(store, model, &random, now_ms);
                if (now_ms % 100)
                        continue;
                for (size_t i = 0; i < MODEL_KEYS; i++)
                        living += lives(&model[i], now_ms);
                assert_int_equal(sweep_all(store, now_ms), living);
                assert_int_equal(store_stats(store).keys, living);
        }
        store_free(&store);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),        cmocka_unit_test(test_wrong_limits),
                cmocka_unit_test(test_no_memory),      cmocka_unit_test(test_set_replace_remove),
                cmocka_unit_test(test_expiry),         cmocka_unit_test(test_key_limit),
                cmocka_unit_test(test_byte_limit),     cmocka_unit_test(test_broken_books),
                cmocka_unit_test(test_damaged_memory), cmocka_unit_test(test_visitor_ends_sweep),
                cmocka_unit_test(test_against_model),
        };

        return cmocka_run_group_tests_name("kvd store", tests, NULL, NULL);
}
