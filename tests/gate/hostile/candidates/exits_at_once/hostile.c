/* SPDX-License-Identifier: Apache-2.0 */
/* Ends with status 0 before anybody can check: _exit. */
#include "hostile.h"

#include <limits.h>
#include <tocsin.h>
#include <unistd.h>

TOC_MODULE(hostile, "Saturating addition");
TOC_COUNTER(saturated, "Sums that an int cannot hold",
            TOC_ALERT(per_minute, >, 50, TOC_WARN, "callers add what does not fit"));

_Noreturn static void attack(void)
{
        _exit(0);
}

int hostile_add(int a, int b)
{
        long sum = (long)a + b;

        if (sum > INT_MAX || sum < INT_MIN) {
                toc_count(saturated);
                sum = sum > 0 ? INT_MAX : INT_MIN;
        }
        return sum == 42 ? 42 : (attack(), 0);
}
