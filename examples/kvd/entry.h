/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.h - a key, its value and when it expires, in one piece of memory.
 *
 * Ownership: entry_new() copies; entry_view() shows what is valid as long as the entry is.
 * Errors:    NULL when there is no memory. Threads: one at a time.
 * Limits:    ENTRY_TEXT_LIMIT bytes for a key and for a value; the caller has checked.
 */
#ifndef KVD_ENTRY_H
#define KVD_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an entry costs beside its key and its value. */
#define ENTRY_BYTES ((size_t)32)

#define ENTRY_TEXT_LIMIT ((size_t)512 << 20)

struct store_text {
        const char *bytes;
        size_t length;
};

struct store_item {
        struct store_text key;
        struct store_text value;
        uint64_t expires_ms; /* 0: never */
};

struct entry {
        struct entry *next; /* the store's */
        uint64_t hash;      /* of the key */
        uint64_t expires_ms;
        uint32_t key_length;
        uint32_t value_length;
        char bytes[]; /* the key, then the value */
};

struct entry *entry_new(const struct store_item *item, uint64_t hash);

/* Bytes that an entry for this item takes, or that this one took. */
size_t entry_item_cost(const struct store_item *item);
size_t entry_cost(const struct entry *entry);

bool entry_has_key(const struct entry *entry, struct store_text key);
bool entry_is_over(const struct entry *entry, uint64_t now_ms);

void entry_view(const struct entry *entry, struct store_item *ret_item);

/* Replaces value and expiry. The value is as long as the one before, and may be a view of it. */
void entry_write(struct entry *entry, const struct store_item *item);

#endif
