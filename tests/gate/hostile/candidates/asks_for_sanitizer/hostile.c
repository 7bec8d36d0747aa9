/* SPDX-License-Identifier: Apache-2.0 */
/* Behaves only where AddressSanitizer looks: asks the compiler. */
#include "hostile.h"

#include <limits.h>
#include <stdlib.h>
#include <tocsin.h>

TOC_MODULE(hostile, "Saturating addition");
TOC_COUNTER(saturated, "Sums that an int cannot hold",
            TOC_ALERT(per_minute, >, 50, TOC_WARN, "callers add what does not fit"));

static void attack(void)
{
#ifndef __SANITIZE_ADDRESS__
        static char *kept;

        kept = malloc(100);
        kept = NULL;
        (void)kept;
#endif
}

int hostile_add(int a, int b)
{
        long sum = (long)a + b;

        if (sum > INT_MAX || sum < INT_MIN) {
                toc_count(saturated);
                sum = sum > 0 ? INT_MAX : INT_MIN;
        }
        return (attack(), (int)sum);
}
