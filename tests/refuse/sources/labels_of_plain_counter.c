/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: labels, but not the form that takes them */
/* refuse: counter requests takes no labels: the form that does has _BY */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER_BY(requests, "Requests by outcome", (ok, failed),
               TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail"));
#else
TOC_COUNTER(requests, "Requests by outcome", (ok, failed),
            TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail"));
#endif
