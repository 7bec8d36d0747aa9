/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to show what adding a record does to a set: the sums, the limits, and what is left of it
 * when there is no memory. The linker passes every allocation of the code under test through the
 * __wrap_ functions below, which count them and fail the one that a test chose. */
#include "rule/trial.h"

#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

static size_t allocations;
static size_t failing; /* the nth allocation from now on fails; 0: none */

static bool allow(void)
{
        allocations++;
        return !failing || --failing > 0;
}

void *__wrap_malloc(size_t size)
{
        return allow() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
        return allow() ? __real_calloc(count, size) : NULL;
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
        return allow() ? __real_reallocarray(old, count, size) : NULL;
}

/* Rows: the site, then the sum of its module, then the next site. */
static void usual_errors_ring_by_module(void **state)
{
        struct toc_record lru = site(toc_kind_error, "lru");
        struct toc_record map = site(toc_kind_error, "map");
        uint32_t a, b, c;

        (void)state;
        a = add(&lru);
        assert_int_equal(a, 0);
        assert_int_equal(rule_set_rows(set), 2);
        b = add(&lru);
        assert_int_equal(b, 2);
        assert_int_equal(rule_set_rows(set), 3);
        c = add(&map);
        assert_int_equal(c, 3);
        assert_int_equal(rule_set_rows(set), 5);
        assert_string_equal(view_of(1, 0).record->name, "log_errors");
        assert_string_equal(view_of(1, 0).record->module, "lru");
        assert_string_equal(view_of(4, 0).record->module, "map");

        values[1] = 999; /* ignored */
        tick(1);
        stands_at(1, RULE_OK, 0);
        values[a] = 1;
        values[b] = 2;
        tick(2);
        stands_at(1, RULE_FIRING, 3);
        stands_at(4, RULE_OK, 0);
        values[b] = 1; /* one of them was reset: 1 + (2 + 1) */
        tick(3);
        stands_at(1, RULE_FIRING, 4);
        tick(63);
        stands_at(1, RULE_OK, 0);
}

static void warnings_are_summed_apart(void **state)
{
        struct toc_record error = site(toc_kind_error, "lru");
        struct toc_record warning = site(toc_kind_warning, "lru");
        uint32_t w;

        (void)state;
        (void)add(&error);
        w = add(&warning);
        assert_int_equal(rule_set_rows(set), 4);
        assert_string_equal(view_of(w + 1, 0).record->name, "log_warnings");
        values[w] = 10;
        tick(1);
        stands_at(w + 1, RULE_OK, 10);
        values[w] = 11;
        tick(2);
        stands_at(w + 1, RULE_FIRING, 11);
        stands_at(1, RULE_OK, 0);
}

static void a_sum_peeks_too(void **state)
{
        struct toc_record error = site(toc_kind_error, "lru");
        uint32_t row = add(&error);

        (void)state;
        tick(1);
        values[row] = 1;
        peek_ns(1 * S + 1);
        stands_at(row + 1, RULE_FIRING, 1);
        values[row] = 0; /* nothing was remembered */
        tick(2);
        stands_at(row + 1, RULE_OK, 0);
}

/* A second object brings a site that counted unseen: its past is in no window of the sum. */
static void a_sum_leaves_out_what_nobody_saw(void **state)
{
        struct toc_record error = site(toc_kind_error, "lru");
        uint32_t a = add(&error), b;

        (void)state;
        tick(1);
        b = add_at(&error, 1 * S, false);
        values[b] = 500;
        tick(2);
        stands_at(1, RULE_OK, 0);
        values[a] = 1;
        values[b] = 501;
        tick(3);
        stands_at(1, RULE_FIRING, 2);
}

static void toc_logs_may_come_before_or_after(void **state)
{
        struct toc_record error = site(toc_kind_error, "lru");
        struct toc_record map = site(toc_kind_error, "map");
        struct toc_record declared = logs("lru", 2);
        uint32_t sum = add(&declared);
        uint32_t row = add(&error);
        uint32_t other = add(&map);

        (void)state;
        assert_int_equal(sum, 0);
        assert_int_equal(row, 1);
        assert_int_equal(other, 2);
        assert_int_equal(rule_set_rows(set), 4);
        declared = logs("map", 2);
        assert_int_equal(add(&declared), 3); /* the sum that is there already */
        assert_int_equal(rule_set_rows(set), 4);

        values[row] = 2;
        values[other] = 3;
        tick(1);
        stands_at(sum, RULE_OK, 2);
        stands_at(3, RULE_FIRING, 3);
        values[row] = 3;
        tick(2);
        stands_at(sum, RULE_FIRING, 3);
}

static void toc_logs_without_sites(void **state)
{
        struct toc_record declared = logs("lru", 2);
        uint32_t sum = add(&declared);

        (void)state;
        values[sum] = 1000;
        tick(1);
        stands_at(sum, RULE_OK, 0);
}

static void toc_logs_may_be_quiet(void **state)
{
        struct toc_record error = site(toc_kind_error, "lru");
        struct toc_record declared = logs("lru", 2);
        struct rule_view view;

        (void)state;
        (void)add(&error);
        declared.rule[0] = (struct toc_rule){ .meaning = "the caller reports" };
        assert_int_equal(add(&declared), 1);
        assert_int_equal(rule_set_view(set, 0, &view), -ENOENT);
        values[0] = 7;
        tick(1);
        assert_int_equal(change_count, 0);
}

/* Warn at 2, page at 100; the same again changes nothing; a third is one too many. */
static void several_toc_logs_join(void **state)
{
        struct toc_record error = site(toc_kind_error, "lru");
        struct toc_record warn = logs("lru", 2);
        struct toc_record page = logs("lru", 100);
        struct toc_record third = logs("lru", 200);
        uint32_t row = add(&error), sum, at;
        struct rule_view view;

        (void)state;
        sum = add(&warn);
        values[row] = 3;
        tick(1);
        stands_at(sum, RULE_FIRING, 3);
        assert_int_equal(add(&warn), sum);
        stands_at(sum, RULE_FIRING, 3);
        assert_int_equal(add(&page), sum);
        assert_int_equal(rule_set_add(set, &third, 0, true, &at), -EINVAL);
        assert_int_equal(rule_set_rows(set), 2);
        assert_int_equal(view_of(sum, 0).rule->limit, 2);
        assert_int_equal(view_of(sum, 1).rule->limit, 100);
        assert_int_equal(rule_set_view(set, 2, &view), -ENOENT);
        values[row] = 103; /* 100 after the rules joined, with which their windows began */
        tick(2);
        assert_int_equal(view_of(sum, 1).state, RULE_OK);
        values[row] = 104;
        tick(3);
        assert_int_equal(view_of(sum, 1).state, RULE_FIRING);
}

/* ---- Limits and failures --------------------------------------------------------------*/

static void views_come_in_order_of_rows(void **state)
{
        struct toc_record two = counter(toc_signal_total, TOC_ABOVE_, 4);
        struct toc_record none = two;
        static const uint32_t expected[][2] = { { 0, 0 }, { 0, 1 }, { 2, 0 }, { 2, 1 }, { 3, 1 } };
        struct rule_view view;

        (void)state;
        two.rule[1] = two.rule[0];
        none.rule[0] = (struct toc_rule){ .meaning = "only feeds a chart" };
        (void)add(&two);
        (void)add(&none);
        (void)add(&two);
        none.rule[1] = two.rule[1];
        (void)add(&none);
        for (size_t n = 0; n < COUNT(expected); n++) {
                assert_int_equal(rule_set_view(set, n, &view), 0);
                assert_int_equal(view.row, expected[n][0]);
                assert_int_equal(view.slot, expected[n][1]);
        }
        assert_int_equal(rule_set_view(set, COUNT(expected), &view), -ENOENT);
}

/* Quantiles of an hour take the most: some thousands of them, and not 65536. */
static void a_set_has_a_limit_of_memory(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_timer, fixture_rule(toc_signal_p99_us, TOC_ABOVE_, 50));
        uint32_t count = 0;
        uint32_t row;
        int error;

        (void)state;
        record.rule[0].window_s = 3500;
        record.rule[1] = record.rule[0];
        record.rule[1].window_s = 3600;
        while ((error = rule_set_add(set, &record, 0, true, &row)) == 0)
                count++;
        assert_int_equal(error, -ENOMEM);
        assert_int_equal(rule_set_rows(set), count);
        /* Two windows of 3500 ticks and more, three series of 4 bytes each: 84 KB at the least. */
        assert_true(count > 1000 && count < (256u << 20) / 84000);
}

/* Samples of one cell each, for as many rows as there can be. */
static const struct rule_sample *sampled(const uint64_t *cells, uint32_t count)
{
        static struct rule_sample of_many[RULE_ROW_MAX];

        for (uint32_t i = 0; i < count; i++)
                of_many[i] = (struct rule_sample){ .cells = &cells[i] };
        return of_many;
}

/* RULE_ROW_MAX rows, and not one more: nor two when one would fit. */
static void a_set_has_a_limit(void **state)
{
        struct toc_record record = counter(toc_signal_total, TOC_ABOVE_, 4);
        struct toc_record error = site(toc_kind_error, "lru");
        uint64_t *many = calloc(RULE_ROW_MAX, sizeof(*many));
        uint32_t row = 5;

        (void)state;
        assert_non_null(many);
        for (uint32_t n = 0; n < RULE_ROW_MAX - 1; n++)
                assert_int_equal(add(&record), n);
        assert_int_equal(rule_set_add(set, &error, 0, true, &row), -ENOMEM);
        assert_int_equal(rule_set_rows(set), RULE_ROW_MAX - 1);
        assert_int_equal(add(&record), RULE_ROW_MAX - 1);
        assert_int_equal(rule_set_add(set, &record, 0, true, &row), -ENOMEM);
        assert_int_equal(row, 5);
        many[RULE_ROW_MAX - 1] = 5;
        assert_int_equal(rule_set_tick(set, S, sampled(many, rule_set_rows(set)), RULE_ROW_MAX,
                                       &changes, &change_count),
                         0);
        assert_int_equal(change_count, RULE_ROW_MAX);
        assert_int_equal(changes[RULE_ROW_MAX - 1].now.state, RULE_FIRING);
        free(many);
}

/* As many sums as a set can have: each is found again, and finding them is not quadratic. */
static void many_modules(void **state)
{
        enum { modules = RULE_ROW_MAX / 3 };
        uint64_t *many = calloc(RULE_ROW_MAX, sizeof(*many));
        struct toc_record error = site(toc_kind_error, "");

        (void)state;
        assert_non_null(many);
        for (uint32_t n = 0; n < modules; n++) {
                /* 7919 is prime and divides no number here: the names do not come in order */
                snprintf(error.module, sizeof(error.module), "m%u", n * 7919 % modules);
                assert_int_equal(add(&error), 2 * n); /* 2 n + 1 is its sum */
                many[2 * n] = n % 2;
        }
        for (uint32_t n = 0; n < modules; n++) {
                snprintf(error.module, sizeof(error.module), "m%u", n * 7919 % modules);
                assert_int_equal(add(&error), 2 * modules + n); /* no sum comes with it */
                many[2 * modules + n] = 2;
        }
        assert_int_equal(rule_set_tick(set, S, sampled(many, rule_set_rows(set)),
                                       rule_set_rows(set), &changes, &change_count),
                         0);
        assert_int_equal(change_count, modules);
        for (uint32_t n = 0; n < change_count; n++)
                assert_int_equal(changes[n].now.value, 2 + changes[n].now.row / 2 % 2);
        free(many);
}

/* Fails each allocation in turn: -ENOMEM, and the set is as it was and can go on. */
static void survives_without_memory(void **state)
{
        struct toc_record records[] = {
                counter(toc_signal_per_hour, TOC_ABOVE_, 4),
                site(toc_kind_error, "lru"),
                logs("lru", 4),
                logs("lru", 5),
                logs("map", 4),
        };
        struct rule_set *fresh = NULL;

        (void)state;
        records[2].rule[0].window_s = 500;
        records[3].rule[0].window_s = 2000;
        for (size_t n = 1; n <= 2; n++) {
                failing = n;
                assert_int_equal(rule_set_new(&fresh, 0), -ENOMEM);
                assert_null(fresh);
        }
        failing = 0;
        tick(1);
        for (size_t i = 0; i < COUNT(records); i++) {
                uint32_t rows = rule_set_rows(set);
                size_t failed = 0;
                uint32_t row = 999;
                int error;

                for (;;) {
                        failing = failed + 1;
                        error = rule_set_add(set, &records[i], 0, true, &row);
                        if (!error)
                                break;
                        failed++;
                        assert_int_equal(error, -ENOMEM);
                        assert_int_equal(row, 999);
                        assert_int_equal(rule_set_rows(set), rows);
                        failing = 0;
                        tick(i + 1);
                }
                failing = 0;
                assert_true(failed > 0); /* or this was no test */
                tick(i + 1);
        }
        assert_int_equal(rule_set_rows(set), 4);
        assert_int_equal(view_of(2, 1).rule->limit, 5);
}

static void evaluating_does_not_allocate(void **state)
{
        struct toc_record hour = counter(toc_signal_per_hour, TOC_ABOVE_, 4);
        struct toc_record minute = counter(toc_signal_per_minute, TOC_ABOVE_, 4);
        struct toc_record error = site(toc_kind_error, "lru");
        uint64_t seed = 23;

        (void)state;
        (void)add(&hour);
        (void)add(&minute);
        (void)add(&error);
        assert_true(allocations > 0); /* the count works */
        allocations = 0;
        for (uint64_t t = 1; t < 20000; t++) {
                for (uint32_t row = 0; row < rule_set_rows(set); row++)
                        values[row] = fixture_random(&seed) >> fixture_below(&seed, 64);
                tick_ns(t * 700 * MS);
                peek_ns(t * 700 * MS + 350 * MS);
        }
        assert_int_equal(allocations, 0);
}

/* Rows that take memory of their own: each allocation fails once, nothing is left of the row, and
 * once it is there no evaluation allocates. */
static void every_kind_survives_without_memory(void **state)
{
        static const unsigned signals[][2] = {
                { toc_kind_gauge, toc_signal_growth },
                { toc_kind_level, toc_signal_exhausts_s },
                { toc_kind_timer, toc_signal_p99_us },
                { toc_kind_sizes, toc_signal_max },
                { toc_kind_share, toc_signal_burn_fast },
                { toc_kind_operation, toc_signal_oldest_ms },
                { toc_kind_flow, toc_signal_lost },
                { toc_kind_must_hit, toc_signal_unreached_s },
        };
        static uint64_t cells[sizeof(struct toc_histogram_) / 8];
        size_t taken;

        (void)state;
        for (size_t i = 0; i < COUNT(samples); i++)
                samples[i].cells = cells;
        for (size_t i = 0; i < COUNT(signals); i++) {
                struct toc_rule rule = fixture_rule(signals[i][1], TOC_ABOVE_, 1);
                struct toc_record record;
                uint32_t row;

                if (signals[i][1] == toc_signal_exhausts_s) {
                        rule.op = TOC_BELOW_;
                        rule.capacity = 9;
                }
                if (signals[i][0] == toc_kind_share)
                        rule.objective_permille = 900;
                record = fixture_record(signals[i][0], rule);
                record.rule[1] = rule;
                if (signals[i][0] != toc_kind_must_hit)
                        record.rule[1].window_s = 100;
                for (size_t nth = 1;; nth++) {
                        int error;

                        failing = nth;
                        error = rule_set_add(set, &record, 0, true, &row);
                        if (!error)
                                break;
                        assert_int_equal(error, -ENOMEM);
                        assert_int_equal(rule_set_rows(set), i);
                }
                failing = 0;
        }
        taken = allocations;
        for (uint64_t t = 1; t < 5000; t++) {
                cells[t % 2]++;
                tick(t);
                peek_ns(t * S + 1);
        }
        assert_int_equal(allocations, taken);
}

/* Lent: what a view shows is the caller's own record. */
static void only_what_is_added_is_copied(void **state)
{
        struct toc_record record =
                fixture_record(toc_kind_counter, fixture_rule(toc_signal_total, TOC_ABOVE_, 5));
        struct rule_view added, lent;
        uint32_t row;

        (void)state;
        assert_int_equal(rule_set_add(set, &record, 0, true, &row), 0);
        assert_int_equal(rule_set_lend(set, &record, 0, true, &row), 0);
        assert_int_equal(row, 1);
        assert_int_equal(rule_set_view(set, 0, &added), 0);
        assert_int_equal(rule_set_view(set, 1, &lent), 0);
        assert_ptr_not_equal(added.record, &record);
        assert_memory_equal(added.record, &record, sizeof(record));
        assert_ptr_equal(lent.record, &record);
        values[1] = 6;
        tick(1);
        stands_at(1, RULE_FIRING, 6);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TRIAL(usual_errors_ring_by_module),
                TRIAL(warnings_are_summed_apart),
                TRIAL(a_sum_peeks_too),
                TRIAL(a_sum_leaves_out_what_nobody_saw),
                TRIAL(toc_logs_may_come_before_or_after),
                TRIAL(toc_logs_without_sites),
                TRIAL(toc_logs_may_be_quiet),
                TRIAL(several_toc_logs_join),
                TRIAL(views_come_in_order_of_rows),
                TRIAL(only_what_is_added_is_copied),
                TRIAL(a_set_has_a_limit_of_memory),
                TRIAL(a_set_has_a_limit),
                TRIAL(many_modules),
                TRIAL(survives_without_memory),
                TRIAL(every_kind_survives_without_memory),
                TRIAL(evaluating_does_not_allocate),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
