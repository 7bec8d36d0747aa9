/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a limit in microseconds is a fraction */
/* refuse: timer lookup: the limit must be an integer */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_TIMER(lookup, "One lookup, hit or miss", TOC_ALERT(p50_us, >, 1, TOC_WARN, "lookups are slow"));
#else
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(p50_us, >, 0.5, TOC_WARN, "lookups are slow"));
#endif
