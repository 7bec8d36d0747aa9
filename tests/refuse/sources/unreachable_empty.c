/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: TOC_UNREACHABLE says nothing at all */
/* refuse: TOC_UNREACHABLE takes (severity, meaning) */
/* errors: 8 */
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
        return TOC_UNREACHABLE();
}
#endif
