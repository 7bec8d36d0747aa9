/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a comparison has no uptime */
/* refuse: TOC_EXPECT_CMP takes (a, op, b, severity, meaning), and then TOC_STOP_FROM */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT_CMP(n, >, 0, TOC_PAGE, "nothing is less than one", TOC_STOP_FROM(3));
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT_CMP(n, >, 0, TOC_PAGE, "nothing is less than one", TOC_UPTIME_S(3));
}
#endif
