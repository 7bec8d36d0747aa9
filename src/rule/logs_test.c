/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to hold the default rules of logs to what <tocsin.h> and doc/rules.md promise. */
#include "rule/fixture.h"

static void errors_ring_at_the_first(void **state)
{
        struct toc_record record;
        const char *why;

        (void)state;
        memset(&record, 0x55, sizeof(record));
        assert_int_equal(rule_default_logs(toc_kind_error, "lru", &record), 0);
        assert_int_equal(rule_check(&record, &why), 0);
        assert_int_equal(record.version, 1);
        assert_int_equal(record.kind, toc_kind_logs);
        assert_int_equal(record.flags, 0);
        assert_string_equal(record.module, "lru");
        assert_string_equal(record.name, "log_errors");
        assert_int_equal(record.rule[0].signal, toc_signal_per_minute);
        assert_int_equal(record.rule[0].op, TOC_ABOVE_);
        assert_int_equal(record.rule[0].limit, 0);
        assert_int_equal(record.rule[0].clear_at, TOC_NO_CLEAR_LEVEL_);
        assert_int_equal(record.rule[0].severity, TOC_WARN);
        assert_int_equal(record.rule[1].severity, 0);
}

static void warnings_ring_at_the_eleventh_in_a_minute(void **state)
{
        struct toc_record record;
        const char *why;

        (void)state;
        assert_int_equal(rule_default_logs(toc_kind_warning, "lru", &record), 0);
        assert_int_equal(rule_check(&record, &why), 0);
        assert_string_equal(record.name, "log_warnings");
        assert_int_equal(record.rule[0].signal, toc_signal_per_minute);
        assert_int_equal(record.rule[0].op, TOC_ABOVE_);
        assert_int_equal(record.rule[0].limit, 10);
        assert_int_equal(record.rule[0].severity, TOC_NOTE);
}

static void refuses_other_kinds_and_bad_modules(void **state)
{
        static const char longest[] = "abcdefghijklmnopqrstuvw"; /* 23 */
        struct toc_record record = { .line = 5 };

        (void)state;
        assert_int_equal(rule_default_logs(toc_kind_counter, "lru", &record), -EINVAL);
        assert_int_equal(rule_default_logs(toc_kind_logs, "lru", &record), -EINVAL);
        assert_int_equal(rule_default_logs(toc_kind_error, "", &record), -EINVAL);
        assert_int_equal(rule_default_logs(toc_kind_error, "two words", &record), -EINVAL);
        assert_int_equal(rule_default_logs(toc_kind_error, "abcdefghijklmnopqrstuvwx", &record),
                         -EINVAL); /* 24 */
        assert_int_equal(record.line, 5);
        assert_int_equal(rule_default_logs(toc_kind_error, longest, &record), 0);
        assert_string_equal(record.module, longest);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(errors_ring_at_the_first),
                cmocka_unit_test(warnings_ring_at_the_eleventh_in_a_minute),
                cmocka_unit_test(refuses_other_kinds_and_bad_modules),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
