/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter has no uptime */
/* refuse: counter evictions: | TOC_UPTIME_S and TOC_WHEN to TOC_REACHED and TOC_SOMETIMES */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail"), TOC_UPTIME_S(60));
#endif
