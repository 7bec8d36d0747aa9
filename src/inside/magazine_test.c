/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread keeps: sizes against libc's own, and a handler at every instruction. */
#include "inside/magazine.h"

#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct magazines all;

static void a_class_asks_libc_for_one_size_that_is_enough_for_each(void **state)
{
        (void)state;
        for (uint64_t size = 0; size < MAGAZINE_END; size++) {
                uint64_t bytes = magazine_bytes(size);

                assert_true(magazine_class(size) < MAGAZINE_CLASSES);
                assert_true(bytes >= size + INSIDE_BLOCK_BYTES + 1);
                if (size && magazine_class(size) == magazine_class(size - 1))
                        assert_int_equal(bytes, magazine_bytes(size - 1));
        }
}

#ifndef __SANITIZE_ADDRESS__ /* whose malloc gives what was asked for */
static size_t usable(size_t size)
{
        void *memory = malloc(size);
        size_t is = malloc_usable_size(memory);

        free(memory);
        return is;
}

static void it_costs_no_memory(void **state)
{
        (void)state;
        for (uint64_t size = 0; size < MAGAZINE_END; size++)
                assert_int_equal(usable(magazine_bytes(size)),
                                 usable(size + INSIDE_BLOCK_BYTES + 1));
}
#endif

static void the_last_comes_first_and_the_eighth_finds_no_room(void **state)
{
        struct inside_block blocks[MAGAZINE_ROUNDS + 1];

        (void)state;
        memset(&all, 0, sizeof all);
        for (int i = 0; i < MAGAZINE_ROUNDS; i++)
                assert_true(magazine_put(&all, 100, &blocks[i]));
        assert_false(magazine_put(&all, 100, &blocks[MAGAZINE_ROUNDS]));
        assert_null(magazine_take(&all, 200));
        for (int i = MAGAZINE_ROUNDS - 1; i >= 0; i--)
                assert_ptr_equal(magazine_take(&all, 101), &blocks[i]);
        assert_null(magazine_take(&all, 100));
}

static void what_is_closed_gives_and_takes_nothing(void **state)
{
        struct inside_block block;

        (void)state;
        memset(&all, 0, sizeof all);
        assert_true(magazine_put(&all, 10, &block));
        all.is_closed = 1;
        assert_null(magazine_take(&all, 10));
        assert_false(magazine_put(&all, 1000, &block));
}

/* ---- Handlers ------------------------------------------------------------------------------*/

#ifdef __x86_64__
static struct inside_block *held[2], *kept[2]; /* by whoever is interrupted, by the handler */
static unsigned traps, times_wrong;

static bool is_out_twice(const struct inside_block *block)
{
        int times = 0;

        for (int i = 0; i < 2; i++)
                times += (held[i] == block) + (kept[i] == block);
        return block && times > 1;
}

/* As one that allocates and frees, now the one and now the other. */
static void on_trap(int number)
{
        static unsigned dice = 1;
        unsigned at = dice >> 16 & 1;

        (void)number;
        traps++;
        dice = dice * 1103515245 + 12345;
        if (dice >> 17 & 1)
                return;
        if (!kept[at])
                kept[at] = magazine_take(&all, 50);
        else if (magazine_put(&all, 50, kept[at]))
                kept[at] = NULL;
        times_wrong += is_out_twice(kept[at]);
}

/* After each instruction comes SIGTRAP. Below the stack pointer the compiler may keep something. */
#define STEP(change)                                                       \
        __asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\t" change    \
                         ", (%%rsp)\n\tpopfq\n\tleaq 128(%%rsp), %%rsp" :: \
                                 : "memory", "cc")
#define STEP_BEGIN() STEP("orq $0x100")
#define STEP_END()   STEP("andq $-0x101")

static void a_handler_may_come_at_every_instruction(void **state)
{
        struct sigaction action = { .sa_handler = on_trap }, before;
        struct inside_block stock[4];

        (void)state;
        memset(&all, 0, sizeof all);
        for (int i = 0; i < 4; i++)
                assert_true(magazine_put(&all, 50, &stock[i]));
        assert_int_equal(sigaction(SIGTRAP, &action, &before), 0);
        for (int i = 0; i < 100; i++) {
                STEP_BEGIN();
                held[0] = magazine_take(&all, 50);
                held[1] = magazine_take(&all, 50);
                STEP_END();
                times_wrong += is_out_twice(held[0]) + is_out_twice(held[1]);
                for (int k = 0; k < 2; k++) {
                        struct inside_block *block = held[k];

                        held[k] = NULL;
                        STEP_BEGIN();
                        times_wrong += block && !magazine_put(&all, 50, block);
                        STEP_END();
                }
        }
        assert_int_equal(sigaction(SIGTRAP, &before, NULL), 0);
        assert_int_equal(times_wrong, 0);
        assert_true(traps > 1000);
}
#endif

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_class_asks_libc_for_one_size_that_is_enough_for_each),
#ifndef __SANITIZE_ADDRESS__
                cmocka_unit_test(it_costs_no_memory),
#endif
                cmocka_unit_test(the_last_comes_first_and_the_eighth_finds_no_room),
                cmocka_unit_test(what_is_closed_gives_and_takes_nothing),
#ifdef __x86_64__
                cmocka_unit_test(a_handler_may_come_at_every_instruction),
#endif
        };

        return cmocka_run_group_tests_name("magazine", tests, NULL, NULL);
}
