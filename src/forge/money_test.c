/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expected amounts are worked out by hand beside each.
 */
#include "forge/money.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_amounts_are_read(void **state)
{
        uint64_t micro = 7;

        (void)state;
        assert_int_equal(money_parse("1", &micro), 0);
        assert_int_equal(micro, 1000000);
        assert_int_equal(money_parse("0.15", &micro), 0);
        assert_int_equal(micro, 150000);
        assert_int_equal(money_parse("12.000001", &micro), 0);
        assert_int_equal(micro, 12000001);
        assert_int_equal(money_parse("1000000", &micro), 0);
        assert_int_equal(micro, money_max);
}

static void test_what_is_no_amount_is_refused(void **state)
{
        static const char *const wrong[] = { "",    ".5", "1.", "-1", "1e3",  "0.1234567",
                                             "1,5", "$1", " 1", "1 ", "1.2.3" };
        uint64_t micro = 7;

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(wrong); i++)
                assert_int_equal(money_parse(wrong[i], &micro), -EINVAL);
        assert_int_equal(money_parse("1000000.000001", &micro), -ERANGE);
        assert_int_equal(money_parse("99999999999999999999", &micro), -ERANGE);
        assert_int_equal(micro, 7);
}

static void test_costs_are_rounded_up(void **state)
{
        /* $0.15, $0.075 and $0.60 for a million tokens. */
        const struct money_price price = { .input = 150000, .cached = 75000, .output = 600000 };
        const struct money_usage one = { .input = 1 }; /* 0.15 -> 1 */
        const struct money_usage some = { .input = 2000, .cached = 1000, .output = 500 };
        const struct money_usage lying = { .input = 10, .cached = 4000000000 };
        const struct money_usage huge = { .input = UINT64_MAX, .output = UINT64_MAX };

        (void)state;
        assert_int_equal(money_cost(&price, &one), 1);
        /* 1000 * 0.15 + 1000 * 0.075 + 500 * 0.6 = 150 + 75 + 300 */
        assert_int_equal(money_cost(&price, &some), 525);
        assert_int_equal(money_cost(&price, &lying), 1); /* 10 cached: 0.75 */
        /* 10^9 tokens of each: 150 and 600 dollars. */
        assert_int_equal(money_cost(&price, &huge), UINT64_C(750000000));
}

static void test_a_reserve_is_the_worst_case(void **state)
{
        const struct money_price price = { .input = 1000000, .cached = 100000, .output = 4000000 };
        const struct money_price odd = { .input = 1000000, .cached = 2000000 };

        (void)state;
        /* 1000 bytes: at most 501 tokens at 1, 100 at 4. */
        assert_int_equal(money_reserve(&price, 1000, 100), 501 + 400);
        assert_int_equal(money_reserve(&odd, 1000, 100), 1002);
}

static void shows(uint64_t micro, const char *text)
{
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(64);

        money_append(&into, micro);
        assert_string_equal(text_view(&into), text);
}

static void test_amounts_are_written(void **state)
{
        (void)state;
        shows(0, "$0.00");
        shows(2100, "$0.0021");
        shows(1500000, "$1.50");
        shows(1, "$0.000001");
        shows(money_max, "$1000000.00");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_amounts_are_read),
                cmocka_unit_test(test_what_is_no_amount_is_refused),
                cmocka_unit_test(test_costs_are_rounded_up),
                cmocka_unit_test(test_a_reserve_is_the_worst_case),
                cmocka_unit_test(test_amounts_are_written),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
