/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a counter has two outcomes */
/* refuse: toc_share_evictions */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_SHARE(refused, "Lookups that failed, of all",
          TOC_ALERT(permille, >, 10, TOC_PAGE, "callers are refused"));
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));

void use(int n, double ratio);

#ifdef CORRECT
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_share(refused, true);
        toc_count(evictions);
}
#else
void use(int n, double ratio)
{
        (void)n, (void)ratio;
        toc_share(evictions, true);
}
#endif
