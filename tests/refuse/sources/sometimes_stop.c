/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: what must happen once stops nothing */
/* refuse: TOC_SOMETIMES takes (condition, severity, meaning), and then */
/* refuse: TOC_UPTIME_S, TOC_WHEN or TOC_RUNBOOK */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_SOMETIMES(n > 0, TOC_WARN, "nobody ever asks for more than none");
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_SOMETIMES(n > 0, TOC_WARN, "nobody ever asks for more than none",
                             TOC_STOP_IN_TESTS);
}
#endif
