/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a quantile has a level at which it clears */
/* refuse: timer lookup: .clear_at is not for quantiles, which are judged at their limit alone */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(p99_us, >, 50, TOC_WARN, "lookups are slow", .hold_s = 9));
#else
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(p99_us, >, 50, TOC_WARN, "lookups are slow", .hold_s = 9, .clear_at = 40));
#endif
