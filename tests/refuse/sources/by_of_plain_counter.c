/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter without labels is given one */
/* refuse: toc_counter_evictions_by_ok */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_count(evictions);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_count_by(evictions, ok);
}
#endif
