/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: TOC_QUIET stands in the list of a module, without TOC_LOGS */
/* refuse: module demo: a rule here stands in TOC_LOGS(rule) */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused", TOC_LOGS(TOC_QUIET("its errors are expected")));
#else
TOC_MODULE(demo, "A module made to be refused", TOC_QUIET("its errors are expected"));
#endif
