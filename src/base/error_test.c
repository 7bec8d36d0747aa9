/* SPDX-License-Identifier: Apache-2.0 */
/* Shows that no failure becomes 0 and that every number has a text. */
#include "base/error.h"

#include <errno.h>
#include <limits.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void last_is_negative_errno(void **state)
{
        (void)state;
        errno = ENOENT;
        assert_int_equal(error_last(), -ENOENT);
}

static void failure_without_errno_is_still_one(void **state)
{
        (void)state;
        errno = 0;
        assert_int_equal(error_last(), -EIO);
        errno = -5;
        assert_int_equal(error_last(), -EIO);
}

static void texts_take_either_sign(void **state)
{
        (void)state;
        assert_string_equal(error_text(-ENOENT), "No such file or directory");
        assert_string_equal(error_text(ENOENT), "No such file or directory");
        assert_string_equal(error_name(-EACCES), "EACCES");
        assert_string_equal(error_name(EACCES), "EACCES");
}

static void unknown_numbers_have_a_text(void **state)
{
        (void)state;
        assert_string_equal(error_text(-99999), "Unknown error");
        assert_string_equal(error_name(-99999), "E?");
        assert_string_equal(error_text(INT_MIN), "Unknown error");
        assert_string_equal(error_name(INT_MAX), "E?");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(last_is_negative_errno),
                cmocka_unit_test(failure_without_errno_is_still_one),
                cmocka_unit_test(texts_take_either_sign),
                cmocka_unit_test(unknown_numbers_have_a_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
