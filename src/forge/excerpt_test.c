/* SPDX-License-Identifier: Apache-2.0 */
/* Only what is listed is found, and a function ends where it ends. */
#include "forge/excerpt.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char cases[] = "#include \"a.h\"\n"
                            "\n"
                            "static int help(int x,\n"
                            "                int y)\n"
                            "{\n"
                            "\tCHECK(x);\n"
                            "}\n"
                            "\n"
                            "TEST(put)\n"
                            "{\n"
                            "        help(1, 2);\n"
                            "}\n"
                            "BENCH( put_more , n, 1)\n"
                            "{\n"
                            "}\n"
                            "TEST(open_ended)\n"
                            "{\n";

static char c_c[] = "c.c", a_c[] = "a.c", put_c[] = "put.c", lost_c[] = "lost.c", header[] = "a.h";
static char *supplied[] = { a_c, c_c };
static char *case_names[] = { lost_c, put_c };
static char folder[] = "/tmp/tocsin-excerpt-XXXXXX";
static struct contract contract = {
        .dir_fd = -1,
        .header = header,
        .supplies = { .items = supplied, .count = 2 },
        .cases = { .items = case_names, .count = 2 },
};
static struct candidate candidate;
static const struct excerpt excerpt = { &contract, &candidate };

static int setup(void **state)
{
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(1000);
        const struct text *files[] = { &bytes };
        const char *names[] = { "a.c" };

        (void)state;
        text_append(&bytes, "one\n\ttwo `2` \xe2\x80\x98q\xe2\x80\x99 \xc3\xa9\x1b\r\n\n");
        assert_int_equal(candidate_make("x", names, files, 1, &candidate), 0);
        assert_non_null(mkdtemp(folder));
        contract.dir_fd = open(folder, O_PATH | O_DIRECTORY);
        assert_true(contract.dir_fd >= 0);
        assert_int_equal(mkdirat(contract.dir_fd, "cases", 0700), 0);
        assert_int_equal(file_replace(contract.dir_fd, "cases/put.c", cases, strlen(cases), 0600),
                         0);
        /* It is listed, but the candidate's is what counts. */
        assert_int_equal(file_replace(contract.dir_fd, "c.c", "no\n", 3, 0600), 0);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        candidate_fini(&candidate);
        return file_remove_tree(AT_FDCWD, folder);
}

static void finds(const char *name, const char *expected)
{
        BASE_SCOPE(text_fini) struct text file = TEXT_INIT(100);

        assert_int_equal(excerpt_find(&excerpt, name, &file), expected != NULL);
        assert_string_equal(text_view(&file), expected ? expected : "");
}

static void test_only_what_is_listed_is_found(void **state)
{
        (void)state;
        finds("a.c", "a.c");
        finds("/src/a.c", "a.c");
        finds("/contract/a.h", "a.h");
        finds("a.h", "a.h");
        finds("contract.yaml", "contract.yaml");
        finds("cases/put.c", "cases/put.c");
        finds("put.c", "cases/put.c");
        finds("b.c", NULL);
        finds("../a.c", NULL);
        finds("cases/../a.c", NULL);
        finds("/etc/passwd", NULL);
        finds("src/a.c", NULL);
        finds("", NULL);
}

static void shows(const char *file, unsigned line, const char *expected)
{
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(1000);

        excerpt_append_line(&excerpt, file, line, &into);
        assert_string_equal(text_view(&into), expected);
}

static void test_lines(void **state)
{
        (void)state;
        shows("a.c", 1, "a.c:1  `one`");
        shows("a.c", 2, "a.c:2  `two `2` 'q' \\xc3\\xa9\\x1b`");
        shows("a.c", 3, "a.c:3");
        shows("a.c", 4, "a.c:4");
        shows("a.c", 4000000000, "a.c:4000000000");
        shows("a.c", 0, "a.c");
        shows("c.c", 1, "c.c:1");
        shows("cases/put.c", 6, "cases/put.c:6  `CHECK(x);`");
}

static void shows_case(const char *name, const char *expected)
{
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(10000);

        excerpt_append_case(&excerpt, name, &into);
        assert_string_equal(text_view(&into), expected);
}

static void test_cases(void **state)
{
        (void)state;
        shows_case("put", "cases/put.c:\n   9  TEST(put)\n  10  {\n  11          help(1, 2);\n"
                          "  12  }\n");
        shows_case("put_more", "cases/put.c:\n  13  BENCH( put_more , n, 1)\n  14  {\n  15  }\n");
        shows_case("open_ended", "cases/put.c:\n  16  TEST(open_ended)\n  17  {\n");
        shows_case("pu", "");
        shows_case("put_mor", "");
        shows_case("", "");
        shows_case("put)\n{", "");
}

static void test_helpers(void **state)
{
        static const char help[] = "cases/put.c:\n   3  static int help(int x,\n"
                                   "   4                  int y)\n   5  {\n"
                                   "   6          CHECK(x);\n   7  }\n";
        static const struct {
                const char *file;
                unsigned line;
                const char *shown;
        } rows[] = {
                { "cases/put.c", 6, help }, { "cases/put.c", 7, help }, { "cases/put.c", 8, "" },
                { "cases/put.c", 11, "" },  { "cases/put.c", 1, "" },   { "cases/put.c", 0, "" },
                { "cases/put.c", 99, "" },  { "cases/lost.c", 1, "" },  { "a.c", 1, "" }
        };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(rows); i++) {
                BASE_SCOPE(text_fini) struct text into = TEXT_INIT(1000);

                excerpt_append_helper(&excerpt, rows[i].file, rows[i].line, &into);
                assert_string_equal(text_view(&into), rows[i].shown);
        }
}

static void test_a_long_case_is_cut_at_a_line(void **state)
{
        BASE_SCOPE(text_fini) struct text source = TEXT_INIT(100000);
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(100000);

        (void)state;
        text_append(&source, "TEST(long)\n{\n");
        for (int i = 0; i < 1000; i++)
                text_append(&source, "        CHECK(1);\n");
        text_append(&source, "}\n");
        assert_int_equal(file_replace(contract.dir_fd, "cases/lost.c", text_view(&source),
                                      source.length, 0600),
                         0);
        excerpt_append_case(&excerpt, "long", &into);
        assert_true(into.length > excerpt_case_max - 60);
        assert_true(into.length < excerpt_case_max + 30);
        assert_string_equal(text_view(&into) + into.length - 16, "CHECK(1);\n(cut)\n");
}

static void test_plain_text(void **state)
{
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(1000);

        (void)state;
        excerpt_append_plain("a\tb\0\xe2\x80\x9c\xe2\x80\x9d\xe2\x80\xae\xe2\x80", 15, 15, &into);
        assert_string_equal(text_view(&into), "a        b\\x00\"\"\\xe2\\x80\\xae\\xe2\\x80");
        text_clear(&into);
        excerpt_append_plain("0123456789", 10, 10, &into);
        excerpt_append_plain("0123456789X", 11, 10, &into);
        assert_string_equal(text_view(&into), "01234567890123456789...");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_only_what_is_listed_is_found),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_helpers),
                cmocka_unit_test(test_a_long_case_is_cut_at_a_line),
                cmocka_unit_test(test_plain_text),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
