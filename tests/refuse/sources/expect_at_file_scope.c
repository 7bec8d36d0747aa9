/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an expectation stands outside of all functions */
/* refuse: expected identifier or '(' before '__extension__' */
/* clang: expected identifier or '(' */
/* c: the compilers say it in other words */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
void f(void);
void f(void)
{
        (void)TOC_EXPECT(sizeof(int) == 4, TOC_PAGE, "an int has four bytes");
}
#else
TOC_EXPECT(sizeof(int) == 4, TOC_PAGE, "an int has four bytes");
#endif
