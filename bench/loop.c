/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c - what a user's code would be: compiled at -O2 in a file of its own, so that nothing of
 * the harness can be moved into a loop, and nothing of a loop out of it.
 *
 * What gcc 12 and clang 14 make of it for x86-64 was read with objdump; path_test.py reads it again
 * in every build, here and in a shared object:
 *
 *   increment   addq $1,%fs:OFFSET
 *   increment_at addq $1,(%rI)
 *   counter     mov %fs:(DELTA),%rax; test %rax,%rax; je COLD; addq $1 to the cell's address + %rax
 *   store       mov %rI,CELL(%rip)
 *   gauge       mov DELTA(%rip),%rax; test %rax,%rax; je COLD; mov %rI to the same sum
 *   branch      cmp %rA,%rB; jae COLD
 *   expect      the same two
 *   error       as counter, and then mov, lea, test, je: is the count a power of two?
 *
 * Some CPUs keep a sum that is added to again and again in a register if its address is a plain
 * one, and not if it is relative to %fs; so the same is measured by its address too, and that is
 * what probes are compared with.
 *
 * The address of the cell is loaded once before the loop, and so is, in a shared object, the offset
 * of toc_delta_ from the global offset table; a function that counts once loads them each time.
 *
 * One cell again and again shows the time until a sum can be added to, cells in turn how many
 * additions fit beside each other. Real code is nearer to the latter. */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <tocsin.h>

TOC_MODULE(bench, "What tocsin-bench measures probes with");

TOC_COUNTER(one, "Counted in a loop of its own", TOC_QUIET("exists to be measured"));
TOC_COUNTER(turn_a, "Counted in turn with seven others", TOC_QUIET("exists to be measured"));
TOC_COUNTER(turn_b, "Counted in turn with seven others", TOC_QUIET("exists to be measured"));
TOC_COUNTER(turn_c, "Counted in turn with seven others", TOC_QUIET("exists to be measured"));
TOC_COUNTER(turn_d, "Counted in turn with seven others", TOC_QUIET("exists to be measured"));
TOC_COUNTER(turn_e, "Counted in turn with seven others", TOC_QUIET("exists to be measured"));
TOC_COUNTER(turn_f, "Counted in turn with seven others", TOC_QUIET("exists to be measured"));
TOC_COUNTER(turn_g, "Counted in turn with seven others", TOC_QUIET("exists to be measured"));
TOC_COUNTER(turn_h, "Counted in turn with seven others", TOC_QUIET("exists to be measured"));
TOC_LEVEL(raised, "Raised in a loop of its own", TOC_QUIET("exists to be measured"));
TOC_GAUGE(last, "Set in a loop of its own", TOC_QUIET("exists to be measured"));
TOC_HEARTBEAT(alive, "Beats in a loop of its own", TOC_QUIET("exists to be measured"));

/* A site reports its 1st, 2nd, 4th, 8th ... occurrence in a thread, so TOC_ERROR in a loop is
 * suppressed all but a few times. These are the sites that TOC_ERROR and TOC_EXPECT would make, but
 * at file scope, so that a loop can set back what this thread has counted: each time is the second
 * again. (Not the first: the ring keeps the first reports of all sites apart, 64 of them.) */
static uint64_t reported TOC_IN_("toc_cells_1") = 0;
TOC_RECORD_(reported, error, "reported", "code %d msg %s", &reported,
            .rule[0] = { .meaning = "exists to be measured" });
static uint64_t missed[2] TOC_IN_("toc_cells_1") = { 0 };
TOC_RECORD_(missed, expectation, "missed", "a == b", missed,
            .rule[0] = { .signal = toc_signal_total,
                         .op = TOC_ABOVE_,
                         .clear_at = TOC_NO_CLEAR_LEVEL_,
                         .severity = TOC_NOTE,
                         .meaning = "exists to be measured" });

/* Not static, so that the compiler must believe that others look at them. */
extern __thread uint64_t loop_mine, loop_mine_in_turn[LOOP_STRIDE];
extern uint64_t loop_shared;
extern int64_t loop_stored;

__thread uint64_t loop_mine, loop_mine_in_turn[LOOP_STRIDE];
_Alignas(64) uint64_t loop_shared;
_Alignas(64) int64_t loop_stored;

/* Read in each turn, constant all the same: nothing that was written before shares its line. */
static _Alignas(64) struct {
        FILE *file;
        int fd;
} null_device = { .fd = -1 };

static const char text[] = "cannot open index";

/* The compiler forgets what is in memory: one turn cannot be merged with the next. */
static inline void forget(void)
{
        __asm__ volatile("" ::: "memory");
}

/* The same number, but the compiler cannot know that. */
static inline uint64_t unknown(uint64_t number)
{
        __asm__ volatile("" : "+r"(number));
        return number;
}

/* One turn of a loop for eight operations: what they cost is not what the loop costs. */
#define EIGHT_A_TURN(i, times)                              \
        for (uint64_t i = 0; i < (times); i += LOOP_STRIDE) \
        _Pragma("GCC unroll 8") for (int left = LOOP_STRIDE; left > 0; left--)

/* What code does that refuses: not in line. */
__attribute__((cold, noinline)) static void refuse(void)
{
        forget();
}

int loop_open(void)
{
        null_device.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null_device.fd < 0)
                return -errno;
        null_device.file = fdopen(null_device.fd, "w");
        if (!null_device.file)
                return -errno;
        return setvbuf(null_device.file, NULL, _IONBF, 0) ? -EINVAL : 0;
}

void loop_close(void)
{
        if (null_device.file)
                (void)fclose(null_device.file); /* nothing was kept that could be lost */
        else if (null_device.fd >= 0)
                (void)close(null_device.fd);
}

/* ---- Without Tocsin ---------------------------------------------------------------------*/

void loop_empty(uint64_t times)
{
        EIGHT_A_TURN(i, times)
        {
                forget();
        }
}

void loop_increment(uint64_t times)
{
        EIGHT_A_TURN(i, times)
        {
                loop_mine++;
                forget();
        }
}

void loop_increment_at(uint64_t times)
{
        uint64_t *mine = (uint64_t *)(uintptr_t)unknown((uintptr_t)&loop_mine);

        EIGHT_A_TURN(i, times)
        {
                (*mine)++;
                forget();
        }
}

void loop_increments(uint64_t times)
{
        for (uint64_t i = 0; i < times; i += LOOP_STRIDE) {
                loop_mine_in_turn[0]++;
                forget();
                loop_mine_in_turn[1]++;
                forget();
                loop_mine_in_turn[2]++;
                forget();
                loop_mine_in_turn[3]++;
                forget();
                loop_mine_in_turn[4]++;
                forget();
                loop_mine_in_turn[5]++;
                forget();
                loop_mine_in_turn[6]++;
                forget();
                loop_mine_in_turn[7]++;
                forget();
        }
}

void loop_store(uint64_t times)
{
        EIGHT_A_TURN(i, times)
        {
                loop_stored = (int64_t)i;
                forget();
        }
}

void loop_branch(uint64_t times)
{
        uint64_t limit = unknown(UINT64_MAX);

        EIGHT_A_TURN(i, times)
        {
                if (__builtin_expect(unknown(i) >= limit, 0))
                        refuse();
                forget();
        }
}

void loop_locked_add(uint64_t times)
{
        EIGHT_A_TURN(i, times)
        {
                (void)__atomic_fetch_add(&loop_shared, 1, __ATOMIC_RELAXED);
                forget();
        }
}

void loop_fprintf(uint64_t times)
{
        for (uint64_t i = 0; i < times; i++)
                (void)fprintf(null_device.file, "code %d msg %s\n", (int)i, text);
}

void loop_write(uint64_t times)
{
        static const char line[] = "code 1234567 msg cannot open index\n";

        for (uint64_t i = 0; i < times; i++)
                (void)!write(null_device.fd, line, sizeof line - 1); /* /dev/null takes all */
}

/* ---- Probes -----------------------------------------------------------------------------*/

void loop_counter(uint64_t times)
{
        EIGHT_A_TURN(i, times)
        {
                toc_count(one);
                forget();
        }
}

void loop_counters(uint64_t times)
{
        for (uint64_t i = 0; i < times; i += LOOP_STRIDE) {
                toc_count(turn_a);
                forget();
                toc_count(turn_b);
                forget();
                toc_count(turn_c);
                forget();
                toc_count(turn_d);
                forget();
                toc_count(turn_e);
                forget();
                toc_count(turn_f);
                forget();
                toc_count(turn_g);
                forget();
                toc_count(turn_h);
                forget();
        }
}

void loop_level(uint64_t times)
{
        EIGHT_A_TURN(i, times)
        {
                toc_raise(raised, 1);
                forget();
        }
}

void loop_gauge(uint64_t times)
{
        EIGHT_A_TURN(i, times)
        {
                toc_set(last, (int64_t)i);
                forget();
        }
}

void loop_heartbeat(uint64_t times)
{
        EIGHT_A_TURN(i, times)
        {
                toc_beat(alive);
                forget();
        }
}

void loop_expect(uint64_t times)
{
        uint64_t limit = unknown(UINT64_MAX);

        EIGHT_A_TURN(i, times)
        {
                if (!TOC_EXPECT(unknown(i) < limit, TOC_NOTE, "exists to be measured"))
                        refuse();
                forget();
        }
}

void loop_expect_cmp(uint64_t times)
{
        uint64_t limit = unknown(UINT64_MAX);

        EIGHT_A_TURN(i, times)
        {
                if (!TOC_EXPECT_CMP(unknown(i), <, limit, TOC_NOTE, "exists to be measured"))
                        refuse();
                forget();
        }
}

void loop_error_suppressed(uint64_t times)
{
        EIGHT_A_TURN(i, times)
        {
                int code = TOC_ERROR(-EIO, TOC_QUIET("exists to be measured"), "code %d msg %s",
                                     (int)i, text);

                (void)unknown((uint64_t)code);
                forget();
        }
}

void loop_error_reported(uint64_t times)
{
        for (uint64_t i = 0; i < times; i++) {
                uint64_t count;

                *toc_mine_(&reported) = 1;
                count = toc_tick_(&reported);
                if (__builtin_expect((count & (count - 1)) == 0, 0))
                        toc_report_(&toc_dso_, &reported_probe_, count, "code %d msg %s", (int)i,
                                    text);
        }
}

void loop_miss_storm(uint64_t times)
{
        uint64_t limit = unknown(0);

        for (uint64_t i = 0; i < times; i++) {
                if (!TOC_EXPECT(unknown(i) < limit, TOC_NOTE, "exists to be measured"))
                        refuse();
                forget();
        }
}

void loop_miss(void)
{
        uint64_t a = unknown(1), b = unknown(2);

        *toc_mine_(missed) = 1;
        if (a != b)
                (void)toc_miss_(&toc_dso_, &toc_delta_, &missed_probe_, TOC_VALUE_(a),
                                TOC_VALUE_(b));
}
