/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: there is an argument that the format does not want */
/* refuse: too many arguments for format */
/* clang: data argument not used by format string */
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
        return TOC_ERROR(-5, TOC_USUAL, "cannot read the index", path);
}
#endif
