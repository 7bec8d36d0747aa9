/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to show which ticks are remembered, and that they always fit. */
#include "rule/ticks.h"
#include "rule/fixture.h"

static int set_up(void **state)
{
        static struct ticks ticks;

        *state = &ticks;
        return ticks_init(&ticks);
}

static int tear_down(void **state)
{
        ticks_fini(*state);
        return 0;
}

static void numbers_ticks_a_second_apart(void **state)
{
        for (uint64_t n = 0; n < 100; n++) {
                assert_int_equal(ticks_add(*state, n * S), n);
                assert_int_equal(ticks_at(*state, n), n * S);
        }
}

static void keeps_ticks_half_a_second_apart(void **state)
{
        for (uint64_t n = 0; n < 100; n++)
                assert_int_equal(ticks_add(*state, n * S / 2), n);
}

/* Ticks at 0, 400, 800, 1200, 1600 ms. The third is less than a second after the first, so it takes
 * the second's place; the fourth is 1200 ms after the first: a new one; the fifth is 800 ms after
 * the one at 800: takes the fourth's place. */
static void moves_the_last_of_three_within_a_second(void **state)
{
        assert_int_equal(ticks_add(*state, 0), 0);
        assert_int_equal(ticks_add(*state, 400 * MS), 1);
        assert_int_equal(ticks_add(*state, 800 * MS), 1);
        assert_int_equal(ticks_at(*state, 1), 800 * MS);
        assert_int_equal(ticks_add(*state, 1200 * MS), 2);
        assert_int_equal(ticks_add(*state, 1600 * MS), 2);
        assert_int_equal(ticks_at(*state, 2), 1600 * MS);
        assert_int_equal(ticks_at(*state, 0), 0);
}

static void one_nanosecond_decides(void **state)
{
        assert_int_equal(ticks_add(*state, 0), 0);
        assert_int_equal(ticks_add(*state, 1), 1);
        assert_int_equal(ticks_add(*state, S - 1), 1);
        assert_int_equal(ticks_add(*state, S), 2);
}

/* However often somebody ticks, the ticks within W seconds fit: ticks_at asserts it. */
static void a_window_always_fits(void **state)
{
        const uint64_t window_ns = 60 * S;
        uint64_t seed = 11;
        uint64_t now = 0, oldest = 0;

        assert_int_equal(ticks_reserve(*state, 60), 0);
        for (int i = 0; i < 200000; i++) {
                uint64_t before = now;
                uint64_t number;

                now += fixture_below(&seed, i % 1000 < 700 ? 30 * MS : 700 * MS);
                number = ticks_add(*state, now);
                assert_int_equal(ticks_at(*state, number), now);
                while (before >= window_ns && ticks_at(*state, oldest) <= before - window_ns)
                        oldest++;
                assert_true(number - oldest <= 2 * 60);
        }
}

static void growing_forgets_nothing(void **state)
{
        for (uint64_t n = 0; n < 37; n++)
                ticks_add(*state, n * S);
        assert_int_equal(ticks_reserve(*state, 1000), 0);
        for (uint64_t n = 37 - 16; n < 37; n++) /* what 16 slots had kept */
                assert_int_equal(ticks_at(*state, n), n * S);
        for (uint64_t n = 37; n < 2037; n++)
                ticks_add(*state, n * S);
        for (uint64_t n = 37; n < 2037; n++)
                assert_int_equal(ticks_at(*state, n), n * S);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(numbers_ticks_a_second_apart, set_up, tear_down),
                cmocka_unit_test_setup_teardown(keeps_ticks_half_a_second_apart, set_up, tear_down),
                cmocka_unit_test_setup_teardown(moves_the_last_of_three_within_a_second, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(one_nanosecond_decides, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_window_always_fits, set_up, tear_down),
                cmocka_unit_test_setup_teardown(growing_forgets_nothing, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
