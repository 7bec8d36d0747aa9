/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: TOC_ENTER names a module that this file does not belong to */
/* refuse: one_file_must_have_TOC_MODULE_other */
#include <tocsin.h>

TOC_MODULE(demo, "A module made to be refused");

void enter(void);
void enter(void)
{
#ifdef CORRECT
        TOC_ENTER(demo);
#else
        TOC_ENTER(other);
#endif
}
