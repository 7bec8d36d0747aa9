/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the gate is a level */
/* refuse: toc_gauge_waiting */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");
TOC_GAUGE(leader, "1 while this node leads", TOC_QUIET("only gates others"));
TOC_LEVEL(waiting, "Jobs that wait", TOC_QUIET("only feeds a chart"));

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        toc_raise(waiting, 1);
        TOC_REACHED(TOC_WARN, "nobody ever comes by here", TOC_WHEN(leader));
        return 0;
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        TOC_REACHED(TOC_WARN, "nobody ever comes by here", TOC_WHEN(waiting));
        return 0;
}
#endif
