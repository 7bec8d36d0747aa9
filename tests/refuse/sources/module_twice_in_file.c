/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a file has two modules */
/* refuse: this_file_has_a_TOC_MODULE_already */
/* errors: 12 */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused");
#else
TOC_MODULE(demo, "A module made to be refused");
TOC_MODULE(other, "Another module in the same file");
#endif
