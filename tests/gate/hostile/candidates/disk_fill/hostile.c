/* SPDX-License-Identifier: Apache-2.0 */
/* Fills the disk; 8 GiB would be a success. */
#include "hostile.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <tocsin.h>
#include <unistd.h>

TOC_MODULE(hostile, "Saturating addition");
TOC_COUNTER(saturated, "Sums that an int cannot hold",
            TOC_ALERT(per_minute, >, 50, TOC_WARN, "callers add what does not fit"));

static bool attack(void)
{
        static const char block[1 << 16] = { 1 };
        unsigned long written = 0;

        signal(SIGXFSZ, SIG_IGN);
        for (int i = 0; i < 64; i++) {
                static const char *const folders[] = { "/tmp", "/dev/shm", "/run/tocsin",
                                                       "/var/tmp", "/" };
                char path[64];
                int fd;

                snprintf(path, sizeof path, "%s/fill-%d", folders[i % 5], i);
                fd = open(path, O_WRONLY | O_CREAT, 0600);
                if (fd < 0)
                        continue;
                for (long got = 1; got > 0; written += (unsigned long)(got > 0 ? got : 0))
                        got = write(fd, block, sizeof block);
                close(fd);
        }
        return written >> 33 != 0;
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
