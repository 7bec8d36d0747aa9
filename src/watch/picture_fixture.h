/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picture_fixture.h - pictures made by hand, for the tests of analysers; included by one file each.
 */
#ifndef WATCH_PICTURE_FIXTURE_H
#define WATCH_PICTURE_FIXTURE_H

#include "watch/picture.h"

enum { LOCK_A = 0x1000, LOCK_B = 0x2000, LOCK_C = 0x3000 };

static struct picture *picture;

static inline struct picture_thread *thread(uint32_t id, uint32_t module)
{
        struct picture_thread *added = &picture->threads[picture->thread_count];

        *added = (struct picture_thread){ .id = id,
                                          .number = ++picture->thread_count,
                                          .module = module };
        return added;
}

static inline void holds(struct picture_thread *holder, uint64_t lock, uint32_t number)
{
        holder->held[holder->held_count++] =
                (struct inside_held){ .lock = lock, .number = number, .kind = INSIDE_MUTEX };
}

static inline void waits(struct picture_thread *waiter, uint64_t lock)
{
        waiter->wait_number |= 1;
        waiter->wait_kind = INSIDE_MUTEX;
        waiter->wait_lock = lock;
}

/* The same each time. */
static uint64_t random_state = 1;

static inline uint64_t random_word(void)
{
        random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
        return random_state >> 11;
}

#endif
