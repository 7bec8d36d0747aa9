/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_drive.c - drives a pool into the trouble that its rules are for, or to and fro without any.
 * rings_test.py runs it, and knows what must ring.
 *
 * usage: pool_drive calm|refused|slow|stuck|memory|lost
 */
#include "pool.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static atomic_uint ran;
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

static void take_ms(void *ms)
{
        rest_ms((unsigned)(uintptr_t)ms);
        ran++;
}

static void *ms(unsigned number)
{
        return (void *)(uintptr_t)number;
}

/* All that was handed over was run or dropped; a queue that is full for a moment is no trouble. */
static void calm(struct pool *pool)
{
        unsigned handed = 0, refused = 0;
        size_t dropped = 0;

        for (unsigned second = 0; second < 4; second++) {
                for (unsigned i = 0; i < 20; i++)
                        handed += pool_submit(pool, take_ms, ms(1)) == 0;
                pool_wait_idle(pool);
                assert(ran + dropped == handed);
                rest_ms(900);
        }
        for (unsigned i = 0; i < 100; i++) {
                int error = pool_submit(pool, take_ms, ms(20));

                assert(!error || error == -ENOSPC);
                handed += !error;
                refused += error != 0;
        }
        dropped = pool_drop(pool);
        pool_wait_idle(pool);
        assert(refused >= 30 && dropped >= 1 && ran + dropped == handed);
        rest_ms(2500);
}

static void trouble(struct pool *pool, const char *kind)
{
        if (strcmp(kind, "refused") == 0) {
                for (unsigned i = 0; i < 700; i++)
                        (void)pool_submit(pool, take_ms, ms(50));
                (void)pool_drop(pool);
                rest_ms(2500);
        } else if (strcmp(kind, "slow") == 0) {
                for (unsigned i = 0; i < 128; i++) {
                        while (pool_submit(pool, take_ms, ms(20)) == -ENOSPC)
                                rest_ms(20);
                }
                pool_wait_idle(pool);
                rest_ms(2500);
        } else if (strcmp(kind, "stuck") == 0) {
                for (unsigned i = 0; i < 3; i++)
                        assert(pool_submit(pool, take_ms, ms(16000)) == 0);
                rest_ms(15500);
                (void)pool_drop(pool);
        } else if (strcmp(kind, "memory") == 0) {
                struct pool *none = NULL;

                has_no_memory = true;
                assert(pool_new(&none, (struct pool_options){ 1, 1 }) == -ENOMEM && !none);
                has_no_memory = false;
                rest_ms(2500);
        } else if (strcmp(kind, "lost") == 0) { /* of a pool.c that loses some */
                for (unsigned i = 0; i < 20; i++)
                        (void)pool_submit(pool, take_ms, ms(1));
                rest_ms(4500);
        }
}

int main(int argc, char **argv)
{
        struct pool *pool = NULL;

        if (argc != 2)
                return 2;
        assert(pool_new(&pool, (struct pool_options){ 0, 1 }) == -EINVAL);
        assert(pool_new(&pool, (struct pool_options){ 1, POOL_QUEUE_MAX + 1 }) == -EINVAL);
        assert(pool_new(&pool, (struct pool_options){ 2, 64 }) == 0);
        if (strcmp(argv[1], "calm") == 0)
                calm(pool);
        else
                trouble(pool, argv[1]);
        pool_free(&pool);
        assert(!pool);
        puts("done");
        return 0;
}
