/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to show whose runbook an alert gets, and what is a label. */
#include "rule/fixture.h"

static struct toc_record a_module(const char *name, const char *runbook)
{
        struct toc_record record = fixture_record(toc_kind_module, (struct toc_rule){ 0 });

        (void)snprintf(record.module, sizeof(record.module), "%s", name);
        (void)snprintf(record.name, sizeof(record.name), "%s", name);
        (void)snprintf(record.runbook, sizeof(record.runbook), "%s", runbook);
        return record;
}

static void add(struct rule_set *set, struct toc_record record)
{
        uint32_t ignored;

        assert_int_equal(rule_set_add(set, &record, 0, true, &ignored), 0);
}

static void a_probe_has_its_own_or_its_modules(void **state)
{
        struct toc_record probe =
                fixture_record(toc_kind_counter, fixture_rule(toc_signal_total, TOC_ABOVE_, 1));
        struct toc_record site = fixture_record(toc_kind_error, (struct toc_rule){ .meaning = "" });
        struct rule_set *set;
        struct rule_view sum;

        (void)state;
        assert_int_equal(rule_set_new(&set, 0), 0);
        assert_string_equal(rule_runbook(set, &probe), "");
        add(set, a_module("lru2", "wiki/of-another"));
        add(set, probe);
        assert_string_equal(rule_runbook(set, &probe), "");
        add(set, a_module("lru", "wiki/lru"));
        assert_string_equal(rule_runbook(set, &probe), "wiki/lru");
        (void)snprintf(probe.runbook, sizeof(probe.runbook), "wiki/evictions");
        assert_string_equal(rule_runbook(set, &probe), "wiki/evictions");

        /* The sum of all errors was written by nobody, and so has none of its own. */
        site.flags = TOC_IS_USUAL_;
        add(set, site);
        assert_int_equal(rule_set_view(set, 1, &sum), 0);
        assert_int_equal(sum.record->kind, toc_kind_logs);
        assert_string_equal(rule_runbook(set, sum.record), "wiki/lru");
        rule_set_free(&set);
}

static void the_gauge_of_a_must_hit_is_no_label(void **state)
{
        struct toc_record record = { .kind = toc_kind_counter, .labels = "failed" };

        (void)state;
        assert_string_equal(rule_label(&record), "failed");
        record.kind = toc_kind_must_hit;
        assert_string_equal(rule_label(&record), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_probe_has_its_own_or_its_modules),
                cmocka_unit_test(the_gauge_of_a_must_hit_is_no_label),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
