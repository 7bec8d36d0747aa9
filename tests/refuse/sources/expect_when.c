/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an expectation has no gate */
/* refuse: TOC_EXPECT takes (condition, severity, meaning), and then */
/* refuse: TOC_STOP_FROM, TOC_STOP_IN_TESTS or TOC_RUNBOOK */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_GAUGE(leader, "1 while this node leads", TOC_QUIET("only gates others"));

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
        return TOC_EXPECT(n > 0, TOC_PAGE, "nothing is less than one", TOC_WHEN(leader));
}
#endif
