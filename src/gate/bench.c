/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Budgets against counts. A budget that names what is not there is the contract's fault, and must
 * not look like one that holds.
 */
#include "gate/bench.h"

#include "base/error.h"
#include "tocsin/case.h"

#include <errno.h>
#include <inttypes.h>

enum bench_kind { BENCH_INSTRUCTIONS, BENCH_ALLOCATIONS, BENCH_LIVE, BENCH_PEAK, BENCH_TIME };

enum { bench_table_max = 16 << 10, bench_sentence_max = 1000 };

/* Per call; bytes are of all that lives. */
static double bench_cost(const struct bench_point *point, enum bench_kind kind)
{
        const double calls = point->calls > 0 ? (double)point->calls : 1;

        switch (kind) {
        case BENCH_INSTRUCTIONS:
                return (double)point->instructions / calls;
        case BENCH_ALLOCATIONS:
                return (double)point->allocations / calls;
        case BENCH_TIME:
                return (double)point->ns[0] / calls;
        case BENCH_LIVE:
                return (double)point->live_bytes;
        case BENCH_PEAK:
                break;
        }
        return (double)point->peak_bytes;
}

static bool bench_is_counted(const struct bench_series *series)
{
        for (size_t i = 0; i < series->point_count; i++) {
                if (!series->points[i].has_instructions)
                        return false;
        }
        return series->point_count > 0;
}

static int bench_growth(const struct bench_series *series, enum bench_kind kind,
                        enum contract_growth declared, struct growth *ret_growth)
{
        uint64_t sizes[bench_size_max];
        double costs[bench_size_max];

        for (size_t i = 0; i < series->point_count; i++) {
                sizes[i] = series->points[i].size;
                costs[i] = bench_cost(&series->points[i], kind);
        }
        return growth_judge(sizes, costs, series->point_count, declared, ret_growth);
}

/* A number as people read it: whole where it is large. */
static void bench_append_number(struct text *into, double value)
{
        text_printf(into, value >= 100 || value == (double)(uint64_t)value ? "%.0f" : "%.2f",
                    value);
}

static void bench_append_table(const struct bench *bench, const struct bench_series *series,
                               struct text *into)
{
        text_printf(into, "case %s, along %s; instructions counted by %s, per call\n\n",
                    series->test_case->name, series->test_case->axis, bench->counter);
        text_printf(into, "%12s %12s %16s %14s %14s %14s %14s\n", series->test_case->axis, "calls",
                    "instructions", "allocations", "live bytes", "peak bytes", "ns");
        for (size_t i = 0; i < series->point_count; i++) {
                const struct bench_point *point = &series->points[i];

                text_printf(into, "%12" PRIu64 " %12" PRIu64 " ", point->size, point->calls);
                if (point->has_instructions)
                        text_printf(into, "%16.1f", bench_cost(point, BENCH_INSTRUCTIONS));
                else
                        text_printf(into, "%16s", "-");
                text_printf(into, " %14.3f %14" PRIu64 " %14" PRIu64 " %14.1f\n",
                            bench_cost(point, BENCH_ALLOCATIONS), point->live_bytes,
                            point->peak_bytes, bench_cost(point, BENCH_TIME));
        }
}

/* What is being judged; few enough words for every function below to take it. */
struct bench_trial {
        const struct stage_context *context;
        const struct bench *bench;
        const struct bench_series *series;
        const struct contract_budget *budget;
        struct stage_result *result;
};

static const char *bench_subject(const struct bench_trial *trial)
{
        return trial->budget->function ? trial->budget->function : trial->series->test_case->name;
}

static void bench_find(const struct bench_trial *trial, const char *rule, const char *sentence)
{
        struct text table BASE_SCOPE(text_fini) = TEXT_INIT(bench_table_max);
        struct finding *finding = finding_add(trial->result, rule, "%s", sentence);

        bench_append_table(trial->bench, trial->series, &table);
        finding_at(finding, "contract.yaml", trial->budget->line);
        finding_evidence(finding, text_view(&table), table.length);
        finding_case(finding, trial->series->test_case->name, NULL);
}

static const struct {
        const char *rule;
        const char *what;
        const char *unit;
} bench_words[] = {
        [BENCH_INSTRUCTIONS] = { "bench.growth", "its instructions per call", "instructions" },
        [BENCH_ALLOCATIONS] = { "bench.allocation-growth", "its allocations per call",
                                "allocations" },
        [BENCH_LIVE] = { "bench.memory-growth", "its live memory", "bytes" },
};

static void bench_judge_growth(const struct bench_trial *trial, enum bench_kind kind,
                               enum contract_growth declared, const char *declared_by)
{
        struct text sentence BASE_SCOPE(text_fini) = TEXT_INIT(bench_sentence_max);
        const struct bench_series *series = trial->series;
        struct growth growth;

        if (bench_growth(series, kind, declared, &growth)) {
                if (trial->context->options->is_quick)
                        return;
                stage_unknown(trial->result,
                              "contract.yaml:%u: growth of case %s cannot be judged by %zu sizes; "
                              "give its BENCH %d or more, each twice the one before",
                              trial->budget->line, series->test_case->name, series->point_count,
                              growth_size_min);
                return;
        }
        if (!growth.is_over)
                return;
        text_printf(&sentence,
                    "%s: %s grow%s as n^%.2f (%s) along axis %s (%s: %s, at most n^%.2f); ",
                    bench_subject(trial), bench_words[kind].what, kind == BENCH_LIVE ? "s" : "",
                    growth.exponent, growth_words(growth.order), series->test_case->axis,
                    declared_by, growth_words(declared), growth.exponent_max);
        for (size_t i = 0; i < series->point_count; i++) {
                text_printf(&sentence, "%s%" PRIu64 ": ", i ? ", " : "", series->points[i].size);
                bench_append_number(&sentence, bench_cost(&series->points[i], kind));
        }
        text_printf(&sentence, " %s", bench_words[kind].unit);
        bench_find(trial, bench_words[kind].rule, text_view(&sentence));
}

static void bench_judge_calls(const struct bench_trial *trial, const struct bench_point *last)
{
        const struct contract_budget *budget = trial->budget;
        char sentence[bench_sentence_max];

        if (budget->instructions != CONTRACT_NO_LIMIT && last->has_instructions &&
            bench_cost(last, BENCH_INSTRUCTIONS) > (double)budget->instructions) {
                (void)snprintf(sentence, sizeof(sentence),
                               "%s costs %.0f instructions a call at %s %" PRIu64
                               " (budget: %" PRIu64 ")",
                               bench_subject(trial), bench_cost(last, BENCH_INSTRUCTIONS),
                               trial->series->test_case->axis, last->size, budget->instructions);
                bench_find(trial, "bench.instructions", sentence);
        }
        if (budget->allocations != CONTRACT_NO_LIMIT &&
            bench_cost(last, BENCH_ALLOCATIONS) > (double)budget->allocations) {
                (void)snprintf(sentence, sizeof(sentence),
                               "%s allocates %" PRIu64 " times in %" PRIu64 " calls at %s %" PRIu64
                               " (budget: %" PRIu64 " a call)",
                               bench_subject(trial), last->allocations, last->calls,
                               trial->series->test_case->axis, last->size, budget->allocations);
                bench_find(trial, "bench.allocations", sentence);
        }
}

static void bench_judge_bytes(const struct bench_trial *trial, const struct bench_point *last)
{
        const struct contract_budget *budget = trial->budget;
        const struct bench_series *series = trial->series;
        char sentence[bench_sentence_max];

        /* Of a quick run the largest size is not the largest, and what is fixed weighs more. */
        if (budget->bytes_per_entry != CONTRACT_NO_LIMIT && series->is_whole && last->size > 0 &&
            (double)last->live_bytes / (double)last->size > (double)budget->bytes_per_entry) {
                (void)snprintf(sentence, sizeof(sentence),
                               "%s takes %.1f bytes an entry at %s %" PRIu64 " (%" PRIu64
                               " bytes in all; budget: %" PRIu64 " an entry)",
                               budget->object ? budget->object : bench_subject(trial),
                               (double)last->live_bytes / (double)last->size,
                               series->test_case->axis, last->size, last->live_bytes,
                               budget->bytes_per_entry);
                bench_find(trial, "bench.memory", sentence);
        }
        if (budget->live_bytes == CONTRACT_NO_LIMIT)
                return;
        for (size_t i = 0; i < series->point_count; i++) {
                if (series->points[i].peak_bytes <= budget->live_bytes)
                        continue;
                (void)snprintf(sentence, sizeof(sentence),
                               "%s holds %" PRIu64 " bytes at its peak at %s %" PRIu64
                               " (budget: %" PRIu64 ")",
                               budget->object ? budget->object : bench_subject(trial),
                               series->points[i].peak_bytes, series->test_case->axis,
                               series->points[i].size, budget->live_bytes);
                bench_find(trial, "bench.live-bytes", sentence);
                return;
        }
}

static bool bench_names(const struct contract_budget *budget, const struct session_case *test_case)
{
        return budget->test_case && strcmp(budget->test_case, test_case->name) == 0;
}

/* Memory may grow with what is kept and no faster, unless a budget says otherwise. */
static void bench_judge_default_memory(const struct bench_trial *trial)
{
        const struct contract *contract = trial->context->contract;

        for (size_t i = 0; i < contract->budget_count; i++) {
                if (bench_names(&contract->budgets[i], trial->series->test_case) &&
                    contract->budgets[i].memory_growth != CONTRACT_GROWTH_UNDECLARED)
                        return;
        }
        /* Too few sizes for a growth that nobody asked for is nobody's fault. */
        if (trial->series->point_count >= growth_size_min)
                bench_judge_growth(trial, BENCH_LIVE, CONTRACT_GROWTH_LINEAR, "unless declared");
}

static void bench_judge_series(struct bench_trial *trial)
{
        const struct contract *contract = trial->context->contract;
        const struct bench_series *series = trial->series;
        const struct bench_point *last = &series->points[series->point_count - 1];
        bool is_first = true;

        for (size_t i = 0; i < contract->budget_count; i++) {
                const struct contract_budget *budget = &contract->budgets[i];

                if (!bench_names(budget, series->test_case))
                        continue;
                trial->budget = budget;
                if (is_first)
                        bench_judge_default_memory(trial);
                is_first = false;
                if (budget->growth != CONTRACT_GROWTH_UNDECLARED) {
                        if (bench_is_counted(series))
                                bench_judge_growth(trial, BENCH_INSTRUCTIONS, budget->growth,
                                                   "declared");
                        bench_judge_growth(trial, BENCH_ALLOCATIONS, budget->growth, "declared");
                }
                if (budget->memory_growth != CONTRACT_GROWTH_UNDECLARED)
                        bench_judge_growth(trial, BENCH_LIVE, budget->memory_growth, "declared");
                bench_judge_calls(trial, last);
                bench_judge_bytes(trial, last);
        }
}

/* Stage contract has looked at this; here it must only never count as a budget that holds. */
static void bench_judge_names(const struct stage_context *context, struct stage_result *result)
{
        for (size_t i = 0; i < context->contract->budget_count; i++) {
                const struct contract_budget *budget = &context->contract->budgets[i];
                const struct session_case *named = NULL;

                if (budget->probes || !budget->test_case)
                        continue;
                for (size_t k = 0; k < context->case_count; k++) {
                        if (bench_names(budget, &context->cases[k]))
                                named = &context->cases[k];
                }
                if (!named || (named->kind != TOC_CASE_BENCH_ && named->kind != TOC_CASE_STRESS_))
                        stage_unknown(
                                result,
                                "contract.yaml:%u: there is no BENCH or STRESS '%s'; name one "
                                "of the cases, or add it",
                                budget->line, budget->test_case);
                else if (budget->axis && strcmp(budget->axis, named->axis) != 0)
                        stage_unknown(result,
                                      "contract.yaml:%u: the axis of case %s is '%s', not '%s'",
                                      budget->line, named->name, named->axis, budget->axis);
        }
}

void bench_judge(const struct stage_context *context, const struct bench *bench,
                 struct stage_result *result)
{
        bench_judge_names(context, result);
        for (size_t i = 0; i < bench->series_count; i++) {
                struct bench_trial trial = {
                        .context = context,
                        .bench = bench,
                        .series = &bench->series[i],
                        .result = result,
                };

                if (trial.series->point_count == 0 || trial.series->has_failed)
                        continue;
                if (!bench_is_counted(trial.series))
                        stage_unknown(result, "the instructions of case %s were not counted",
                                      trial.series->test_case->name);
                bench_judge_series(&trial);
        }
}

static json_t *bench_column(const struct bench_series *series, enum bench_kind kind)
{
        json_t *column = json_array();

        for (size_t i = 0; i < series->point_count; i++) {
                const struct bench_point *point = &series->points[i];
                json_t *cell;

                if (kind == BENCH_INSTRUCTIONS && !point->has_instructions)
                        cell = json_null();
                else if (kind == BENCH_LIVE || kind == BENCH_PEAK)
                        cell = json_integer((json_int_t)(kind == BENCH_LIVE ? point->live_bytes
                                                                            : point->peak_bytes));
                else
                        cell = json_real(bench_cost(point, kind));
                (void)json_array_append_new(column, cell); /* no memory: seen by who asks below */
        }
        return column;
}

static json_t *bench_sizes(const struct bench_series *series)
{
        json_t *sizes = json_array();

        for (size_t i = 0; i < series->point_count; i++)
                (void)json_array_append_new(sizes,
                                            json_integer((json_int_t)series->points[i].size));
        return sizes;
}

/* The budget whose growth the page draws. */
static const struct contract_budget *bench_declared(const struct contract *contract,
                                                    const struct session_case *test_case)
{
        const struct contract_budget *first = NULL;

        for (size_t i = 0; i < contract->budget_count; i++) {
                if (!bench_names(&contract->budgets[i], test_case))
                        continue;
                if (contract->budgets[i].growth != CONTRACT_GROWTH_UNDECLARED)
                        return &contract->budgets[i];
                if (!first)
                        first = &contract->budgets[i];
        }
        return first;
}

static json_t *bench_row(const struct contract *contract, const struct bench_series *series)
{
        const struct contract_budget *budget = bench_declared(contract, series->test_case);
        const enum contract_growth declared = budget ? budget->growth : CONTRACT_GROWTH_UNDECLARED;
        struct growth growth;
        json_t *row = json_pack(
                "{s:s, s:s, s:s?, s:s?, s:o, s:o, s:o, s:o, s:o, s:o}", "case",
                series->test_case->name, "axis", series->test_case->axis, "function",
                budget ? budget->function : NULL, "declared",
                declared != CONTRACT_GROWTH_UNDECLARED ? growth_words(declared) : NULL, "sizes",
                bench_sizes(series), "instructions", bench_column(series, BENCH_INSTRUCTIONS),
                "allocations", bench_column(series, BENCH_ALLOCATIONS), "live_bytes",
                bench_column(series, BENCH_LIVE), "peak_bytes", bench_column(series, BENCH_PEAK),
                "ns", bench_column(series, BENCH_TIME));

        if (!row || series->has_failed)
                return row;
        if (bench_is_counted(series) &&
            bench_growth(series, BENCH_INSTRUCTIONS, declared, &growth) == 0) {
                (void)json_object_set_new(row, "order", json_string(growth_words(growth.order)));
                (void)json_object_set_new(row, "exponent", json_real(growth.exponent));
                if (declared != CONTRACT_GROWTH_UNDECLARED)
                        (void)json_object_set_new(row, "exponent_max",
                                                  json_real(growth.exponent_max));
        }
        if (bench_growth(series, BENCH_LIVE, CONTRACT_GROWTH_UNDECLARED, &growth) == 0) {
                (void)json_object_set_new(row, "memory_order",
                                          json_string(growth_words(growth.order)));
                (void)json_object_set_new(row, "memory_exponent", json_real(growth.exponent));
        }
        return row;
}

int bench_report(const struct stage_context *context, const struct bench *bench,
                 struct stage_result *result)
{
        json_t *cases = json_array();

        for (size_t i = 0; i < bench->series_count; i++) {
                if (json_array_append_new(cases, bench_row(context->contract, &bench->series[i]))) {
                        json_decref(cases);
                        return -ENOMEM;
                }
        }
        result->measures = json_pack("{s:s, s:s?, s:o}", "counter", bench->counter, "counter_why",
                                     strcmp(bench->counter, "perf") == 0
                                             ? NULL
                                             : "the CPU's instruction counter cannot be had here",
                                     "cases", cases);
        return result->measures ? 0 : -ENOMEM;
}
