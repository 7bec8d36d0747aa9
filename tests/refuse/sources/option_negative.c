/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a time is negative */
/* refuse: changes value from '-1' to '4294967295' */
/* flags: -Werror=sign-conversion */
/* only: gcc */
/* c: there it is an error without that flag */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache", .hold_s = 1));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache",
                      .hold_s = -1));
#endif
