/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because everything else in kvd may be restarted, but this is what people came for. So it
 * keeps its books twice and compares them: the number of keys against what was inserted less what
 * was removed, at every change; and for each stripe of chains the keys and bytes it should hold
 * against what hangs there, whenever the sweep passes by. If they differ, memory was damaged or
 * this file is wrong; either way nothing is changed any more, so that evidence and data stay.
 */
#include "store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <tocsin.h>

TOC_MODULE(store, "Keys, values and their expiry",
           TOC_LOGS(TOC_ALERT(per_minute, >, 0, TOC_PAGE, "the store has no memory for a write")));

TOC_COUNTER(hits, "Keys asked for that were there", TOC_QUIET("feeds the chart of the hit ratio"));
TOC_COUNTER(misses, "Keys asked for that were not", TOC_QUIET("feeds the chart of the hit ratio"));
TOC_COUNTER(expired, "Keys whose time was over", TOC_QUIET("expiry is what clients asked for"));
TOC_COUNTER(full, "Writes refused because keys or bytes are at their limit",
            TOC_ALERT(per_minute, >, 0, TOC_PAGE, "writes are refused: the store is full"),
            TOC_RUNBOOK("examples/kvd/README.md#store-full"));
TOC_GAUGE(keys_percent, "Keys held, of --max-keys",
          TOC_ALERT(value, >=, 80, TOC_WARN, "room for keys runs out", .clear_at = 70),
          TOC_ALERT(value, >=, 95, TOC_PAGE, "room for keys is gone: writes will be refused",
                    .clear_at = 90),
          TOC_RUNBOOK("examples/kvd/README.md#store-full"));
TOC_GAUGE(memory_percent, "Bytes held, of --max-memory",
          TOC_ALERT(value, >=, 80, TOC_WARN, "room for values runs out", .clear_at = 70),
          TOC_ALERT(value, >=, 95, TOC_PAGE, "room for values is gone: writes will be refused",
                    .clear_at = 90),
          TOC_RUNBOOK("examples/kvd/README.md#store-full"));
TOC_GAUGE(longest_chain, "Keys in the longest chain met by the last full sweep",
          TOC_ALERT(value, >, 32, TOC_WARN, "keys crowd into few chains: look at the hash"),
          TOC_RUNBOOK("examples/kvd/README.md#long-chains"));

enum { STRIPE_CHAINS = 64 };

/* What the chains of a stripe should hold. */
struct stripe {
        uint64_t keys;
        uint64_t bytes;
};

struct store {
        struct store_limits limits;
        struct hash_seed seed;
        struct entry **chains;
        size_t mask; /* number of chains less one */
        struct stripe *stripes;
        uint64_t inserted; /* inserted - removed == stats.keys, always */
        uint64_t removed;
        struct store_stats stats;
        uint64_t chain_max; /* of the sweep under way */
        bool is_damaged;    /* a sweep found what must not be */
};

static void publish(const struct store *store)
{
        const struct store_limits *limits = &store->limits;

        toc_set(keys_percent, (int64_t)(store->stats.keys * 100 / limits->keys_max));
        toc_set(memory_percent, (int64_t)(store->stats.bytes * 100 / limits->bytes_max));
}

int store_new(struct store **ret_store, const struct store_limits *limits,
              const struct hash_seed *seed)
{
        size_t chains = STRIPE_CHAINS;
        struct store *store;

        if (limits->keys_max == 0 || limits->keys_max > STORE_KEYS_LIMIT || limits->bytes_max == 0)
                return -EINVAL;
        while (chains < limits->keys_max)
                chains *= 2;
        store = calloc(1, sizeof(*store));
        if (!store)
                return -ENOMEM;
        store->limits = *limits;
        store->seed = *seed;
        store->mask = chains - 1;
        store->chains = calloc(chains, sizeof(*store->chains));
        store->stripes = calloc(chains / STRIPE_CHAINS, sizeof(*store->stripes));
        if (!store->chains || !store->stripes) {
                store_free(&store);
                return -ENOMEM;
        }
        publish(store);
        *ret_store = store;
        return 0;
}

void store_free(struct store **store)
{
        if (!*store)
                return;
        if ((*store)->chains && (*store)->stripes)
                store_clear(*store);
        free((*store)->chains);
        free((*store)->stripes);
        free(*store);
        *store = NULL;
}

/* The checks that are cheap enough for every change. */
static bool books_hold(const struct store *store)
{
        return !store->is_damaged &&
               TOC_EXPECT_CMP(store->stats.keys, ==, store->inserted - store->removed, TOC_PAGE,
                              "key count differs from inserts less removals: writes stop") &&
               TOC_EXPECT_CMP(store->stats.keys, <=, store->limits.keys_max, TOC_PAGE,
                              "more keys than --max-keys allows: writes stop") &&
               TOC_EXPECT_CMP(store->stats.bytes, <=, store->limits.bytes_max, TOC_PAGE,
                              "more bytes than --max-memory allows: writes stop");
}

static uint64_t hash_of(const struct store *store, struct store_text key)
{
        return hash_bytes(&store->seed, key.bytes, key.length);
}

/* Where the entry hangs, or the end of the chain where it would. */
static struct entry **find(struct store *store, struct store_text key, uint64_t hash)
{
        struct entry **link = &store->chains[hash & store->mask];

        for (; *link; link = &(*link)->next) {
                if ((*link)->hash == hash && entry_has_key(*link, key))
                        break;
        }
        return link;
}

static struct stripe *stripe_of(struct store *store, uint64_t hash)
{
        return &store->stripes[(hash & store->mask) / STRIPE_CHAINS];
}

static void hang(struct store *store, struct entry **link, struct entry *entry)
{
        struct stripe *stripe = stripe_of(store, entry->hash);

        entry->next = *link;
        *link = entry;
        stripe->keys++;
        stripe->bytes += entry_cost(entry);
        store->inserted++;
        store->stats.keys++;
        store->stats.bytes += entry_cost(entry);
        store->stats.changes++;
}

static void drop(struct store *store, struct entry **link)
{
        struct entry *entry = *link;
        struct stripe *stripe = stripe_of(store, entry->hash);

        *link = entry->next;
        stripe->keys--;
        stripe->bytes -= entry_cost(entry);
        store->removed++;
        store->stats.keys--;
        store->stats.bytes -= entry_cost(entry);
        store->stats.changes++;
        free(entry);
}

static void expire(struct store *store, struct entry **link)
{
        drop(store, link);
        store->stats.expired++;
        toc_count(expired);
}

void store_count_hit(struct store *store)
{
        (void)books_hold(store); /* rings if they do not; the value is still the best we have */
        store->stats.hits++;
        toc_count(hits);
}

int store_get(struct store *store, struct store_text key, uint64_t now_ms,
              struct store_item *ret_item)
{
        struct entry **link = find(store, key, hash_of(store, key));

        if (!*link || entry_is_over(*link, now_ms)) {
                if (books_hold(store) && *link)
                        expire(store, link);
                store->stats.misses++;
                toc_count(misses);
                return STORE_ABSENT;
        }
        store_count_hit(store);
        entry_view(*link, ret_item);
        return 0;
}

static bool has_room(const struct store *store, const struct entry *old,
                     const struct store_item *item)
{
        const struct store_limits *limits = &store->limits;
        size_t bytes = store->stats.bytes - (old ? entry_cost(old) : 0);

        if (!old && store->stats.keys >= limits->keys_max)
                return false;
        return entry_item_cost(item) <= limits->bytes_max - bytes;
}

int store_set(struct store *store, const struct store_item *item, uint64_t now_ms)
{
        uint64_t hash = hash_of(store, item->key);
        struct entry **link = find(store, item->key, hash);
        struct entry *old = *link;
        struct entry *entry;

        if (item->key.length > ENTRY_TEXT_LIMIT || item->value.length > ENTRY_TEXT_LIMIT)
                return -EINVAL;
        if (!books_hold(store))
                return -EUCLEAN;
        if (old && entry_is_over(old, now_ms)) {
                expire(store, link);
                old = NULL;
        }
        if (!has_room(store, old, item)) {
                toc_count(full);
                return STORE_FULL;
        }
        if (old && old->value_length == item->value.length) {
                entry_write(old, item);
                store->stats.changes++;
                return 0;
        }
        entry = entry_new(item, hash);
        if (!entry)
                return TOC_ERROR(-ENOMEM, TOC_USUAL, "no memory for a value of %zu bytes",
                                 item->value.length);
        if (old)
                drop(store, link);
        hang(store, link, entry);
        publish(store);
        return 0;
}

int store_remove(struct store *store, struct store_text key, uint64_t now_ms)
{
        struct entry **link = find(store, key, hash_of(store, key));
        bool was_over;

        if (!books_hold(store))
                return -EUCLEAN;
        if (!*link)
                return STORE_ABSENT;
        was_over = entry_is_over(*link, now_ms);
        if (was_over)
                expire(store, link);
        else
                drop(store, link);
        publish(store);
        return was_over ? STORE_ABSENT : 0;
}

void store_clear(struct store *store)
{
        for (size_t i = 0; i <= store->mask; i++) {
                while (store->chains[i])
                        drop(store, &store->chains[i]);
        }
        memset(store->stripes, 0, store_stripes(store) * sizeof(*store->stripes));
        store->removed = store->inserted;
        store->stats.keys = 0;
        store->stats.bytes = 0;
        store->stats.changes++;
        store->is_damaged = false;
        publish(store);
}

struct store_stats store_stats(const struct store *store)
{
        return store->stats;
}

size_t store_stripes(const struct store *store)
{
        return (store->mask + 1) / STRIPE_CHAINS;
}

struct sweep {
        uint64_t now_ms;
        store_visit_f visit;
        void *context;
        struct stripe found;
};

static int damage(struct store *store)
{
        store->is_damaged = true;
        return -EUCLEAN;
}

static int sweep_chain(struct store *store, size_t chain, struct sweep *sweep)
{
        struct entry **link = &store->chains[chain];
        uint64_t length = 0;
        struct store_item item;
        int result = 0;

        while (*link && result == 0) {
                struct entry *entry = *link;

                if (!TOC_EXPECT_CMP(entry->hash & store->mask, ==, chain, TOC_PAGE,
                                    "a key hangs in the wrong chain: writes stop") ||
                    !TOC_EXPECT_CMP(length, <=, store->stats.keys, TOC_PAGE,
                                    "a chain is longer than the store: it may be a ring"))
                        return damage(store);
                if (entry_is_over(entry, sweep->now_ms)) {
                        expire(store, link);
                        continue;
                }
                length++;
                sweep->found.keys++;
                sweep->found.bytes += entry_cost(entry);
                entry_view(entry, &item);
                if (sweep->visit)
                        result = sweep->visit(sweep->context, &item);
                link = &entry->next;
        }
        if (length > store->chain_max)
                store->chain_max = length;
        return result;
}

int store_sweep(struct store *store, size_t stripe, uint64_t now_ms, store_visit_f visit,
                void *context)
{
        struct sweep sweep = { .now_ms = now_ms, .visit = visit, .context = context };
        const struct stripe *should = &store->stripes[stripe];
        size_t first = stripe * STRIPE_CHAINS;

        if (!books_hold(store))
                return -EUCLEAN;
        if (stripe == 0)
                store->chain_max = 0;
        for (size_t i = 0; i < STRIPE_CHAINS; i++) {
                int result = sweep_chain(store, first + i, &sweep);

                if (result)
                        return result;
        }
        publish(store);
        if (stripe + 1 == store_stripes(store))
                toc_set(longest_chain, (int64_t)store->chain_max);
        if (!TOC_EXPECT_CMP(sweep.found.keys, ==, should->keys, TOC_PAGE,
                            "chains hold another number of keys than the books say") ||
            !TOC_EXPECT_CMP(sweep.found.bytes, ==, should->bytes, TOC_PAGE,
                            "chains hold another number of bytes than the books say"))
                return damage(store);
        return 0;
}

void store_break(struct store *store)
{
        store->stats.keys++;
}

void store_mend(struct store *store)
{
        store->stats.keys = store->inserted - store->removed;
}
