/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter without labels has a rule for one */
/* refuse: counter evictions has no labels: give it TOC_ALERT */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT_ON(failed, per_minute, >, 10, TOC_WARN, "requests fail"));
#endif
