/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a probe is declared in a function */
/* refuse: tocsin: a probe is declared outside of functions and classes */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(calls, "Calls of it", TOC_QUIET("only feeds a chart"));

inline void call()
{
        toc_count(calls);
}
#else
inline void call()
{
        TOC_COUNTER(calls, "Calls of it", TOC_QUIET("only feeds a chart"));
        toc_count(calls);
}
#endif
