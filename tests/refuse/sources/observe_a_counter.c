/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter observes nothing */
/* refuse: toc_histogram_evictions */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_SIZES(request, "Bytes of a request",
          TOC_ALERT(max, >, 4096, TOC_WARN, "requests are too long"));
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_observe(request, n);
        toc_count(evictions);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_observe(evictions, n);
}
#endif
