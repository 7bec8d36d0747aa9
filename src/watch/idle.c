/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a request that is over should have left nothing behind, which can be seen best
 * when there is none. */
#include "watch/idle.h"

void idle_glance(struct idle *idle, const struct picture *picture)
{
        uint64_t around = 0;

        for (uint32_t i = 0; i < picture->thread_count; i++)
                around |= picture->threads[i].around;
        for (uint32_t m = 0; m < INSIDE_MODULES; m++) {
                if (around >> m & 1)
                        idle->module[m].looks = 0;
                else if (idle->module[m].looks < idle_looks)
                        idle->module[m].looks++;
        }
}

void idle_see(struct idle *idle, const struct picture *picture, struct insight *insight)
{
        uint64_t made[INSIDE_MODULES] = { 0 };
        uint64_t bytes[INSIDE_MODULES] = { 0 };

        for (uint32_t i = 0; i < picture->site_count; i++) {
                const struct inside_site *site = &picture->sites[i];

                if (!site->is_ready || site->kind != INSIDE_HEAP)
                        continue;
                made[site->module] += picture->cells[i].made;
                bytes[site->module] += picture->cells[i].bytes;
        }
        for (uint32_t m = 1; m < INSIDE_MODULES; m++) {
                if (idle->module[m].looks == idle_looks && idle->module[m].made == made[m])
                        insight->value[m][INSIGHT_idle_bytes] = (int64_t)bytes[m];
                idle->module[m].made = made[m];
        }
}
