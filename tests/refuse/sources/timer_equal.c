/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a quantile is compared with == */
/* refuse: timer lookup | max_us rings on one side only: > or >= */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(max_us, >=, 50, TOC_WARN, "lookups are slow"));
#else
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(max_us, ==, 50, TOC_WARN, "lookups are slow"));
#endif
