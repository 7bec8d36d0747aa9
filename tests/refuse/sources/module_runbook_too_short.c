/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the runbook of a module says nothing */
/* refuse: the runbook of module demo must have 4 to 63 characters */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused", TOC_RUNBOOK("wiki"));
#else
TOC_MODULE(demo, "A module made to be refused", TOC_RUNBOOK("x"));
#endif
