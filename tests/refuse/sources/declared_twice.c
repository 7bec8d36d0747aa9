/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: two counters have the same name */
/* refuse: toc_counter_evictions */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));
TOC_COUNTER(discards, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));
#endif
