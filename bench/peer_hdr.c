/* SPDX-License-Identifier: Apache-2.0 */
/* peer_hdr.c - HdrHistogram_c: a histogram a thread, three digits, 1 ns to a minute. */
#include "peer.h"

#include "kind.h"
#include "loop.h"

#include <hdr/hdr_histogram.h>

static struct hdr_histogram *histograms[PEER_THREAD_MAX];
static unsigned given_out;
static __thread struct hdr_histogram *mine;

int peer_hdr_open(const char *directory)
{
        (void)directory;
        for (int i = 0; i < PEER_THREAD_MAX; i++) {
                int failed = hdr_init(1, INT64_C(60000000000), 3, &histograms[i]);

                if (failed)
                        return -failed;
        }
        return 0;
}

void peer_hdr_close(void)
{
        for (int i = 0; i < PEER_THREAD_MAX; i++)
                hdr_close(histograms[i]);
}

void peer_hdr_record(uint64_t times)
{
        if (!mine)
                mine = histograms[__atomic_fetch_add(&given_out, 1, __ATOMIC_RELAXED) %
                                  PEER_THREAD_MAX];
        for (uint64_t i = 0; i < times; i++)
                (void)hdr_record_value(mine, kind_value[i % KIND_VALUE_COUNT]);
}
