/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a probe is quiet and has a rule */
/* refuse: counter evictions: at most two rules, or TOC_QUIET alone */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"),
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#endif
