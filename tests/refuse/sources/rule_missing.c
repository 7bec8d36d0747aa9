/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter without a rule */
/* refuse: counter evictions has no alert rule */
/* refuse: give it TOC_ALERT(signal, op, limit, severity, meaning) or TOC_QUIET(reason) */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));

void evict(void);

void evict(void)
{
        toc_count(evictions);
}
#else
TOC_COUNTER(evictions, "Entries pushed out to make room");

void evict(void);

void evict(void)
{
        toc_count(evictions);
}
#endif
