/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the rule stands where the help belongs */
/* refuse: counter evictions has no help */
/* refuse: its second argument is a text that says what it counts */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#endif
