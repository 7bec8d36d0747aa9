/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the runbook comes first */
/* refuse: timer lookup: TOC_RUNBOOK comes after the rule */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_TIMER(lookup, "One lookup, hit or miss", TOC_ALERT(p99_us, >, 5, TOC_WARN, "lookups are slow"),
          TOC_RUNBOOK("wiki"));
#else
TOC_TIMER(lookup, "One lookup, hit or miss", TOC_RUNBOOK("wiki"),
          TOC_ALERT(p99_us, >, 5, TOC_WARN, "lookups are slow"));
#endif
