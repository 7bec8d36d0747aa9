/* SPDX-License-Identifier: Apache-2.0 */
/* mistake: an error site belongs to no module */
/* refuse: this_file_has_no_TOC_MODULE */
/* errors: 7 */
#include <tocsin.h>

int refuse(int n);

#ifdef CORRECT
TOC_MODULE(demo, "A module made to be refused");

int refuse(int n)
{
        return TOC_ERROR(n, TOC_USUAL, "refused %d", n);
}
#else
int refuse(int n)
{
        return TOC_ERROR(n, TOC_USUAL, "refused %d", n);
}
#endif
