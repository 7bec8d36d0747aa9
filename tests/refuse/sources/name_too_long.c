/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the name of the probe is longer than a record holds, by one character */
/* refuse: the name evictions_of_entries_that_were_old must have 1 to 31 characters */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions_of_entries_that_wereo, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions_of_entries_that_were_old, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#endif
