/* SPDX-License-Identifier: Apache-2.0 */
/* Prints for ever. */
#include "hostile.h"

#include <limits.h>
#include <tocsin.h>
#include <unistd.h>

TOC_MODULE(hostile, "Saturating addition");
TOC_COUNTER(saturated, "Sums that an int cannot hold",
            TOC_ALERT(per_minute, >, 50, TOC_WARN, "callers add what does not fit"));

static void attack(void)
{
        static const char line[4096] = "all work and no play\n";

        for (;;) {
                if (write(1, line, sizeof line) < 0 && write(2, line, sizeof line) < 0)
                        continue;
        }
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
