/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a module has two runbooks */
/* refuse: module demo: at most one TOC_RUNBOOK */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused", TOC_RUNBOOK("wiki/demo"));
#else
TOC_MODULE(demo, "A module made to be refused", TOC_RUNBOOK("wiki/demo"), TOC_RUNBOOK("wiki/more"));
#endif
