/* SPDX-License-Identifier: Apache-2.0 */
/* Stages bench and stress: a candidate without fault, spoilt in one place at a time. The stage must
 * name that fault and no other. Sandbox, compilers and callgrind are the real ones. */
#include "base/error.h"
#include "base/file.h"
#include "gate/stage.h"

#include <fcntl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define FIXTURE GATE_SOURCE_ROOT "/tests/gate/fixtures/bench"

/* Calls of bag_new() so far, in all threads. */
#define EVERY(bags) \
        "static _Atomic unsigned made;\n        if (made++ % " #bags " == " #bags " - 1)\n"

/* Ten times a second, however fast the host is. */
#define NOW_AND_THEN(what)                                                                   \
        "#include <pthread.h>\n#include <time.h>\n#include <unistd.h>\n"                     \
        "static void now_and_then(void)\n{\n        static _Atomic long last;\n"             \
        "        struct timespec now;\n        pthread_t thread;\n"                          \
        "        long tenth, before = last;\n        (void)&thread;\n"                       \
        "        clock_gettime(CLOCK_MONOTONIC, &now);\n"                                    \
        "        tenth = now.tv_sec * 10 + now.tv_nsec / 100000000;\n"                       \
        "        if (tenth > before &&\n"                                                    \
        "            __atomic_compare_exchange_n((long *)&last, &before, tenth, 0, 5, 5))\n" \
        "                (void)" what ";\n}\n"

#define CALLS_IT "struct bag *bag_new(size_t capacity)\n{\n        now_and_then();\n"

struct spoilt {
        const char *name;
        stage_run *run;
        const char *was; /* in candidates/good/bag.c, once */
        const char *becomes;
        const char *test_case; /* looked at alone; NULL: all */
        const char *build;
        const char *rules; /* each once, in any order; "..." at the end: others may follow */
        const char *says;  /* in the message of the first */
};

static const char hash_was[] = "return number * 0x9e3779b97f4a7c15 >> bag->shift;";
static const char has_was[] = "bool bag_has(const struct bag *bag, uint64_t number)\n{\n";
static const char new_was[] = "        size_t slots = 16;\n\n";

static const struct spoilt table[] = {
        { "scans", stage_bench, "size_t i = first_slot(bag, number);\n\n        if",
          "size_t i = 0;\n\n        if", "add", NULL, "bench.growth bench.instructions ",
          "bag_add: its instructions" },
        { "crowds on one axis only", stage_bench, hash_was, "return number & bag->mask;", NULL,
          NULL, "bench.growth ", "along axis alike" },
        { "allocates at each call", stage_bench, has_was,
          "bool bag_has(const struct bag *bag, uint64_t number)\n{\n"
          "        void *volatile scratch = malloc(16);\n\n        free(scratch);\n",
          "has", NULL, "bench.allocations ", "allocates 1000 times in 1000 calls" },
        { "allocates the more, the more there is", stage_bench, has_was,
          "bool bag_has(const struct bag *bag, uint64_t number)\n{\n"
          "        for (size_t k = 0; k < bag->mask / 64; k++) {\n"
          "                void *volatile scratch = malloc(16);\n\n                free(scratch);\n"
          "        }\n",
          "has_alike", NULL, "bench.growth bench.allocation-growth ", "along axis alike" },
        { "takes memory that it never touches", stage_bench, "calloc(slots, sizeof(*bag->slots))",
          "calloc(slots * capacity / 16, sizeof(*bag->slots))", "add", NULL,
          "bench.memory-growth bench.memory ", "its live memory grows as n^2" },
        { "aborts when it is large", stage_bench, new_was,
          "        size_t slots = 16;\n\n        if (capacity > 3000)\n                abort();\n",
          "add", NULL, "bench.crash ", "count 4000" },
        { "hangs when it is large", stage_bench, new_was,
          "        size_t slots = 16;\n\n        while (capacity > 3000)\n"
          "                __asm__ volatile(\"\" ::: \"memory\");\n",
          "add", NULL, "bench.hang ", "count 4000" },
        { "leaks slowly", stage_stress, "        free(bag->slots);\n        free(bag);\n}",
          "        " EVERY(
                  2000) "                return;\n        free(bag->slots);\n        free(bag);\n}",
          NULL, "release", "stress.drift-memory ...", "live bytes never come back down" },
        { "leaves descriptors open", stage_stress, "struct bag *bag_new(size_t capacity)\n{\n",
          NOW_AND_THEN("dup(1)") CALLS_IT, NULL, "release", "stress.drift-descriptors ...",
          "descriptors never come back down" },
        { "takes every descriptor at once", stage_stress, new_was,
          "        size_t slots = 16;\n        extern int dup(int);\n\n        (void)dup(1);\n",
          NULL, "release", "stress.left ", "descriptors" },
        { "leaves threads behind", stage_stress, "struct bag *bag_new(size_t capacity)\n{\n",
          "static void *idle(void *argument)\n{\n        extern int pause(void);\n"
          "        for (;;)\n                pause();\n        return argument;\n}\n" NOW_AND_THEN(
                  "pthread_create(&thread, NULL, idle, NULL)") CALLS_IT,
          NULL, "release", "stress.drift-threads ...", "threads never come back down" },
        { "races", stage_stress, "        size_t i = first_slot(bag, number);\n\n        if",
          "        size_t i = first_slot(bag, number);\n"
          "        static volatile unsigned long calls;\n\n"
          "        calls = calls + 1;\n        if",
          NULL, "tsan", "stress.race ", "build tsan" },
        { "breaks after a while", stage_stress, has_was,
          "bool bag_has(const struct bag *bag, uint64_t number)\n{\n        " EVERY(
                  5000) "                return number != 977;\n",
          NULL, "release", "stress.check ", "bag_has" },
        { "aborts after a while", stage_stress, new_was,
          "        size_t slots = 16;\n\n        " EVERY(5000) "                abort();\n", NULL,
          "release", "stress.crash ", "SIGABRT" },
        { "hangs after a while", stage_stress, new_was,
          "        size_t slots = 16;\n\n        " EVERY(
                  5000) "                for (;;)\n"
                        "                        __asm__ volatile(\"\" ::: \"memory\");\n",
          NULL, "release", "stress.hang ", "4 threads" },
        { "holds more than its budget", stage_stress, "calloc(slots, sizeof(*bag->slots))",
          "calloc(slots * 4, sizeof(*bag->slots))", NULL, "release", "stress.memory ",
          "more than 78643" },
};

/* ---- One candidate through one stage ------------------------------------------------------ */

struct judged {
        struct contract contract;
        struct sandbox *sandbox;
        struct text good;
};

static void spoil(const struct judged *judged, const struct spoilt *spoilt, struct text *into)
{
        const char *good = text_view(&judged->good);
        const char *at = strstr(good, spoilt->was);

        assert_non_null(at);
        assert_null(strstr(at + 1, spoilt->was));
        text_append_bytes(into, good, (size_t)(at - good));
        text_append(into, spoilt->becomes);
        text_append(into, at + strlen(spoilt->was));
        assert_int_equal(into->error, 0);
}

static void judge(const struct judged *judged, const struct text *source, stage_run *run,
                  const struct gate_options *options, struct stage_result *result)
{
        struct candidate candidate;
        struct workshop *workshop = NULL;
        struct stage_context context = { .contract = &judged->contract,
                                         .candidate = &candidate,
                                         .sandbox = judged->sandbox,
                                         .options = options,
                                         .seed = 20260131 };
        int outcome;

        assert_int_equal(candidate_make("spoilt", (const char *const[]){ "bag.c" },
                                        (const struct text *const[]){ source }, 1, &candidate),
                         0);
        assert_int_equal(workshop_new(judged->sandbox, &judged->contract, &candidate, &workshop),
                         0);
        context.workshop = workshop;
        stage_result_init(result);
        outcome = run(&context, result);
        if (outcome != 0)
                print_error("# stage: %s; %s\n", error_text(outcome), text_view(&result->why));
        assert_int_equal(outcome, 0);
        workshop_free(&workshop);
        candidate_fini(&candidate);
}

static void show(const struct stage_result *result)
{
        if (result->is_unknown)
                print_error("# unknown: %s\n", text_view(&result->why));
        for (size_t i = 0; i < result->finding_count; i++)
                print_error("# %s %s:%u %s\n", result->findings[i].rule,
                            result->findings[i].file ? result->findings[i].file : "-",
                            result->findings[i].line, result->findings[i].message);
}

/* Every word of `rules` is found once; nothing else is, unless they end in "...". */
static bool found_is(const struct stage_result *result, const struct spoilt *spoilt)
{
        struct text wanted BASE_SCOPE(text_fini) = TEXT_INIT(1000);
        bool may_more = strstr(spoilt->rules, "...");
        size_t count = 0;
        char *rest, *word;

        text_append(&wanted, spoilt->rules);
        rest = wanted.bytes;
        while ((word = strsep(&rest, " "))) {
                size_t matches = 0;

                if (!*word || strcmp(word, "...") == 0)
                        continue;
                for (size_t i = 0; i < result->finding_count; i++) {
                        const struct finding *finding = &result->findings[i];

                        if (strcmp(finding->rule, word) != 0)
                                continue;
                        matches++;
                        if (count == 0 && !strstr(finding->message, spoilt->says))
                                return false;
                        if (!finding->evidence && spoilt->run == stage_stress)
                                return false;
                }
                if (matches != 1)
                        return false;
                count++;
        }
        return !result->is_unknown && (may_more || result->finding_count == count);
}

static int set_up(void **state)
{
        static struct judged judged = { .good = TEXT_INIT(1 << 20) };
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        const struct sandbox_settings settings = { .stop_fd = -1 };

        if (contract_load(FIXTURE, &judged.contract, &why) != 0 ||
            sandbox_new(&settings, &judged.sandbox, &why) != 0 ||
            file_read(AT_FDCWD, FIXTURE "/candidates/good/bag.c", &judged.good) != 0) {
                print_error("# %s\n", text_view(&why));
                return -1;
        }
        *state = &judged;
        return 0;
}

static int tear_down(void **state)
{
        struct judged *judged = *state;

        if (!judged)
                return 0;
        sandbox_free(&judged->sandbox);
        contract_fini(&judged->contract);
        text_fini(&judged->good);
        return 0;
}

/* ---- Tests -------------------------------------------------------------------------------- */

static const json_t *column(const struct stage_result *result, size_t row, const char *name)
{
        return json_object_get(json_array_get(json_object_get(result->measures, "cases"), row),
                               name);
}

/* Instructions are the same each time, to the last one. */
static void a_good_candidate_passes_bench_twice(void **state)
{
        const struct judged *judged = *state;
        const struct gate_options options = { .jobs = 2 };
        struct stage_result first, second;

        judge(judged, &judged->good, stage_bench, &options, &first);
        show(&first);
        assert_int_equal(first.finding_count, 0);
        assert_false(first.is_unknown);
        assert_int_equal(json_array_size(json_object_get(first.measures, "cases")), 3);
        assert_int_equal(json_array_size(column(&first, 0, "instructions")), 4);
        judge(judged, &judged->good, stage_bench, &options, &second);
        for (size_t i = 0; i < 3; i++) {
                assert_true(json_equal(column(&first, i, "instructions"),
                                       column(&second, i, "instructions")));
                assert_true(json_equal(column(&first, i, "allocations"),
                                       column(&second, i, "allocations")));
                assert_true(json_equal(column(&first, i, "live_bytes"),
                                       column(&second, i, "live_bytes")));
                assert_string_equal(json_string_value(column(&first, i, "order")), "at most log");
        }
        stage_result_fini(&first);
        stage_result_fini(&second);
}

static void a_good_candidate_passes_stress(void **state)
{
        const struct judged *judged = *state;
        const struct gate_options options = { .jobs = 2 };
        struct stage_result result;

        judge(judged, &judged->good, stage_stress, &options, &result);
        show(&result);
        assert_int_equal(result.finding_count, 0);
        assert_false(result.is_unknown);
        assert_int_equal(json_integer_value(column(&result, 0, "threads")), 4);
        assert_true(json_integer_value(column(&result, 0, "iterations")) > 1000);
        assert_true(json_array_size(column(&result, 0, "live_bytes")) > 36);
        stage_result_fini(&result);
}

static void names_each_fault(void **state)
{
        const struct judged *judged = *state;
        size_t missed = 0;

        for (size_t i = 0; i < BASE_COUNT(table); i++) {
                struct text source BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
                const struct gate_options options = { .jobs = 2,
                                                      .test_case = table[i].test_case,
                                                      .build = table[i].build };
                struct stage_result result;

                spoil(judged, &table[i], &source);
                judge(judged, &source, table[i].run, &options, &result);
                /* A host too busy to be sampled on answers "unknown", which is right. */
                for (unsigned tries = 1; result.is_unknown && tries < 3; tries++) {
                        stage_result_fini(&result);
                        judge(judged, &source, table[i].run, &options, &result);
                }
                if (!found_is(&result, &table[i])) {
                        print_error("# %s: wanted %s, got\n", table[i].name, table[i].rules);
                        show(&result);
                        missed++;
                }
                stage_result_fini(&result);
        }
        assert_int_equal(missed, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_good_candidate_passes_bench_twice),
                cmocka_unit_test(a_good_candidate_passes_stress),
                cmocka_unit_test(names_each_fault),
        };

        return cmocka_run_group_tests_name("bench and stress", tests, set_up, tear_down);
}
