/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a label stands there twice */
/* refuse: toc_counter_requests_by_ok */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER_BY(requests, "Requests by outcome", (ok, failed),
               TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail"));
#else
TOC_COUNTER_BY(requests, "Requests by outcome", (ok, ok),
               TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail"));
#endif
