/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a site stands in a lambda with a parameter of any type */
/* refuse: tocsin: a site cannot stand in a template; put it into a function that is none, and call that */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
auto is_small = [](int n) { return TOC_EXPECT(n < 10, TOC_NOTE, "nobody is larger than ten"); };

bool use = is_small(3);
#else
auto is_small = [](auto n) { return TOC_EXPECT(n < 10, TOC_NOTE, "nobody is larger than ten"); };

bool use = is_small(3);
#endif
