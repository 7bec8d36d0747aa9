/* SPDX-License-Identifier: Apache-2.0 */
/* finding.c - what was seen to be wrong, once each, for a reader who comes later. */
#include "inside/inside.h"

struct inside_finding *inside_finding_new(enum inside_finding_kind kind)
{
        uint64_t number = __atomic_fetch_add(&inside_.head->findings_made, 1, __ATOMIC_RELAXED);
        struct inside_finding *finding;

        if (number >= INSIDE_FINDINGS)
                return NULL;
        finding = &inside_.findings[number];
        finding->kind = kind;
        finding->thread = inside_local_.thread;
        finding->module = inside_module(inside_page());
        return finding;
}

void inside_finding_done(struct inside_finding *finding)
{
        __atomic_store_n(&finding->is_ready, 1, __ATOMIC_RELEASE);
        inside_region_publish();
}
