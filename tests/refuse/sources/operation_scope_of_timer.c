/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a timer is no operation */
/* refuse: toc_operation_lookup */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_OPERATION(fetch, "Fetches from the disk",
              TOC_ALERT(oldest_ms, >, 5000, TOC_PAGE, "the disk hangs"));
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(p99_us, >, 50, TOC_WARN, "lookups are slow"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        TOC_OPERATION_SCOPE(fetch);
        TOC_TIME_SCOPE(lookup);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        TOC_OPERATION_SCOPE(lookup);
}
#endif
