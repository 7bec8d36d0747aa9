/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an option lacks the dot before its name */
/* refuse: hold_s */
/* c: the compilers say it in other words */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache",
                      .hold_s = 300));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache",
                      hold_s = 300));
#endif
