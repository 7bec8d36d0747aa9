/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that one place decides which clock measures durations and how times are written.
 */
#include "base/clock.h"

#include <assert.h>

static uint64_t read_ns(clockid_t id)
{
        struct timespec now = { 0 };
        int failed = clock_gettime(id, &now);

        assert(!failed); /* both ids exist on every kernel that runs us */
        (void)failed;    /* read by the assertion only */
        return (uint64_t)now.tv_sec * CLOCK_S_NS + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
        return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ns(void)
{
        return read_ns(CLOCK_REALTIME);
}

void clock_text(uint64_t wall_ns, char ret_text[static clock_text_bytes])
{
        time_t seconds = (time_t)(wall_ns / CLOCK_S_NS);
        unsigned ms = (unsigned)(wall_ns % CLOCK_S_NS / CLOCK_MS_NS);
        struct tm day = { 0 };
        char date[clock_text_bytes];

        /* Neither can fail: 64 bits of nanoseconds end in the year 2554, which has four digits. */
        (void)gmtime_r(&seconds, &day);
        (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &day);
        (void)snprintf(ret_text, clock_text_bytes, "%.19s.%03uZ", date, ms);
}
