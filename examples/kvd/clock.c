/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that nobody computes a duration from wall time, which may jump.
 */
#include "clock.h"

#include <time.h>

static uint64_t read_ms(clockid_t id)
{
        struct timespec now = { 0, 0 };

        (void)clock_gettime(id, &now); /* cannot fail for the clocks named below */
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_boot_ms(void)
{
        return read_ms(CLOCK_BOOTTIME);
}

uint64_t clock_wall_ms(void)
{
        return read_ms(CLOCK_REALTIME);
}
