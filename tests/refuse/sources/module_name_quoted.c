/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the name of the module is a text */
/* refuse: "demo" */
/* clang: 'one_file_must_have_TOC_MODULE_"demo"', an invalid */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused");
#else
TOC_MODULE("demo", "A module made to be refused");
#endif
