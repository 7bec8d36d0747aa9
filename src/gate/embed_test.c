/* SPDX-License-Identifier: Apache-2.0 */
/* Data in a hole, and the largest page that is taken. */
#include "gate/embed.h"
#include "base/file.h"

#include <errno.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char place[64];

static int enter(void **state)
{
        (void)state;
        (void)snprintf(place, sizeof(place), "/tmp/tocsin-embed-test-XXXXXX");
        return mkdtemp(place) && !chdir(place) ? 0 : -1;
}

static int leave(void **state)
{
        (void)state;
        return chdir("/") ? -1 : file_remove_tree(AT_FDCWD, place);
}

static int embed(const char *template, json_t *json, struct text *into)
{
        int failed;

        assert_int_equal(file_replace(AT_FDCWD, "page", template, strlen(template), 0600), 0);
        failed = embed_json("page", "@HOLE@", json, into);
        json_decref(json);
        return failed;
}

static void test_nothing_of_it_is_markup(void **state)
{
        BASE_SCOPE(text_fini) struct text page = TEXT_INIT(1000);

        (void)state;
        assert_int_equal(embed("<p>@HOLE@</p>@HOLE@",
                               json_pack("{s:s}", "</script>", "<!-- & \xe2\x80\xa8 \x1b @HOLE@"),
                               &page),
                         0);
        assert_string_equal(text_view(&page),
                            "<p>{\"\\u003c/script\\u003e\":\"\\u003c!-- \\u0026 \\u2028 \\u001B "
                            "@HOLE@\"}</p>@HOLE@");
}

static void test_what_cannot_be_filled(void **state)
{
        BASE_SCOPE(text_fini) struct text page = TEXT_INIT(1000);
        BASE_SCOPE(text_fini) struct text small = TEXT_INIT(3);

        (void)state;
        assert_int_equal(embed_json("nowhere", "@HOLE@", NULL, &page), -ENOENT);
        assert_int_equal(embed("no hole", json_object(), &page), -EBADMSG);
        assert_int_equal(embed("@HOLE@", NULL, &page), -ENOMEM);
        assert_int_equal(page.length, 0);
        assert_int_equal(embed("<@HOLE@>", json_object(), &small), -EOVERFLOW);
        assert_int_equal(embed("<@HOLE@>", json_object(), &page), 0);
        assert_string_equal(text_view(&page), "<{}>");
}

static void test_the_largest_template_and_one_beyond(void **state)
{
        static char template[embed_template_max + 2];
        BASE_SCOPE(text_fini) struct text page = TEXT_INIT(embed_page_max);

        (void)state;
        memset(template, ' ', embed_template_max);
        memcpy(template, "@HOLE@", 6);
        assert_int_equal(embed(template, json_object(), &page), 0);
        assert_int_equal(page.length, embed_template_max - 4);
        template[embed_template_max] = ' ';
        assert_int_equal(embed(template, json_object(), &page), -EFBIG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_nothing_of_it_is_markup, enter, leave),
                cmocka_unit_test_setup_teardown(test_what_cannot_be_filled, enter, leave),
                cmocka_unit_test_setup_teardown(test_the_largest_template_and_one_beyond, enter,
                                                leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
