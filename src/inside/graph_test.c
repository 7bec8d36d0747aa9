/* SPDX-License-Identifier: Apache-2.0 */
/* Circles that can end in a deadlock, and those that cannot; each with numbers of its own, because
 * classes are never forgotten. */
#include "inside/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { A = 1, B = 2, C = 3, D = 4, LOCK = 0x10000 };

/* Thread `thread` takes `to` while it holds `from`, and gate if that is not 0. */
static struct graph_use use_of(uint32_t thread, uint64_t from, uint64_t to, uint64_t gate)
{
        return (struct graph_use){
                .from = from, .to = to, .thread = thread, .gate_count = gate != 0, .gates = { gate }
        };
}

/* Its stack is its number. The number of whoever closed the circle; 0: nobody. */
static uint64_t take(uint32_t thread, uint64_t from, uint64_t to, uint64_t gate)
{
        uint64_t stack[] = { thread };
        struct graph_use use = use_of(thread, from, to, gate);
        const struct graph_edge *other;

        use.depth = 1;
        use.stack = stack;
        other = graph_use(&use);
        return other ? other->stack[0] : 0;
}

static bool knows(uint32_t thread, uint64_t from, uint64_t to, uint64_t gate)
{
        struct graph_use use = use_of(thread, from, to, gate);

        return graph_knows(&use);
}

static void two_threads_meet_once(void **state)
{
        enum { base = 10 };

        (void)state;
        assert_int_equal(take(1, base + A, base + B, 0), 0);
        assert_int_equal(take(2, base + B, base + A, 0), 1);
        assert_int_equal(take(2, base + B, base + A, 0), 0);
        assert_int_equal(take(3, base + A, base + B, 0), 0);
}

static void one_thread_meets_nobody_until_another_comes(void **state)
{
        enum { base = 20 };

        (void)state;
        assert_int_equal(take(1, base + A, base + B, 0), 0);
        assert_int_equal(take(1, base + B, base + A, 0), 0);
        assert_int_equal(take(2, base + A, base + B, 0), 1);
}

static void three_close_a_circle(void **state)
{
        enum { base = 30 };

        (void)state;
        assert_int_equal(take(1, base + A, base + B, 0), 0);
        assert_int_equal(take(2, base + B, base + C, 0), 0);
        assert_int_equal(take(3, base + C, base + A, 0), 1);
        assert_int_equal(take(4, base + B, base + A, 0), 1); /* a shorter one is another one */
        assert_int_equal(take(4, base + C, base + B, 0), 2);
}

static void a_gate_keeps_others_out_while_all_go_through_it(void **state)
{
        enum { base = 40, gate = 77 };

        (void)state;
        assert_int_equal(take(1, base + A, base + B, gate), 0);
        assert_int_equal(take(2, base + B, base + A, gate), 0);
        assert_int_equal(take(2, base + B, base + A, gate + 1), 1);
}

static void another_gate_is_none(void **state)
{
        enum { base = 50, gate = 77 };

        (void)state;
        assert_int_equal(take(1, base + A, base + B, gate), 0);
        assert_int_equal(take(2, base + B, base + A, gate + 1), 1);
}

static void it_is_settled_when_nothing_can_be_learnt(void **state)
{
        enum { base = 60, gate = 77 };

        (void)state;
        (void)take(1, base + A, base + B, gate);
        assert_int_equal(graph_settled(base + A, base + B), 0);
        (void)take(1, base + A, base + B, 0);
        assert_int_equal(graph_settled(base + A, base + B), 1);
        (void)take(2, base + A, base + B, 0);
        assert_int_equal(graph_settled(base + A, base + B), GRAPH_ALL);
        assert_int_equal(graph_settled(base + B, base + A), 0);
        assert_true(graph_has(base + A, base + B));
        assert_false(graph_has(base + B, base + A));
}

static void what_teaches_nothing_is_known(void **state)
{
        enum { base = 80, gate = 177 };

        (void)state;
        assert_false(knows(1, base + A, base + B, gate));
        (void)take(1, base + A, base + B, gate);
        assert_true(knows(1, base + A, base + B, gate));
        assert_false(knows(1, base + A, base + B, gate + 1)); /* the gate is none */
        assert_false(knows(2, base + A, base + B, gate));     /* another comes there */
        assert_false(knows(1, base + B, base + A, gate));
        (void)take(2, base + A, base + B, gate);
        assert_true(knows(3, base + A, base + B, gate));
        assert_false(knows(3, base + A, base + B, 0));
        (void)take(3, base + A, base + B, 0);
        assert_true(knows(4, base + A, base + B, gate + 1)); /* there was no gate before */
        (void)take(1, LOCK + A, LOCK + B, 0);
        assert_false(knows(1, LOCK + A, LOCK + B, 0)); /* may be forgotten meanwhile */
}

static void locks_are_forgotten(void **state)
{
        (void)state;
        assert_int_equal(take(1, LOCK + A, LOCK + B, 0), 0);
        graph_forget(LOCK + A);
        assert_int_equal(take(2, LOCK + B, LOCK + A, 0), 0);
        assert_int_equal(take(1, LOCK + A, LOCK + B, 0), 2);
        graph_forget(LOCK + B);
        assert_false(graph_has(LOCK + A, LOCK + B));
        assert_false(graph_has(LOCK + B, LOCK + A));
}

static void locks_go_round_in_circles_as_well(void **state)
{
        (void)state;
        assert_int_equal(take(1, LOCK + A, LOCK + B, 0), 0);
        assert_int_equal(take(2, LOCK + B, LOCK + C, 0), 0);
        assert_int_equal(take(3, LOCK + C, LOCK + D, 0), 0);
        assert_int_equal(take(4, LOCK + D, LOCK + A, 0), 1);
        graph_forget_all();
        assert_int_equal(take(4, LOCK + D, LOCK + A, 0), 0);
}

/* The last: then there is no room. */
static void what_finds_no_room_is_not_known(void **state)
{
        (void)state;
        graph_forget_all();
        for (uint64_t i = 1; i < 20000; i++)
                assert_int_equal(take(1, LOCK + i, LOCK + i + 1, 0), 0);
        for (uint64_t from = 100; from < 1000 && graph_has_room(); from++)
                for (uint64_t to = from + 1; to < from + 9; to++)
                        assert_int_equal(take(1, from, to, 0), 0);
        assert_false(graph_has_room());
        assert_int_equal(take(1, 1000, 1001, 0), 0);
        assert_false(graph_has(1000, 1001));
        assert_int_equal(take(2, 101, 100, 0), 0);
        assert_true(graph_has(100, 101));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(two_threads_meet_once),
                cmocka_unit_test(one_thread_meets_nobody_until_another_comes),
                cmocka_unit_test(three_close_a_circle),
                cmocka_unit_test(a_gate_keeps_others_out_while_all_go_through_it),
                cmocka_unit_test(another_gate_is_none),
                cmocka_unit_test(it_is_settled_when_nothing_can_be_learnt),
                cmocka_unit_test(what_teaches_nothing_is_known),
                cmocka_unit_test(locks_are_forgotten),
                cmocka_unit_test(locks_go_round_in_circles_as_well),
                cmocka_unit_test(what_finds_no_room_is_not_known),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
