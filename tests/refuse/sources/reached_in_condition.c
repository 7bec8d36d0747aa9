/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: TOC_REACHED has no value */
/* refuse: void */
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
        if (TOC_REACHED(TOC_WARN, "nobody ever comes by here"))
                return 1;
        return 0;
}
#endif
