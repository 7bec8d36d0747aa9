/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the meaning is an empty text */
/* refuse: the meaning in a rule of counter evictions must have 8 to 71 characters */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, ""));
#endif
