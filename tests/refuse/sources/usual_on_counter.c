/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter has the rule of error sites */
/* refuse: counter evictions: TOC_USUAL is for TOC_ERROR and TOC_WARNING; give it */
/* refuse: TOC_ALERT(signal, op, limit, severity, meaning) */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_USUAL);
#endif
