/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a probe is quiet for an empty reason */
/* refuse: the reason in TOC_QUIET of counter evictions must have 8 to 71 characters */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET(""));
#endif
