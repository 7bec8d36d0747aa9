/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: TOC_EXPECT_CMP is given a condition instead of two values */
/* refuse: TOC_EXPECT_CMP takes (a, op, b, severity, meaning) */
/* errors: 10 */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT_CMP(n, >, 2, TOC_PAGE, "nothing is less than three");
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT_CMP(n > 2, TOC_PAGE, "nothing is less than three");
}
#endif
