/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter has two runbooks */
/* refuse: counter evictions: at most two rules, or TOC_QUIET alone, and a runbook as the last */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"),
            TOC_RUNBOOK("https://wiki/a"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"),
            TOC_RUNBOOK("https://wiki/a"), TOC_RUNBOOK("https://wiki/b"));
#endif
