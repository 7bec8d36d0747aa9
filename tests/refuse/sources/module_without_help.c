/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the module does not say what it is */
/* refuse: module demo | help */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused");
#else
TOC_MODULE(demo);
#endif
