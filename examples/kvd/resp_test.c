/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser against what strangers send: cut, damaged, too big, and random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resp.h"

enum { BULK_MAX = 100, REQUEST_MAX = 1 << 20, TEXT_MAX = 1 << 16, FUZZ_ROUNDS = 200000 };

static const struct resp_limits limits = { BULK_MAX, REQUEST_MAX };
static struct resp_request request;
static char text[TEXT_MAX];

/* Parses a copy of exactly that size, so that a sanitizer sees one byte too many. */
static int parse(const char *bytes, size_t length)
{
        char *copy = malloc(length ? length : 1);
        int result;

        assert_non_null(copy);
        if (length > 0)
                memcpy(copy, bytes, length);
        result = resp_parse((struct resp_view){ copy, length }, &limits, &request);
        for (size_t i = 0; i < request.count; i++) {
                assert_true(request.args[i].bytes >= copy);
                assert_true(request.args[i].bytes + request.args[i].length <= copy + length);
                /* The copy is about to go; the bytes stand at the same place in the original. */
                request.args[i].bytes = bytes + (request.args[i].bytes - copy);
        }
        free(copy);
        return result;
}

static void assert_arg(size_t i, const char *expected)
{
        assert_int_equal(request.args[i].length, strlen(expected));
        assert_memory_equal(request.args[i].bytes, expected, strlen(expected));
}

static const char *const whole[] = {
        "*1\r\n$4\r\nPING\r\n",
        "*2\r\n$3\r\nGET\r\n$0\r\n\r\n",
        "*3\r\n$3\r\nSET\r\n$4\r\n\r\n\r\n\r\n$10\r\n*1\r\n$1\r\nx\r\r\n",
        "*0\r\n",
        "*-1\r\n",
        "PING\r\n",
        "PING\n",
        "  SET \t key   value \r\n",
        "\r\n",
};

static void test_split_at_every_byte(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
                size_t length = strlen(whole[i]);

                for (size_t cut = 0; cut < length; cut++) {
                        assert_int_equal(parse(whole[i], cut), RESP_PARTIAL);
                        assert_in_range(request.bytes, cut + 1, length);
                }
                assert_int_equal(parse(whole[i], length), 0);
                assert_int_equal(request.bytes, length);
        }
}

static void test_pipeline(void **state)
{
        size_t at = 0;

        (void)state;
        text[0] = '\0';
        for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
                (void)strncat(text, whole[i], sizeof(text) - strlen(text) - 1);
        for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
                assert_int_equal(parse(text + at, strlen(text + at)), 0);
                assert_int_equal(request.bytes, strlen(whole[i]));
                at += request.bytes;
        }
        assert_int_equal(at, strlen(text));
        assert_int_equal(parse(text + at, 0), RESP_PARTIAL);
}

static void test_arguments(void **state)
{
        (void)state;
        assert_int_equal(parse(whole[2], strlen(whole[2])), 0);
        assert_int_equal(request.count, 3);
        assert_arg(0, "SET");
        assert_arg(1, "\r\n\r\n");
        assert_arg(2, "*1\r\n$1\r\nx\r");
        assert_int_equal(parse(whole[1], strlen(whole[1])), 0);
        assert_arg(1, "");
        assert_int_equal(parse(whole[7], strlen(whole[7])), 0);
        assert_int_equal(request.count, 3);
        assert_arg(0, "SET");
        assert_arg(1, "key");
        assert_arg(2, "value");
        for (size_t i = 3; i < sizeof(whole) / sizeof(whole[0]); i += i == 4 ? 4 : 1) {
                assert_int_equal(parse(whole[i], strlen(whole[i])), 0);
                assert_int_equal(request.count, 0);
        }
}

static void test_malformed(void **state)
{
        static const struct {
                const char *bytes;
                const char *reason;
        } cases[] = {
                { "*x\r\n", "invalid multibulk length" },
                { "*\r\n", "invalid multibulk length" },
                { "*1\n", "invalid multibulk length" },
                { "* 1\r\n", "invalid multibulk length" },
                { "*+1\r\n", "invalid multibulk length" },
                { "*01\r\n", "invalid multibulk length" },
                { "*1x\r\n", "invalid multibulk length" },
                { "*99999999999999999999\r\n", "invalid multibulk length" },
                { "*9223372036854775808\r\n", "invalid multibulk length" },
                { "*11111111111111111111111111111111111111", "invalid multibulk length" },
                { "*1\r\nPING\r\n", "expected '$'" },
                { "*1\r\n:1\r\n", "expected '$'" },
                { "*1\r\n$-1\r\n", "invalid bulk length" },
                { "*1\r\n$x\r\n", "invalid bulk length" },
                { "*1\r\n$4\nPING\r\n", "invalid bulk length" },
                { "*1\r\n$18446744073709551617\r\n", "invalid bulk length" },
                { "*1\r\n$4\r\nPINGPONG\r\n", "bulk string has no end" },
                { "*1\r\n$4\r\nPING\n\n", "bulk string has no end" },
                { "*2\r\n$4\r\nECHO\r\n*1\r\n", "expected '$'" },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                assert_int_equal(parse(cases[i].bytes, strlen(cases[i].bytes)), -EPROTO);
                assert_non_null(strstr(request.reason, cases[i].reason));
        }
}

static void test_bulk_limit(void **state)
{
        char zeros[BULK_MAX + 3];
        int length;

        (void)state;
        memset(zeros, '0', sizeof(zeros));
        length = snprintf(text, sizeof(text), "*1\r\n$%d\r\n%.*s\r\n", (int)BULK_MAX, (int)BULK_MAX,
                          zeros);
        assert_int_equal(parse(text, (size_t)length), 0);
        assert_int_equal(request.args[0].length, BULK_MAX);
        length = snprintf(text, sizeof(text), "*1\r\n$%d\r\n", BULK_MAX + 1);
        assert_int_equal(parse(text, (size_t)length), -EPROTO);
        assert_non_null(strstr(request.reason, "invalid bulk length"));
}

static void test_argument_limit(void **state)
{
        int length;

        (void)state;
        for (int count = RESP_ARGS_MAX; count <= RESP_ARGS_MAX + 1; count++) {
                bool fits = count <= RESP_ARGS_MAX;

                length = snprintf(text, sizeof(text), "*%d\r\n", count);
                for (int i = 0; i < count; i++)
                        length += snprintf(text + length, sizeof(text) - (size_t)length,
                                           "$1\r\nx\r\n");
                assert_int_equal(parse(text, (size_t)length), fits ? 0 : -EPROTO);
                length = 0;
                for (int i = 0; i < count; i++)
                        length += snprintf(text + length, sizeof(text) - (size_t)length, "x ");
                text[length++] = '\n';
                assert_int_equal(parse(text, (size_t)length), fits ? 0 : -EPROTO);
                assert_int_equal(request.count, RESP_ARGS_MAX);
        }
}

static void test_line_limit(void **state)
{
        (void)state;
        memset(text, 'x', sizeof(text));
        text[RESP_LINE_MAX - 1] = '\n';
        assert_int_equal(parse(text, RESP_LINE_MAX - 1), RESP_PARTIAL);
        assert_int_equal(parse(text, RESP_LINE_MAX), 0);
        assert_int_equal(request.args[0].length, RESP_LINE_MAX - 1);
        text[RESP_LINE_MAX - 1] = 'x';
        text[RESP_LINE_MAX] = '\n';
        assert_int_equal(parse(text, RESP_LINE_MAX), -EPROTO);
        assert_int_equal(parse(text, RESP_LINE_MAX + 1), -EPROTO);
        assert_non_null(strstr(request.reason, "too big inline request"));
}

static void test_request_limit(void **state)
{
        const char *bytes = "*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n";
        struct resp_view view = { bytes, strlen(bytes) };
        const struct resp_limits fits = { BULK_MAX, view.length };
        const struct resp_limits less = { BULK_MAX, view.length - 1 };

        (void)state;
        assert_int_equal(resp_parse(view, &fits, &request), 0);
        assert_int_equal(resp_parse(view, &less, &request), -EPROTO);
        assert_string_equal(request.reason, "Protocol error: too big request");
        view.length -= 4; /* its length alone tells that it will not fit */
        assert_int_equal(resp_parse(view, &fits, &request), RESP_PARTIAL);
        assert_int_equal(request.bytes, fits.request_max);
        assert_int_equal(resp_parse(view, &less, &request), -EPROTO);
}

static uint32_t random_next(uint32_t *seed)
{
        *seed = *seed * 1664525 + 1013904223;
        return *seed >> 8;
}

/* Random damage to good requests: any answer will do, as long as no byte beyond is touched. */
static void test_fuzz(void **state)
{
        const char alphabet[] = "*$\r\n0123456789-xPING \t";
        uint32_t seed = 1;

        (void)state;
        for (int round = 0; round < FUZZ_ROUNDS; round++) {
                const char *good = whole[random_next(&seed) % (sizeof(whole) / sizeof(whole[0]))];
                size_t length = strlen(good);
                size_t wounds = random_next(&seed) % 4;
                int result;

                memcpy(text, good, length);
                for (size_t i = 0; i < wounds; i++)
                        text[random_next(&seed) % length] =
                                alphabet[random_next(&seed) % (sizeof(alphabet) - 1)];
                result = parse(text, length);
                if (result == RESP_PARTIAL)
                        assert_true(request.bytes > length);
                else if (result == 0)
                        assert_in_range(request.bytes, 1, length);
                else
                        assert_non_null(request.reason);
        }
}

static void test_numbers(void **state)
{
        static const struct {
                const char *text;
                bool holds;
                int64_t number;
        } cases[] = {
                { "0", true, 0 },
                { "7", true, 7 },
                { "-1", true, -1 },
                { "1234567890", true, 1234567890 },
                { "9223372036854775807", true, INT64_MAX },
                { "-9223372036854775808", true, INT64_MIN },
                { "9223372036854775808", false, 0 },
                { "-9223372036854775809", false, 0 },
                { "18446744073709551616", false, 0 },
                { "99999999999999999999999", false, 0 },
                { "", false, 0 },
                { "-", false, 0 },
                { "-0", false, 0 },
                { "00", false, 0 },
                { "01", false, 0 },
                { "+1", false, 0 },
                { " 1", false, 0 },
                { "1 ", false, 0 },
                { "1.5", false, 0 },
                { "--1", false, 0 },
                { "0x1", false, 0 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int64_t number = 42;
                struct resp_view view = { cases[i].text, strlen(cases[i].text) };

                assert_int_equal(resp_number(view, &number), cases[i].holds ? 0 : -EINVAL);
                assert_true(number == (cases[i].holds ? cases[i].number : 42));
        }
}

static void test_words(void **state)
{
        (void)state;
        assert_true(resp_is((struct resp_view){ "GeT", 3 }, "get"));
        assert_false(resp_is((struct resp_view){ "GeT", 2 }, "get"));
        assert_false(resp_is((struct resp_view){ "GETS", 4 }, "get"));
        assert_false(resp_is((struct resp_view){ "", 0 }, "get"));
}

static void assert_reply(struct buffer *reply, const char *expected)
{
        assert_int_equal(reply->error, 0);
        assert_int_equal(buffer_pending(reply), strlen(expected));
        assert_memory_equal(buffer_view(reply), expected, strlen(expected));
        buffer_consume(reply, buffer_pending(reply));
}

static void test_replies(void **state)
{
        struct purse purse = { .bytes_max = REQUEST_MAX };
        struct buffer reply;

        (void)state;
        buffer_init(&reply, REQUEST_MAX, &purse);
        resp_put_status(&reply, "OK");
        assert_reply(&reply, "+OK\r\n");
        resp_put_number(&reply, INT64_MIN);
        assert_reply(&reply, ":-9223372036854775808\r\n");
        resp_put_bulk(&reply, (struct resp_view){ "a\r\nb", 4 });
        assert_reply(&reply, "$4\r\na\r\nb\r\n");
        resp_put_text(&reply, "");
        assert_reply(&reply, "$0\r\n\r\n");
        resp_put_nil(&reply);
        assert_reply(&reply, "$-1\r\n");
        resp_put_array(&reply, 2);
        assert_reply(&reply, "*2\r\n");
        resp_put_error(&reply, "ERR bad '%s'", "\r\n+OK\x1b[2J\xff");
        assert_reply(&reply, "-ERR bad '??+OK?[2J?'\r\n");
        memset(text, 'y', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        resp_put_error(&reply, "%s", text);
        assert_int_equal(buffer_pending(&reply), 1 + RESP_ERROR_MAX + 2);
        buffer_fini(&reply);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_split_at_every_byte),
                cmocka_unit_test(test_pipeline),
                cmocka_unit_test(test_arguments),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_bulk_limit),
                cmocka_unit_test(test_argument_limit),
                cmocka_unit_test(test_line_limit),
                cmocka_unit_test(test_request_limit),
                cmocka_unit_test(test_fuzz),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_replies),
        };

        return cmocka_run_group_tests_name("kvd resp", tests, NULL, NULL);
}
