/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that the store thinks about chains and books, and not about where bytes lie.
 */
#include "entry.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct entry) == ENTRY_BYTES, "entry.h says what an entry costs");

struct entry *entry_new(const struct store_item *item, uint64_t hash)
{
        struct entry *entry = malloc(entry_item_cost(item));

        if (!entry)
                return NULL;
        entry->next = NULL;
        entry->hash = hash;
        entry->key_length = (uint32_t)item->key.length;
        entry->value_length = (uint32_t)item->value.length;
        if (item->key.length > 0)
                memcpy(entry->bytes, item->key.bytes, item->key.length);
        entry_write(entry, item);
        return entry;
}

size_t entry_item_cost(const struct store_item *item)
{
        return ENTRY_BYTES + item->key.length + item->value.length;
}

size_t entry_cost(const struct entry *entry)
{
        return ENTRY_BYTES + entry->key_length + entry->value_length;
}

bool entry_has_key(const struct entry *entry, struct store_text key)
{
        return entry->key_length == key.length &&
               (key.length == 0 || memcmp(entry->bytes, key.bytes, key.length) == 0);
}

bool entry_is_over(const struct entry *entry, uint64_t now_ms)
{
        return entry->expires_ms != 0 && entry->expires_ms <= now_ms;
}

void entry_view(const struct entry *entry, struct store_item *ret_item)
{
        ret_item->key.bytes = entry->bytes;
        ret_item->key.length = entry->key_length;
        ret_item->value.bytes = entry->bytes + entry->key_length;
        ret_item->value.length = entry->value_length;
        ret_item->expires_ms = entry->expires_ms;
}

void entry_write(struct entry *entry, const struct store_item *item)
{
        entry->expires_ms = item->expires_ms;
        if (item->value.length > 0)
                memmove(entry->bytes + entry->key_length, item->value.bytes, item->value.length);
}
