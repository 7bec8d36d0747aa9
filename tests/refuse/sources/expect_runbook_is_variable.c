/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the runbook is known at run time */
/* refuse: the runbook in TOC_EXPECT must be a text in quotes */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT(n > 0, TOC_PAGE, "nothing is less than one", TOC_RUNBOOK("wiki"));
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT(n > 0, TOC_PAGE, "nothing is less than one", TOC_RUNBOOK(path));
}
#endif
