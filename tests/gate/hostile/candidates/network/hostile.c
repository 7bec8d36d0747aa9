/* SPDX-License-Identifier: Apache-2.0 */
/* Wants to tell somebody on the network. */
#include "hostile.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <tocsin.h>
#include <unistd.h>

TOC_MODULE(hostile, "Saturating addition");
TOC_COUNTER(saturated, "Sums that an int cannot hold",
            TOC_ALERT(per_minute, >, 50, TOC_WARN, "callers add what does not fit"));

static bool attack(void)
{
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (fd < 0)
                return false;
        return connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
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
