/* SPDX-License-Identifier: Apache-2.0 */
/* enter.c - finds libtocsin-inside, if this process has it. Nobody has to link with it: the
 * reference is weak, so that it is there when the library was preloaded or linked, and NULL
 * otherwise, in static programs as well. */
#include "probe/inside.h"
#include "probe/runtime.h"

__attribute__((weak, visibility("default"))) const struct toc_inside_ *toc_inside_(void);

int64_t toc_enter_offset_(void)
{
        return toc_inside_ ? toc_inside_()->here_offset : 0;
}

struct toc_here_ *toc_enter_first_(struct toc_entry_ *entry)
{
        return toc_inside_ ? toc_inside_()->enter(entry) : NULL;
}
