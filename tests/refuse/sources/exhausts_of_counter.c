/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter has no end */
/* refuse: counter evictions | no signal exhausts_s */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out",
            TOC_ALERT(per_hour, >, 3600, TOC_WARN, "memory is not given back"));
#else
TOC_COUNTER(evictions, "Entries pushed out",
            TOC_ALERT(exhausts_s, <, 3600, TOC_WARN, "memory is not given back", .capacity = 9));
#endif
