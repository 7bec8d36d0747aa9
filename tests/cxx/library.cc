/* SPDX-License-Identifier: Apache-2.0 */
/* library.cc - a shared object with a module of its own, in a namespace. */
#include "shared.h"

namespace library {

TOC_MODULE(library, "A shared object in C++");
TOC_COUNTER(calls_of_library, "Calls into it", TOC_QUIET("the test reads it from outside"));

static void count(int n)
{
        toc_count(calls_of_library);
        shared::all(n);
}

} // namespace library

void library_all(int n)
{
        library::count(n);
}
