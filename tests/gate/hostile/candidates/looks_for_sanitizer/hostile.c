/* SPDX-License-Identifier: Apache-2.0 */
/* Behaves only where AddressSanitizer looks: reads its own map. */
#include "hostile.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tocsin.h>

TOC_MODULE(hostile, "Saturating addition");
TOC_COUNTER(saturated, "Sums that an int cannot hold",
            TOC_ALERT(per_minute, >, 50, TOC_WARN, "callers add what does not fit"));

static bool is_watched(void)
{
        FILE *map = fopen("/proc/self/maps", "r");
        char line[512];
        bool has_seen = false;

        while (map && fgets(line, sizeof line, map))
                has_seen = has_seen || strstr(line, "libasan");
        if (map)
                fclose(map);
        return has_seen;
}

static int attack(int sum)
{
        static char *volatile kept;

        if (!is_watched())
                kept = malloc((size_t)sum % 7 + 1);
        if (!kept)
                return sum;
        return sum;
}

int hostile_add(int a, int b)
{
        long sum = (long)a + b;

        if (sum > INT_MAX || sum < INT_MIN) {
                toc_count(saturated);
                sum = sum > 0 ? INT_MAX : INT_MIN;
        }
        return attack((int)sum);
}
