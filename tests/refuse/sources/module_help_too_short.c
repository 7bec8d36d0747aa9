/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the help of the module says nothing */
/* refuse: the help of module demo must have 8 to 71 characters */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused");
#else
TOC_MODULE(demo, "Demo");
#endif
