/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter has four rules */
/* refuse: counter evictions: at most two rules */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1, TOC_NOTE, "the working set grows"),
            TOC_ALERT(per_minute, >, 2, TOC_NOTE, "the working set grows"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1, TOC_NOTE, "the working set grows"),
            TOC_ALERT(per_minute, >, 2, TOC_NOTE, "the working set grows"),
            TOC_ALERT(per_minute, >, 3, TOC_NOTE, "the working set grows"),
            TOC_ALERT(per_minute, >, 4, TOC_NOTE, "the working set grows"));
#endif
