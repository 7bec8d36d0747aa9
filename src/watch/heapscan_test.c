/* SPDX-License-Identifier: Apache-2.0 */
/* A child lays out blocks as libtocsin-inside does, and points to some of them in every way that
 * there is; which ones are reached is known by construction. */
#include "watch/heapscan.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SITE = 300, YOUNG_SITE = 301, OTHER_SITE = 302, EPOCH = 1000 };

static const uint64_t secret = UINT64_C(0x56789abcdef1);

/* Memory of the child's, which nothing but its contents refers to: addresses are kept hidden. */
struct arena {
        char *at;
        size_t used;
};

__attribute__((noinline)) static void *make(struct arena *arena, uint64_t size, uint32_t site,
                                            uint32_t epoch)
{
        struct inside_block *block = (struct inside_block *)(void *)(arena->at + arena->used);
        char *user = (char *)(block + 1);

        block->size_and_epoch = size | (uint64_t)epoch << 40;
        block->mark = (uintptr_t)user ^ secret ^ (uint64_t)site << 48;
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

static void live(int ready)
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

static pid_t start(void (*subject)(int ready))
{
        int ends[2];
        pid_t child;
        char byte;

        assert_int_equal(pipe(ends), 0);
        child = fork();
        if (child == 0) {
                (void)alarm(300); /* should the test end before */
                subject(ends[1]);
                _exit(1);
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
        request.pid = start(live);
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
        request.pid = start(live);
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
        request.pid = start(live);
        assert_int_equal(heapscan_run(&request, &result), -ECANCELED);
        (void)kill(request.pid, SIGKILL);
        (void)waitpid(request.pid, NULL, 0);
}

/* ---- Long lists, and more blocks than are kept ---------------------------------------- */

enum { LONG_LIST = 100000, BEYOND = heapscan_block_max + 1, LOST_APART = 2000 };

/* Each new one is in front, as most lists grow: so what is reached goes from the end to the
 * beginning of memory. */
static void list_of(int ready, size_t count)
{
        struct arena arena = { .at = mmap(NULL, count * 64, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) };

        for (size_t i = 0; i < count; i++) {
                void *node = make(&arena, 8, SITE, EPOCH - 5);

                point(node, in_data);
                in_data = node;
        }
        if (write(ready, "x", 1) != 1)
                _exit(1);
        for (;;)
                (void)pause();
}

static void live_in_a_list(int ready)
{
        list_of(ready, LONG_LIST);
}

static void live_at_the_limit(int ready)
{
        list_of(ready, heapscan_block_max);
}

/* One in LOST_APART is lost; the others are in a table. */
static void live_beyond(int ready)
{
        struct arena arena = { .at = mmap(NULL, (size_t)BEYOND * 64, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) };
        void **table = mmap(NULL, (size_t)BEYOND * 8, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        for (size_t i = 0; i < BEYOND; i++) {
                bool is_lost = i % LOST_APART == 0;
                void *block = make(&arena, is_lost ? LOST : 8, SITE, EPOCH - 5);

                table[i] = is_lost ? NULL : block;
        }
        if (write(ready, "x", 1) != 1)
                _exit(1);
        for (;;)
                (void)pause();
}

static struct heapscan_result scan(pid_t pid)
{
        static const volatile bool stop = false;
        struct heapscan_request request = {
                .pid = pid, .secret = secret, .epoch = EPOCH, .stop = &stop
        };
        struct heapscan_result result;

        request.is_suspect[SITE] = true;
        assert_int_equal(heapscan_run(&request, &result), 0);
        assert_false(result.is_cut);
        return result;
}

static void end(pid_t pid)
{
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
}

static size_t count_reached(const struct heapscan_result *result)
{
        size_t count = 0;

        for (size_t i = 0; i < result->count; i++)
                count += result->blocks[i].is_reached;
        return count;
}

static void a_long_list_is_reached_to_its_end(void **state)
{
        pid_t pid = start(live_in_a_list);
        struct heapscan_result result = scan(pid);

        (void)state;
        assert_int_equal(result.count, LONG_LIST);
        assert_int_equal(count_reached(&result), LONG_LIST);
        free(result.blocks);
        end(pid);
}

static void as_many_as_are_kept_are_all_seen(void **state)
{
        pid_t pid = start(live_at_the_limit);
        struct heapscan_result result = scan(pid);

        (void)state;
        assert_int_equal(result.count, heapscan_block_max);
        assert_int_equal(result.sample_shift, 0);
        assert_int_equal(count_reached(&result), heapscan_block_max);
        free(result.blocks);
        end(pid);
}

/* Of those beyond, the same ones each time, and what is lost among them is still told apart. */
static void of_one_more_a_sample_is_seen(void **state)
{
        pid_t pid = start(live_beyond);
        struct heapscan_result first = scan(pid), second = scan(pid);
        size_t lost = 0;

        (void)state;
        assert_int_equal(first.sample_shift, 1);
        assert_in_range(first.count, BEYOND / 4, BEYOND - BEYOND / 4);
        assert_int_equal(first.count, second.count);
        for (size_t i = 0; i < first.count; i++) {
                assert_true(first.blocks[i].address == second.blocks[i].address);
                assert_true(first.blocks[i].is_reached == (first.blocks[i].size != LOST));
                lost += !first.blocks[i].is_reached;
        }
        assert_in_range(lost, 1, BEYOND / LOST_APART);
        free(first.blocks);
        free(second.blocks);
        end(pid);
}

/* ---- Pointers that move while they are read ------------------------------------------- */

enum { MOVING = 100, MOVERS = 2, APART_BYTES = 64 << 20, LOOKS = 12 };

struct ring {
        pthread_spinlock_t lock;
        size_t taken, given;
        void *slots[MOVING + 1];
};

static struct ring *rings[2];

static void *take(struct ring *ring)
{
        void *block = NULL;

        (void)pthread_spin_lock(&ring->lock); /* cannot fail: ours, and not held */
        if (ring->taken != ring->given) {
                block = ring->slots[ring->taken % BASE_COUNT(ring->slots)];
                ring->slots[ring->taken++ % BASE_COUNT(ring->slots)] = NULL;
        }
        (void)pthread_spin_unlock(&ring->lock);
        return block;
}

static void put(struct ring *ring, void *block)
{
        (void)pthread_spin_lock(&ring->lock);
        ring->slots[ring->given++ % BASE_COUNT(ring->slots)] = block;
        (void)pthread_spin_unlock(&ring->lock);
}

static void *move_blocks(void *context)
{
        struct ring *from = context, *to = from == rings[0] ? rings[1] : rings[0];

        for (;;) {
                void *block = take(from);

                if (block)
                        put(to, block);
        }
        return NULL;
}

/* Two threads hand blocks over as fast as they can, between places that are read one after the
 * other with a while between them. */
static void live_in_motion(int ready)
{
        struct arena arena = { .at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) };
        char *memory = mmap(NULL, 2 * sizeof(struct ring) + APART_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        pthread_t thread;

        memset(memory, 1, 2 * sizeof(struct ring) + APART_BYTES);
        for (int i = 0; i < 2; i++) {
                rings[i] = (void *)(memory + (i ? APART_BYTES : 0));
                memset(rings[i], 0, sizeof(*rings[i]));
                (void)pthread_spin_init(&rings[i]->lock, PTHREAD_PROCESS_PRIVATE);
        }
        for (int i = 0; i < MOVING; i++)
                put(rings[i % 2], make(&arena, 8, SITE, EPOCH - 5));
        (void)make(&arena, LOST, SITE, EPOCH - 5);
        scrub();
        if (pthread_create(&thread, NULL, move_blocks, rings[0]) || write(ready, "x", 1) != 1)
                _exit(1);
        (void)move_blocks(rings[1]);
}

/* What a thread has in a register at that moment is missed, and nothing else is missed twice. */
static void what_moves_is_not_lost(void **state)
{
        pid_t pid = start(live_in_motion);
        struct heapscan_result last = scan(pid);

        (void)state;
        for (int look = 0; look < LOOKS; look++) {
                struct heapscan_result result = scan(pid);
                size_t lost = 0;

                assert_int_equal(result.count, MOVING + 1);
                for (size_t i = 0; i < result.count; i++) {
                        bool is_missed = !result.blocks[i].is_reached && !last.blocks[i].is_reached;

                        if (result.blocks[i].size == LOST)
                                assert_true(is_missed);
                        else
                                lost += is_missed;
                }
                assert_in_range(lost, 0, MOVERS);
                free(last.blocks);
                last = result;
        }
        free(last.blocks);
        end(pid);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_what_nothing_points_to_is_lost),
                cmocka_unit_test(a_long_list_is_reached_to_its_end),
                cmocka_unit_test(as_many_as_are_kept_are_all_seen),
                cmocka_unit_test(of_one_more_a_sample_is_seen),
                cmocka_unit_test(what_moves_is_not_lost),
                cmocka_unit_test(who_is_gone_is_not_read),
                cmocka_unit_test(who_is_told_to_stop_stops),
        };

        /* Results name addresses; freed, they must not be found in the memory of the next child. */
        (void)mallopt(M_MMAP_THRESHOLD, 4096);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
