/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the help says nothing */
/* refuse: the help of gauge used must have 8 to 71 characters */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

#ifdef CORRECT
TOC_GAUGE(used, "Slots in use", TOC_QUIET("only feeds a chart"));
#else
TOC_GAUGE(used, "Slots", TOC_QUIET("only feeds a chart"));
#endif
