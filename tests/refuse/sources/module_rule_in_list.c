/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: TOC_ALERT stands in the list of a module, without TOC_LOGS or TOC_BUDGET */
/* refuse: module demo: a rule here stands in TOC_LOGS(rule), and a budget is TOC_BUDGET( */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_BUDGET(live_bytes, 64 << 20, TOC_WARN, "cache outgrew its share of memory"));
#else
TOC_MODULE(demo, "A module made to be refused",
           TOC_ALERT(live_bytes, >, 64 << 20, TOC_WARN, "cache outgrew its share of memory"));
#endif
