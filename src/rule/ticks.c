/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because all rows of a set are sampled at the same instants: their times are kept once. */
#include "rule/ticks.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { ticks_capacity_min = 16 };

int ticks_init(struct ticks *ticks)
{
        *ticks = (struct ticks){ .capacity = ticks_capacity_min };
        ticks->at_ns = calloc(ticks->capacity, sizeof(*ticks->at_ns));
        return ticks->at_ns ? 0 : -ENOMEM;
}

void ticks_fini(struct ticks *ticks)
{
        free(ticks->at_ns);
        *ticks = (struct ticks){ 0 };
}

size_t ticks_most(uint32_t window_s)
{
        /* 32 numbers are given in 31 s, after those that were saved up. One more was given before
         * and has moved into the window, one begins it, and one pushes the oldest out. */
        return window_s + window_s / 31 + TICKS_SAVED_MAX + 4;
}

int ticks_reserve(struct ticks *ticks, uint32_t window_s)
{
        size_t needed = ticks_most(window_s);
        size_t capacity = ticks->capacity;
        uint64_t *at_ns;
        uint64_t n;

        while (capacity < needed)
                capacity *= 2;
        if (capacity == ticks->capacity)
                return 0;
        at_ns = calloc(capacity, sizeof(*at_ns));
        if (!at_ns)
                return -ENOMEM;
        n = ticks->next > ticks->capacity ? ticks->next - ticks->capacity : 0;
        for (; n < ticks->next; n++)
                at_ns[n & (capacity - 1)] = ticks_at(ticks, n);
        free(ticks->at_ns);
        ticks->at_ns = at_ns;
        ticks->capacity = capacity;
        return 0;
}

uint64_t ticks_add(struct ticks *ticks, uint64_t t_ns)
{
        uint64_t number = ticks->next;

        if (number && t_ns + TICKS_SAVED_MAX * TICKS_SPACING_NS < ticks->due_ns)
                number--;
        else
                ticks->due_ns = (t_ns > ticks->due_ns ? t_ns : ticks->due_ns) + TICKS_SPACING_NS;
        ticks->at_ns[number & (ticks->capacity - 1)] = t_ns;
        ticks->next = number + 1;
        return number;
}

uint64_t ticks_at(const struct ticks *ticks, uint64_t number)
{
        assert(number < ticks->next && ticks->next - number <= ticks->capacity);
        return ticks->at_ns[number & (ticks->capacity - 1)];
}
