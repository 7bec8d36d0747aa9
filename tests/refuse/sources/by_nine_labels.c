/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: there are nine labels */
/* refuse: counter requests needs one to eight labels */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER_BY(requests, "Requests by outcome", (a, b, c, d, e, f, g, h),
               TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail"));
#else
TOC_COUNTER_BY(requests, "Requests by outcome", (a, b, c, d, e, f, g, h, i),
               TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail"));
#endif
