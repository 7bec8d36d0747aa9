/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a condition assigns instead of comparing */
/* refuse: suggest parentheses around assignment */
/* clang: using the result of an assignment as a condition */
/* flags: -Werror=parentheses */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT(n == 0, TOC_PAGE, "nothing is less than one");
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT(n = 0, TOC_PAGE, "nothing is less than one");
}
#endif
