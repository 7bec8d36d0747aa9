/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the severity is a text */
/* refuse: counter evictions: the severity is TOC_NOTE, TOC_WARN or TOC_PAGE */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, "warn", "working set outgrew the cache"));
#endif
