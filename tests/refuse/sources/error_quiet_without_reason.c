/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an error site is quiet for no reason */
/* refuse: the reason in TOC_QUIET of this error must have 8 to 71 characters */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_ERROR(-5, TOC_USUAL, "cannot read index '%s'", path);
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_ERROR(-5, TOC_QUIET(""), "cannot read index '%s'", path);
}
#endif
