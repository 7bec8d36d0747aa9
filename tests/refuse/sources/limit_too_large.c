/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the limit does not fit into a record */
/* refuse: counter evictions: the limit is larger than INT64_MAX */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 9223372036854775807, TOC_WARN,
                      "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 18446744073709551615u, TOC_WARN,
                      "working set outgrew the cache"));
#endif
