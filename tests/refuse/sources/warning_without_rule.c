/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a warning site has no rule */
/* refuse: this warning has no alert rule: its second argument is TOC_USUAL, TOC_ALERT(...) or */
/* refuse: TOC_QUIET(...) */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_WARNING(-5, TOC_USUAL, "cannot read index '%s'", path);
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_WARNING(-5, "cannot read index '%s'", path);
}
#endif
