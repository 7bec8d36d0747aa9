/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a probe is declared in a class */
/* refuse: (these are the compilers' words) */
/* gcc: expected unqualified-id before 'namespace' */
/* clang: missing '}' at end of definition of 'caller' */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(calls, "Calls of it", TOC_QUIET("only feeds a chart"));

struct caller {
        void call() { toc_count(calls); }
};
#else
struct caller {
        TOC_COUNTER(calls, "Calls of it", TOC_QUIET("only feeds a chart"));
        void call() { toc_count(calls); }
};
#endif
