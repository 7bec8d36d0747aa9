/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the macro asks for the label */
/* refuse: macro "toc_count_by" requires 2 arguments, but only 1 given */
/* clang: too few arguments provided to function-like macro invocation */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_COUNTER_BY(requests, "Requests by outcome", (ok, failed),
               TOC_ALERT_ON(failed, per_minute, >, 10, TOC_WARN, "requests fail"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_count_by(requests, ok);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_count_by(requests);
}
#endif
