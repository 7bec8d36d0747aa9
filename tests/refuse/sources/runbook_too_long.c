/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the runbook is longer than a record holds, by one character */
/* refuse: the runbook of counter evictions must have 4 to 63 characters */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"),
            TOC_RUNBOOK("https://wiki/a/place/where/nobody/finds/what/is/written/in/it/"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"),
            TOC_RUNBOOK("https://wiki/a/place/where/nobody/finds/what/is/written/in/it/ex"));
#endif
