/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a budget does not say how bad it is */
/* refuse: TOC_BUDGET of module demo takes (signal, limit, severity, meaning) */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused",
           TOC_BUDGET(live_bytes, 64 << 20, TOC_WARN, "cache outgrew its share of memory"));
#else
TOC_MODULE(demo, "A module made to be refused",
           TOC_BUDGET(live_bytes, 64 << 20, "cache outgrew its share of memory"));
#endif
