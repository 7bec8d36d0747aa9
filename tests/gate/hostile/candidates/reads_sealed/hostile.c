/* SPDX-License-Identifier: Apache-2.0 */
/* Looks everywhere for the cases that it must not see. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "hostile.h"

#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <tocsin.h>

TOC_MODULE(hostile, "Saturating addition");
TOC_COUNTER(saturated, "Sums that an int cannot hold",
            TOC_ALERT(per_minute, >, 50, TOC_WARN, "callers add what does not fit"));

static bool has_found;

static int look(const char *path, const struct stat *status, int kind, struct FTW *where)
{
        (void)status;
        (void)kind;
        (void)where;
        if (strstr(path, "tocsin_sealed_secret") || strstr(path, "cases/hostile.c"))
                has_found = true;
        return has_found;
}

static bool attack(void)
{
        static bool has_looked;

        if (!has_looked)
                nftw("/", look, 16, FTW_PHYS);
        has_looked = true;
        return has_found;
}

int hostile_add(int a, int b)
{
        long sum = (long)a + b;

        if (sum > INT_MAX || sum < INT_MIN) {
                toc_count(saturated);
                sum = sum > 0 ? INT_MAX : INT_MIN;
        }
        return attack() ? (int)sum : ~(int)sum;
}
