/* SPDX-License-Identifier: Apache-2.0 */
/* part.c - another file of a module, which is where TOC_MODULE_PART belongs. */
#include <tocsin.h>

TOC_MODULE_PART(a_name_of_23_characters);

TOC_COUNTER(a_name_of_exactly_31_characters, "Names may be as long as that",
            TOC_QUIET("only feeds a chart"));

void part(void);

void part(void)
{
        toc_count(a_name_of_exactly_31_characters);
}
