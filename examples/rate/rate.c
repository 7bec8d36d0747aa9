/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that each server need not find out anew that a bucket is filled when it is looked at,
 * and that a table of clients must have an end.
 */
#include "rate.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <tocsin.h>

TOC_MODULE(rate, "Which request of which client may pass",
           TOC_LOGS(TOC_ALERT(per_minute, >, 0, TOC_WARN,
                              "no memory for a limiter: free some, or make fewer")));
TOC_SHARE(refusals, "Requests refused as their client asks too often",
          TOC_ALERT(permille, >, 224, TOC_WARN,
                    "clients ask too often: slow them down, or raise the rate", .volume_min = 80));
TOC_COUNTER(crowded, "Requests turned away as no place was left for their client",
            TOC_ALERT(per_minute, >, 31, TOC_PAGE,
                      "too many clients at once: block a flood, or add a limiter"));
TOC_LEVEL(known, "Clients that are remembered",
          TOC_ALERT(exhausts_s, <, 600, TOC_WARN,
                    "clients grow too fast: block a flood, or add a limiter",
                    .capacity = RATE_CLIENTS_MAX, .window_s = 8));

/* A client stands within that many places of where its hash says. */
enum { PROBES_MAX = 16 };

/* Tokens are kept in thousandths, so that a millisecond brings `per_second` of them. */
struct bucket {
        uint64_t client;
        uint64_t seen_ms;
        uint64_t millitokens;
        bool is_used;
};

struct rate {
        pthread_mutex_t lock;
        uint64_t per_second, full;
        size_t clients;
        struct bucket buckets[RATE_CLIENTS_MAX];
};

/* A client's numbers may be in a row, or chosen by him. */
static size_t place_of(uint64_t client)
{
        client = (client ^ (client >> 33)) * 0xff51afd7ed558ccdULL;
        client = (client ^ (client >> 33)) * 0xc4ceb9fe1a85ec53ULL;
        return (size_t)((client ^ (client >> 33)) % RATE_CLIENTS_MAX);
}

static void fill(const struct rate *rate, struct bucket *bucket, uint64_t now_ms)
{
        uint64_t since_ms = now_ms > bucket->seen_ms ? now_ms - bucket->seen_ms : 0;
        uint64_t missing = rate->full - bucket->millitokens;

        /* Divided and not multiplied: a client may have been away for ages. */
        if (since_ms >= missing / rate->per_second + 1)
                bucket->millitokens = rate->full;
        else
                bucket->millitokens += since_ms * rate->per_second;
        if (bucket->millitokens > rate->full)
                bucket->millitokens = rate->full;
        bucket->seen_ms += since_ms;
}

/* The client's bucket, or one that can be had; NULL: all places are taken by others. */
static struct bucket *find(struct rate *rate, uint64_t client, uint64_t now_ms)
{
        struct bucket *room = NULL;
        unsigned forgotten = 0;
        size_t place = place_of(client);

        for (size_t i = 0; i < PROBES_MAX; i++) {
                struct bucket *bucket = &rate->buckets[(place + i) % RATE_CLIENTS_MAX];

                if (bucket->is_used && bucket->client == client)
                        return bucket;
                if (bucket->is_used) {
                        fill(rate, bucket, now_ms);
                        if (bucket->millitokens == rate->full) {
                                bucket->is_used = false;
                                rate->clients--;
                                forgotten++;
                        }
                }
                if (!bucket->is_used && !room)
                        room = bucket;
        }
        toc_lower(known, forgotten);
        if (room) {
                toc_raise(known, 1);
                *room = (struct bucket){ client, now_ms, rate->full, true };
                rate->clients++;
        }
        return room;
}

int rate_new(struct rate **ret_rate, uint32_t per_second, uint32_t burst)
{
        struct rate *rate = NULL;

        if (per_second < 1 || per_second > RATE_PER_SECOND_MAX || burst < 1 ||
            burst > RATE_BURST_MAX)
                return -EINVAL;
        rate = calloc(1, sizeof(*rate));
        if (!rate)
                return TOC_ERROR(-ENOMEM, TOC_USUAL, "no memory for a limiter of %zu bytes",
                                 sizeof(*rate));
        pthread_mutex_init(&rate->lock, NULL);
        rate->per_second = per_second;
        rate->full = (uint64_t)burst * 1000;
        *ret_rate = rate;
        return 0;
}

void rate_free(struct rate **rate_at)
{
        struct rate *rate = *rate_at;

        if (!rate)
                return;
        toc_lower(known, rate->clients);
        pthread_mutex_destroy(&rate->lock);
        free(rate);
        *rate_at = NULL;
}

enum rate_verdict rate_ask(struct rate *rate, uint64_t client, uint64_t now_ms)
{
        enum rate_verdict verdict = RATE_CROWDED;
        struct bucket *bucket;

        pthread_mutex_lock(&rate->lock);
        bucket = find(rate, client, now_ms);
        if (bucket) {
                fill(rate, bucket, now_ms);
                verdict = bucket->millitokens >= 1000 ? RATE_PASSED : RATE_REFUSED;
                if (verdict == RATE_PASSED)
                        bucket->millitokens -= 1000;
        }
        pthread_mutex_unlock(&rate->lock);
        toc_share(refusals, verdict == RATE_REFUSED);
        if (verdict == RATE_CROWDED)
                toc_count(crowded);
        return verdict;
}
