/* SPDX-License-Identifier: Apache-2.0 */
/* other.cc - another file of the module, which also stands in a namespace. */
#include "shared.h"

namespace other {

TOC_MODULE_PART(cxx);
TOC_COUNTER(calls, "Calls of this file", TOC_QUIET("the test reads it from outside"));

static void count(int n)
{
        toc_count(calls);
        shared::all(n);
}

} // namespace other

void other_all(int n)
{
        other::count(n);
}
