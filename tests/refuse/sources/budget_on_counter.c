/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter is given a budget instead of a rule */
/* refuse: counter evictions: TOC_BUDGET belongs into TOC_MODULE; give it TOC_ALERT( */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_BUDGET(live_bytes, 1000, TOC_WARN, "working set outgrew the cache"));
#endif
