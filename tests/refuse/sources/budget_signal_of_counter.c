/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a budget looks at what only counters have */
/* refuse: TOC_BUDGET of module demo | no signal per_minute; | has live_bytes, allocations,  */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_BUDGET(live_bytes, 64 << 20, TOC_WARN, "cache outgrew its share of memory"));
#else
TOC_MODULE(demo, "A module made to be refused",
           TOC_BUDGET(per_minute, 64 << 20, TOC_WARN, "cache outgrew its share of memory"));
#endif
