/* SPDX-License-Identifier: Apache-2.0 */
/* A candidate without fault, spoilt in one place at a time: the stage must name that fault, in that
 * case, in the build that shows it. Sandbox, compilers and tools are the real ones. */
#include "base/error.h"
#include "base/file.h"
#include "gate/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define FIXTURE GATE_SOURCE_ROOT "/tests/gate/fixtures/unit"

struct spoilt {
        const char *name;
        const char *was; /* in candidates/good/box.c, once */
        const char *becomes;
        const char *build; /* looked at alone; NULL: all */
        const char *rule;
        const char *test_case; /* NULL: any */
        const char *says;      /* in the message; NULL: anything */
        size_t at_most;        /* findings; 0: any number */
};

static const struct spoilt table[] = {
        { "wrong answer", "*ret_number = entry->number;", "*ret_number = entry->number + 1;", NULL,
          "unit.check", "keeps_what_was_put", "release, asan, tsan, debug, valgrind, dirty", 1 },
        { "leaks", "        free(box->entries);\n", "", "asan", "unit.leak", "keeps_what_was_put",
          "leaked", 1 },
        { "leaks if one allocation fails", "                        free(copy);\n", "", NULL,
          "unit.fault-leak", "survives_want", "release, asan", 1 },
        { "crashes if one allocation fails",
          "        if (!copy)\n                return -ENOMEM;\n", "", NULL, "unit.fault-crash",
          "survives_want", "release, asan", 0 },
        { "keeps the lock if one allocation fails",
          "        pthread_mutex_unlock(&box->lock);\n"
          "        if (failed)",
          "        if (!failed)\n                pthread_mutex_unlock(&box->lock);\n"
          "        if (failed)",
          "release", "unit.fault-hang", "survives_want", "when allocation", 2 },
        { "counts what it has not", "        if (!copy)\n                return -ENOMEM;\n",
          "        if (!copy) {\n                box->count += 8;\n"
          "                box->size = 0;\n                return -ENOMEM;\n        }\n",
          "asan", "unit.invariant", "survives_want", "when allocation", 0 },
        { "ends early", "        size_t count;\n\n        pthread_mutex_lock",
          "        size_t count;\n\n        extern void _exit(int) __attribute__((noreturn));\n"
          "        _exit(0);\n        pthread_mutex_lock",
          "release", "unit.early-exit", "keeps_what_was_put", "release", 1 },
        { "aborts", "        size_t count;\n\n        pthread_mutex_lock",
          "        size_t count;\n\n        abort();\n        pthread_mutex_lock", "release",
          "unit.crash", "keeps_what_was_put", "SIGABRT", 1 },
        { "hangs", "        int failed = -ENOENT;\n",
          "        int failed = -ENOENT;\n\n        while (box->count == 0)\n"
          "                __asm__ volatile(\"\" ::: \"memory\");\n",
          "release", "unit.hang", "knows_what_is_missing", "release", 1 },
        { "races",
          "        pthread_mutex_lock(&box->lock);\n"
          "        entry = find(box, name);\n"
          "        if (entry)\n"
          "                entry->number = number;",
          "        entry = find(box, name);\n"
          "        if (entry) {\n"
          "                entry->number = number;\n"
          "                return 0;\n"
          "        }\n"
          "        pthread_mutex_lock(&box->lock);\n"
          "        entry = find(box, name);\n"
          "        if (entry)\n"
          "                entry->number = number;",
          "tsan", "unit.race", "is_shared_by_threads", "data race", 1 },
        { "leaves descriptors", "        pthread_mutex_init(&box->lock, NULL);\n",
          "        pthread_mutex_init(&box->lock, NULL);\n"
          "        extern int dup(int);\n        (void)dup(1);\n",
          "release", "unit.descriptors", "keeps_what_was_put", "release", 1 },
        { "leaves threads", "struct box *box_new(void)\n{\n",
          "static void *idle(void *argument)\n{\n        extern unsigned sleep(unsigned);\n"
          "        for (;;)\n                sleep(60);\n        return argument;\n}\n\n"
          "struct box *box_new(void)\n{\n        pthread_t thread;\n"
          "        pthread_create(&thread, NULL, idle, NULL);\n",
          "release", "unit.threads", "keeps_what_was_put", "release", 0 },
        { "reads what was never written", "struct box *box = calloc(1, sizeof(*box));",
          "struct box *box = malloc(sizeof(*box));\n\n        if (box) {\n"
          "                box->entries = NULL;\n                box->count = box->size = 0;\n"
          "        }\n",
          "valgrind", "unit.valgrind", "keeps_what_was_put", "ninitialised", 0 },
        { "reads what was never written, on a dirty heap",
          "struct box *box = calloc(1, sizeof(*box));",
          "struct box *box = malloc(sizeof(*box));\n\n        if (box) {\n"
          "                box->entries = NULL;\n                box->count = box->size = 0;\n"
          "        }\n",
          "dirty", "unit.check", "keeps_what_was_put", "dirty", 0 },
        { "reads beyond the end inside strtoul", "        number = strtoul(digits, &end, 10);\n",
          "        char *exact = malloc(strlen(digits));\n\n        if (!exact)\n"
          "                return -ENOMEM;\n"
          "        memcpy(exact, digits, strlen(digits));\n"
          "        number = strtoul(exact, &end, 10);\n        free(exact);\n"
          "        end = (char *)digits + strlen(digits);\n",
          "valgrind", "unit.valgrind", "keeps_what_was_put", "Invalid read", 0 },
        { "uses what is freed",
          "        for (size_t i = 0; i < box->count; i++)\n"
          "                free(box->entries[i].name);\n"
          "        free(box->entries);\n",
          "        free(box->entries);\n        for (size_t i = 0; i < box->count; i++)\n"
          "                free(box->entries[i].name);\n",
          NULL, "unit.sanitizer", "keeps_what_was_put", "heap-use-after-free", 0 },
        { "unlocks inside an assertion",
          "        pthread_mutex_unlock(&box->lock);\n        return failed;\n",
          "        assert(pthread_mutex_unlock(&box->lock) == 0);\n        return failed;\n", NULL,
          "unit.hang", "keeps_what_was_put", "(release)", 1 },
        { "floods", "        size_t count;\n\n        pthread_mutex_lock",
          "        size_t count;\n\n        extern int puts(const char *);\n"
          "        for (;;)\n                puts(\"................................\");\n"
          "        pthread_mutex_lock",
          "release", "unit.flood", "keeps_what_was_put", "release", 1 },
};

/* ---- One candidate through the stage ------------------------------------------------- */

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

static void judge(const struct judged *judged, const struct text *source,
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

        assert_int_equal(candidate_make("spoilt", (const char *const[]){ "box.c" },
                                        (const struct text *const[]){ source }, 1, &candidate),
                         0);
        assert_int_equal(workshop_new(judged->sandbox, &judged->contract, &candidate, &workshop),
                         0);
        context.workshop = workshop;
        stage_result_init(result);
        outcome = stage_unit(&context, result);
        if (outcome != 0)
                print_error("stage: %s; %s\n", error_text(outcome), sandbox_why());
        assert_int_equal(outcome, 0);
        assert_false(result->is_unknown);
        workshop_free(&workshop);
        candidate_fini(&candidate);
}

static const struct finding *sought(const struct stage_result *result, const struct spoilt *spoilt)
{
        for (size_t i = 0; i < result->finding_count; i++) {
                const struct finding *finding = &result->findings[i];

                if (strcmp(finding->rule, spoilt->rule) == 0 &&
                    (!spoilt->test_case || strcmp(finding->test_case, spoilt->test_case) == 0) &&
                    (!spoilt->says || strstr(finding->message, spoilt->says)))
                        return finding;
        }
        return NULL;
}

static void show(const struct stage_result *result)
{
        for (size_t i = 0; i < result->finding_count; i++)
                print_error("# %s %s:%u %s\n", result->findings[i].rule,
                            result->findings[i].file ? result->findings[i].file : "-",
                            result->findings[i].line, result->findings[i].message);
}

static int set_up(void **state)
{
        static struct judged judged = { .good = TEXT_INIT(1 << 20) };
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        const struct sandbox_settings settings = { .stop_fd = -1 };

        if (contract_load(FIXTURE, &judged.contract, &why) != 0 ||
            sandbox_new(&settings, &judged.sandbox, &why) != 0 ||
            file_read(AT_FDCWD, FIXTURE "/candidates/good/box.c", &judged.good) != 0) {
                print_error("# %s\n", text_view(&why));
                return -1;
        }
        *state = &judged;
        return 0;
}

static int tear_down(void **state)
{
        struct judged *judged = *state;

        sandbox_free(&judged->sandbox);
        contract_fini(&judged->contract);
        text_fini(&judged->good);
        return 0;
}

/* ---- Tests --------------------------------------------------------------------------- */

static void a_good_candidate_passes(void **state)
{
        const struct judged *judged = *state;
        const struct gate_options options = { .jobs = 2 };
        struct stage_result result;
        const json_t *builds_told, *faults_told;

        judge(judged, &judged->good, &options, &result);
        show(&result);
        assert_int_equal(result.finding_count, 0);
        builds_told = json_object_get(result.measures, "builds");
        faults_told = json_object_get(result.measures, "faults");
        /* release, asan, tsan, debug, valgrind, dirty */
        assert_int_equal(json_array_size(builds_told), 6);
        for (size_t i = 0; i < 6; i++) {
                const json_t *row = json_array_get(builds_told, i);

                assert_true(json_integer_value(json_object_get(row, "cases")) >= 5);
                assert_int_equal(json_integer_value(json_object_get(row, "cases")),
                                 json_integer_value(json_object_get(row, "passed")));
        }
        /* One FAULT case in three builds: a box, five names, and room for 2, 4 and 8 of them, each
         * failing once and from then on. */
        assert_int_equal(json_array_size(faults_told), 3);
        for (size_t i = 0; i < 3; i++) {
                const json_t *row = json_array_get(faults_told, i);

                assert_int_equal(json_integer_value(json_object_get(row, "allocations")), 9);
                assert_true(json_integer_value(json_object_get(row, "injected")) >= 18);
        }
        stage_result_fini(&result);
}

static void names_each_fault(void **state)
{
        const struct judged *judged = *state;
        size_t missed = 0;

        for (size_t i = 0; i < BASE_COUNT(table); i++) {
                struct text source BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
                const struct gate_options options = { .jobs = 2,
                                                      .build = table[i].build,
                                                      .test_case = table[i].test_case };
                struct stage_result result;
                const struct finding *finding;

                spoil(judged, &table[i], &source);
                judge(judged, &source, &options, &result);
                finding = sought(&result, &table[i]);
                if (!finding || (table[i].at_most && result.finding_count > table[i].at_most)) {
                        print_error("# %s: wanted %s%s, got\n", table[i].name, table[i].rule,
                                    finding ? " alone" : "");
                        show(&result);
                        missed++;
                }
                stage_result_fini(&result);
        }
        assert_int_equal(missed, 0);
}

/* What a repeat command asks for: that case, that build, that failure, nothing else. */
static void repeats_one_failure(void **state)
{
        const struct judged *judged = *state;
        const struct gate_options options = {
                .jobs = 2, .build = "asan", .test_case = "survives_want", .fail_at = 6
        };
        struct gate_options other = options;
        struct text source BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
        struct stage_result result;

        /* Allocations: the box, a name, room for 2, a name, a name, room for 4. */
        spoil(judged, &table[2], &source);
        judge(judged, &source, &options, &result);
        show(&result);
        assert_int_equal(result.finding_count, 1);
        assert_string_equal(result.findings[0].rule, "unit.fault-leak");
        assert_string_equal(result.findings[0].file, "box.c");
        assert_int_equal(result.findings[0].fail_at, 6);
        assert_true(result.findings[0].evidence_length > 0);
        stage_result_fini(&result);
        other.fail_at = 5;
        judge(judged, &source, &other, &result);
        assert_int_equal(result.finding_count, 0);
        stage_result_fini(&result);
}

static void a_build_that_is_not_run_is_unknown(void **state)
{
        const struct gate_options options = { .jobs = 1, .build = "gcc-O3" };
        struct stage_context context = { .options = &options };
        struct contract contract = { .threads = CONTRACT_THREADS_ANY };
        struct stage_result result;

        (void)state;
        context.contract = &contract;
        stage_result_init(&result);
        assert_int_equal(stage_unit(&context, &result), 0);
        assert_true(result.is_unknown);
        stage_result_fini(&result);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_build_that_is_not_run_is_unknown),
                cmocka_unit_test(a_good_candidate_passes),
                cmocka_unit_test(names_each_fault),
                cmocka_unit_test(repeats_one_failure),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
