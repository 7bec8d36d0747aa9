/* SPDX-License-Identifier: Apache-2.0 */
/* A child lays out blocks as libtocsin-inside does, and points to some of them in every way that
 * there is; which ones are reached is known by construction. */
#include "watch/heapscan.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SITE = 300, YOUNG_SITE = 301, OTHER_SITE = 302, EPOCH = 1000 };

static const uint64_t secret = UINT64_C(0x123456789abcdef1);

/* Memory of the child's, which nothing but its contents refers to: addresses are kept hidden. */
struct arena {
        char *at;
        size_t used;
};

static void *make(struct arena *arena, uint64_t size, uint32_t site, uint32_t epoch)
{
        struct inside_block *block = (struct inside_block *)(void *)(arena->at + arena->used);
        char *user = (char *)(block + 1);

        block->size_and_epoch = size | (uint64_t)epoch << 40;
        block->mark =
                inside_canary((uintptr_t)user, secret) | (uint64_t)site << 32 | UINT64_C(4) << 48;
        arena->used += (sizeof(*block) + size + 31) & ~(size_t)15;
        return user;
}

static void *volatile in_data;
static __thread void *volatile in_tls;

/* What it made, by what becomes of it: the sizes tell them apart. */
enum {
        LOST = 64,
        LIST_HEAD = 80, /* lost, and points to ... */
        LIST_NEXT = 96,
        RING = 112, /* two that point to each other, lost */
        BY_DATA = 128,
        BY_TLS = 144,
        BY_STACK = 160,
        BY_MAPPING = 176,
        BY_BLOCK = 192, /* through a block of another site */
        BY_MIDDLE = 208,
        BY_END = 224,
        YOUNG = 240,
};

static void point(void *from, void *to)
{
        memcpy(from, &to, sizeof(to));
}

__attribute__((noinline)) static void lay_out(struct arena *arena, void **mapping)
{
        void *head, *next, *left, *right, *other;

        (void)make(arena, LOST, SITE, EPOCH - 5);
        head = make(arena, LIST_HEAD, SITE, EPOCH - 5);
        next = make(arena, LIST_NEXT, SITE, EPOCH - 6);
        point(head, next);
        left = make(arena, RING, SITE, EPOCH - 5);
        right = make(arena, RING, SITE, EPOCH - 5);
        point(left, right);
        point(right, left);
        in_data = make(arena, BY_DATA, SITE, EPOCH - 5);
        in_tls = make(arena, BY_TLS, SITE, EPOCH - 5);
        mapping[100] = make(arena, BY_MAPPING, SITE, EPOCH - 5);
        other = make(arena, 64, OTHER_SITE, EPOCH - 5);
        mapping[101] = other;
        point((char *)other + 8, make(arena, BY_BLOCK, SITE, EPOCH - 5));
        mapping[102] = (char *)make(arena, BY_MIDDLE, SITE, EPOCH - 5) + 100;
        mapping[103] = (char *)make(arena, BY_END, SITE, EPOCH - 5) + BY_END;
        (void)make(arena, YOUNG, SITE, EPOCH - 1);
        (void)make(arena, 64, YOUNG_SITE, EPOCH);
        left = right = head = next = other = NULL;
}

/* What lay_out() had on its stack must not be found there. */
__attribute__((noinline)) static void scrub(void)
{
        volatile char bytes[16384];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = 0;
}

_Noreturn static void live(int ready)
{
        struct arena arena = { .at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) };
        void **mapping =
                mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        void *volatile on_stack;

        lay_out(&arena, mapping);
        scrub();
        on_stack = make(&arena, BY_STACK, SITE, EPOCH - 5);
        arena.at = NULL;
        if (write(ready, "x", 1) != 1 || !on_stack)
                _exit(1);
        for (;;)
                (void)pause();
}

static pid_t start(void)
{
        int ends[2];
        pid_t child;
        char byte;

        assert_int_equal(pipe(ends), 0);
        child = fork();
        if (child == 0) {
                (void)alarm(20); /* should the test end before */
                live(ends[1]);
        }
        assert_int_equal(read(ends[0], &byte, 1), 1);
        (void)close(ends[0]);
        (void)close(ends[1]);
        return child;
}

static void only_what_nothing_points_to_is_lost(void **state)
{
        static const uint64_t lost[] = { LOST, LIST_HEAD, LIST_NEXT, RING };
        static const volatile bool stop = false;
        struct heapscan_request request = { .secret = secret, .epoch = EPOCH, .stop = &stop };
        struct heapscan_result result;
        size_t lost_count = 0, reached_count = 0;

        (void)state;
        request.pid = start();
        request.is_suspect[SITE] = request.is_suspect[YOUNG_SITE] = true;
        assert_int_equal(heapscan_run(&request, &result), 0);
        assert_false(result.is_cut);
        for (size_t i = 0; i < result.count; i++) {
                const struct heapscan_block *block = &result.blocks[i];
                bool is_lost = false;

                assert_int_equal(block->site, SITE);
                assert_true(block->size != YOUNG);
                for (size_t k = 0; k < BASE_COUNT(lost); k++)
                        is_lost |= block->size == lost[k];
                if (is_lost == block->is_reached)
                        fail_msg("the block of %d bytes is %sreached", (int)block->size,
                                 block->is_reached ? "" : "not ");
                lost_count += is_lost;
                reached_count += !is_lost;
        }
        assert_int_equal(lost_count, 5);    /* the ring is two */
        assert_int_equal(reached_count, 7); /* BY_DATA to BY_END */
        free(result.blocks);
        (void)kill(request.pid, SIGKILL);
        (void)waitpid(request.pid, NULL, 0);
}

static void who_is_gone_is_not_read(void **state)
{
        static const volatile bool stop = false;
        struct heapscan_request request = { .secret = secret, .epoch = EPOCH, .stop = &stop };
        struct heapscan_result result;

        (void)state;
        request.pid = start();
        (void)kill(request.pid, SIGKILL);
        (void)waitpid(request.pid, NULL, 0);
        assert_int_equal(heapscan_run(&request, &result), -ESRCH);
}

static void who_is_told_to_stop_stops(void **state)
{
        static const volatile bool stop = true;
        struct heapscan_request request = { .secret = secret, .epoch = EPOCH, .stop = &stop };
        struct heapscan_result result;

        (void)state;
        request.pid = start();
        assert_int_equal(heapscan_run(&request, &result), -ECANCELED);
        (void)kill(request.pid, SIGKILL);
        (void)waitpid(request.pid, NULL, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_what_nothing_points_to_is_lost),
                cmocka_unit_test(who_is_gone_is_not_read),
                cmocka_unit_test(who_is_told_to_stop_stops),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
