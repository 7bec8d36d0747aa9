/* SPDX-License-Identifier: Apache-2.0 */
/* What is put into a fence comes out of it again, whatever it is. */
#include "forge/fence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void comes_out(const char *bytes, const char *fence)
{
        BASE_SCOPE(text_fini) struct text put = TEXT_INIT(1000);
        BASE_SCOPE(text_fini) struct text got = TEXT_INIT(1000);
        struct fence opened;
        struct span rest, line;

        fence_append(&put, "c", bytes, strlen(bytes));
        assert_memory_equal(text_view(&put), fence, strlen(fence));
        assert_int_equal(text_view(&put)[strlen(fence)], 'c');
        rest = (struct span){ text_view(&put), text_view(&put) + put.length };
        assert_true(span_next_line(&rest, &line));
        assert_true(fence_opens(line, &opened));
        assert_true(fence_read(&rest, &opened, &got));
        assert_int_equal(span_length(rest), 0);
        assert_string_equal(text_view(&got), bytes);
}

static void test_what_goes_in_comes_out(void **state)
{
        (void)state;
        comes_out("", "```");
        comes_out("int x;\n", "```");
        comes_out("/* `` */\n", "```");
        comes_out("/*\n```\n*/\n", "````");
        comes_out("``````\n", "```````");
        comes_out("~~~\n", "```");
}

static void test_a_last_line_gets_its_end(void **state)
{
        BASE_SCOPE(text_fini) struct text put = TEXT_INIT(1000);

        (void)state;
        fence_append(&put, "", "x", 1);
        assert_string_equal(text_view(&put), "```\nx\n```\n");
}

static void test_what_opens(void **state)
{
        static const struct {
                const char *line;
                bool opens;
        } rows[] = { { "```", true },  { "~~~~ c", true },   { "  ```c", true },
                     { "``", false },  { "x```", false },    { "", false },
                     { "   ", false }, { "``` a`b", false }, { "~~~ a`b", true },
                     { "~``", false } };
        struct fence fence;

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(rows); i++) {
                const struct span line = { rows[i].line, rows[i].line + strlen(rows[i].line) };

                assert_int_equal(fence_opens(line, &fence), rows[i].opens);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_goes_in_comes_out),
                cmocka_unit_test(test_a_last_line_gets_its_end),
                cmocka_unit_test(test_what_opens),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
