/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: what must be reached stops nothing */
/* refuse: TOC_REACHED takes (severity, meaning), and then */
/* refuse: TOC_UPTIME_S, TOC_WHEN or TOC_RUNBOOK */
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
        TOC_REACHED(TOC_WARN, "nobody ever comes by here", TOC_STOP_FROM(7));
        return 0;
}
#endif
