/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the verdicts at their limits and one beyond, and what growth leaves out. */
#include "figure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct row plain = { .name = "plain", .against = "" };
static const struct row probe = {
        .name = "probe", .against = "plain", .ratio_max_permille = 1500, .growth_max_permille = 1250
};

/* plain and probe with one thread and with two. */
struct four {
        struct figure figure[4];
};

static struct four judge(uint64_t plain_1, uint64_t plain_2, uint64_t probe_1, uint64_t probe_2)
{
        struct four four = { {
                { .row = &plain, .threads = 1, .round_ps = { plain_1 }, .round_count = 1 },
                { .row = &plain, .threads = 2, .round_ps = { plain_2 }, .round_count = 1 },
                { .row = &probe, .threads = 1, .round_ps = { probe_1 }, .round_count = 1 },
                { .row = &probe, .threads = 2, .round_ps = { probe_2 }, .round_count = 1 },
        } };

        figure_judge(four.figure, 4);
        return four;
}

static void median_is_of_any_order(void **state)
{
        uint64_t odd[] = { 9, 1, 5 }, even[] = { 4, 3, 2, 1 }, single[] = { 7 };

        (void)state;
        assert_int_equal(figure_median(odd, 3), 5);
        assert_int_equal(figure_median(even, 4), 3);
        assert_int_equal(figure_median(single, 1), 7);
}

static void quartiles_frame_the_median(void **state)
{
        struct figure figure = { .row = &plain,
                                 .threads = 1,
                                 .round_ps = { 50, 10, 40, 20, 30, 70, 60 },
                                 .round_count = 7 };

        (void)state;
        figure_judge(&figure, 1);
        assert_int_equal(figure.min_ps, 10);
        assert_int_equal(figure.quarter_ps, 20);
        assert_int_equal(figure.median_ps, 40);
        assert_int_equal(figure.three_quarters_ps, 60);
        assert_int_equal(figure.max_ps, 70);
        assert_int_equal(figure.round_ps[0], 50); /* the rounds stay in their order */
}

static void ratio_at_the_limit_is_ok(void **state)
{
        struct four four = judge(1000, 1000, 1500, 1500);

        (void)state;
        assert_int_equal(four.figure[2].ratio_permille, 1500);
        assert_int_equal(four.figure[2].verdict, FIGURE_OK);
        assert_int_equal(four.figure[3].verdict, FIGURE_OK);
        assert_int_equal(four.figure[0].verdict, FIGURE_UNJUDGED);
}

static void ratio_beyond_the_limit_is_over(void **state)
{
        struct four four = judge(1000, 1000, 1501, 1500);

        (void)state;
        assert_int_equal(four.figure[2].verdict, FIGURE_OVER);
        assert_int_equal(four.figure[3].verdict, FIGURE_OK);
}

static void growth_is_judged_at_its_limit(void **state)
{
        struct four at = judge(1000, 1000, 1000, 1250), beyond = judge(1000, 1000, 1000, 1251);

        (void)state;
        assert_int_equal(at.figure[3].growth_permille, 1250);
        assert_int_equal(at.figure[3].verdict, FIGURE_OK);
        assert_int_equal(beyond.figure[3].verdict, FIGURE_OVER);
        assert_int_equal(beyond.figure[2].verdict, FIGURE_OK);
}

static void growth_leaves_out_that_of_the_machine(void **state)
{
        /* Both take twice as long when two CPUs are one core, and neither is to blame. */
        struct four slower = judge(1000, 2000, 1000, 2000), faster = judge(1000, 500, 1000, 1000);

        (void)state;
        assert_int_equal(slower.figure[1].growth_permille, 2000);
        assert_int_equal(slower.figure[3].growth_permille, 1000);
        assert_int_equal(slower.figure[3].verdict, FIGURE_OK);
        /* That the other one became faster is nothing that a probe is blamed for as growth. */
        assert_int_equal(faster.figure[3].growth_permille, 1000);
        assert_int_equal(faster.figure[3].verdict, FIGURE_OVER); /* but the ratio is 2 */
}

static void without_the_other_row_there_is_no_verdict(void **state)
{
        struct figure alone = {
                .row = &probe, .threads = 2, .round_ps = { 1000 }, .round_count = 1
        };

        (void)state;
        figure_judge(&alone, 1);
        assert_null(alone.against);
        assert_null(alone.single);
        assert_int_equal(alone.ratio_permille, 0);
        assert_int_equal(alone.verdict, FIGURE_UNJUDGED);
}

static void what_took_no_time_divides_nothing(void **state)
{
        struct four four = judge(0, 0, 1000, 1000);

        (void)state;
        assert_int_equal(four.figure[2].ratio_permille, 0);
        assert_int_equal(four.figure[3].growth_permille, 1000);
}

static void a_difference_is_judged_at_its_limit(void **state)
{
        static const struct row added = { .name = "added",
                                          .against = "plain",
                                          .added_max_ps = 3000 };
        static const uint64_t took_ps[] = { 8000, 8008 };
        static const enum figure_verdict wanted[] = { FIGURE_OK, FIGURE_OVER };

        (void)state;
        for (int i = 0; i < 2; i++) {
                struct figure figures[] = {
                        { .row = &plain, .threads = 1, .round_ps = { 5000 }, .round_count = 1 },
                        { .row = &added, .threads = 1, .round_count = 1 },
                };

                figures[1].round_ps[0] = took_ps[i];
                figure_judge(figures, 2);
                assert_int_equal(figures[1].ratio_max_permille, 1600);
                assert_int_equal(figures[1].verdict, wanted[i]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(median_is_of_any_order),
                cmocka_unit_test(quartiles_frame_the_median),
                cmocka_unit_test(ratio_at_the_limit_is_ok),
                cmocka_unit_test(ratio_beyond_the_limit_is_over),
                cmocka_unit_test(growth_is_judged_at_its_limit),
                cmocka_unit_test(growth_leaves_out_that_of_the_machine),
                cmocka_unit_test(without_the_other_row_there_is_no_verdict),
                cmocka_unit_test(a_difference_is_judged_at_its_limit),
                cmocka_unit_test(what_took_no_time_divides_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
