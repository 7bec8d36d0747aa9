/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the reason of a quiet probe lacks its quotes */
/* refuse: the reason in TOC_QUIET of counter evictions must be a text in quotes */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET(noisy));
#endif
