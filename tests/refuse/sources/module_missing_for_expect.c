/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an expectation belongs to no module */
/* refuse: this_file_has_no_TOC_MODULE */
/* errors: 7 */
#include <tocsin.h>

bool positive(int n);

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused");

bool positive(int n)
{
        return TOC_EXPECT(n > 0, TOC_PAGE, "nothing is less than one");
}
#else
bool positive(int n)
{
        return TOC_EXPECT(n > 0, TOC_PAGE, "nothing is less than one");
}
#endif
