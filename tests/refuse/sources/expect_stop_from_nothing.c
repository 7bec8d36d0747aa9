/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: from which version is not said */
/* refuse: TOC_STOP_FROM */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT(n > 0, TOC_PAGE, "nothing is less than one", TOC_STOP_FROM(7));
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT(n > 0, TOC_PAGE, "nothing is less than one", TOC_STOP_FROM());
}
#endif
