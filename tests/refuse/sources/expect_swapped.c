/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: severity and meaning are swapped */
/* refuse: TOC_EXPECT: the severity is TOC_NOTE, TOC_WARN or TOC_PAGE */
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
        return TOC_EXPECT(n > 0, "nothing is less than one", TOC_PAGE);
}
#endif
