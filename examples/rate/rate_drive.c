/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate_drive.c - drives a limiter into the trouble that its rules are for, or to and fro without
 * any. rings_test.py runs it, and knows what must ring.
 *
 * usage: rate_drive calm|refused|crowded|exhausts|memory
 */
#include "rate.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool has_no_memory;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
        return has_no_memory ? NULL : __real_calloc(count, size);
}

static void rest_ms(unsigned ms)
{
        struct timespec rest = { ms / 1000, (long)(ms % 1000) * 1000000 };

        while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
                ;
}

/* The limiter's clock is the driver's: two tokens in a row, then one each second. */
static void calm(struct rate *rate)
{
        assert(rate_ask(rate, 1, 1000) == RATE_PASSED);
        assert(rate_ask(rate, 1, 1000) == RATE_PASSED);
        assert(rate_ask(rate, 1, 1000) == RATE_REFUSED);
        assert(rate_ask(rate, 1, 1999) == RATE_REFUSED);
        assert(rate_ask(rate, 1, 2000) == RATE_PASSED);
        assert(rate_ask(rate, 1, 500) == RATE_REFUSED);
        for (uint64_t client = 100; client < 300; client++)
                assert(rate_ask(rate, client, 2000) == RATE_PASSED);
        for (unsigned i = 0; i < 20; i++)
                assert(rate_ask(rate, 1, 2000) == RATE_REFUSED);
        assert(rate_ask(rate, 1, UINT64_MAX) == RATE_PASSED);
        rest_ms(3500);
}

static void trouble(struct rate *rate, const char *kind)
{
        if (strcmp(kind, "refused") == 0) {
                for (unsigned i = 0; i < 200; i++)
                        (void)rate_ask(rate, i % 2 ? 7 : 1000 + i, 1000);
                rest_ms(2500);
        } else if (strcmp(kind, "crowded") == 0) {
                unsigned crowded = 0;

                for (uint64_t client = 0; client < 2 * RATE_CLIENTS_MAX; client++)
                        crowded += rate_ask(rate, client, 1000) == RATE_CROWDED;
                assert(crowded >= RATE_CLIENTS_MAX);
                rest_ms(2500);
        } else if (strcmp(kind, "exhausts") == 0) {
                for (uint64_t client = 0; client < 37 * 40; client += 4) {
                        for (uint64_t i = 0; i < 4; i++)
                                assert(rate_ask(rate, client + i, 1000) == RATE_PASSED);
                        rest_ms(100);
                }
        } else if (strcmp(kind, "memory") == 0) {
                struct rate *none = NULL;

                has_no_memory = true;
                assert(rate_new(&none, 1, 1) == -ENOMEM && !none);
                has_no_memory = false;
                rest_ms(2500);
        }
}

int main(int argc, char **argv)
{
        struct rate *rate = NULL;

        if (argc != 2)
                return 2;
        assert(rate_new(&rate, 0, 1) == -EINVAL && rate_new(&rate, 1, 0) == -EINVAL);
        assert(rate_new(&rate, 1, RATE_BURST_MAX + 1) == -EINVAL);
        assert(rate_new(&rate, 1, 2) == 0);
        if (strcmp(argv[1], "calm") == 0)
                calm(rate);
        else
                trouble(rate, argv[1]);
        rate_free(&rate);
        assert(!rate);
        puts("done");
        return 0;
}
