/* SPDX-License-Identifier: Apache-2.0 */
/* shared.h - sites where C has none: in inline functions, member functions in class bodies,
 * constructors and lambdas, of a header that several files of a program and a shared object use.
 * In its namespace it is a module of its own, whatever module the file is that includes it. */
#ifndef SHARED_H
#define SHARED_H

#include <tocsin.h>

namespace shared
{

TOC_MODULE_PART(shared);

inline bool even(int n)
{
        return TOC_EXPECT(n % 2 == 0, TOC_NOTE, "an inline function expects even numbers");
}

inline int fail(int n)
{
        return TOC_ERROR(-n, TOC_ALERT(per_minute, >, 1000, TOC_NOTE, "an inline function fails"),
                         "an inline function fails for %d", n);
}

inline auto lambda = [](int n) {
        return TOC_EXPECT_CMP(n, >, 0, TOC_NOTE, "a lambda expects what is positive");
};

struct box {
        int n;

        explicit box(int from) : n(from)
        {
                TOC_REACHED(TOC_NOTE, "nobody ever made a box");
        }
        virtual ~box() = default;
        virtual bool is_full()
        {
                return TOC_SOMETIMES(n > 2, TOC_NOTE, "no box was ever full");
        }
};

/* What is a template itself asks a function that is none. */
template <class T> bool even_of_any_type(T n)
{
        return even(static_cast<int>(n));
}

/* Each of these, once. */
inline void all(int n)
{
        box one(n);

        (void)even(n);
        (void)even_of_any_type<long>(n);
        (void)even_of_any_type<char>(static_cast<char>(n % 100));
        (void)fail(n);
        (void)lambda(n);
        (void)one.is_full();
}

} // namespace shared

void other_all(int n);                                          /* the same, in another file */
__attribute__((visibility("default"))) void library_all(int n); /* in a shared object */
extern "C" void part_count(void);                               /* in a C file of the module */

#endif
