/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a flow has a value */
/* refuse: flow jobs | no signal value; | has lost, stalled_ms and backlog */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_FLOW(jobs, "Jobs through the queue",
         TOC_ALERT(backlog, >, 100, TOC_PAGE, "jobs are lost: a bug"));
#else
TOC_FLOW(jobs, "Jobs through the queue",
         TOC_ALERT(value, >, 100, TOC_PAGE, "jobs are lost: a bug"));
#endif
