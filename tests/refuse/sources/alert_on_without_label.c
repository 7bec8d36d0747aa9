/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the label of TOC_ALERT_ON is missing */
/* refuse: counter requests: TOC_ALERT_ON takes (label, signal, op, limit, severity, meaning) */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER_BY(requests, "Requests by outcome", (ok, failed),
               TOC_ALERT_ON(failed, per_minute, >, 10, TOC_WARN, "requests fail"));
#else
TOC_COUNTER_BY(requests, "Requests by outcome", (ok, failed),
               TOC_ALERT_ON(per_minute, >, 10, TOC_WARN, "requests fail"));
#endif
