/* SPDX-License-Identifier: Apache-2.0 */
/* Series whose order is known by arithmetic, and what must not be called growth. */
#include "gate/growth.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const uint64_t doubling[] = { 1000, 2000, 4000, 8000 };
static const uint64_t uneven[] = { 1000, 2000, 10000, 50000 };

/* Exponents to a hundredth, by hand: a constant under a linear term flattens it, so 10000 + n has
 * steps 13000, 16000, 22000 at 1500, 3000, 6000: slopes 0.30, 0.46 and 0.38 over both. The
 * odd size gives steps 180, 60, 100: slopes -1.58, 0.74 and -0.42 over both. */
static const struct {
        const char *what;
        const uint64_t *sizes;
        double costs[4];
        enum contract_growth declared;
        enum contract_growth order;
        double exponent;
        bool is_over;
} rows[] = {
        { "flat",
          doubling,
          { 210, 210, 210, 210 },
          CONTRACT_GROWTH_CONSTANT,
          CONTRACT_GROWTH_LOG,
          0,
          false },
        { "flat, in uneven steps",
          uneven,
          { 210, 210, 210, 210 },
          CONTRACT_GROWTH_CONSTANT,
          CONTRACT_GROWTH_LOG,
          0,
          false },
        { "never allocates",
          doubling,
          { 0, 0, 0, 0 },
          CONTRACT_GROWTH_CONSTANT,
          CONTRACT_GROWTH_LOG,
          0,
          false },
        { "allocates less than once a call",
          doubling,
          { 0, 0.001, 0.002, 0.004 },
          CONTRACT_GROWTH_CONSTANT,
          CONTRACT_GROWTH_LOG,
          0,
          false },
        { "one more unit of noise",
          doubling,
          { 210, 211, 209, 212 },
          CONTRACT_GROWTH_CONSTANT,
          CONTRACT_GROWTH_LOG,
          0.02,
          false },
        { "one odd size",
          doubling,
          { 100, 140, 100, 100 },
          CONTRACT_GROWTH_CONSTANT,
          CONTRACT_GROWTH_LOG,
          -0.42,
          false },
        { "start-up spread over more calls",
          doubling,
          { 1000, 500, 250, 125 },
          CONTRACT_GROWTH_CONSTANT,
          CONTRACT_GROWTH_LOG,
          -1,
          false },
        { "linear",
          doubling,
          { 1000, 2000, 4000, 8000 },
          CONTRACT_GROWTH_LOG,
          CONTRACT_GROWTH_LINEAR,
          1,
          true },
        { "linear, in uneven steps",
          uneven,
          { 1000, 2000, 10000, 50000 },
          CONTRACT_GROWTH_LOG,
          CONTRACT_GROWTH_LINEAR,
          1,
          true },
        { "linear as declared",
          doubling,
          { 1000, 2000, 4000, 8000 },
          CONTRACT_GROWTH_LINEAR,
          CONTRACT_GROWTH_LINEAR,
          1,
          false },
        { "linear, undeclared",
          doubling,
          { 1000, 2000, 4000, 8000 },
          CONTRACT_GROWTH_UNDECLARED,
          CONTRACT_GROWTH_LINEAR,
          1,
          false },
        { "linear below a large constant",
          doubling,
          { 11000, 12000, 14000, 18000 },
          CONTRACT_GROWTH_CONSTANT,
          CONTRACT_GROWTH_LINEAR,
          0.38,
          true },
        { "quadratic",
          doubling,
          { 1e6, 4e6, 16e6, 64e6 },
          CONTRACT_GROWTH_NLOGN,
          CONTRACT_GROWTH_QUADRATIC,
          2,
          true },
        { "cubic, declared quadratic",
          doubling,
          { 1e9, 8e9, 64e9, 512e9 },
          CONTRACT_GROWTH_QUADRATIC,
          CONTRACT_GROWTH_QUADRATIC,
          3,
          true },
        { "log as declared",
          doubling,
          { 9.966, 10.966, 11.966, 12.966 },
          CONTRACT_GROWTH_LOG,
          CONTRACT_GROWTH_LOG,
          0.12,
          false },
        { "n log n as declared",
          doubling,
          { 9966, 21932, 47863, 103726 },
          CONTRACT_GROWTH_NLOGN,
          CONTRACT_GROWTH_NLOGN,
          1.12,
          false },
        { "from nothing, at the end only",
          doubling,
          { 0, 0, 0, 8 },
          CONTRACT_GROWTH_CONSTANT,
          CONTRACT_GROWTH_QUADRATIC,
          1.95,
          true },
};

static void orders_are_told_apart(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(rows); i++) {
                struct growth growth = { 0 };

                assert_int_equal(
                        growth_judge(rows[i].sizes, rows[i].costs, 4, rows[i].declared, &growth),
                        0);
                if (fabs(growth.exponent - rows[i].exponent) > 0.02 ||
                    growth.order != rows[i].order || growth.is_over != rows[i].is_over)
                        fail_msg("%s: exponent %.3f (may %.3f), %s, %s", rows[i].what,
                                 growth.exponent, growth.exponent_max, growth_words(growth.order),
                                 growth.is_over ? "over" : "not over");
        }
}

/* Totals of ten libraries rose as n^1.38 to n^2.35 where they were broken, as n^1.01 where not. */
static void measured_libraries_are_separated(void **state)
{
        static const struct {
                double exponent;
                bool is_over;
        } totals[] = { { 0.90, false }, { 1.01, false }, { 1.38, true }, { 2.35, true } };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(totals); i++) {
                struct growth growth;
                double costs[4];

                for (size_t k = 0; k < 4; k++)
                        costs[k] = 1e6 * pow((double)doubling[k], totals[i].exponent - 1);
                assert_int_equal(
                        growth_judge(doubling, costs, 4, CONTRACT_GROWTH_CONSTANT, &growth), 0);
                assert_true(fabs(growth.exponent - (totals[i].exponent - 1)) < 0.01);
                assert_int_equal(growth.is_over, totals[i].is_over);
        }
}

static void a_start_up_of_the_total_cancels(void **state)
{
        struct growth growth;
        double costs[4];

        (void)state;
        /* A total of 10^7 + n^2: per call 10^7/n + n, which falls before it rises. */
        for (size_t k = 0; k < 4; k++)
                costs[k] = 1e7 / (double)doubling[k] + (double)doubling[k];
        assert_int_equal(growth_judge(doubling, costs, 4, CONTRACT_GROWTH_CONSTANT, &growth), 0);
        assert_true(fabs(growth.exponent - 1) < 0.01);
        assert_true(growth.is_over);
}

static void memory_with_a_fixed_part_is_linear(void **state)
{
        static const double bytes[] = { 100096, 196096, 388096, 772096 };
        struct growth growth;

        (void)state;
        assert_int_equal(growth_judge(doubling, bytes, 4, CONTRACT_GROWTH_LINEAR, &growth), 0);
        assert_int_equal(growth.order, CONTRACT_GROWTH_LINEAR);
        assert_false(growth.is_over);
        assert_true(fabs(growth.exponent_max - 1.3) < 1e-9);
}

static void what_cannot_be_judged_is_said(void **state)
{
        static const uint64_t twice[] = { 1000, 2000, 2000, 4000 };
        static const uint64_t zero[] = { 0, 1, 2, 4 };
        static const double flat[] = { 1, 1, 1, 1 };
        static const double negative[] = { 1, 1, -1, 1 };
        const double missing[] = { 1, 1, NAN, 1 };
        struct growth growth;

        (void)state;
        assert_int_equal(growth_judge(doubling, flat, 3, CONTRACT_GROWTH_LOG, &growth),
                         GROWTH_UNJUDGED);
        assert_int_equal(growth_judge(doubling, flat, 0, CONTRACT_GROWTH_LOG, &growth),
                         GROWTH_UNJUDGED);
        assert_int_equal(growth_judge(doubling, flat, 17, CONTRACT_GROWTH_LOG, &growth),
                         GROWTH_UNJUDGED);
        assert_int_equal(growth_judge(twice, flat, 4, CONTRACT_GROWTH_LOG, &growth),
                         GROWTH_UNJUDGED);
        assert_int_equal(growth_judge(zero, flat, 4, CONTRACT_GROWTH_LOG, &growth),
                         GROWTH_UNJUDGED);
        assert_int_equal(growth_judge(doubling, negative, 4, CONTRACT_GROWTH_LOG, &growth),
                         GROWTH_UNJUDGED);
        assert_int_equal(growth_judge(doubling, missing, 4, CONTRACT_GROWTH_LOG, &growth),
                         GROWTH_UNJUDGED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(orders_are_told_apart),
                cmocka_unit_test(measured_libraries_are_separated),
                cmocka_unit_test(a_start_up_of_the_total_cancels),
                cmocka_unit_test(memory_with_a_fixed_part_is_linear),
                cmocka_unit_test(what_cannot_be_judged_is_said),
        };

        return cmocka_run_group_tests_name("growth", tests, NULL, NULL);
}
