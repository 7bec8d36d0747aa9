/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to hold the names to the words and numbers of <tocsin.h>. */
#include "rule/fixture.h"

/* The words of <tocsin.h>, with the numbers of the file format. */
static const struct {
        const char *(*name)(unsigned);
        unsigned number;
        const char *word;
} words[] = {
        { rule_kind_name, 1, "counter" },
        { rule_kind_name, 2, "gauge" },
        { rule_kind_name, 3, "level" },
        { rule_kind_name, 7, "heartbeat" },
        { rule_kind_name, 10, "expectation" },
        { rule_kind_name, 12, "error" },
        { rule_kind_name, 13, "warning" },
        { rule_kind_name, 14, "module" },
        { rule_kind_name, 15, "logs" },
        { rule_kind_name, 4, "timer" },
        { rule_kind_name, 5, "sizes" },
        { rule_kind_name, 6, "share" },
        { rule_kind_name, 8, "operation" },
        { rule_kind_name, 9, "flow" },
        { rule_kind_name, 11, "must_hit" },
        { rule_signal_name, 1, "total" },
        { rule_signal_name, 2, "per_second" },
        { rule_signal_name, 3, "per_minute" },
        { rule_signal_name, 4, "per_hour" },
        { rule_signal_name, 5, "value" },
        { rule_signal_name, 20, "silent_ms" },
        { rule_signal_name, 6, "growth" },
        { rule_signal_name, 7, "exhausts_s" },
        { rule_signal_name, 8, "p50_us" },
        { rule_signal_name, 9, "p90_us" },
        { rule_signal_name, 10, "p99_us" },
        { rule_signal_name, 11, "p999_us" },
        { rule_signal_name, 12, "max_us" },
        { rule_signal_name, 13, "p50" },
        { rule_signal_name, 14, "p90" },
        { rule_signal_name, 15, "p99" },
        { rule_signal_name, 16, "p999" },
        { rule_signal_name, 17, "max" },
        { rule_signal_name, 21, "permille" },
        { rule_signal_name, 22, "burn_fast" },
        { rule_signal_name, 23, "burn_slow" },
        { rule_signal_name, 24, "oldest_ms" },
        { rule_signal_name, 25, "in_flight" },
        { rule_signal_name, 26, "lost" },
        { rule_signal_name, 27, "stalled_ms" },
        { rule_signal_name, 28, "backlog" },
        { rule_signal_name, 29, "unreached_s" },
        { rule_signal_name, 40, "live_bytes" },
        { rule_signal_name, 41, "allocations" },
        { rule_signal_name, 42, "cpu_permille" },
        { rule_signal_name, 43, "io_bytes_per_second" },
        { rule_signal_name, 44, "descriptors" },
        { rule_signal_name, 45, "threads" },
        { rule_signal_name, 46, "leak" },
        { rule_signal_name, 47, "deadlock" },
        { rule_signal_name, 48, "lock_wait_ms" },
        { rule_signal_name, 49, "idle_bytes" },
        { rule_op_name, 4, ">" },
        { rule_op_name, 6, ">=" },
        { rule_op_name, 1, "<" },
        { rule_op_name, 3, "<=" },
        { rule_op_name, 2, "==" },
        { rule_op_name, 5, "!=" },
        { rule_severity_name, 1, "note" },
        { rule_severity_name, 2, "warn" },
        { rule_severity_name, 3, "page" },
};

static void names_are_the_words_of_the_header(void **state)
{
        size_t known = 0;

        (void)state;
        for (size_t i = 0; i < COUNT(words); i++)
                assert_string_equal(words[i].name(words[i].number), words[i].word);
        for (unsigned n = 0; n < 300; n++) {
                known += strcmp(rule_kind_name(n), "?") != 0;
                known += strcmp(rule_signal_name(n), "?") != 0;
                known += strcmp(rule_op_name(n), "?") != 0;
                known += strcmp(rule_severity_name(n), "?") != 0;
        }
        assert_int_equal(known, COUNT(words));
        assert_string_equal(rule_kind_name(UINT32_MAX), "?");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_the_words_of_the_header),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
