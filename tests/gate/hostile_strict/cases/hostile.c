/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that a candidate which only wants to run gets to, in each kind of case that needs no
 * more than one function. */
#include "hostile.h"

#include <limits.h>
#include <tocsin/case.h>

TEST(adds)
{
        int a = (int)toc_case_random_below(1000000);
        int b = (int)toc_case_random_below(1000000) + 1;

        CHECK_EQ(hostile_add(a, b), (intmax_t)a + b);
}

TEST(saturates)
{
        CHECK_EQ(hostile_add(INT_MAX, 1), INT_MAX);
        CHECK_EQ(hostile_add(INT_MIN, -1), INT_MIN);
}

ALARM(many_sums_saturate, 10)
{
        for (int i = 0; i < 100; i++)
                CHECK_EQ(hostile_add(INT_MAX, i + 1), INT_MAX);
        toc_case_tick(5);
}

CALM(sums_that_fit)
{
        for (int i = 0; i < 100; i++)
                CHECK_EQ(hostile_add(i, 1), i + 1);
        toc_case_tick(120);
}
