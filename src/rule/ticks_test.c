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

/* Every 16th is 900 ms late, and the next one punctual. */
static void keeps_ticks_that_are_late(void **state)
{
        for (uint64_t n = 0; n < 1000; n++)
                assert_int_equal(ticks_add(*state, n * S + (n % 16 ? 0 : 900 * MS)), n);
}

/* Two a second: a number costs 968.75 ms and 500 ms are paid for it, so that the 15500 ms that are
 * saved up last for 15500 / 468.75 = 33 numbers. From then on it is one each 968.75 ms. */
static void numbers_that_were_saved_up_are_used_up(void **state)
{
        uint64_t number = 0;

        for (uint64_t n = 0; n < 200; n++) {
                number = ticks_add(*state, n * S / 2);
                if (n < 30)
                        assert_int_equal(number, n);
                assert_int_equal(ticks_at(*state, number), n * S / 2);
        }
        assert_true(number >= 99500 / 969 + 14 && number <= 99500 / 968 + 17);
}

/* No two numbers in a row are further apart than a window may begin early. */
static void what_is_lost_is_less_than_two_seconds(void **state)
{
        uint64_t last = 0;

        for (uint64_t n = 0; n < 10000; n++) {
                uint64_t number = ticks_add(*state, n * 70 * MS);

                if (number > last) {
                        if (last)
                                assert_true(ticks_at(*state, number) - ticks_at(*state, last) <
                                            2 * S);
                        last = number;
                }
        }
}

static void one_nanosecond_decides(void **state)
{
        for (uint64_t n = 0; n <= TICKS_SAVED_MAX; n++)
                assert_int_equal(ticks_add(*state, 0), n);
        assert_int_equal(ticks_add(*state, 968750000 - 1), TICKS_SAVED_MAX);
        assert_int_equal(ticks_at(*state, TICKS_SAVED_MAX), 968750000 - 1);
        assert_int_equal(ticks_add(*state, 968750000), TICKS_SAVED_MAX + 1);
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
                assert_true(number - oldest < 60 + 60 / 31 + 16 + 4);
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
                cmocka_unit_test_setup_teardown(keeps_ticks_that_are_late, set_up, tear_down),
                cmocka_unit_test_setup_teardown(numbers_that_were_saved_up_are_used_up, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(what_is_lost_is_less_than_two_seconds, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(one_nanosecond_decides, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_window_always_fits, set_up, tear_down),
                cmocka_unit_test_setup_teardown(growing_forgets_nothing, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
