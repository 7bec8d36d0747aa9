/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the rule of an error site is not complete */
/* refuse: this error: TOC_ALERT takes (signal, op, limit, severity, meaning) */
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
        return TOC_ERROR(-5, TOC_ALERT(per_minute, >, 1), "cannot read index '%s'", path);
}
#endif
