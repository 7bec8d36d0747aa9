/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the limit was left empty */
/* refuse: counter evictions: TOC_ALERT takes (signal, op, limit, severity, meaning) */
/* errors: 32 */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, , TOC_WARN, "working set outgrew the cache"));
#endif
