/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a flow has no rule */
/* refuse: flow jobs has no alert rule */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_FLOW(jobs, "Jobs through the queue", TOC_ALERT(lost, !=, 0, TOC_PAGE, "jobs are lost: a bug"));
#else
TOC_FLOW(jobs, "Jobs through the queue");
#endif
