/* SPDX-License-Identifier: Apache-2.0 */
/* peer_mmv.c - Performance Co-Pilot's memory-mapped values: one cell for all threads, in a file.
 * Its add is neither locked nor one instruction, so that of two writers updates are lost. */
#include "peer.h"

#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <pcp/pmapi.h>

#include <pcp/mmv_stats.h>

static struct {
        void *file;
        pmAtomValue *counter, *gauge;
} mmv;

int peer_mmv_open(const char *directory)
{
        const mmv_metric_t metrics[] = {
                { .name = "counter",
                  .item = 1,
                  .type = MMV_TYPE_U64,
                  .semantics = MMV_SEM_COUNTER,
                  .indom = PM_INDOM_NULL },
                { .name = "gauge",
                  .item = 2,
                  .type = MMV_TYPE_I64,
                  .semantics = MMV_SEM_INSTANT,
                  .indom = PM_INDOM_NULL },
        };
        char path[PATH_MAX];

        (void)snprintf(path, sizeof path, "%s/mmv", directory); /* cut: then it cannot be made */
        if (mkdir(path, 0700) || setenv("PCP_TMP_DIR", directory, 1))
                return -errno;
        mmv.file = mmv_stats_init("tocsin-bench", 0, 0, metrics, 2, NULL, 0);
        if (!mmv.file)
                return -ENOENT;
        mmv.counter = mmv_lookup_value_desc(mmv.file, "counter", NULL);
        mmv.gauge = mmv_lookup_value_desc(mmv.file, "gauge", NULL);
        return mmv.counter && mmv.gauge ? 0 : -ENOENT;
}

void peer_mmv_close(void)
{
        mmv_stats_stop("tocsin-bench", mmv.file);
}

void peer_mmv_inc(uint64_t times)
{
        for (uint64_t i = 0; i < times; i++)
                mmv_inc(mmv.file, mmv.counter);
}

void peer_mmv_set(uint64_t times)
{
        for (uint64_t i = 0; i < times; i++)
                mmv_set(mmv.file, mmv.gauge, &i);
}
