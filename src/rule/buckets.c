/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because "p99 is above 100 ms" makes a person ask: how far above? Nobody asks at most
 * ticks, so a tick only copies, and whoever looks pays for the sum. */
#include "rule/buckets.h"

#include <stdlib.h>
#include <string.h>

struct buckets *buckets_new(uint32_t window_s)
{
        struct buckets *buckets = calloc(1, sizeof(*buckets));

        if (buckets)
                buckets->window_ns = window_s * UINT64_C(1000000000);
        return buckets;
}

void buckets_free(struct buckets *buckets)
{
        free(buckets);
}

/* Exact below 16, then three bits behind the highest one: 239 at most. */
static uint8_t pack(uint32_t count)
{
        uint32_t high = 31 - (uint32_t)__builtin_clz(count | 1);

        if (count < 16)
                return (uint8_t)count;
        return (uint8_t)(16 + (high - 4) * 8 + (count >> (high - 3)) % 8);
}

/* The middle of those that are packed alike. */
static uint64_t unpack(uint8_t packed)
{
        uint32_t shift = (packed - 16u) / 8 + 1;

        if (packed < 16)
                return packed;
        return ((uint64_t)(8 + (packed - 16u) % 8) << shift) + (UINT64_C(1) << (shift - 1));
}

void buckets_begin(struct buckets *buckets, uint64_t t_ns, const uint64_t *bucket)
{
        buckets->used = 0;
        buckets->begun_ns = t_ns;
        for (uint32_t i = 0; i < TOC_BUCKETS_; i++)
                buckets->base[i] = bucket ? (uint32_t)bucket[i] : 0;
}

void buckets_see(struct buckets *buckets, uint64_t t_ns, const uint64_t *bucket)
{
        buckets->seen_ns = t_ns;
        /* As in tally.c: a multiple of eight, and the last. */
        for (uint32_t i = 0; i < TOC_BUCKETS_ - 1; i++)
                buckets->seen[i] = (uint32_t)bucket[i];
        buckets->seen[TOC_BUCKETS_ - 1] = (uint32_t)bucket[TOC_BUCKETS_ - 1];
}

void buckets_remember(struct buckets *buckets)
{
        struct buckets_part *part;

        if (buckets->seen_ns - buckets->begun_ns < buckets->window_ns / BUCKETS_PARTS)
                return;
        buckets->newest = (buckets->newest + 1) % BUCKETS_PARTS;
        buckets->used += buckets->used < BUCKETS_PARTS;
        part = &buckets->part[buckets->newest];
        part->begun_ns = buckets->begun_ns;
        for (uint32_t i = 0; i < TOC_BUCKETS_; i++)
                part->count[i] = pack(buckets->seen[i] - buckets->base[i]);
        memcpy(buckets->base, buckets->seen, sizeof(buckets->base));
        buckets->begun_ns = buckets->seen_ns;
}

/* Back to the latest beginning of a part that is at least a window ago, else to the oldest. */
static void add_up(const struct buckets *buckets, uint64_t *ret_counts)
{
        uint64_t begun_ns = buckets->begun_ns;
        uint32_t newest = buckets->newest;

        for (uint32_t i = 0; i < TOC_BUCKETS_; i++)
                ret_counts[i] = buckets->seen[i] - buckets->base[i];
        for (uint32_t n = 0; n < buckets->used; n++) {
                const struct buckets_part *part = &buckets->part[newest];

                if (buckets->seen_ns - begun_ns >= buckets->window_ns)
                        break;
                for (uint32_t i = 0; i < TOC_BUCKETS_; i++)
                        ret_counts[i] += unpack(part->count[i]);
                begun_ns = part->begun_ns;
                newest = (newest + BUCKETS_PARTS - 1) % BUCKETS_PARTS;
        }
}

/* Nearest rank, from above: of n values, n / count lie above the one looked for. */
uint64_t buckets_above(const struct buckets *buckets, uint32_t count)
{
        uint64_t counts[TOC_BUCKETS_];
        uint64_t all = 0;
        uint64_t above = 0;

        add_up(buckets, counts);
        for (uint32_t i = 0; i < TOC_BUCKETS_; i++)
                all += counts[i];
        for (uint32_t i = TOC_BUCKETS_; all && i-- > 0;) {
                above += counts[i];
                if (above > (count ? all / count : 0))
                        return toc_bucket_floor_(i + 1) - 1;
        }
        return 0;
}
