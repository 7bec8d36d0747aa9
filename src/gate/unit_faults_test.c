/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation once and in order; of too many, one from each part and the same ones again. */
#include "gate/unit_faults.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void goes_on_until_none_fires(void **state)
{
        struct unit_faults faults;

        (void)state;
        unit_faults_begin(&faults, 3, 100, 1);
        for (uint64_t n = 1; n <= 3; n++) {
                assert_int_equal(unit_faults_next(&faults), n);
                unit_faults_ran(&faults, 1);
        }
        /* One more than the quiet run made: only a run without a failure is the end. */
        assert_int_equal(unit_faults_next(&faults), 4);
        unit_faults_ran(&faults, 0);
        assert_int_equal(unit_faults_next(&faults), 0);
}

static void a_case_without_allocations_is_tried_once(void **state)
{
        struct unit_faults faults;

        (void)state;
        unit_faults_begin(&faults, 0, 100, 1);
        assert_int_equal(unit_faults_next(&faults), 1);
        unit_faults_ran(&faults, 0);
        assert_int_equal(unit_faults_next(&faults), 0);
}

static void a_case_that_never_ends_is_ended(void **state)
{
        struct unit_faults faults;
        uint64_t n = 0;

        (void)state;
        unit_faults_begin(&faults, 10, 50, 1);
        while (unit_faults_next(&faults) > 0) {
                unit_faults_ran(&faults, 1);
                n++;
        }
        assert_int_equal(n, 50);
}

static void a_sample_leaves_no_stretch_out(void **state)
{
        struct unit_faults faults;
        uint64_t drawn[7];
        uint64_t others = 0;

        (void)state;
        unit_faults_begin(&faults, 7 * 100 + 3, 7, 42);
        assert_true(unit_faults_is_sample(&faults));
        for (size_t i = 0; i < 7; i++) {
                drawn[i] = unit_faults_next(&faults);
                /* The first three parts are 101 wide. */
                assert_in_range(drawn[i], i * 100 + (i < 3 ? i : 3) + 1,
                                (i + 1) * 100 + (i < 3 ? i + 1 : 3));
                unit_faults_ran(&faults, i != 2);
        }
        assert_int_equal(unit_faults_next(&faults), 0);
        unit_faults_begin(&faults, 7 * 100 + 3, 7, 42);
        for (size_t i = 0; i < 7; i++) {
                assert_int_equal(unit_faults_next(&faults), drawn[i]);
                unit_faults_ran(&faults, 1);
        }
        unit_faults_begin(&faults, 7 * 100 + 3, 7, 43);
        for (size_t i = 0; i < 7; i++) {
                others += unit_faults_next(&faults) != drawn[i];
                unit_faults_ran(&faults, 1);
        }
        assert_true(others > 0);
}

static void as_many_as_allowed_is_no_sample(void **state)
{
        struct unit_faults faults;

        (void)state;
        unit_faults_begin(&faults, 50, 50, 1);
        assert_false(unit_faults_is_sample(&faults));
        unit_faults_begin(&faults, 51, 50, 1);
        assert_true(unit_faults_is_sample(&faults));
}

static void the_row_is_splitmix64(void **state)
{
        uint64_t at = 1234567;

        (void)state;
        /* The values that the author's splitmix64.c gives for this seed. */
        assert_true(unit_faults_draw(&at) == UINT64_C(6457827717110365317));
        assert_true(unit_faults_draw(&at) == UINT64_C(3203168211198807973));
        assert_true(unit_faults_draw(&at) == UINT64_C(9817491932198370423));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(goes_on_until_none_fires),
                cmocka_unit_test(a_case_without_allocations_is_tried_once),
                cmocka_unit_test(a_case_that_never_ends_is_ended),
                cmocka_unit_test(a_sample_leaves_no_stretch_out),
                cmocka_unit_test(as_many_as_allowed_is_no_sample),
                cmocka_unit_test(the_row_is_splitmix64),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
