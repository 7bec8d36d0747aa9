/* SPDX-License-Identifier: Apache-2.0 */
/* Columns, colours, and stories that say anything at all. */
#include "forge/listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void list(const char *stories, bool has_colour, struct text *into)
{
        json_t *json = json_loads(stories, 0, NULL);

        assert_non_null(json);
        text_clear(into);
        listing_append_runs(json, has_colour, into);
        json_decref(json);
}

static void test_columns_are_as_wide_as_they_must(void **state)
{
        static const char stories[] =
                "[{\"name\":\"lru/1\",\"module\":\"lru\",\"outcome\":\"accepted\","
                "\"began\":\"then\","
                "\"totals\":{\"calls\":2,\"candidates\":11,\"cost_microusd\":1500000,"
                "\"seconds\":61.9}},"
                "{\"name\":\"\xc3\xa9/12\",\"outcome\":null,\"totals\":{\"cost_microusd\":-4}}]";
        BASE_SCOPE(text_fini) struct text text = TEXT_INIT(4096);

        (void)state;
        list(stories, false, &text);
        assert_string_equal(
                text_view(&text),
                "RUN    MODULE  OUTCOME      CALLS  CANDIDATES   COST   TIME  BEGAN\n"
                "lru/1  lru     accepted         2          11  $1.50  1m01s  then\n"
                "\xc3\xa9/12   -       interrupted      -           -      -   0.0s  -\n");
        list(stories, true, &text);
        assert_non_null(strstr(text_view(&text), "\x1b[32maccepted\x1b[0m     "));
        assert_non_null(strstr(text_view(&text), "\x1b[33minterrupted\x1b[0m  "));
}

static void test_foreign_words_are_escaped(void **state)
{
        BASE_SCOPE(text_fini) struct text text = TEXT_INIT(4096);

        (void)state;
        list("[{\"name\":\"a\\tb\\nc\\u001b[31m\\u202e\",\"module\":[1,\"\\u001b\"]}]", false,
             &text);
        assert_null(strchr(text_view(&text), '\x1b'));
        assert_null(strchr(text_view(&text), '\t'));
        assert_non_null(strstr(text_view(&text), "a\\x09b\\x0ac\\x1b[31m\\xe2\\x80\\xae  "));
        assert_non_null(strstr(text_view(&text), "[1,\"\\u001B\"]"));
}

static void test_a_story_of_anything(void **state)
{
        static const char *const stories[] = {
                "[]",
                "{}",
                "{\"totals\":7,\"calls\":{},\"candidates\":[1,null,[]],\"decisions\":\"x\"}",
                "{\"tiers\":[{\"price\":\"free\"},{\"price\":{\"input\":-1}},7],\"evidence\":[]}",
                "{\"calls\":[{\"cost_microusd\":1,\"estimated\":true,\"ms\":9223372036854775807}]}",
                "{\"limits\":{\"cost_microusd\":\"much\"},\"notes\":[{}]}",
                "{\"candidates\":[{\"score_permille\":1001},{\"score_permille\":1000}]}",
        };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(stories); i++) {
                BASE_SCOPE(text_fini) struct text text = TEXT_INIT(16384);
                json_t *json = json_loads(stories[i], 0, NULL);

                assert_non_null(json);
                listing_append_run(json, i % 2, &text);
                assert_int_equal(text.error, 0);
                assert_non_null(strstr(text_view(&text), "outcome"));
                json_decref(json);
        }
}

static void test_long_headlines_are_cut(void **state)
{
        BASE_SCOPE(text_fini) struct text text = TEXT_INIT(16384);
        char line[400];
        json_t *json;

        (void)state;
        memset(line, 'x', sizeof(line));
        line[100] = '\0';
        json = json_pack("{s:[{s:s}]}", "candidates", "headline", line);
        listing_append_run(json, false, &text);
        assert_null(strstr(text_view(&text), "..."));
        json_decref(json);
        text_clear(&text);
        line[100] = 'x';
        line[101] = '\0';
        json = json_pack("{s:[{s:s}]}", "candidates", "headline", line);
        listing_append_run(json, false, &text);
        line[100] = '\0';
        assert_non_null(strstr(text_view(&text), line));
        assert_non_null(strstr(text_view(&text), "x..."));
        json_decref(json);
}

static void test_what_does_not_fit_is_an_error(void **state)
{
        BASE_SCOPE(text_fini) struct text text = TEXT_INIT(20);

        (void)state;
        list("[{}]", false, &text);
        assert_int_not_equal(text.error, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_columns_are_as_wide_as_they_must),
                cmocka_unit_test(test_foreign_words_are_escaped),
                cmocka_unit_test(test_a_story_of_anything),
                cmocka_unit_test(test_long_headlines_are_cut),
                cmocka_unit_test(test_what_does_not_fit_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
