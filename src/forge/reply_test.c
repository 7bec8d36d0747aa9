/* SPDX-License-Identifier: Apache-2.0 */
/* Every form in which models were seen to give files, and every one that must not be taken. */
#include "forge/reply.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static char lru_c[] = "lru.c", list_h[] = "list.h";
static char *one_name[] = { lru_c };
static char *two_names[] = { lru_c, list_h };
static const struct contract_list one = { .items = one_name, .count = 1 };
static const struct contract_list two = { .items = two_names, .count = 2 };

struct read {
        struct reply reply;
        struct text why;
        int outcome;
};

static void read_fini(struct read *read)
{
        if (!read->outcome)
                reply_fini(&read->reply);
        text_fini(&read->why);
}

static struct read read_all(const char *answer, size_t length, enum provider_finish finish,
                            const struct contract_list *supplies)
{
        struct read read = { .why = TEXT_INIT(4096) };

        read.outcome = reply_read(answer, length, finish, supplies, &read.reply, &read.why);
        return read;
}

/* Of one file. */
static void takes(const char *answer, const char *expected)
{
        BASE_SCOPE(read_fini)
        struct read read = read_all(answer, strlen(answer), PROVIDER_FINISH_STOP, &one);

        if (read.outcome)
                print_error("%s: %s\n", answer, text_view(&read.why));
        assert_int_equal(read.outcome, 0);
        assert_int_equal(read.reply.count, 1);
        assert_string_equal(read.reply.files[0].name, "lru.c");
        assert_string_equal(text_view(&read.reply.files[0].bytes), expected);
}

static void takes_not(const char *answer, int outcome, const char *why)
{
        BASE_SCOPE(read_fini)
        struct read read = read_all(answer, strlen(answer), PROVIDER_FINISH_STOP, &one);

        if (read.outcome != outcome)
                print_error("%s: %s\n", answer, text_view(&read.why));
        assert_int_equal(read.outcome, outcome);
        assert_string_equal(text_view(&read.why), why);
}

static void test_the_form_that_was_asked_for(void **state)
{
        (void)state;
        takes("FILE: lru.c\n```c\nint x;\n```\n", "int x;\n");
        takes("The cause is this.\n\nFILE: lru.c\n\n```\nint x;\n\nint y;\n```",
              "int x;\n\nint y;\n");
        takes("FILE: lru.c\nThis is the whole file:\n```c\nint x;\n```\n", "int x;\n");
        takes("FILE: lru.c\n```c\n```\n", "");
}

static void test_dialects(void **state)
{
        static const char *const names[] = {
                "**FILE: lru.c**", "**FILE:** lru.c",   "**File**: `lru.c`", "file: lru.c",
                "FILE: `lru.c`",   "### FILE: lru.c",   "### lru.c",         "#### `lru.c`",
                "`lru.c`:",        "**lru.c**",         "**`lru.c`**:",      "lru.c:",
                "> lru.c",         "FILE: lru.c (all)", "  FILE: lru.c  ",   "Filename: lru.c",
                "FILE:lru.c",      "`FILE: lru.c`",
        };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(names); i++) {
                BASE_SCOPE(text_fini) struct text answer = TEXT_INIT(1000);

                text_printf(&answer, "%s\n```c\nint x;\n```\n", names[i]);
                takes(text_view(&answer), "int x;\n");
                text_append(&answer, "```sh\nmake\n```\n```c\nexample\n```\n");
                takes(text_view(&answer), "int x;\n");
        }
        takes("```c lru.c\nint x;\n```\n", "int x;\n");
        takes("```lru.c\nint x;\n```\n", "int x;\n");
        takes("```c:lru.c\nint x;\n```\n", "int x;\n");
        takes("```c title=\"lru.c\"\nint x;\n```\n", "int x;\n");
        takes("```{.c file=lru.c}\nint x;\n```\n", "int x;\n");
}

static void test_without_a_name_the_last_fence_of_c(void **state)
{
        (void)state;
        takes("```c\nint draft;\n```\nBetter:\n```c\nint x;\n```\n", "int x;\n");
        takes("```c\nint x;\n```\nBuild it:\n```sh\nmake\n```\n", "int x;\n");
        takes("```\nint x;\n```\n", "int x;\n");
        takes_not("```sh\nmake\n```\n", REPLY_NO_FILES,
                  "there is no lru.c in the answer, which begins: '```sh make ```'");
}

static void test_fences(void **state)
{
        (void)state;
        takes("FILE: lru.c\n````c\n/*\n```\nmake\n```\n*/\n````\n", "/*\n```\nmake\n```\n*/\n");
        takes("FILE: lru.c\n~~~c\n/* ``` */\n```\n~~~\n", "/* ``` */\n```\n");
        takes("FILE: lru.c\n```c\n~~~\n``\n``` c\n   `````\n", "~~~\n``\n``` c\n");
        takes("FILE: lru.c\n```c\nint x; /*\n        ```\n*/\n```\n",
              "int x; /*\n        ```\n*/\n");
        takes("1. FILE it\n\n   FILE: lru.c\n   ```c\n   int f(void)\n   {\n           return 0;\n"
              "   }\n\n  int g;\n   ```\n",
              "int f(void)\n{\n        return 0;\n}\n\nint g;\n");
        takes("FILE: lru.c\r\n```c\r\nint x;\r\n\r\nint y;\r\n```\r\n", "int x;\n\nint y;\n");
}

static void test_of_a_file_given_twice_the_last_counts(void **state)
{
        (void)state;
        takes("FILE: lru.c\n```c\nint a;\n```\nNo, better:\nFILE: lru.c\n```c\nint b;\n```\n",
              "int b;\n");
        takes_not("FILE: lru.c\n```c\nint a;\n```\nFILE: lru.c\n```c\nint b;\n", REPLY_CUT,
                  "the fence of lru.c has no end");
}

static void test_thoughts_are_passed_over(void **state)
{
        (void)state;
        takes("<think>\nFILE: lru.c\n```c\nint draft;\n</think>\nFILE: lru.c\n```c\nint x;\n```\n",
              "int x;\n");
        takes("\n <thinking>CONTRACT-CONFLICT: a vs b</thinking>FILE: lru.c\n```c\nint x;\n```\n",
              "int x;\n");
        takes("FILE: lru.c\n```c\nchar x[] = \"<think>\";\n```\n", "char x[] = \"<think>\";\n");
        takes_not("<think>FILE: lru.c\n```c\nint x;\n```\n", REPLY_EMPTY, "the answer is empty");
        takes_not("<think>nothing</think>\n \n", REPLY_EMPTY, "the answer is empty");
}

static void test_what_is_not_listed_is_not_taken(void **state)
{
        static const char *const names[] = { "../lru.c",   "/etc/lru.c", "./lru.c", "src/lru.c",
                                             "LRU.C",      "lru.c.c",    "main.c",  "lru.h",
                                             "lru.c\x1b[", "lru.cc",     "xlru.c" };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(names); i++) {
                BASE_SCOPE(text_fini) struct text answer = TEXT_INIT(1000);
                BASE_SCOPE(read_fini) struct read read = { .outcome = 0 };

                text_printf(&answer, "FILE: %s\n```c\nint x;\n```\n", names[i]);
                read = read_all(text_view(&answer), answer.length, PROVIDER_FINISH_STOP, &one);
                assert_int_equal(read.outcome, REPLY_NO_FILES);
                assert_non_null(strstr(text_view(&read.why),
                                       "there is no lru.c; not taken, because not listed: "));
                assert_null(strchr(text_view(&read.why), '\x1b'));
        }
        takes("FILE: main.c\n```c\nint main;\n```\nFILE: lru.c\n```c\nint x;\n```\n", "int x;\n");
        takes_not("FILE: a.c\n```c\n```\n```c b.h\n```\n`c.c`:\n```\n```\n", REPLY_NO_FILES,
                  "there is no lru.c; not taken, because not listed: a.c, b.h, c.c");
}

static void test_what_was_not_taken_is_said_in_bounds(void **state)
{
        BASE_SCOPE(text_fini) struct text answer = TEXT_INIT(8000);
        BASE_SCOPE(read_fini) struct read read = { .outcome = 0 };

        (void)state;
        text_append(&answer, "FILE: lru.c\n```c\nint x;\n```\nFILE: ");
        for (int i = 0; i < 1000; i++)
                text_append(&answer, "y");
        text_append(&answer, "\n```c\n```\n");
        for (int i = 0; i < 6; i++)
                text_printf(&answer, "FILE: m%d.c\n```c\n```\n", i);
        read = read_all(text_view(&answer), answer.length, PROVIDER_FINISH_STOP, &one);
        assert_int_equal(read.outcome, 0);
        assert_string_equal(
                text_view(&read.reply.ignored),
                "not taken, because not listed: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
                "yyyyyyyyyyyyyyyyyyyy..., m0.c, m1.c, m2.c, m3.c and 2 more");
}

static void test_several_files(void **state)
{
        static const char both[] =
                "FILE: list.h\n```c\nint h;\n```\nFILE: lru.c\n```c\nint c;\n```\n";
        static const char half[] = "FILE: list.h\n```c\nint h;\n```\n```c\nint c;\n```\n";
        static const char none[] = "```c\nint h;\n```\n```c\nint c;\n```\n";
        BASE_SCOPE(read_fini)
        struct read all = read_all(both, strlen(both), PROVIDER_FINISH_STOP, &two);
        BASE_SCOPE(read_fini)
        struct read some = read_all(half, strlen(half), PROVIDER_FINISH_STOP, &two);
        BASE_SCOPE(read_fini)
        struct read nothing = read_all(none, strlen(none), PROVIDER_FINISH_STOP, &two);

        (void)state;
        assert_int_equal(all.outcome, 0);
        assert_int_equal(all.reply.count, 2);
        assert_string_equal(all.reply.files[0].name, "lru.c");
        assert_string_equal(text_view(&all.reply.files[0].bytes), "int c;\n");
        assert_string_equal(all.reply.files[1].name, "list.h");
        assert_string_equal(text_view(&all.reply.files[1].bytes), "int h;\n");
        assert_int_equal(some.outcome, REPLY_MISSING);
        assert_string_equal(text_view(&some.why), "there is no lru.c");
        assert_int_equal(nothing.outcome, REPLY_NO_FILES);
        assert_string_equal(text_view(&nothing.why),
                            "there is no lru.c, list.h in the answer, which begins: "
                            "'```c int h; ``` ```c int c; ```'");
}

#define SAYS "there is no lru.c in the answer, which begins: "
#define TEN            \
        "0123\xc3\xa4" \
        "6789"

static void test_no_files_at_all(void **state)
{
        (void)state;
        takes_not("", REPLY_EMPTY, "the answer is empty");
        takes_not(" \r\n\t\n", REPLY_EMPTY, "the answer is empty");
        takes_not("I'm sorry.", REPLY_NO_FILES, SAYS "'I'm sorry.'");
        takes_not("FILE: lru.c\nint x;\n", REPLY_NO_FILES, SAYS "'FILE: lru.c int x;'");
        takes_not("<think>FILE: lru.c</think>\n\n  No\x1b[31m\xff.\r\n\n \tNo.\n", REPLY_NO_FILES,
                  SAYS "'No\\x1b[31m\\xff. No.'");
        takes_not(TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "\n", REPLY_NO_FILES,
                  SAYS "'" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "'");
        takes_not(TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "\nx", REPLY_NO_FILES,
                  SAYS "'" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "...'");
}

static void test_what_is_cut(void **state)
{
        static const char whole[] = "FILE: lru.c\n```c\nint x;\n```\n";
        BASE_SCOPE(read_fini)
        struct read read = read_all(whole, strlen(whole), PROVIDER_FINISH_LENGTH, &one);
        BASE_SCOPE(read_fini)
        struct read huge = read_all(whole, strlen(whole), PROVIDER_FINISH_TOO_LONG, &one);

        (void)state;
        assert_int_equal(read.outcome, REPLY_CUT);
        assert_string_equal(text_view(&read.why),
                            "its tokens ran out; raise output_tokens of the tier");
        assert_int_equal(huge.outcome, REPLY_CUT);
        assert_string_equal(text_view(&huge.why),
                            "the answer is longer than 1 MiB, which no module needs");
        takes_not("FILE: lru.c\n```c\nint x;\n", REPLY_CUT, "the fence of lru.c has no end");
        takes_not("```c\nint x;\n``", REPLY_CUT, "the fence of lru.c has no end");
        takes("FILE: lru.c\n```c\nint x;\n```\n```sh\nmake\n", "int x;\n");
}

static void test_refusals(void **state)
{
        static const char whole[] = "FILE: lru.c\n```c\nint x;\n```\n";
        BASE_SCOPE(read_fini)
        struct read read = read_all(whole, strlen(whole), PROVIDER_FINISH_FILTERED, &one);
        BASE_SCOPE(read_fini) struct read empty = read_all("", 0, PROVIDER_FINISH_FILTERED, &one);

        (void)state;
        assert_int_equal(read.outcome, REPLY_REFUSED);
        assert_int_equal(empty.outcome, REPLY_REFUSED);
}

static void test_conflicts(void **state)
{
        (void)state;
        takes_not("CONTRACT-CONFLICT: Errors vs Cost\n", REPLY_CONFLICT,
                  "CONTRACT-CONFLICT: Errors vs Cost");
        takes_not("\n**CONTRACT-CONFLICT: a\x1b vs b**\r\nBoth.\n\nMore.", REPLY_CONFLICT,
                  "CONTRACT-CONFLICT: a\\x1b vs b Both.");
        takes_not("```text\nCONTRACT-CONFLICT: a vs b\n```\n", REPLY_CONFLICT,
                  "CONTRACT-CONFLICT: a vs b");
        takes("There is no CONTRACT-CONFLICT: good.\nFILE: lru.c\n```c\nint x;\n```\n", "int x;\n");
}

static void test_what_is_not_text(void **state)
{
        static const char nul[] = "FILE: lru.c\n```c\nint\0 x;\n```\n";
        static const char latin[] = "FILE: lru.c\n```c\n/* \xe9 */\n```\n";
        static const char outside[] = "\0\xff FILE\nFILE: lru.c\n```c\nint x;\n```\n";
        BASE_SCOPE(read_fini)
        struct read first = read_all(nul, sizeof(nul) - 1, PROVIDER_FINISH_STOP, &one);
        BASE_SCOPE(read_fini)
        struct read second = read_all(latin, sizeof(latin) - 1, PROVIDER_FINISH_STOP, &one);
        BASE_SCOPE(read_fini)
        struct read third = read_all(outside, sizeof(outside) - 1, PROVIDER_FINISH_STOP, &one);

        (void)state;
        assert_int_equal(first.outcome, REPLY_NOT_TEXT);
        assert_int_equal(second.outcome, REPLY_NOT_TEXT);
        assert_string_equal(text_view(&second.why), "lru.c holds NUL bytes or is not UTF-8");
        assert_int_equal(third.outcome, 0);
}

static void test_limits(void **state)
{
        static const char head[] = "FILE: lru.c\n```c\n", tail[] = "```\n";
        const size_t huge = (size_t)10 << 20;
        char *answer = malloc(huge);

        (void)state;
        assert_non_null(answer);
        memset(answer, '\n', huge);
        memcpy(answer, head, sizeof(head) - 1);
        memcpy(answer + provider_answer_bytes_max - 4, tail, 4);
        for (int beyond = 0; beyond < 2; beyond++) {
                BASE_SCOPE(read_fini)
                struct read read =
                        read_all(answer, (size_t)provider_answer_bytes_max + (size_t)beyond,
                                 PROVIDER_FINISH_STOP, &one);

                assert_int_equal(read.outcome, beyond ? REPLY_CUT : 0);
                assert_non_null(strstr(text_view(&read.why), beyond ? "1 MiB" : ""));
        }
        memset(answer, '`', huge);
        for (size_t length = provider_answer_bytes_max; length <= huge; length += huge / 2) {
                BASE_SCOPE(read_fini)
                struct read read = read_all(answer, length, PROVIDER_FINISH_STOP, &one);

                assert_int_equal(read.outcome, REPLY_CUT);
        }
        free(answer);
}

static void prose_is(const char *answer, size_t length_max, const char *expected)
{
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(1000);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(1000);

        assert_int_equal(reply_prose(answer, strlen(answer), PROVIDER_FINISH_LENGTH, length_max,
                                     &into, &why),
                         0);
        assert_string_equal(text_view(&into), expected);
        assert_true(into.length <= length_max);
}

static void test_prose(void **state)
{
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(1000);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(1000);

        (void)state;
        prose_is("<think>x</think>\n1. Cause\r\n\x1b[31m\n", 100, "1. Cause\n\\x1b[31m");
        prose_is("0123456789", 16, "0123456789");
        prose_is("0123456789X", 16, "0123456789\n(cut)");
        assert_int_equal(reply_prose("x", 1, PROVIDER_FINISH_FILTERED, 100, &into, &why),
                         REPLY_REFUSED);
        assert_int_equal(reply_prose(" ", 1, PROVIDER_FINISH_STOP, 100, &into, &why), REPLY_EMPTY);
        assert_int_equal(into.length, 0);
        assert_int_equal(reply_prose("x", 1, PROVIDER_FINISH_TOO_LONG, 100, &into, &why), 0);
}

static void test_names_of_outcomes(void **state)
{
        (void)state;
        assert_string_equal(reply_outcome_name(0), "files");
        assert_string_equal(reply_outcome_name(REPLY_NOT_TEXT), "not-text");
        assert_string_equal(reply_outcome_name(-ENOMEM), "error");
        assert_string_equal(reply_outcome_name(REPLY_NOT_TEXT + 1), "error");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_form_that_was_asked_for),
                cmocka_unit_test(test_dialects),
                cmocka_unit_test(test_without_a_name_the_last_fence_of_c),
                cmocka_unit_test(test_fences),
                cmocka_unit_test(test_of_a_file_given_twice_the_last_counts),
                cmocka_unit_test(test_thoughts_are_passed_over),
                cmocka_unit_test(test_what_is_not_listed_is_not_taken),
                cmocka_unit_test(test_what_was_not_taken_is_said_in_bounds),
                cmocka_unit_test(test_several_files),
                cmocka_unit_test(test_no_files_at_all),
                cmocka_unit_test(test_what_is_cut),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_conflicts),
                cmocka_unit_test(test_what_is_not_text),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_prose),
                cmocka_unit_test(test_names_of_outcomes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
