/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a text stands in the list of a module */
/* refuse: module demo: after the help come TOC_BUDGET and TOC_LOGS */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_BUDGET(live_bytes, 64 << 20, TOC_WARN, "cache outgrew its share of memory"));
#else
TOC_MODULE(demo, "A module made to be refused", "64 MiB at most");
#endif
