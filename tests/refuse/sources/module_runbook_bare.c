/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the runbook of a module is a text */
/* refuse: module demo: after the help come TOC_BUDGET */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused", TOC_RUNBOOK("wiki"));
#else
TOC_MODULE(demo, "A module made to be refused", "wiki");
#endif
