/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits are tried at the limit and one beyond, for one buffer and for all that share a purse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "buffer.h"

enum { SIZE = 1 << 20 };

static char bytes[SIZE];

static void test_nothing(void **state)
{
        struct purse purse = { .bytes_max = 100 };
        struct buffer buffer;

        (void)state;
        buffer_init(&buffer, 100, &purse);
        assert_int_equal(buffer_pending(&buffer), 0);
        assert_non_null(buffer_view(&buffer));
        buffer_append(&buffer, "", 0);
        buffer_consume(&buffer, 0);
        buffer_fini(&buffer);
        buffer_fini(&buffer);
        assert_int_equal(purse.used_bytes, 0);
}

static void test_first_in_first_out(void **state)
{
        struct purse purse = { .bytes_max = SIZE, .is_watched = true };
        struct buffer buffer;
        unsigned char in = 0, out = 0;

        (void)state;
        buffer_init(&buffer, 9000, &purse);
        for (int turn = 0; turn < 5000; turn++) {
                for (int i = 0; i < 7 && buffer_pending(&buffer) < 9000; i++, in++)
                        buffer_append(&buffer, &in, 1);
                for (int i = 0; i < 5 + turn % 4; i++, out++) {
                        if (buffer_pending(&buffer) == 0)
                                break;
                        assert_int_equal((unsigned char)buffer_view(&buffer)[0], out);
                        buffer_consume(&buffer, 1);
                }
        }
        assert_int_equal(buffer.error, 0);
        buffer_fini(&buffer);
        assert_int_equal(purse.used_bytes, 0);
}

static void test_own_limit(void **state)
{
        struct purse purse = { .bytes_max = SIZE };
        struct buffer buffer;

        (void)state;
        buffer_init(&buffer, 5000, &purse);
        assert_int_equal(buffer_reserve(&buffer, 5001), -EMSGSIZE);
        assert_int_equal(buffer_reserve(&buffer, SIZE_MAX), -EMSGSIZE);
        buffer_append(&buffer, bytes, 5000);
        assert_int_equal(buffer.error, 0);
        assert_int_equal(buffer_reserve(&buffer, 1), -EMSGSIZE);
        buffer_consume(&buffer, 1);
        assert_int_equal(buffer_reserve(&buffer, 1), 0);
        assert_int_equal(buffer_reserve(&buffer, 2), -EMSGSIZE);
        buffer_fini(&buffer);
}

static void test_error_is_remembered(void **state)
{
        struct purse purse = { .bytes_max = SIZE };
        struct buffer buffer;

        (void)state;
        buffer_init(&buffer, 10, &purse);
        buffer_append(&buffer, "12345678", 8);
        buffer_append(&buffer, "abc", 3);
        assert_int_equal(buffer.error, -EMSGSIZE);
        buffer_append(&buffer, "x", 1); /* would fit, but a hole would stand before it */
        assert_int_equal(buffer_pending(&buffer), 8);
        buffer_fini(&buffer);
        assert_int_equal(buffer.error, 0);
}

static void test_shared_limit(void **state)
{
        struct purse purse = { .bytes_max = 3 * 4096, .is_watched = true };
        struct buffer one, other;

        (void)state;
        buffer_init(&one, SIZE, &purse);
        buffer_init(&other, SIZE, &purse);
        assert_int_equal(buffer_reserve(&one, 8192), 0);
        assert_int_equal(purse.used_bytes, 8192);
        assert_int_equal(buffer_reserve(&other, 4097), -ENOBUFS);
        assert_int_equal(buffer_reserve(&other, 4096), 0);
        assert_int_equal(purse.used_bytes, purse.bytes_max);
        assert_int_equal(buffer_reserve(&one, 8193), -ENOBUFS);
        buffer_fini(&one);
        assert_int_equal(buffer_reserve(&other, 8192), 0);
        buffer_fini(&other);
        assert_int_equal(purse.used_bytes, 0);
}

static void test_idle_buffer_gives_back(void **state)
{
        struct purse purse = { .bytes_max = SIZE };
        struct buffer buffer;

        (void)state;
        buffer_init(&buffer, SIZE, &purse);
        buffer_append(&buffer, bytes, 1000);
        buffer_consume(&buffer, 1000);
        assert_int_equal(purse.used_bytes, 4096);
        buffer_append(&buffer, bytes, 100000);
        assert_true(purse.used_bytes >= 100000);
        buffer_consume(&buffer, 100000);
        assert_int_equal(purse.used_bytes, 0);
        buffer_append(&buffer, "again", 5);
        assert_memory_equal(buffer_view(&buffer), "again", 5);
        buffer_fini(&buffer);
}

static void test_room(void **state)
{
        struct purse purse = { .bytes_max = SIZE };
        struct buffer buffer;
        size_t room;

        (void)state;
        buffer_init(&buffer, SIZE, &purse);
        assert_int_equal(buffer_reserve(&buffer, 10), 0);
        memcpy(buffer_room(&buffer, &room), "0123456789", 10);
        assert_true(room >= 10);
        buffer_produced(&buffer, 10);
        assert_int_equal(buffer_pending(&buffer), 10);
        assert_memory_equal(buffer_view(&buffer), "0123456789", 10);
        buffer_fini(&buffer);
}

/* What no caller may do is caught, and harmless. */
static void test_too_much(void **state)
{
        struct purse purse = { .bytes_max = SIZE };
        struct buffer buffer;

        (void)state;
        buffer_init(&buffer, 4096, &purse);
        buffer_append(&buffer, "abc", 3);
        buffer_consume(&buffer, 4);
        assert_int_equal(buffer_pending(&buffer), 0);
        buffer_produced(&buffer, 5000);
        assert_int_equal(buffer_pending(&buffer), 4096);
        buffer_fini(&buffer);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),      cmocka_unit_test(test_first_in_first_out),
                cmocka_unit_test(test_own_limit),    cmocka_unit_test(test_error_is_remembered),
                cmocka_unit_test(test_shared_limit), cmocka_unit_test(test_idle_buffer_gives_back),
                cmocka_unit_test(test_room),         cmocka_unit_test(test_too_much),
        };

        return cmocka_run_group_tests_name("kvd buffer", tests, NULL, NULL);
}
