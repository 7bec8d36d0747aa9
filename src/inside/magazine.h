/* SPDX-License-Identifier: Apache-2.0 */
/* magazine.h - blocks that a thread freed a moment ago, for the next of that size that it asks for,
 * by malloc(), calloc(), realloc() or strdup().
 *
 * Most blocks live shortly, and libc keeps those in the same way, as many of the same sizes
 * (tcache): what a thread finds here costs no call, which pays for most of what we do with a block.
 * The pointers lie here and not in freed memory, to which the program may still write.
 * Jeff Bonwick, Jonathan Adams: "Magazines and Vmem", USENIX 2001, whence the word.
 *
 * Threads: each has its own. Handlers: one that interrupts finds them closed and goes past.
 * Limits: 7 blocks a class, all in all 242 KiB a thread. */
#ifndef INSIDE_MAGAZINE_H
#define INSIDE_MAGAZINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/inside.h"

enum {
        MAGAZINE_STEP = 16,
        MAGAZINE_CLASSES = 65,
        MAGAZINE_ROUNDS = 7,
        MAGAZINE_END = MAGAZINE_CLASSES * MAGAZINE_STEP - 8, /* no block this large is kept */
};

struct magazine {
        uint64_t count;
        struct inside_block *round[MAGAZINE_ROUNDS];
};

_Static_assert(sizeof(struct magazine) == 64, "a line of the cache");

struct magazines {
        struct magazine of[MAGAZINE_CLASSES];
        uint32_t is_closed; /* somebody is at it, or the thread ends */
};

/* size: of the user, below MAGAZINE_END. */
static inline uint64_t magazine_class(uint64_t size)
{
        return (size + 8) / MAGAZINE_STEP;
}

/* What libc is asked for, whatever the size in its class: so each fits where another was. libc's
 * chunks are multiples of 16 with 8 bytes of its own, so what is more than needed costs nothing. */
static inline uint64_t magazine_bytes(uint64_t size)
{
        return INSIDE_BLOCK_BYTES + 8 + magazine_class(size) * MAGAZINE_STEP;
}

/* In a plain base register: with the class as index, each access takes two instructions more. */
static inline struct magazine *magazine_of(struct magazines *magazines, uint64_t size)
{
        struct magazine *magazine = &magazines->of[magazine_class(size)];

        __asm__("" : "+r"(magazine));
        return magazine;
}

/* NULL: there is none. */
static inline struct inside_block *magazine_take(struct magazines *magazines, uint64_t size)
{
        struct magazine *magazine = magazine_of(magazines, size);
        struct inside_block *block = NULL;

        if (__builtin_expect(magazines->is_closed != 0, 0))
                return NULL;
        magazines->is_closed = 1;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        if (magazine->count)
                block = magazine->round[--magazine->count];
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        magazines->is_closed = 0;
        return block;
}

/* False: it was not taken. */
static inline bool magazine_put(struct magazines *magazines, uint64_t size,
                                struct inside_block *block)
{
        struct magazine *magazine = magazine_of(magazines, size);
        bool has_room;

        if (__builtin_expect(magazines->is_closed != 0, 0))
                return false;
        magazines->is_closed = 1;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        has_room = magazine->count < MAGAZINE_ROUNDS;
        if (has_room)
                magazine->round[magazine->count++] = block;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        magazines->is_closed = 0;
        return has_room;
}

#endif
