/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.h - for the tests of rule_check: good records, and what is said of them once one thing
 * about them is wrong. */
#ifndef RULE_VERDICT_H
#define RULE_VERDICT_H

#include "rule/fixture.h"

static inline struct toc_record good(void)
{
        return fixture_record(toc_kind_counter,
                              fixture_rule(toc_signal_per_minute, TOC_ABOVE_, 10));
}

static inline struct toc_record of_kind(unsigned kind, unsigned signal)
{
        return fixture_record(kind, fixture_rule(signal, TOC_ABOVE_, 10));
}

static inline void refuses(const struct toc_record *record, const char *word)
{
        const char *why = NULL;
        struct rule_set *set;
        uint32_t row = 77;

        assert_int_equal(rule_check(record, &why), -EINVAL);
        assert_non_null(why);
        if (!strstr(why, word))
                fail_msg("expected a sentence about \"%s\", got \"%s\"", word, why);
        assert_int_equal(rule_set_new(&set, 0), 0);
        assert_int_equal(rule_set_add(set, record, 0, true, &row), -EINVAL);
        assert_int_equal(rule_set_rows(set), 0);
        assert_int_equal(row, 77);
        rule_set_free(&set);
}

static inline void accepts(const struct toc_record *record)
{
        const char *why = "as it was";

        if (rule_check(record, &why))
                fail_msg("refused: %s", why);
        assert_string_equal(why, "as it was");
}

#endif
