/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the limit is a variable that says const, which is no constant in C */
/* refuse: counter evictions: the limit must be a constant */
/* c: there such a variable is a constant */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
extern const int limit;
const int limit = 1000;

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, limit, TOC_WARN, "working set outgrew the cache"));
#endif
