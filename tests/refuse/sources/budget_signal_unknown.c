/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the signal of a budget does not exist */
/* refuse: TOC_BUDGET of module demo | no signal bytes; | has live_bytes, allocations,  */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_BUDGET(live_bytes, 64 << 20, TOC_WARN, "cache outgrew its share of memory"));
#else
TOC_MODULE(demo, "A module made to be refused",
           TOC_BUDGET(bytes, 64 << 20, TOC_WARN, "cache outgrew its share of memory"));
#endif
