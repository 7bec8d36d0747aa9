/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter stops nothing */
/* refuse: counter evictions: TOC_STOP_FROM and TOC_STOP_IN_TESTS belong to TOC_EXPECT */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail"), TOC_STOP_IN_TESTS);
#endif
