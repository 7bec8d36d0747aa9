/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: how many came in is not said */
/* refuse: macro "toc_in" requires 2 arguments, but only 1 given */
/* clang: too few arguments provided to function-like macro invocation */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_FLOW(jobs, "Jobs through the queue", TOC_ALERT(lost, !=, 0, TOC_PAGE, "jobs are lost: a bug"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_in(jobs, 1);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_in(jobs);
}
#endif
