/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: whether it failed is not said */
/* refuse: macro "toc_share" requires 2 arguments, but only 1 given */
/* clang: too few arguments provided to function-like macro invocation */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_SHARE(refused, "Lookups that failed, of all",
          TOC_ALERT(permille, >, 10, TOC_PAGE, "callers are refused"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_share(refused, n < 0);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_share(refused);
}
#endif
