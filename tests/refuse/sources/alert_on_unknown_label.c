/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the rule is for a label that is none */
/* refuse: toc_counter_requests_by_lost */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER_BY(requests, "Requests by outcome", (ok, failed),
               TOC_ALERT_ON(failed, per_minute, >, 10, TOC_WARN, "requests fail"));
#else
TOC_COUNTER_BY(requests, "Requests by outcome", (ok, failed),
               TOC_ALERT_ON(lost, per_minute, >, 10, TOC_WARN, "requests fail"));
#endif
