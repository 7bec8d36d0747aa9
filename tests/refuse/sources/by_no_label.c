/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the list of labels is empty */
/* refuse: a label of requests must have 1 to 23 characters */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER_BY(requests, "Requests by outcome", (ok, failed),
               TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail"));
#else
TOC_COUNTER_BY(requests, "Requests by outcome", (),
               TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail"));
#endif
