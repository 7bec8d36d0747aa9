/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a record names is asked for, and whatever lies there is looked at. */
#include "forge/verify.h"
#include "forge/ledger_fixture.h"

#include <errno.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char abc_path[] =
        "blobs/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static struct ledger *begin(const struct place *place)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        struct ledger *ledger = NULL;
        char hex[65];

        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        assert_int_equal(ledger_keep(ledger, "abc", 3, hex), 0);
        assert_string_equal(hex, abc);
        return ledger;
}

/* Says why, or "holds". */
static const char *verify(const struct ledger *ledger)
{
        static char said[600];
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        int outcome = verify_run(ledger, &why);

        assert_in_range(outcome, 0, VERIFY_FAILS);
        assert_int_equal(outcome, why.length > 0);
        (void)snprintf(said, sizeof(said), "%s", outcome ? text_view(&why) : "holds");
        return said;
}

static void test_a_run_without_records_holds(void **state)
{
        BASE_SCOPE(ledger_close) struct ledger *ledger = begin(*state);

        assert_string_equal(verify(ledger), "holds");
}

static void test_each_name_is_followed(void **state)
{
        static const struct {
                const char *type;
                const char *fields;
                const char *said;
        } rows[] = {
                { "call.intent", "{\"prompt\":\"%s\"}", "'prompt'" },
                { "call.result", "{\"answer\":\"%s\"}", "'answer'" },
                { "reply", "{\"prose\":\"%s\"}", "'prose'" },
                { "reply", "{\"files\":[{\"sha256\":\"%s\"}]}", "'files'" },
                { "verdict", "{\"packet\":\"%s\"}", "'packet'" },
                { "accept", "{\"files\":[7,{\"sha256\":\"%s\"}]}", "'files'" },
        };
        const struct place *place = *state;

        for (size_t i = 0; i < BASE_COUNT(rows); i++) {
                BASE_SCOPE(ledger_close) struct ledger *ledger = begin(place);
                char fields[200];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                (void)snprintf(fields, sizeof(fields), rows[i].fields, abc);
#pragma GCC diagnostic pop
                assert_int_equal(ledger_append(ledger, rows[i].type, json_loads(fields, 0, NULL)),
                                 0);
                assert_null(strstr(verify(ledger), "blob"));
                assert_int_equal(file_replace(place->fd, abc_path, "abd", 3, 0600), 0);
                assert_non_null(strstr(verify(ledger), "ledger.jsonl:1: the blob of its "));
                assert_non_null(strstr(verify(ledger), rows[i].said));
                assert_non_null(strstr(verify(ledger), "was changed"));
                assert_int_equal(unlinkat(place->fd, abc_path, 0), 0);
                assert_non_null(strstr(verify(ledger), "is gone"));
                assert_int_equal(unlinkat(place->fd, "ledger.jsonl", 0), 0);
        }
}

static void test_a_name_that_is_none(void **state)
{
        BASE_SCOPE(ledger_close) struct ledger *ledger = begin(*state);

        assert_int_equal(ledger_append(ledger, "call.intent",
                                       json_pack("{s:s}", "prompt", "../../etc/passwd")),
                         0);
        assert_string_equal(verify(ledger), "ledger.jsonl:1: 'prompt' is no name of a blob");
}

static void test_what_no_record_names_is_looked_at_too(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(ledger_close) struct ledger *ledger = begin(place);

        assert_int_equal(file_replace(place->fd, "blobs/ba/short", "x", 1, 0600), 0);
        assert_string_equal(verify(ledger), "blobs/ba/short: is not what its name says");
        assert_int_equal(unlinkat(place->fd, "blobs/ba/short", 0), 0);
        assert_int_equal(file_replace(place->fd, abc_path, "", 0, 0600), 0);
        assert_non_null(strstr(verify(ledger), "is not what its name says"));
        assert_int_equal(file_replace(place->fd, abc_path, "abc", 3, 0600), 0);
        assert_int_equal(file_replace(place->fd, "blobs/file", "x", 1, 0600), 0);
        assert_string_equal(verify(ledger), "blobs/file: is no folder of blobs");
        assert_int_equal(unlinkat(place->fd, "blobs/file", 0), 0);
        assert_int_equal(symlinkat("ba", place->fd, "blobs/link"), 0);
        assert_string_equal(verify(ledger), "blobs/link: is no folder of blobs");
        assert_int_equal(unlinkat(place->fd, "blobs/link", 0), 0);
        assert_string_equal(verify(ledger), "holds");
}

static void test_what_cannot_be_found_out(void **state)
{
        const struct place *place = *state;
        BASE_SCOPE(ledger_close) struct ledger *ledger = begin(place);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);

        assert_int_equal(mkdirat(place->fd, "blobs/aa", 0700), 0);
        assert_int_equal(mkdirat(place->fd, "blobs/aa/folder", 0700), 0);
        assert_int_equal(verify_run(ledger, &why), VERIFY_FAILS); /* its name is none */
        assert_int_equal(file_remove_tree(place->fd, "blobs"), 0);
        assert_string_equal(verify(ledger), "holds");
        assert_int_equal(file_replace(place->fd, "blobs", "x", 1, 0600), 0);
        assert_int_equal(verify_run(ledger, &why), -ENOTDIR);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_a_run_without_records_holds, enter, leave),
                cmocka_unit_test_setup_teardown(test_each_name_is_followed, enter, leave),
                cmocka_unit_test_setup_teardown(test_a_name_that_is_none, enter, leave),
                cmocka_unit_test_setup_teardown(test_what_no_record_names_is_looked_at_too, enter,
                                                leave),
                cmocka_unit_test_setup_teardown(test_what_cannot_be_found_out, enter, leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
