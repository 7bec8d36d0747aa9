/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because "p99 is above 100 ms" makes a person ask: how far above? */
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

static void shoot(struct buckets *buckets, uint64_t t_ns, const uint64_t *bucket)
{
        buckets->newest = (buckets->newest + 1) % BUCKETS_SHOTS;
        buckets->used += buckets->used < BUCKETS_SHOTS;
        buckets->at_ns[buckets->newest] = t_ns;
        for (uint32_t i = 0; i < TOC_BUCKETS_; i++)
                buckets->shot[buckets->newest][i] = bucket ? (uint32_t)bucket[i] : 0;
}

void buckets_begin(struct buckets *buckets, uint64_t t_ns, const uint64_t *bucket)
{
        buckets->used = 0;
        shoot(buckets, t_ns, bucket);
}

void buckets_remember(struct buckets *buckets, uint64_t t_ns, const uint64_t *bucket)
{
        if (t_ns - buckets->at_ns[buckets->newest] >= buckets->window_ns / (BUCKETS_SHOTS - 1))
                shoot(buckets, t_ns, bucket);
}

/* The latest that is at least a window old, else the oldest. */
static const uint32_t *base_of(const struct buckets *buckets, uint64_t t_ns)
{
        uint32_t shot = buckets->newest;

        for (uint32_t i = 1; i < buckets->used; i++) {
                if (t_ns - buckets->at_ns[shot] >= buckets->window_ns)
                        break;
                shot = (shot + BUCKETS_SHOTS - 1) % BUCKETS_SHOTS;
        }
        return buckets->shot[shot];
}

/* Nearest rank, from above: of n values, n / count lie above the one looked for. */
uint64_t buckets_above(const struct buckets *buckets, uint64_t t_ns, const uint64_t *bucket,
                       uint32_t count)
{
        const uint32_t *base = base_of(buckets, t_ns);
        uint64_t all = 0;
        uint64_t above = 0;

        for (uint32_t i = 0; i < TOC_BUCKETS_; i++)
                all += (uint32_t)bucket[i] - base[i];
        for (uint32_t i = TOC_BUCKETS_; all && i-- > 0;) {
                above += (uint32_t)bucket[i] - base[i];
                if (above > (count ? all / count : 0))
                        return toc_bucket_floor_(i + 1) - 1;
        }
        return 0;
}
