/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: nothing flows through a counter */
/* refuse: toc_flow_evictions */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_FLOW(jobs, "Jobs through the queue", TOC_ALERT(lost, !=, 0, TOC_PAGE, "jobs are lost: a bug"));
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_in(jobs, 1);
        toc_count(evictions);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_in(evictions, 1);
}
#endif
