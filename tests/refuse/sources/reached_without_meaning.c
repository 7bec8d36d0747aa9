/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the meaning is missing */
/* refuse: TOC_REACHED takes (severity, meaning) */
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
        TOC_REACHED(TOC_WARN);
        return 0;
}
#endif
