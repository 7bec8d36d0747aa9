/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the limit of a timer is without its unit */
/* refuse: timer lookup | no signal p99; | has p50_us */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(p99_us, >, 50, TOC_WARN, "lookups are slow"));
#else
TOC_TIMER(lookup, "One lookup, hit or miss", TOC_ALERT(p99, >, 50, TOC_WARN, "lookups are slow"));
#endif
