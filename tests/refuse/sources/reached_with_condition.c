/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a condition is what TOC_SOMETIMES takes */
/* refuse: TOC_REACHED */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        TOC_REACHED(TOC_WARN, "nobody ever comes by here");
        return 0;
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        TOC_REACHED(sizeof(n) > 2, TOC_WARN, "nobody ever comes by here");
        return 0;
}
#endif
