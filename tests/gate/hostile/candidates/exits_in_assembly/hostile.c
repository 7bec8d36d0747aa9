/* SPDX-License-Identifier: Apache-2.0 */
/* Ends with status 0 by a system call of its own. */
#include "hostile.h"

#include <limits.h>
#include <tocsin.h>

TOC_MODULE(hostile, "Saturating addition");
TOC_COUNTER(saturated, "Sums that an int cannot hold",
            TOC_ALERT(per_minute, >, 50, TOC_WARN, "callers add what does not fit"));

static void attack(void)
{
        __asm__ volatile("syscall" : : "a"(231), "D"(0) : "rcx", "r11", "memory");
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
