/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: two structs are compared */
/* refuse: TOC_EXPECT_CMP compares numbers and pointers of at most 8 bytes; use TOC_EXPECT */
/* errors: 10 */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);
static struct {
        int left, right;
} pair;

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT_CMP(pair.left, ==, pair.right, TOC_PAGE, "a pair equals itself");
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT_CMP(pair, ==, pair, TOC_PAGE, "a pair equals itself");
}
#endif
