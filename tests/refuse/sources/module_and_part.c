/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: a file is both the first and another file of its module */
/* refuse: this_file_has_a_TOC_MODULE_already */
/* errors: 12 */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused");
#else
TOC_MODULE(demo, "A module made to be refused");
TOC_MODULE_PART(demo);
#endif
