/* SPDX-License-Identifier: Apache-2.0 */
/* What only some kinds and signals have: each is accepted there and refused elsewhere. */
#include "rule/verdict.h"

static struct toc_record with_options(unsigned kind, unsigned signal)
{
        struct toc_record record = of_kind(kind, signal);

        if (signal == toc_signal_exhausts_s) {
                record.rule[0].op = TOC_BELOW_;
                record.rule[0].capacity = 1;
        }
        if (signal == toc_signal_burn_fast || signal == toc_signal_burn_slow)
                record.rule[0].objective_permille = 999;
        return record;
}

static void a_capacity_belongs_to_exhaustion(void **state)
{
        struct toc_record record = with_options(toc_kind_gauge, toc_signal_exhausts_s);

        (void)state;
        accepts(&record);
        record.rule[0].capacity = INT64_MAX;
        accepts(&record);
        record.rule[0].capacity = 0;
        refuses(&record, "needs a capacity");
        record.rule[0].capacity = -1;
        refuses(&record, "needs a capacity");
        record = with_options(toc_kind_level, toc_signal_growth);
        record.rule[0].capacity = 5;
        refuses(&record, "capacity is for exhausts_s");
}

static void an_objective_belongs_to_a_burn(void **state)
{
        static const unsigned burns[] = { toc_signal_burn_fast, toc_signal_burn_slow };
        struct toc_record record;

        (void)state;
        for (size_t i = 0; i < COUNT(burns); i++) {
                record = with_options(toc_kind_share, burns[i]);
                accepts(&record);
                record.rule[0].objective_permille = 1;
                accepts(&record);
                record.rule[0].objective_permille = 0;
                refuses(&record, "objective_permille");
                record.rule[0].objective_permille = 1000;
                refuses(&record, "objective_permille");
        }
        record = with_options(toc_kind_share, toc_signal_permille);
        record.rule[0].objective_permille = 999;
        refuses(&record, "objective_permille is for");
}

/* Every signal there is: whether it has a volume, and on which sides it is compared. */
static void guards_and_sides_belong_to_some_signals(void **state)
{
        static const struct {
                unsigned kind, first, last;
                bool has_volume;
                unsigned side; /* 0: any */
        } signals[] = {
                { toc_kind_counter, toc_signal_total, toc_signal_per_hour, false, 0 },
                { toc_kind_gauge, toc_signal_value, toc_signal_value, false, 0 },
                { toc_kind_gauge, toc_signal_growth, toc_signal_growth, false, TOC_ABOVE_ },
                { toc_kind_level, toc_signal_exhausts_s, toc_signal_exhausts_s, false, TOC_BELOW_ },
                { toc_kind_timer, toc_signal_p50_us, toc_signal_max_us, true, TOC_ABOVE_ },
                { toc_kind_sizes, toc_signal_p50, toc_signal_max, true, TOC_ABOVE_ },
                { toc_kind_share, toc_signal_permille, toc_signal_permille, true, 0 },
                { toc_kind_share, toc_signal_burn_fast, toc_signal_burn_slow, true, TOC_ABOVE_ },
                { toc_kind_heartbeat, toc_signal_silent_ms, toc_signal_silent_ms, false, 0 },
                { toc_kind_operation, toc_signal_oldest_ms, toc_signal_in_flight, false, 0 },
                { toc_kind_flow, toc_signal_lost, toc_signal_backlog, false, 0 },
                { toc_kind_must_hit, toc_signal_unreached_s, toc_signal_unreached_s, false, 0 },
        };

        (void)state;
        for (size_t i = 0; i < COUNT(signals); i++)
                for (unsigned signal = signals[i].first; signal <= signals[i].last; signal++) {
                        struct toc_record record = with_options(signals[i].kind, signal);

                        record.rule[0].volume_min = 7;
                        if (signals[i].has_volume)
                                accepts(&record);
                        else
                                refuses(&record, "volume_min is for");
                        record.rule[0].volume_min = 0;
                        for (unsigned op = 1; op < 7; op++) {
                                record.rule[0].op = (uint8_t)op;
                                if (!signals[i].side || (op & ~2u) == signals[i].side)
                                        accepts(&record);
                                else
                                        refuses(&record, "is compared with");
                        }
                }
}

static void a_quantile_has_no_clear_level(void **state)
{
        struct toc_record record = of_kind(toc_kind_timer, toc_signal_max_us);

        (void)state;
        accepts(&record);
        record.rule[0].clear_at = 5;
        refuses(&record, "clear level");
}

static void some_windows_are_ten_minutes_at_most(void **state)
{
        static const unsigned signals[][2] = { { toc_kind_gauge, toc_signal_growth },
                                               { toc_kind_level, toc_signal_exhausts_s },
                                               { toc_kind_flow, toc_signal_lost } };

        (void)state;
        for (size_t i = 0; i < COUNT(signals); i++) {
                struct toc_record record = with_options(signals[i][0], signals[i][1]);

                record.rule[0].window_s = 600;
                accepts(&record);
                record.rule[0].window_s = 601;
                refuses(&record, "longer than 600 s");
        }
}

static void labels_are_names_of_23_characters(void **state)
{
        static const unsigned without[] = { toc_kind_operation,   toc_kind_flow,
                                            toc_kind_expectation, toc_kind_error,
                                            toc_kind_warning,     toc_kind_module };
        struct toc_record record;

        (void)state;
        for (unsigned kind = toc_kind_counter; kind <= toc_kind_heartbeat; kind++) {
                record = (struct toc_record){
                        .version = 1, .kind = (uint8_t)kind, .module = "m", .name = "n"
                };
                memset(record.labels, 'a', 23);
                accepts(&record);
                record.labels[23] = 'a';
                refuses(&record, "labels");
                snprintf(record.labels, sizeof(record.labels), "not a name");
                refuses(&record, "labels");
        }
        record = of_kind(toc_kind_must_hit, toc_signal_unreached_s);
        snprintf(record.labels, sizeof(record.labels), "is_leader");
        accepts(&record);
        for (size_t i = 0; i < COUNT(without); i++) {
                record = (struct toc_record){
                        .version = 1, .kind = (uint8_t)without[i], .module = "m", .name = "n"
                };
                accepts(&record);
                record.labels[0] = 'a';
                refuses(&record, "labels");
        }
}

static void only_expectations_stop_a_program(void **state)
{
        struct toc_record record = of_kind(toc_kind_expectation, toc_signal_total);

        (void)state;
        record.flags = TOC_MAY_STOP_;
        accepts(&record);
        record.flags = TOC_MAY_STOP_ | TOC_STOPS_;
        accepts(&record);
        record = of_kind(toc_kind_error, toc_signal_total);
        record.flags = TOC_MAY_STOP_;
        refuses(&record, "stops the program");
        record.flags = TOC_STOPS_;
        refuses(&record, "stops the program");
}

/* What TOC_ALERT_ON leaves of the labels that it does not name. */
static void a_label_that_does_not_ring_keeps_its_options(void **state)
{
        struct toc_record record = of_kind(toc_kind_gauge, toc_signal_value);

        (void)state;
        record.rule[0] = (struct toc_rule){ .limit = 60,
                                            .clear_at = TOC_NO_CLEAR_LEVEL_,
                                            .capacity = 4096,
                                            .window_s = 10,
                                            .meaning = "only failed rings" };
        snprintf(record.labels, sizeof(record.labels), "expired");
        accepts(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_capacity_belongs_to_exhaustion),
                cmocka_unit_test(an_objective_belongs_to_a_burn),
                cmocka_unit_test(guards_and_sides_belong_to_some_signals),
                cmocka_unit_test(a_quantile_has_no_clear_level),
                cmocka_unit_test(some_windows_are_ten_minutes_at_most),
                cmocka_unit_test(labels_are_names_of_23_characters),
                cmocka_unit_test(only_expectations_stop_a_program),
                cmocka_unit_test(a_label_that_does_not_ring_keeps_its_options),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
