/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the value of an option is a text */
/* refuse: initialization of 'unsigned int' from 'char *' */
/* clang: incompatible pointer to integer conversion initializing */
/* c: the compilers say it in other words */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache",
                      .hold_s = 300));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache",
                      .hold_s = "5 min"));
#endif
