/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a gauge is set and not observed */
/* refuse: toc_histogram_leader */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_SIZES(request, "Bytes of a request",
          TOC_ALERT(max, >, 4096, TOC_WARN, "requests are too long"));
TOC_GAUGE(leader, "1 while this node leads", TOC_QUIET("only gates others"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_observe(request, n);
        toc_set(leader, n);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_observe(leader, n);
}
#endif
