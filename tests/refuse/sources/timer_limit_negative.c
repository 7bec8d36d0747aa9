/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: no time is negative */
/* refuse: timer lookup | limit is negative */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_TIMER(lookup, "One lookup, hit or miss", TOC_ALERT(p50_us, >, 1, TOC_WARN, "lookups are slow"));
#else
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(p50_us, >, -1, TOC_WARN, "lookups are slow"));
#endif
