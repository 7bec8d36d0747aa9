/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the meaning of an expectation says nothing */
/* refuse: the meaning in TOC_EXPECT must have 8 to 71 characters */
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
        return TOC_EXPECT(n > 0, TOC_PAGE, "n <= 0");
}
#endif
