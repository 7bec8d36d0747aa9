/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: four options are too many */
/* refuse: TOC_SOMETIMES takes */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_GAUGE(leader, "1 while this node leads", TOC_QUIET("only gates others"));

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_SOMETIMES(n > 0, TOC_WARN, "nobody ever asks for more than none",
                             TOC_UPTIME_S(60), TOC_RUNBOOK("wiki"));
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_SOMETIMES(n > 0, TOC_WARN, "nobody ever asks for more than none",
                             TOC_UPTIME_S(60), TOC_RUNBOOK("wiki"), TOC_WHEN(leader),
                             TOC_WHEN(leader));
}
#endif
