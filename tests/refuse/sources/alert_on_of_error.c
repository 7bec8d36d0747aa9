/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an error has no labels */
/* refuse: this error has no labels */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_ERROR(-1, TOC_ALERT(per_minute, >, 10, TOC_WARN, "requests fail"),
                         "cannot open %s", path);
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_ERROR(-1, TOC_ALERT_ON(failed, per_minute, >, 10, TOC_WARN, "requests fail"),
                         "cannot open %s", path);
}
#endif
