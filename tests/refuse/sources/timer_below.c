/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a quantile rings on its high side, and only there */
/* refuse: timer lookup | p99_us rings on one side only: > or >= */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(p99_us, >, 50, TOC_WARN, "lookups are slow"));
#else
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(p99_us, <, 50, TOC_WARN, "lookups are slow"));
#endif
