/* SPDX-License-Identifier: Apache-2.0 */
/* Names, what is none, and each limit at its edge and one beyond. */
#include "forge/template.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct template_value values[] = {
        { "header", "int f(void);" },
        { "files", "a.c" },
        { "candidate", NULL },
        { "again", "@header@ @@ @" },
        { "a_name_of_thirty_one_characters", "31" },
        { "empty", "" },
};

static void fills(const char *source, const char *expected)
{
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(1000);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(1000);

        assert_int_equal(template_fill("t.md", source, values, BASE_COUNT(values), &into, &why), 0);
        assert_string_equal(text_view(&into), expected);
        assert_int_equal(why.length, 0);
}

static void refuses(const char *source, const char *expected)
{
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(1000);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(1000);

        assert_int_equal(template_fill("t.md", source, values, BASE_COUNT(values), &into, &why),
                         TEMPLATE_WRONG);
        assert_string_equal(text_view(&why), expected);
}

static void test_names_become_values(void **state)
{
        (void)state;
        fills("", "");
        fills("no name\n", "no name\n");
        fills("@files@", "a.c");
        fills("see @header@@files@\n@empty@.", "see int f(void);a.c\n.");
        fills("a@@b.example @@files@@", "a@b.example @files@");
        fills("@a_name_of_thirty_one_characters@", "31");
}

static void test_what_was_put_in_is_not_looked_at(void **state)
{
        (void)state;
        fills("@again@", "@header@ @@ @");
}

#define HINT                                                                             \
        "an @ begins no name; a name is up to 31 lower-case letters between two @, and " \
        "@@ is one @"

static void test_slips_are_told_with_their_line(void **state)
{
        (void)state;
        refuses("one\ntwo @foo@\n",
                "t.md:2: there is no name @foo@; names are header, files, again, "
                "a_name_of_thirty_one_characters, empty");
        refuses("\n\n@candidate@", "t.md:3: there is no @candidate@ in this prompt; leave it out");
        refuses("a@b.example", "t.md:1: " HINT);
        refuses("@", "t.md:1: " HINT);
        refuses("@files", "t.md:1: " HINT);
        refuses("@files\n@", "t.md:1: " HINT);
        refuses("@Files@", "t.md:1: " HINT);
        refuses("@files @", "t.md:1: " HINT);
        refuses("@@@", "t.md:1: " HINT);
        refuses("@a_name_of_thirty_two_characters_@", "t.md:1: " HINT);
}

static void test_limits(void **state)
{
        BASE_SCOPE(text_fini) struct text source = TEXT_INIT(template_bytes_max + 1);
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(template_bytes_max);
        BASE_SCOPE(text_fini) struct text small = TEXT_INIT(2);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(1000);

        (void)state;
        for (size_t i = 0; i < template_bytes_max; i++)
                text_append(&source, "x");
        assert_int_equal(template_fill("t.md", text_view(&source), NULL, 0, &into, &why), 0);
        assert_int_equal(into.length, template_bytes_max);
        text_append(&source, "x");
        assert_int_equal(template_fill("t.md", text_view(&source), NULL, 0, &into, &why),
                         TEMPLATE_WRONG);
        assert_string_equal(text_view(&why), "t.md: it has more than 65536 bytes; make it shorter");
        assert_int_equal(template_fill("t.md", "@files@", values, 2, &small, &why), -EOVERFLOW);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names_become_values),
                cmocka_unit_test(test_what_was_put_in_is_not_looked_at),
                cmocka_unit_test(test_slips_are_told_with_their_line),
                cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
