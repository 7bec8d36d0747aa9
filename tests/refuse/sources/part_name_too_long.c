/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: the name of the module is longer than a record holds, by one */
/* refuse: the name of module a_cache_of_fixed_capaci_ must have 1 to 23 characters */
#include <tocsin.h>

#ifdef CORRECT
TOC_MODULE_PART(a_cache_of_fixed_capaci);
#else
TOC_MODULE_PART(a_cache_of_fixed_capaci_);
#endif
