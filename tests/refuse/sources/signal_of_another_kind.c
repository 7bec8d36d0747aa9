/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the rule of a counter looks at what only heartbeats have */
/* refuse: counter evictions | no signal silent_ms */
/* refuse: has total, per_second, per_minute and per_hour */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(silent_ms, >, 1000, TOC_WARN, "working set outgrew the cache"));
#endif
