/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a name that changes is another alert to everybody who silenced or routed it. */
#include "rule/fixture.h"

static struct toc_record site(unsigned kind, const char *name, const char *meaning,
                              const char *help)
{
        struct toc_record record =
                fixture_record(kind, fixture_rule(toc_signal_total, TOC_ABOVE_, 0));

        snprintf(record.name, sizeof(record.name), "%s", name);
        snprintf(record.rule[0].meaning, sizeof(record.rule[0].meaning), "%s", meaning);
        snprintf(record.help, sizeof(record.help), "%s", help);
        return record;
}

static void sites_are_named_by_what_they_say(void **state)
{
        static const struct {
                unsigned kind;
                const char *name, *meaning, *help, *expected;
        } rows[] = {
                { toc_kind_expectation, "expect_41", "index and table disagree", "a == b",
                  "expect_index_and_table_disagree" },
                { toc_kind_must_hit, "sometimes_9", "cache is never full", "used == cap",
                  "sometimes_cache_is_never_full" },
                { toc_kind_must_hit, "reached_9", "nobody ever evicts", "reached",
                  "reached_nobody_ever_evicts" },
                { toc_kind_error, "error_3", "somebody should look", "cannot open '%s'\n",
                  "error_cannot_open" },
                { toc_kind_warning, "warning_3", "", "%-5.2lfx is ODD, 9%%b of %zu%",
                  "warning_x_is_odd_9_b_of" },
                /* 39 characters, and one more: the last word goes. */
                { toc_kind_expectation, "expect_1", "abcdefgh abcdefgh abcdefgh abcde", "x",
                  "expect_abcdefgh_abcdefgh_abcdefgh_abcde" },
                { toc_kind_expectation, "expect_1", "abcdefgh abcdefgh abcdefgh abcdef", "x",
                  "expect_abcdefgh_abcdefgh_abcdefgh" },
                { toc_kind_expectation, "expect_1", "abcdefgh abcdefgh abcdefgh abcd efg", "x",
                  "expect_abcdefgh_abcdefgh_abcdefgh_abcd" },
                /* One word alone is cut. */
                { toc_kind_expectation, "expect_1", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop",
                  "x", "expect_abcdefghijklmnopqrstuvwxyzabcdef" },
                { toc_kind_expectation, "expect_1", "  (one)--[two]  ", "x", "expect_one_two" },
                { toc_kind_expectation, "expect_1", "100%s is text here", "x",
                  "expect_100_s_is_text_here" },
                { toc_kind_expectation, "expect_1", "gr\303\266\303\237er als 1", "x",
                  "expect_gr_er_als_1" },
                /* Nothing in ASCII, or nothing at all: the line is all there is. */
                { toc_kind_expectation, "expect_1", "\346\225\260\346\215\256", "x", "expect_1" },
                { toc_kind_error, "error_8", "meaning", "!?", "error_8" },
                { toc_kind_expectation, "expect_1", "", "x", "expect_1" },
                /* Names that somebody chose. */
                { toc_kind_counter, "evictions", "working set outgrew", "x", "evictions" },
                { toc_kind_logs, "log_errors", "the module reports errors", "x", "log_errors" },
                { toc_kind_module, "live_bytes", "cache outgrew", "x", "live_bytes" },
        };

        (void)state;
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct toc_record record =
                        site(rows[i].kind, rows[i].name, rows[i].meaning, rows[i].help);
                struct toc_record before = record;

                rule_site_name(&record);
                assert_string_equal(record.name, rows[i].expected);
                /* Twice is once, and nothing else is touched. */
                rule_site_name(&record);
                assert_string_equal(record.name, rows[i].expected);
                memcpy(before.name, record.name, sizeof(before.name));
                assert_memory_equal(&before, &record, sizeof(record));
        }
}

static void a_line_more_above_changes_nothing(void **state)
{
        struct toc_record here =
                site(toc_kind_error, "error_10", "somebody should look", "cannot open index");
        struct toc_record below =
                site(toc_kind_error, "error_1234", "somebody should look", "cannot open index");

        (void)state;
        below.line = 1234;
        rule_site_name(&here);
        rule_site_name(&below);
        assert_memory_equal(here.name, below.name, sizeof(here.name));
        assert_int_equal(below.line, 1234);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sites_are_named_by_what_they_say),
                cmocka_unit_test(a_line_more_above_changes_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
