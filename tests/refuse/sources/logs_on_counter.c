/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter is given the rule of logs */
/* refuse: counter evictions: TOC_LOGS belongs into TOC_MODULE; give it TOC_ALERT( */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors")));
#endif
