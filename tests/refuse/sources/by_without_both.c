/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: labels and rule are missing */
/* refuse: counter requests needs one to eight labels: its third argument is (label, label ...) */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER_BY(requests, "Requests by outcome", (ok, failed),
               TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail"));
#else
TOC_COUNTER_BY(requests, "Requests by outcome");
#endif
