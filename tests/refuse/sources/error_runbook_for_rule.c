/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a runbook stands where the rule belongs */
/* refuse: this error | TOC_RUNBOOK */
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
        return TOC_ERROR(-5, TOC_RUNBOOK("https://wiki/index"), "cannot read index '%s'", path);
}
#endif
