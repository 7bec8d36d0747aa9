/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter takes no time */
/* refuse: this_is_no_TOC_TIMER_evictions */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(p99_us, >, 50, TOC_WARN, "lookups are slow"));
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        TOC_TIME_SCOPE(lookup);
        toc_count(evictions);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        TOC_TIME_SCOPE(evictions);
}
#endif
