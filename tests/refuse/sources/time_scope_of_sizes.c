/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: sizes are no times */
/* refuse: this_is_no_TOC_TIMER_request */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_TIMER(lookup, "One lookup, hit or miss",
          TOC_ALERT(p99_us, >, 50, TOC_WARN, "lookups are slow"));
TOC_SIZES(request, "Bytes of a request",
          TOC_ALERT(max, >, 4096, TOC_WARN, "requests are too long"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        TOC_TIME_SCOPE(lookup);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        TOC_TIME_SCOPE(request);
}
#endif
