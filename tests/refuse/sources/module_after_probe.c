/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the module is named after its first probe */
/* refuse: this_file_has_no_TOC_MODULE */
/* errors: 7 */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused");
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room",
            TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
TOC_MODULE(demo, "A module made to be refused");
#endif
