/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a label that was not declared */
/* refuse: toc_counter_requests_by_lost */
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
        toc_count_by(requests, lost);
}
#endif
