/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the uptime is known at run time */
/* refuse: TOC_REACHED: TOC_UPTIME_S and TOC_STOP_FROM take a constant above 0 */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        TOC_REACHED(TOC_WARN, "nobody ever comes by here", TOC_UPTIME_S(60));
        return 0;
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        TOC_REACHED(TOC_WARN, "nobody ever comes by here", TOC_UPTIME_S(n));
        return 0;
}
#endif
