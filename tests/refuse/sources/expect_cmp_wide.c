/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: values are compared that are too wide to be kept */
/* refuse: TOC_EXPECT_CMP compares numbers and pointers of at most 8 bytes; use TOC_EXPECT */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

int site(const char *path, int n);
static __int128 wide;

#ifdef CORRECT
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT(wide > 2, TOC_PAGE, "nothing is less than three");
}
#else
int site(const char *path, int n)
{
        (void)path, (void)n;
        return TOC_EXPECT_CMP(wide, >, 2, TOC_PAGE, "nothing is less than three");
}
#endif
