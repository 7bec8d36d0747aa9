/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an expectation has no uptime */
/* refuse: TOC_EXPECT takes (condition, severity, meaning), and then */
/* refuse: TOC_STOP_FROM, TOC_STOP_IN_TESTS or TOC_RUNBOOK */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT(n > 0, TOC_PAGE, "nothing is less than one");
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT(n > 0, TOC_PAGE, "nothing is less than one", TOC_UPTIME_S(60));
}
#endif
