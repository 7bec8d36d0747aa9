/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the rule of a gauge looks at what only counters have */
/* refuse: gauge used | no signal per_minute | has value */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_GAUGE(used, "Slots in use", TOC_ALERT(value, >, 1000, TOC_WARN, "cache is nearly full"));
#else
TOC_GAUGE(used, "Slots in use", TOC_ALERT(per_minute, >, 1000, TOC_WARN, "cache is nearly full"));
#endif
