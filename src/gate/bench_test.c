/* SPDX-License-Identifier: Apache-2.0 */
/* Counts made up, budgets made up: which finding comes of them, and what nobody may decide. */
#include "gate/bench.h"

#include "tocsin/case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { calls = 1000, size_count = 4 };

#define NO_LIMITS                                                            \
        .instructions = CONTRACT_NO_LIMIT, .allocations = CONTRACT_NO_LIMIT, \
        .bytes_per_entry = CONTRACT_NO_LIMIT, .live_bytes = CONTRACT_NO_LIMIT

/* Per call at 1000, 2000, 4000, 8000; bytes of all. */
struct counts {
        uint64_t instructions[size_count];
        uint64_t allocations[size_count];
        uint64_t live_bytes[size_count];
};

static const struct counts flat = { { 200, 200, 200, 200 },
                                    { 0 },
                                    { 64000, 128000, 256000, 512000 } };
static const struct counts linear = { { 1000, 2000, 4000, 8000 },
                                      { 0 },
                                      { 64000, 128000, 256000, 512000 } };
static const struct counts allocates = { { 200, 200, 200, 200 },
                                         { 10, 20, 40, 80 },
                                         { 64000, 128000, 256000, 512000 } };
static const struct counts swells = { { 200, 200, 200, 200 },
                                      { 0 },
                                      { 1000000, 4000000, 16000000, 64000000 } };

static const struct {
        const char *what;
        const struct counts *counts;
        struct contract_budget budget;
        const char *rules; /* of the findings, in order */
} rows[] = {
        { "within every budget",
          &flat,
          { .test_case = (char *)"put",
            .axis = (char *)"count",
            .growth = CONTRACT_GROWTH_CONSTANT,
            .instructions = 200,
            .allocations = 0,
            .bytes_per_entry = 64,
            .live_bytes = 512000 },
          "" },
        { "no budget names it", &linear, { .probes = true, NO_LIMITS }, "" },
        { "linear where log was declared",
          &linear,
          { .test_case = (char *)"put", .growth = CONTRACT_GROWTH_LOG, NO_LIMITS },
          "bench.growth " },
        { "linear as declared",
          &linear,
          { .test_case = (char *)"put", .growth = CONTRACT_GROWTH_LINEAR, NO_LIMITS },
          "" },
        { "allocations grow",
          &allocates,
          { .test_case = (char *)"put", .growth = CONTRACT_GROWTH_LOG, NO_LIMITS },
          "bench.allocation-growth " },
        { "memory grows faster than what is kept",
          &swells,
          { .test_case = (char *)"put", NO_LIMITS },
          "bench.memory-growth " },
        { "memory grows as declared",
          &swells,
          { .test_case = (char *)"put", .memory_growth = CONTRACT_GROWTH_QUADRATIC, NO_LIMITS },
          "" },
        { "one over each number",
          &allocates,
          { .test_case = (char *)"put",
            .instructions = 199,
            .allocations = 79,
            .bytes_per_entry = 63,
            .live_bytes = 511999 },
          "bench.instructions bench.allocations bench.memory bench.live-bytes " },
};

static const struct session_case put = {
        .name = "put", .axis = "count", .kind = TOC_CASE_BENCH_, .file = "cost.c", .line = 7
};

static struct bench_series make_series(const struct counts *counts, size_t sizes)
{
        struct bench_series series = { .test_case = &put, .point_count = sizes, .is_whole = true };

        for (size_t i = 0; i < sizes; i++)
                series.points[i] = (struct bench_point){
                        .size = UINT64_C(1000) << i,
                        .calls = calls,
                        .instructions = calls * counts->instructions[i],
                        .allocations = calls * counts->allocations[i],
                        .live_bytes = counts->live_bytes[i],
                        .peak_bytes = counts->live_bytes[i],
                        .has_instructions = true,
                };
        return series;
}

static void judge(struct contract_budget budget, struct bench_series *series,
                  struct stage_result *result)
{
        const struct contract contract = { .budgets = &budget, .budget_count = 1 };
        const struct gate_options options = { .jobs = 1 };
        const struct stage_context context = {
                .contract = &contract, .options = &options, .cases = &put, .case_count = 1
        };
        const struct bench bench = { .series = series, .series_count = 1, .counter = "callgrind" };

        stage_result_init(result);
        budget.line = 12;
        bench_judge(&context, &bench, result);
        assert_int_equal(bench_report(&context, &bench, result), 0);
}

static void budgets_find_what_they_name(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(rows); i++) {
                struct text rules BASE_SCOPE(text_fini) = TEXT_INIT(1000);
                struct bench_series series = make_series(rows[i].counts, size_count);
                struct stage_result result;

                judge(rows[i].budget, &series, &result);
                for (size_t k = 0; k < result.finding_count; k++) {
                        text_printf(&rules, "%s ", result.findings[k].rule);
                        assert_string_equal(result.findings[k].test_case, "put");
                        assert_string_equal(result.findings[k].file, "contract.yaml");
                        assert_int_equal(result.findings[k].line, 12);
                        assert_non_null(strstr(result.findings[k].evidence, "8000"));
                }
                if (strcmp(text_view(&rules), rows[i].rules) != 0)
                        fail_msg("%s: found %s", rows[i].what, text_view(&rules));
                assert_false(result.is_unknown);
                stage_result_fini(&result);
        }
}

static void a_growth_is_told_in_words(void **state)
{
        struct bench_series series = make_series(&linear, size_count);
        struct stage_result result;

        (void)state;
        judge((struct contract_budget){ .test_case = (char *)"put",
                                        .function = (char *)"lru_put",
                                        .growth = CONTRACT_GROWTH_CONSTANT,
                                        NO_LIMITS },
              &series, &result);
        assert_int_equal(result.finding_count, 1);
        assert_string_equal(result.findings[0].message,
                            "lru_put: its instructions per call grow as n^1.00 (linear) along axis "
                            "count (declared: at most log, at most n^0.30); 1000: 1000, 2000: "
                            "2000, 4000: 4000, 8000: 8000 instructions");
        stage_result_fini(&result);
}

/* What nobody could find out is not accepted. */
static void doubts_are_unknown(void **state)
{
        const struct contract_budget grows = { .test_case = (char *)"put",
                                               .growth = CONTRACT_GROWTH_LOG,
                                               NO_LIMITS };
        struct contract_budget other = grows;
        struct bench_series series = make_series(&flat, 3);
        struct stage_result result;

        (void)state;
        judge(grows, &series, &result);
        assert_true(result.is_unknown);
        stage_result_fini(&result);

        series = make_series(&flat, size_count);
        series.points[2].has_instructions = false;
        judge(grows, &series, &result);
        assert_true(result.is_unknown);
        stage_result_fini(&result);

        series = make_series(&flat, size_count);
        other.test_case = (char *)"get";
        judge(other, &series, &result);
        assert_true(result.is_unknown);
        stage_result_fini(&result);

        other = grows;
        other.axis = (char *)"depth";
        judge(other, &series, &result);
        assert_true(result.is_unknown);
        stage_result_fini(&result);
}

static void measures_are_what_the_page_draws(void **state)
{
        struct bench_series series = make_series(&linear, size_count);
        struct stage_result result;
        const json_t *row;

        (void)state;
        judge((struct contract_budget){ .test_case = (char *)"put",
                                        .growth = CONTRACT_GROWTH_LINEAR,
                                        NO_LIMITS },
              &series, &result);
        row = json_array_get(json_object_get(result.measures, "cases"), 0);
        assert_string_equal(json_string_value(json_object_get(result.measures, "counter")),
                            "callgrind");
        assert_string_equal(json_string_value(json_object_get(row, "order")), "linear");
        assert_string_equal(json_string_value(json_object_get(row, "memory_order")), "linear");
        assert_int_equal(json_array_size(json_object_get(row, "sizes")), size_count);
        assert_true(json_real_value(json_array_get(json_object_get(row, "instructions"), 3)) ==
                    8000.0);
        assert_true(json_integer_value(json_array_get(json_object_get(row, "live_bytes"), 3)) ==
                    512000);
        stage_result_fini(&result);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(budgets_find_what_they_name),
                cmocka_unit_test(a_growth_is_told_in_words),
                cmocka_unit_test(doubts_are_unknown),
                cmocka_unit_test(measures_are_what_the_page_draws),
        };

        return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
