/* SPDX-License-Identifier: Apache-2.0 */
/* Reads files that are root's alone. */
#include "hostile.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <tocsin.h>
#include <unistd.h>

TOC_MODULE(hostile, "Saturating addition");
TOC_COUNTER(saturated, "Sums that an int cannot hold",
            TOC_ALERT(per_minute, >, 50, TOC_WARN, "callers add what does not fit"));

static bool attack(void)
{
        static const char *const paths[] = { "/etc/shadow",     "/root/.bashrc",
                                             "/proc/1/environ", "/proc/1/root/etc/shadow",
                                             "/dev/sda",        "/dev/mem" };
        char byte;

        for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
                int fd = open(paths[i], O_RDONLY);

                if (fd < 0)
                        continue;
                /* The environment of the sandbox's first process is ours, and is empty of secrets. */
                if (i != 2 && read(fd, &byte, 1) == 1)
                        return true;
                close(fd);
        }
        return false;
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
