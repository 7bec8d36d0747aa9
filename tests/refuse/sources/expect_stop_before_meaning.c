/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the policy comes before the meaning */
/* refuse: TOC_EXPECT takes (condition, severity, meaning) */
/* errors: 6 */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT(n > 0, TOC_PAGE, "nothing is less than one", TOC_STOP_IN_TESTS);
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT(n > 0, TOC_PAGE, TOC_STOP_IN_TESTS, "nothing is less than one");
}
#endif
