/* SPDX-License-Identifier: Apache-2.0 */
/* Words that would end a script, a comment or a line stay data. */
#include "forge/page.h"
#include "forge/ledger_fixture.h"
#include "forge/story.h"
#include "gate/workshop.h"

#include <errno.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char hostile[] = "</script><script>alert(1)</script><!-- ]]> & \" ' \x1b[31m \r\n "
                              "\xe2\x80\xa8 \xe2\x80\xae @STORY@";

static size_t count(const char *text, const char *word)
{
        size_t found = 0;

        for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
                found++;
        return found;
}

static struct ledger *make(const struct place *place)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        struct ledger *ledger = NULL;

        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        assert_int_equal(ledger_append(ledger, "run.start",
                                       json_pack("{s:s, s:{s:s}}", "module", hostile, "limits",
                                                 hostile, hostile)),
                         0);
        assert_int_equal(ledger_append(ledger, "verdict",
                                       json_pack("{s:s, s:s, s:[s]}", "candidate", hostile,
                                                 "headline", hostile, "keys", hostile)),
                         0);
        return ledger;
}

static void test_what_is_embedded_is_data(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(ledger_close) struct ledger *ledger = make(place);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(5000);
        BASE_SCOPE(text_fini) struct text page = TEXT_INIT(1 << 20);
        BASE_SCOPE(text_fini) struct text template = TEXT_INIT(1 << 20);
        const char *forge_page = parts_find(&why)->forge_page;
        const char *from, *end;
        json_t *told, *story;
        struct stat is;

        assert_non_null(forge_page);
        text_clear(&why);
        assert_int_equal(page_write(ledger, &why), 0);
        assert_int_equal(page_write(ledger, &why), 0); /* and again */
        assert_int_equal(why.length, 0);
        assert_int_equal(fstatat(place->fd, "index.html", &is, 0), 0);
        assert_int_equal(is.st_mode & 07777, 0600);
        assert_int_equal(file_read(place->fd, "index.html", &page), 0);
        assert_int_equal(file_read(AT_FDCWD, forge_page, &template), 0);
        assert_int_equal(count(text_view(&page), "</script>"),
                         count(text_view(&template), "</script>"));
        assert_int_equal(count(text_view(&page), "<!--"), count(text_view(&template), "<!--"));
        assert_int_equal(count(text_view(&template), "@STORY@"), 1);
        assert_null(strstr(text_view(&page), "alert(1)</"));
        assert_null(strchr(text_view(&page), '\x1b'));
        assert_null(strstr(text_view(&page), "\xe2\x80\xa8"));
        from = strstr(text_view(&page), "id=\"story\">") + strlen("id=\"story\">");
        end = strstr(from, "</script>");
        told = json_loadb(from, (size_t)(end - from), 0, NULL);
        story = story_json(ledger);
        assert_true(json_equal(told, story));
        json_decref(told);
        json_decref(story);
}

/* The script never makes markup of a text, and the page loads nothing. */
static void test_the_template_keeps_its_word(void **state)
{
        static const char *const never[] = { "innerHTML",      "outerHTML", "insertAdjacentHTML",
                                             "document.write", "eval(",     "http://",
                                             "https://",       "src=",      "fetch(" };
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(5000);
        BASE_SCOPE(text_fini) struct text template = TEXT_INIT(1 << 20);

        (void)state;
        assert_int_equal(file_read(AT_FDCWD, parts_find(&why)->forge_page, &template), 0);
        for (size_t i = 0; i < BASE_COUNT(never); i++) {
                size_t allowed = strcmp(never[i], "http://") == 0; /* the name of SVG */

                assert_int_equal(count(text_view(&template), never[i]), allowed);
        }
        assert_non_null(strstr(text_view(&template), "default-src 'none'"));
}

static void test_a_template_that_is_none(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(ledger_close) struct ledger *ledger = make(place);
        BASE_SCOPE(text_fini) struct text page = TEXT_INIT(1 << 16);
        BASE_SCOPE(text_fini) struct text small = TEXT_INIT(20);

        assert_int_equal(fchdir(place->fd), 0);
        assert_int_equal(page_fill(ledger, "nowhere.html", &page), -ENOENT);
        assert_int_equal(file_replace(place->fd, "none.html", "no hole", 7, 0600), 0);
        assert_int_equal(page_fill(ledger, "none.html", &page), -EBADMSG);
        assert_int_equal(page.length, 0);
        assert_int_equal(file_replace(place->fd, "small.html", "<@STORY@>", 9, 0600), 0);
        assert_int_equal(page_fill(ledger, "small.html", &small), -EOVERFLOW);
        assert_int_equal(page_fill(ledger, "small.html", &page), 0);
        assert_memory_equal(text_view(&page), "<{\"run\":", 8);
        assert_int_equal(chdir("/"), 0);
}

static void test_a_page_that_cannot_be_replaced(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(ledger_close) struct ledger *ledger = make(place);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(5000);

        assert_int_equal(mkdirat(place->fd, "index.html", 0700), 0);
        assert_int_equal(page_write(ledger, &why), -EINVAL);
        assert_non_null(strstr(text_view(&why), "/index.html"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_what_is_embedded_is_data, enter, leave),
                cmocka_unit_test_setup_teardown(test_the_template_keeps_its_word, enter, leave),
                cmocka_unit_test_setup_teardown(test_a_template_that_is_none, enter, leave),
                cmocka_unit_test_setup_teardown(test_a_page_that_cannot_be_replaced, enter, leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
