/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the runbook comes first */
/* refuse: counter evictions: TOC_RUNBOOK comes after the rule */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"),
            TOC_RUNBOOK("https://wiki/evictions"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_RUNBOOK("https://wiki/evictions"),
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#endif
