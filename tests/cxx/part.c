/* SPDX-License-Identifier: Apache-2.0 */
/* part.c - a C file of a module whose other files are C++. */
#include <tocsin.h>

TOC_MODULE_PART(cxx);
TOC_COUNTER(calls_of_c, "Calls of a C file", TOC_QUIET("the test reads it from outside"));

void part_count(void);

void part_count(void)
{
        toc_count(calls_of_c);
        (void)TOC_EXPECT(0, TOC_NOTE, "a C file always misses");
}
