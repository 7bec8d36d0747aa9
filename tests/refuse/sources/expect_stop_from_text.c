/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a version is a text */
/* refuse: TOC_STOP_FROM take a constant above 0 */
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
        return TOC_EXPECT(n > 0, TOC_PAGE, "nothing is less than one", TOC_STOP_FROM("7"));
}
#endif
