/* SPDX-License-Identifier: Apache-2.0 */
/* Finds _exit by its name at run time. */
#include "hostile.h"

#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <tocsin.h>

TOC_MODULE(hostile, "Saturating addition");
TOC_COUNTER(saturated, "Sums that an int cannot hold",
            TOC_ALERT(per_minute, >, 50, TOC_WARN, "callers add what does not fit"));

static void attack(void)
{
        void *found = dlsym(RTLD_DEFAULT, "_exit");
        void (*leave)(int);

        memcpy(&leave, &found, sizeof leave);
        leave(0);
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
