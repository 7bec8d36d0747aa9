/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the runbook stands inside the rule */
/* refuse: 'RUNBOOK_' undeclared */
/* clang: use of undeclared identifier 'RUNBOOK_' */
/* c: the compilers say it in other words */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"),
            TOC_RUNBOOK("https://wiki/evictions"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache",
                      TOC_RUNBOOK("https://wiki/evictions")));
#endif
