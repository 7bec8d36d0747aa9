/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the rule of an error site looks at what it does not have */
/* refuse: this error | no signal per_second; | has total and per_minute */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_ERROR(-5, TOC_ALERT(per_minute, >, 1, TOC_WARN, "the index is unreadable"),
                         "cannot read index '%s'", path);
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_ERROR(-5, TOC_ALERT(per_second, >, 1, TOC_WARN, "the index is unreadable"),
                         "cannot read index '%s'", path);
}
#endif
