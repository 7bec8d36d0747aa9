/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the severity is missing */
/* refuse: TOC_SOMETIMES */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_SOMETIMES(n > 0, TOC_WARN, "nobody ever asks for more than none");
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_SOMETIMES(n > 0, "nobody ever asks for more than none");
}
#endif
