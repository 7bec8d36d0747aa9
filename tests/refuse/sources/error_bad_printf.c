/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an argument does not fit the format */
/* refuse: expects argument of type */
/* clang: format specifies type 'char *' but the argument has type 'int' */
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
        return TOC_ERROR(-5, TOC_USUAL, "cannot read index '%s'", n);
}
#endif
