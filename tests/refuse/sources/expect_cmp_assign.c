/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a comparison assigns instead of comparing */
/* refuse: TOC_EXPECT_CMP: = is not one of > >= < <= == != */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT_CMP(n, ==, 2, TOC_PAGE, "nothing is less than one");
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT_CMP(n, =, 2, TOC_PAGE, "nothing is less than one");
}
#endif
