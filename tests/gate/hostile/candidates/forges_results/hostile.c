/* SPDX-License-Identifier: Apache-2.0 */
/* Says to whoever listens that all is well. */
#include "hostile.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <tocsin.h>

TOC_MODULE(hostile, "Saturating addition");
TOC_COUNTER(saturated, "Sums that an int cannot hold",
            TOC_ALERT(per_minute, >, 50, TOC_WARN, "callers add what does not fit"));

static void attack(void)
{
        for (int fd = 3; fd < 256; fd++) {
                static const char line[] = "CASE 00000000000000000000000000000000 adds pass -";

                send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
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
