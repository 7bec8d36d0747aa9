/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the message of an error says nothing */
/* refuse: the message of this error must have 8 to 255 characters */
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
        return TOC_ERROR(-5, TOC_USUAL, "%s", path);
}
#endif
