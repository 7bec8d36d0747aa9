/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the name of the module is no name in C */
/* refuse: before '-' token */
/* clang: expected ';' after top level declarator */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(my_demo, "A module made to be refused");
#else
TOC_MODULE(my - demo, "A module made to be refused");
#endif
