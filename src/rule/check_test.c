/* SPDX-License-Identifier: Apache-2.0 */
/* One record per defect. Each starts from the same good record, so only the defect can be why. */
#include "rule/verdict.h"

static void accepts_good_records(void **state)
{
        struct toc_record record = good();

        (void)state;
        accepts(&record);
        record.rule[1] = record.rule[0];
        accepts(&record);
        record = of_kind(toc_kind_heartbeat, toc_signal_silent_ms);
        accepts(&record);
        record = of_kind(toc_kind_module, toc_signal_live_bytes);
        accepts(&record);
        record = good();
        record.rule[0] = (struct toc_rule){ .meaning = "only feeds a chart" }; /* TOC_QUIET */
        accepts(&record);
        record = (struct toc_record){
                .version = 1, .kind = toc_kind_module, .module = "m", .name = "m"
        };
        accepts(&record);
}

static void refuses_another_version(void **state)
{
        struct toc_record record = good();

        (void)state;
        record.version = 0;
        refuses(&record, "version");
        record.version = 2;
        refuses(&record, "version");
}

static const struct {
        size_t at;
        size_t size;
        const char *name;
} fields[] = {
        { offsetof(struct toc_record, module), 24, "module" },
        { offsetof(struct toc_record, name), 40, "name" },
        { offsetof(struct toc_record, help), 72, "help" },
        { offsetof(struct toc_record, file), 32, "file" },
        { offsetof(struct toc_record, labels), 32, "labels" },
        { offsetof(struct toc_record, runbook), 64, "runbook" },
        { offsetof(struct toc_record, rule[0].meaning), 72, "meaning" },
        { offsetof(struct toc_record, rule[1].meaning), 72, "meaning" },
};

static void refuses_a_text_without_end(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT(fields); i++) {
                struct toc_record record = good();
                char *field = (char *)&record + fields[i].at;

                memset(field, 'a', fields[i].size - 1);
                field[fields[i].size - 1] = '\0';
                if (fields[i].at != offsetof(struct toc_record, labels)) /* are shorter yet */
                        accepts(&record);                                /* at the limit */
                field[fields[i].size - 1] = 'a';
                refuses(&record, fields[i].name);
        }
}

static void refuses_what_cannot_be_printed(void **state)
{
        static const char *const bad[] = {
                "\x1b[31m",         /* ESC */
                "a\tb",             /* no tabs but in a format */
                "a\n",              /* no line ends but in a format */
                "\x7f",             /* DEL */
                "\x80",             /* continuation without a start */
                "\xc3",             /* start without continuation */
                "\xc3(",            /* the same */
                "\xc0\xaf",         /* '/' in two bytes */
                "\xe0\x80\xaf",     /* '/' in three bytes */
                "\xf0\x80\x80\xaf", /* '/' in four bytes */
                "\xc1\xbf",         /* DEL in two bytes */
                "\xe0\x9f\xbf",     /* U+07FF in three bytes */
                "\xf0\x8f\xbf\xbf", /* U+FFFF in four bytes */
                "\xc2\x9b",         /* U+009B, which is ESC [ to some terminals */
                "\xed\xa0\x80",     /* U+D800, a surrogate */
                "\xf4\x90\x80\x80", /* U+110000 */
                "\xf5\x80\x80\x80", /* beyond that */
                "\xff",             /* never in UTF-8 */
                "ab\xe2\x82",       /* cut */
        };

        (void)state;
        for (size_t i = 0; i < COUNT(fields); i++)
                for (size_t b = 0; b < COUNT(bad); b++) {
                        struct toc_record record = good();

                        snprintf((char *)&record + fields[i].at, fields[i].size, "%s", bad[b]);
                        refuses(&record, fields[i].name);
                }
}

static void accepts_utf8_where_it_is_text(void **state)
{
        /* U+00A0, U+07FF, U+0800, U+D7FF, U+E000, U+FFFD, U+10000, U+10FFFF */
        static const char text[] = "\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf"
                                   "\xbd\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
        struct toc_record record = good();

        (void)state;
        memcpy(record.help, text, sizeof(text));
        memcpy(record.runbook, text, sizeof(text));
        memcpy(record.rule[0].meaning, text, sizeof(text));
        accepts(&record);
}

static void what_follows_the_end_of_a_text_is_not_looked_at(void **state)
{
        struct toc_record record = good();

        (void)state;
        memcpy(record.help, "ok\0\x1b\xff", 5);
        accepts(&record);
}

/* A character that would end beyond its field must not be read beyond it. */
static void refuses_a_character_cut_by_its_field(void **state)
{
        struct toc_record record = good();

        (void)state;
        memset(record.module, 'a', sizeof(record.module));
        record.module[sizeof(record.module) - 2] = '\xf0';
        record.module[sizeof(record.module) - 1] = '\0';
        refuses(&record, "module");
}

static void a_format_may_break_lines(void **state)
{
        struct toc_record record = of_kind(toc_kind_error, toc_signal_total);

        (void)state;
        snprintf(record.help, sizeof(record.help), "cannot open:\t%%s\n");
        accepts(&record);
        record.kind = toc_kind_warning;
        accepts(&record);
        snprintf(record.help, sizeof(record.help), "ring\a");
        refuses(&record, "help");
        snprintf(record.help, sizeof(record.help), "fine");
        snprintf(record.file, sizeof(record.file), "a\n");
        refuses(&record, "file");
}

static void refuses_names_that_are_not_c(void **state)
{
        static const char *const bad[] = { "", "9lives", "two words", "a-b", "gr\xc3\xb6\xc3\x9f" };

        (void)state;
        for (size_t i = 0; i < COUNT(bad); i++) {
                struct toc_record record = good();

                snprintf(record.name, sizeof(record.name), "%s", bad[i]);
                refuses(&record, "name");
                record = good();
                snprintf(record.module, sizeof(record.module), "%s", bad[i]);
                refuses(&record, "module");
        }
}

static void refuses_unknown_kinds_and_flags(void **state)
{
        struct toc_record record = good();

        (void)state;
        record.kind = 0;
        refuses(&record, "kind");
        record.kind = 16;
        refuses(&record, "kind");
        record.kind = 255;
        refuses(&record, "kind");
        record = good();
        record.flags = 8;
        refuses(&record, "flag");
        record = good();
        record.flags = TOC_IS_USUAL_;
        refuses(&record, "TOC_USUAL");
}

static void refuses_logs_of_another_name(void **state)
{
        struct toc_record record = of_kind(toc_kind_logs, toc_signal_per_minute);

        (void)state;
        refuses(&record, "log_errors");
        snprintf(record.name, sizeof(record.name), "log_errors");
        accepts(&record);
        snprintf(record.name, sizeof(record.name), "log_warnings");
        accepts(&record);
}

static void refuses_bad_rules(void **state)
{
        (void)state;
        for (size_t slot = 0; slot < 2; slot++) {
                struct toc_record record = good();
                struct toc_rule *rule = &record.rule[slot];
                const struct toc_rule fine = record.rule[0];

                *rule = fine;
                rule->severity = 0;
                refuses(&record, "severity");
                rule->signal = 0;
                refuses(&record, "severity"); /* op still stands there */
                *rule = fine;
                rule->severity = 4;
                refuses(&record, "severity");
                *rule = fine;
                rule->signal = 0;
                refuses(&record, "signal");
                rule->signal = 18;
                refuses(&record, "signal");
                rule->signal = toc_signal_value;
                refuses(&record, "no such signal");
                *rule = fine;
                rule->op = 0;
                refuses(&record, "comparison");
                rule->op = 7;
                refuses(&record, "comparison");
                rule->op = 8 | TOC_ABOVE_;
                refuses(&record, "comparison");
                *rule = fine;
                rule->capacity = 1;
                refuses(&record, "capacity is for");
                *rule = fine;
                rule->volume_min = 1;
                refuses(&record, "volume_min is for");
                *rule = fine;
                rule->objective_permille = 1;
                refuses(&record, "objective_permille is for");
                for (size_t byte = 0; byte < 3; byte++) {
                        *rule = fine;
                        rule->reserved[byte] = 1;
                        refuses(&record, "reserved");
                }
                *rule = fine;
                accepts(&record);
        }
}

static void refuses_numbers_out_of_range(void **state)
{
        struct toc_record record = good();
        struct toc_rule *rule = &record.rule[0];

        (void)state;
        for (rule->window_s = 1; rule->window_s < 4; rule->window_s++)
                refuses(&record, "window");
        accepts(&record); /* 4 */
        rule->window_s = RULE_WINDOW_MAX_S;
        accepts(&record);
        rule->window_s = RULE_WINDOW_MAX_S + 1;
        refuses(&record, "window");
        rule->window_s = 0;
        rule->hold_s = RULE_DELAY_MAX_S;
        rule->keep_s = RULE_DELAY_MAX_S;
        accepts(&record);
        rule->hold_s++;
        refuses(&record, "hold_s");
        rule->hold_s = 0;
        rule->keep_s++;
        refuses(&record, "keep_s");
        rule->keep_s = 0;
        rule->limit = 0;
        accepts(&record);
        rule->limit = -1;
        refuses(&record, "limit");
        rule->limit = 10;
        rule->clear_at = -1;
        refuses(&record, "clear level");
        rule->clear_at = 0;
        accepts(&record);
}

/* What the clear level may be at most (>, >=) or at least (<, <=), for a limit of 10. */
static void refuses_a_clear_level_on_the_ringing_side(void **state)
{
        static const struct {
                unsigned op;
                int64_t last_good, first_bad;
        } sides[] = {
                { TOC_ABOVE_, 10, 11 },
                { TOC_ABOVE_ | TOC_EQUAL_, 9, 10 },
                { TOC_BELOW_, 10, 9 },
                { TOC_BELOW_ | TOC_EQUAL_, 11, 10 },
        };
        struct toc_record record = good();
        struct toc_rule *rule = &record.rule[0];

        (void)state;
        for (size_t i = 0; i < COUNT(sides); i++) {
                rule->op = (uint8_t)sides[i].op;
                rule->clear_at = sides[i].last_good;
                accepts(&record);
                rule->clear_at = sides[i].first_bad;
                refuses(&record, "clear level");
        }
        rule->op = TOC_EQUAL_; /* has no clearing side: not looked at */
        rule->clear_at = 99;
        accepts(&record);
        rule->op = TOC_ABOVE_ | TOC_BELOW_;
        accepts(&record);
}

static void gauges_levels_and_flows_may_be_negative(void **state)
{
        struct toc_record record = of_kind(toc_kind_gauge, toc_signal_value);

        (void)state;
        record.rule[0].limit = INT64_MIN;
        accepts(&record);
        record.rule[0].limit = -5;
        record.rule[0].clear_at = -6;
        accepts(&record);
        record.rule[0].clear_at = -4;
        refuses(&record, "clear level");
        record = of_kind(toc_kind_level, toc_signal_growth);
        record.rule[0].limit = -5;
        accepts(&record);
        record = of_kind(toc_kind_flow, toc_signal_lost);
        record.rule[0].limit = -5;
        accepts(&record);
        record = of_kind(toc_kind_operation, toc_signal_in_flight);
        record.rule[0].limit = -5;
        refuses(&record, "negative");
}

/* Whatever bytes: checked without harm, and what passes can be judged. The sanitizers look on. */
static void survives_random_records(void **state)
{
        uint64_t seed = 17;
        size_t passed = 0;
        size_t passed_by_kind[16] = { 0 };

        (void)state;
        for (int i = 0; i < 200000; i++) {
                struct toc_record record = good();
                unsigned char *bytes = (unsigned char *)&record;
                const struct rule_change *changes;
                uint64_t cells[512];
                uint64_t open[3];
                const struct rule_sample samples[2] = {
                        { .cells = cells, .open = open, .open_count = 3 }, { .cells = cells }
                };
                const char *why;
                struct rule_set *set;
                uint32_t row;
                size_t count;

                record.kind = (uint8_t)fixture_below(&seed, 17);
                record.rule[0].signal = (uint8_t)fixture_below(&seed, 50);
                record.rule[0].op = (uint8_t)fixture_below(&seed, 9);
                record.rule[0].capacity = record.rule[0].signal == toc_signal_exhausts_s;
                record.rule[0].objective_permille = 77 * (record.kind == toc_kind_share);
                for (uint64_t n = fixture_below(&seed, 4); n; n--)
                        bytes[fixture_below(&seed, sizeof(record))] =
                                (unsigned char)fixture_random(&seed);
                if (rule_check(&record, &why))
                        continue;
                passed++;
                passed_by_kind[record.kind]++;
                assert_int_equal(rule_set_new(&set, 0), 0);
                assert_int_equal(rule_set_add(set, &record, 0, i % 2, &row), 0);
                for (uint64_t t = 1; t < 4; t++) {
                        for (uint32_t w = 0; w < toc_words_(record.kind); w++)
                                cells[w] = fixture_random(&seed);
                        for (size_t n = 0; n < COUNT(open); n++)
                                open[n] = 10 * n + fixture_below(&seed, 10);
                        assert_int_equal(rule_set_tick(set, t * S, samples, rule_set_rows(set),
                                                       &changes, &count),
                                         0);
                }
                rule_set_free(&set);
        }
        assert_true(passed > 1000); /* or this was no test of what follows */
        for (unsigned kind = toc_kind_counter; kind < toc_kind_logs; kind++)
                assert_true(passed_by_kind[kind] > 50);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(accepts_good_records),
                cmocka_unit_test(refuses_another_version),
                cmocka_unit_test(refuses_a_text_without_end),
                cmocka_unit_test(refuses_what_cannot_be_printed),
                cmocka_unit_test(accepts_utf8_where_it_is_text),
                cmocka_unit_test(what_follows_the_end_of_a_text_is_not_looked_at),
                cmocka_unit_test(refuses_a_character_cut_by_its_field),
                cmocka_unit_test(a_format_may_break_lines),
                cmocka_unit_test(refuses_names_that_are_not_c),
                cmocka_unit_test(refuses_unknown_kinds_and_flags),
                cmocka_unit_test(refuses_logs_of_another_name),
                cmocka_unit_test(refuses_bad_rules),
                cmocka_unit_test(refuses_numbers_out_of_range),
                cmocka_unit_test(refuses_a_clear_level_on_the_ringing_side),
                cmocka_unit_test(gauges_levels_and_flows_may_be_negative),
                cmocka_unit_test(survives_random_records),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
