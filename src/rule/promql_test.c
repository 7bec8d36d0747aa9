/* SPDX-License-Identifier: Apache-2.0 */
/* What can be read off without Prometheus: names, bounds, windows, what is refused, and the form of
 * an expression. That expressions mean what they should is tests/conform's to show. */
#include "rule/fixture.h"
#include "rule/promql.h"

enum { ABOVE = 4, AT_LEAST = 6, BELOW = 1, AT_MOST = 3, EQUAL = 2, NOT = 5 };

static struct toc_record labelled(struct toc_record record, const char *label)
{
        snprintf(record.labels, sizeof(record.labels), "%s", label);
        return record;
}

static const char *expr(const struct toc_record *record, uint32_t scrape_s)
{
        static struct text text = TEXT_INIT(1 << 16);
        struct promql how = { .alert = "LruTooMany", .scrape_s = scrape_s };

        text_clear(&text);
        assert_int_equal(promql_expr(&text, record, 0, &how), 0);
        assert_int_equal(text.error, 0);
        return text_view(&text);
}

static int refused(unsigned kind, unsigned signal, unsigned op, uint32_t slot, uint32_t scrape_s)
{
        struct toc_record record = fixture_record(kind, fixture_rule(signal, op, 5));
        struct promql how = { .alert = "A", .scrape_s = scrape_s };
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(1 << 16);
        int error = promql_expr(&text, &record, slot, &how);

        if (error)
                assert_int_equal(text.length, 0);
        return error;
}

/* ---- Names --------------------------------------------------------------------------------*/

/* Bounds as Go writes them: strconv.FormatFloat(x, 'g', -1, 64). */
static void bounds_are_spelled_as_in_go(void **state)
{
        static const struct {
                unsigned kind, op;
                int64_t limit;
                const char *le;
        } rows[] = {
                { toc_kind_timer, ABOVE, 100000, "0.1" },
                { toc_kind_timer, ABOVE, 1000000, "1" },
                { toc_kind_timer, ABOVE, 2500000, "2.5" },
                { toc_kind_timer, ABOVE, 1, "1e-06" },
                { toc_kind_timer, ABOVE, 99, "9.9e-05" },
                { toc_kind_timer, ABOVE, 100, "0.0001" },
                { toc_kind_timer, ABOVE, 0, "0" },
                { toc_kind_timer, ABOVE, INT64_C(999999000000), "999999" },
                { toc_kind_timer, ABOVE, INT64_C(1000000000000), "1e+06" },
                { toc_kind_timer, ABOVE, INT64_C(1234567000000), "1.234567e+06" },
                { toc_kind_timer, AT_LEAST, 100000, "0.099999999" },
                { toc_kind_timer, AT_LEAST, 1000000, "0.999999999" },
                { toc_kind_timer, AT_LEAST, 0, "-1e-09" },
                { toc_kind_sizes, ABOVE, 4096, "4096" },
                { toc_kind_sizes, AT_LEAST, 4096, "4095" },
                { toc_kind_sizes, AT_LEAST, 0, "-1" },
                { toc_kind_sizes, ABOVE, 1048576, "1.048576e+06" },
        };

        (void)state;
        for (size_t i = 0; i < COUNT(rows); i++) {
                bool is_timer = rows[i].kind == toc_kind_timer;
                struct toc_record record = fixture_record(
                        rows[i].kind, fixture_rule(is_timer ? toc_signal_p99_us : toc_signal_p99,
                                                   rows[i].op, rows[i].limit));
                struct promql_series series;

                assert_int_equal(promql_series(&record, 0, &series), 0);
                assert_string_equal(series.le, rows[i].le);
        }
}

/* All series of a record, as "name{...}" and + where it is monotone. */
static const char *list(const struct toc_record *record)
{
        static struct text text = TEXT_INIT(1 << 16);
        struct promql_series series;

        text_clear(&text);
        for (uint32_t n = 0; promql_series(record, n, &series) == 0; n++) {
                text_append(&text, n ? " " : "");
                promql_selector(&text, record, &series);
                text_append(&text, series.is_monotone ? "+" : "");
        }
        return text_view(&text);
}

static void each_kind_has_its_series(void **state)
{
        static const struct {
                unsigned kind;
                const char *series;
        } rows[] = {
                { toc_kind_counter, "lru_evictions_total+" },
                { toc_kind_expectation, "lru_evictions_total+" },
                { toc_kind_must_hit, "lru_evictions_total+" },
                { toc_kind_error, "lru_evictions_total+" },
                { toc_kind_warning, "lru_evictions_total+" },
                { toc_kind_logs, "lru_evictions_total+" },
                { toc_kind_gauge, "lru_evictions" },
                { toc_kind_level, "lru_evictions" },
                { toc_kind_module, "lru_evictions" },
                { toc_kind_share, "lru_evictions_part_total+ lru_evictions_whole_total+" },
                { toc_kind_heartbeat, "lru_evictions_beat_timestamp_seconds" },
                { toc_kind_operation,
                  "lru_evictions_in_flight lru_evictions_oldest_start_timestamp_seconds" },
                { toc_kind_flow,
                  "lru_evictions_in_total+ lru_evictions_out_total+ lru_evictions_dropped_total+ "
                  "lru_evictions_held lru_evictions_progress_timestamp_seconds" },
        };

        (void)state;
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct toc_record record =
                        fixture_record(rows[i].kind, fixture_rule(toc_signal_total, ABOVE, 5));

                assert_string_equal(list(&record), rows[i].series);
        }
}

static void a_histogram_has_the_limits_of_its_rules(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_timer, fixture_rule(toc_signal_p99_us, ABOVE, 50000));

        (void)state;
        assert_string_equal(list(&record), "lru_evictions_seconds_bucket{le=\"0.05\"}+ "
                                           "lru_evictions_seconds_bucket{le=\"+Inf\"}+ "
                                           "lru_evictions_seconds_count+ "
                                           "lru_evictions_seconds_sum+");
        record.rule[1] = fixture_rule(toc_signal_max_us, ABOVE, 2000000);
        record.labels[0] = 'a';
        assert_string_equal(list(&record), "lru_evictions_seconds_bucket{label=\"a\",le=\"0.05\"}+ "
                                           "lru_evictions_seconds_bucket{label=\"a\",le=\"2\"}+ "
                                           "lru_evictions_seconds_bucket{label=\"a\",le=\"+Inf\"}+ "
                                           "lru_evictions_seconds_count{label=\"a\"}+ "
                                           "lru_evictions_seconds_sum{label=\"a\"}+");
        record.kind = toc_kind_sizes;
        record.labels[0] = '\0';
        record.rule[0] = fixture_rule(toc_signal_p50, AT_LEAST, 8);
        record.rule[1] = fixture_rule(toc_signal_p99, ABOVE, 7); /* the same bound */
        assert_string_equal(list(&record), "lru_evictions_bucket{le=\"7\"}+ "
                                           "lru_evictions_bucket{le=\"+Inf\"}+ "
                                           "lru_evictions_count+ lru_evictions_sum+");
}

static void labels_are_quoted(void **state)
{
        struct toc_record record = labelled(
                fixture_record(toc_kind_gauge, fixture_rule(toc_signal_value, ABOVE, 5)), "a\"\\b");

        (void)state;
        assert_string_equal(list(&record), "lru_evictions{label=\"a\\\"\\\\b\"}");
        assert_string_equal(expr(&record, 1), "lru_evictions{label=\"a\\\"\\\\b\"} > 5");
}

/* ---- Expressions --------------------------------------------------------------------------*/

static void a_count_is_exact_and_made_up_to_whole_scrapes(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_counter, fixture_rule(toc_signal_per_minute, ABOVE, 9));

        (void)state;
        assert_string_equal(expr(&record, 15),
                            "sum_over_time((lru_evictions_total - "
                            "last_over_time(lru_evictions_total[5m] offset 15s) >= 0 "
                            "and on(instance, job) (process_start_time_seconds == "
                            "last_over_time(process_start_time_seconds[5m] offset 15s)) "
                            "or lru_evictions_total * 1 and on(instance, job) "
                            "(last_over_time(process_start_time_seconds[5m] offset 15s) "
                            "or time() - process_start_time_seconds <= 60) "
                            "or lru_evictions_total * 0)[59999ms:15s]) > 9");
        record.rule[0].window_s = 50;
        assert_non_null(
                strstr(expr(&record, 15), "lru_evictions_total * 0)[59999ms:15s]) * 6 > 45"));
        assert_int_equal(promql_window_s(&record, 0, 15), 60);
        assert_int_equal(promql_window_s(&record, 0, 1), 50);
        assert_int_equal(promql_window_s(&record, 0, 120), 120);
}

/* Two events in 20 s are enough. If one comes each 25 s, most 20 s have too few of them, and no
 * 30 s would: a rule on those would never ring. */
static void too_few_are_looked_for_in_no_longer_window(void **state)
{
        struct toc_record record = fixture_record(
                toc_kind_counter, fixture_rule(toc_signal_per_minute, TOC_BELOW_, 6));

        (void)state;
        record.rule[0].window_s = 20;
        assert_non_null(strstr(expr(&record, 15), "* 0)[14999ms:15s]) * 3 < 6"));
        assert_int_equal(promql_window_s(&record, 0, 15), 15);
        assert_int_equal(promql_window_s(&record, 0, 7), 14);
        assert_int_equal(promql_window_s(&record, 0, 10), 20);
        assert_int_equal(promql_window_s(&record, 0, 30), 30); /* there is no shorter one */
        record.rule[0].op = TOC_BELOW_ | TOC_EQUAL_;
        assert_int_equal(promql_window_s(&record, 0, 15), 15);
        record.rule[0].op = TOC_BELOW_ | TOC_ABOVE_;
        assert_int_equal(promql_window_s(&record, 0, 15), 30);
}

static void windows_of_raw_samples_stay_unless_they_are_too_short(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_gauge, fixture_rule(toc_signal_growth, ABOVE, 5));

        (void)state;
        assert_int_equal(promql_window_s(&record, 0, 7), 300);
        record.rule[0].window_s = 10;
        assert_int_equal(promql_window_s(&record, 0, 7), 10);
        assert_int_equal(promql_window_s(&record, 0, 15), 15);
        assert_non_null(strstr(expr(&record, 15),
                               "min_over_time(lru_evictions[14999ms] offset 60s) - "
                               "min_over_time(lru_evictions[14999ms] offset 75s) > 5"));
}

static void hysteresis_asks_for_its_own_alert(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_gauge, fixture_rule(toc_signal_value, AT_LEAST, 80));

        (void)state;
        record.rule[0].clear_at = 60;
        assert_string_equal(expr(&record, 1),
                            "lru_evictions >= 80 or (lru_evictions > 60) and on(instance, job) "
                            "(ALERTS{alertname=\"LruTooMany\",alertstate=\"firing\"} == 1)");
        record = labelled(record, "failed");
        assert_non_null(strstr(expr(&record, 1), ",alertstate=\"firing\",label=\"failed\"} == 1)"));
        record.rule[0].op = EQUAL;
        assert_string_equal(expr(&record, 1), "lru_evictions{label=\"failed\"} == 80");
}

static void a_must_hit_may_have_a_gate(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_must_hit, fixture_rule(toc_signal_unreached_s, ABOVE, 60));

        (void)state;
        assert_string_equal(expr(&record, 1), "lru_evictions_total == 0 and on(instance, job) "
                                              "(time() - process_start_time_seconds > 60)");
        record = labelled(record, "enabled");
        assert_string_equal(expr(&record, 1), "lru_evictions_total == 0 and on(instance, job) "
                                              "(time() - process_start_time_seconds > 60) "
                                              "and on(instance, job) (lru_enabled != 0)");
}

static void the_largest_limits_are_written_in_full(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_counter, fixture_rule(toc_signal_total, ABOVE, INT64_MAX));

        (void)state;
        assert_string_equal(expr(&record, 1), "lru_evictions_total > 9223372036854775807");
        record.rule[0] = fixture_rule(toc_signal_per_second, ABOVE, INT64_C(1) << 53);
        assert_non_null(strstr(expr(&record, 1), "[9999ms:1s]) > 90071992547409920"));
}

/* Thousandths of a budget, which may be as many as the whole. */
static void a_budget_times_the_largest_limit_is_no_less(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_share, fixture_rule(toc_signal_burn_fast, ABOVE, 0));

        (void)state;
        record.rule[0].objective_permille = 1;
        record.rule[0].limit = INT64_C(1) << 54;
        assert_non_null(strstr(expr(&record, 15), " * 1000 > 17996384110972502016 * "));
        record.rule[0].limit = INT64_MAX; /* 9214148664817921031193, but for the last digits */
        assert_non_null(strstr(expr(&record, 15), " * 1000 > 92141486648179210"));
}

static void what_makes_no_sense_is_refused(void **state)
{
        (void)state;
        assert_int_equal(refused(toc_kind_counter, toc_signal_total, ABOVE, 0, 1), 0);
        assert_int_equal(refused(toc_kind_counter, toc_signal_total, ABOVE, 1, 1), -EINVAL);
        assert_int_equal(refused(toc_kind_counter, toc_signal_total, ABOVE, 2, 1), -EINVAL);
        assert_int_equal(refused(toc_kind_counter, toc_signal_total, ABOVE, 0, 0), -EINVAL);
        assert_int_equal(refused(toc_kind_counter, toc_signal_total, ABOVE, 0, PROMQL_SCRAPE_MAX_S),
                         0);
        assert_int_equal(
                refused(toc_kind_counter, toc_signal_total, ABOVE, 0, PROMQL_SCRAPE_MAX_S + 1),
                -EINVAL);
        assert_int_equal(refused(toc_kind_counter, 99, ABOVE, 0, 1), -EINVAL);
        assert_int_equal(refused(toc_kind_timer, toc_signal_p99_us, AT_LEAST, 0, 1), 0);
        assert_int_equal(refused(toc_kind_timer, toc_signal_p99_us, BELOW, 0, 1), -EINVAL);
        assert_int_equal(refused(toc_kind_gauge, toc_signal_growth, NOT, 0, 1), -EINVAL);
        assert_int_equal(refused(toc_kind_gauge, toc_signal_exhausts_s, ABOVE, 0, 1), -EINVAL);
        assert_int_equal(refused(toc_kind_share, toc_signal_burn_fast, AT_MOST, 0, 1), -EINVAL);
        assert_int_equal(refused(toc_kind_must_hit, toc_signal_unreached_s, AT_LEAST, 0, 1),
                         -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bounds_are_spelled_as_in_go),
                cmocka_unit_test(each_kind_has_its_series),
                cmocka_unit_test(a_histogram_has_the_limits_of_its_rules),
                cmocka_unit_test(labels_are_quoted),
                cmocka_unit_test(a_count_is_exact_and_made_up_to_whole_scrapes),
                cmocka_unit_test(too_few_are_looked_for_in_no_longer_window),
                cmocka_unit_test(windows_of_raw_samples_stay_unless_they_are_too_short),
                cmocka_unit_test(hysteresis_asks_for_its_own_alert),
                cmocka_unit_test(a_must_hit_may_have_a_gate),
                cmocka_unit_test(the_largest_limits_are_written_in_full),
                cmocka_unit_test(a_budget_times_the_largest_limit_is_no_less),
                cmocka_unit_test(what_makes_no_sense_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
