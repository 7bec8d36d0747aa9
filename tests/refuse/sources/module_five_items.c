/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the module has five budgets and rules */
/* refuse: module demo: at most four of TOC_BUDGET, TOC_LOGS and TOC_RUNBOOK */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_BUDGET(live_bytes, 64 << 20, TOC_WARN, "cache outgrew its share of memory"),
           TOC_BUDGET(threads, 64 << 20, TOC_WARN, "cache outgrew its share of memory"),
           TOC_BUDGET(descriptors, 64 << 20, TOC_WARN, "cache outgrew its share of memory"),
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors")));
#else
TOC_MODULE(demo, "A module made to be refused",
           TOC_BUDGET(live_bytes, 64 << 20, TOC_WARN, "cache outgrew its share of memory"),
           TOC_BUDGET(threads, 64 << 20, TOC_WARN, "cache outgrew its share of memory"),
           TOC_BUDGET(descriptors, 64 << 20, TOC_WARN, "cache outgrew its share of memory"),
           TOC_BUDGET(leak, 64 << 20, TOC_WARN, "cache outgrew its share of memory"),
           TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors")));
#endif
