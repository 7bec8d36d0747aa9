/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the value is missing */
/* refuse: macro "toc_observe" requires 2 arguments, but only 1 given */
/* clang: too few arguments provided to function-like macro invocation */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_SIZES(request, "Bytes of a request",
          TOC_ALERT(max, >, 4096, TOC_WARN, "requests are too long"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_observe(request, n);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_observe(request);
}
#endif
