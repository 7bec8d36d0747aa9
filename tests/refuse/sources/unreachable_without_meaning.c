/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: TOC_UNREACHABLE does not say what it means */
/* refuse: TOC_UNREACHABLE takes (severity, meaning) */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_UNREACHABLE(TOC_PAGE, "nothing comes here");
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_UNREACHABLE(TOC_PAGE);
}
#endif
