/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a label is a macro, as linux is one to compilers in their default mode */
/* refuse: a label of requests is a macro here: choose another name */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER_BY(requests, "Requests by system", (linux_, windows),
               TOC_ALERT_ON(windows, per_minute, >, 10, TOC_WARN, "requests of windows fail"));
#else
#define linux 1
TOC_COUNTER_BY(requests, "Requests by system", (linux, windows),
               TOC_ALERT_ON(windows, per_minute, >, 10, TOC_WARN, "requests of windows fail"));
#endif
