/* SPDX-License-Identifier: Apache-2.0 */
/* peer_lttng.c - LTTng-UST: a tracepoint that is off, unless a session that was started elsewhere
 * has enabled tocsin_bench:error. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "peer_tracepoint.h"

#include "loop.h"
#include "peer.h"

int peer_lttng_open(const char *directory)
{
        (void)directory;
        return 0;
}

void peer_lttng_close(void)
{
}

void peer_lttng_tracepoint(uint64_t times)
{
        for (uint64_t i = 0; i < times; i += LOOP_STRIDE)
                _Pragma("GCC unroll 8") for (int left = LOOP_STRIDE; left > 0; left--)
                {
                        lttng_ust_tracepoint(tocsin_bench, error, (int)i, "cannot open index");
                        __asm__ volatile("" ::: "memory");
                }
}
