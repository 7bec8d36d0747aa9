/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the value of TOC_ERROR was forgotten */
/* refuse: has no alert rule */
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
        return TOC_ERROR(TOC_USUAL, "cannot read index '%s'", path);
}
#endif
