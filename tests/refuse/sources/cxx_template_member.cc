/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a site stands in a member function of a class template */
/* refuse: tocsin: a site cannot stand in a template; put it into a function that is none, and call that */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
inline bool is_small(bool small)
{
        return TOC_EXPECT(small, TOC_NOTE, "nobody is larger than ten");
}

template <class T> struct box {
        T n;
        bool is_full() { return is_small(n < 10); }
};

bool use = box<int>{3}.is_full();
#else
template <class T> struct box {
        T n;
        bool is_full() { return TOC_EXPECT(n < 10, TOC_NOTE, "nobody is larger than ten"); }
};

bool use = box<int>{3}.is_full();
#endif
