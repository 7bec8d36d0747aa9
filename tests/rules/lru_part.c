/* SPDX-License-Identifier: Apache-2.0 */
/* lru_part.c - another file of the module lru. */
#include <tocsin.h>

#include "lru.h"

TOC_MODULE_PART(lru);

TOC_COUNTER(misses, "Lookups that found nothing",
            TOC_ALERT(per_hour, >, 100000, TOC_NOTE, "nobody asks for what is there"));

int lru_part(int key)
{
        if (key == 8)
                return TOC_WARNING(0, TOC_USUAL, "eight is odd");
        toc_count(misses);
        return 0;
}
