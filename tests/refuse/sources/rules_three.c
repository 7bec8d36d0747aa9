/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter has three rules */
/* refuse: counter evictions: at most two rules */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 100, TOC_WARN, "the working set is large"),
            TOC_ALERT(per_minute, >, 1000, TOC_PAGE, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 10, TOC_NOTE, "the working set grows"),
            TOC_ALERT(per_minute, >, 100, TOC_WARN, "the working set is large"),
            TOC_ALERT(per_minute, >, 1000, TOC_PAGE, "working set outgrew the cache"));
#endif
