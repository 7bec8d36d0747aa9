/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: two files of a program have the same module */
/* refuse: multiple definition of | one_file_must_have_TOC_MODULE_lru */
#include <tocsin.h>

#if FILE_NUMBER == 1 || !defined(CORRECT)
TOC_MODULE(lru, "Fixed-capacity least-recently-used cache");
#else
TOC_MODULE_PART(lru);
#endif

#if FILE_NUMBER == 1
int main(void)
{
        return 0;
}
#endif
