/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a flow is raised */
/* refuse: toc_level_jobs */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_FLOW(jobs, "Jobs through the queue", TOC_ALERT(lost, !=, 0, TOC_PAGE, "jobs are lost: a bug"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_held(jobs, 1);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_raise(jobs, 1);
}
#endif
