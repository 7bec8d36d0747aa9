/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an option stands where the meaning belongs */
/* refuse: the meaning in a rule of counter evictions must be a text in quotes */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, .hold_s = 300));
#endif
