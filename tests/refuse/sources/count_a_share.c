/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a share is counted */
/* refuse: toc_counter_refused */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_SHARE(refused, "Lookups that failed, of all",
          TOC_ALERT(permille, >, 10, TOC_PAGE, "callers are refused"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_share(refused, true);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_count(refused);
}
#endif
