/* SPDX-License-Identifier: Apache-2.0 */
/* ours.c - a bit a page, so that nobody has to look in front of a page that may not be there. */
#include "inside/ours.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

enum { PAGE_BITS = 12, LEAF_BITS = 18, TOP_BITS = 47 - PAGE_BITS - LEAF_BITS };

static uint64_t *leaves[1 << TOP_BITS];

static uint64_t *word_of(const void *memory, bool is_wanted)
{
        uint64_t page = (uintptr_t)memory >> PAGE_BITS;
        uint64_t **at, *leaf, *nobody = NULL;
        enum { BYTES = (1 << LEAF_BITS) / 8 };

        if (page >> LEAF_BITS >> TOP_BITS)
                return NULL;
        at = &leaves[page >> LEAF_BITS];
        leaf = __atomic_load_n(at, __ATOMIC_ACQUIRE);
        if (!leaf && is_wanted) {
                leaf = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                            0);
                if (leaf == MAP_FAILED)
                        return NULL;
                if (!__atomic_compare_exchange_n(at, &nobody, leaf, false, __ATOMIC_ACQ_REL,
                                                 __ATOMIC_ACQUIRE)) {
                        (void)munmap(leaf, BYTES); /* it was mapped here */
                        leaf = nobody;
                }
        }
        return leaf ? &leaf[(page & ((1 << LEAF_BITS) - 1)) / 64] : NULL;
}

static uint64_t bit_of(const void *memory)
{
        return UINT64_C(1) << ((uintptr_t)memory >> PAGE_BITS) % 64;
}

bool ours_has(const void *memory)
{
        const uint64_t *word = word_of(memory, false);

        return word && (__atomic_load_n(word, __ATOMIC_RELAXED) & bit_of(memory)) != 0;
}

bool ours_add(const void *memory)
{
        uint64_t *word = word_of(memory, true);

        if (word)
                (void)__atomic_fetch_or(word, bit_of(memory), __ATOMIC_RELAXED);
        return word != NULL;
}

void ours_remove(const void *memory)
{
        uint64_t *word = word_of(memory, false);

        if (word)
                (void)__atomic_fetch_and(word, ~bit_of(memory), __ATOMIC_RELAXED);
}
