/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a module has a policy of expectations */
/* refuse: module demo: a rule here stands in TOC_LOGS */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused");
#else
TOC_MODULE(demo, "A module made to be refused", TOC_STOP_IN_TESTS);
#endif
