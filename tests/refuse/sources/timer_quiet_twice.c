/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a timer is quiet for two reasons */
/* refuse: timer lookup | TOC_QUIET stands alone */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_TIMER(lookup, "One lookup, hit or miss", TOC_QUIET("only feeds a chart"));
#else
TOC_TIMER(lookup, "One lookup, hit or miss", TOC_QUIET("only feeds a chart"),
          TOC_QUIET("nobody waits for it"));
#endif
