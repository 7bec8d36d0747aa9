/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a probe is quiet twice */
/* refuse: counter evictions: TOC_QUIET stands alone, without a rule */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"));
#else
TOC_COUNTER(evictions, "Entries pushed out to make room", TOC_QUIET("only feeds a chart"),
            TOC_QUIET("only feeds a chart"));
#endif
