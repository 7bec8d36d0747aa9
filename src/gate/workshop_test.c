/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the fixture's reference in every way, asks one product from many threads, and shows what a
 * workshop does with code that cannot be built. */
#include "gate/stage_fixture.h"

#include "base/file.h"
#include "gate/stub.h"

#include <pthread.h>
#include <sys/stat.h>

static struct contract contract;

static void reference(struct candidate *ret_candidate)
{
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(4096);

        text_printf(&path, "%s/candidates/reference", contract.directory);
        assert_int_equal(candidate_load(&contract, text_view(&path), ret_candidate), 0);
}

static void every_build_makes_a_program(void **state)
{
        struct candidate candidate;
        struct workshop *workshop = NULL;

        (void)state;
        reference(&candidate);
        assert_int_equal(workshop_new(fixture_sandbox, &contract, &candidate, &workshop), 0);
        for (unsigned i = 0; i < BUILD_COUNT; i++) {
                const struct workshop_product *product = NULL;
                struct stat info;
                int outcome = workshop_program(workshop, (enum build_id)i, &product);

                if (outcome)
                        fail_msg("%s: %d %s %s", builds[i].name, outcome, sandbox_why(),
                                 product ? product->output : "");
                assert_int_equal(stat(product->path, &info), 0);
                assert_true(S_ISREG(info.st_mode) && info.st_mode & S_IXUSR);
                assert_string_equal(product->output, "");
        }
        workshop_free(&workshop);
        candidate_fini(&candidate);
}

struct asker {
        struct workshop *workshop;
        const struct workshop_product *product;
        int outcome;
};

static void *ask(void *argument)
{
        struct asker *asker = argument;

        asker->outcome = workshop_program(asker->workshop, BUILD_RELEASE, &asker->product);
        return NULL;
}

static void many_who_ask_get_one_product(void **state)
{
        struct candidate candidate;
        struct workshop *workshop = NULL;
        struct asker askers[8];
        pthread_t threads[BASE_COUNT(askers)];

        (void)state;
        reference(&candidate);
        assert_int_equal(workshop_new(fixture_sandbox, &contract, &candidate, &workshop), 0);
        for (size_t i = 0; i < BASE_COUNT(askers); i++) {
                askers[i] = (struct asker){ .workshop = workshop };
                assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
        }
        for (size_t i = 0; i < BASE_COUNT(askers); i++) {
                assert_int_equal(pthread_join(threads[i], NULL), 0);
                assert_int_equal(askers[i].outcome, 0);
                assert_ptr_equal(askers[i].product, askers[0].product);
        }
        workshop_free(&workshop);
        candidate_fini(&candidate);
}

static int build_of_source(const char *source, const char *words)
{
        struct candidate candidate;
        struct workshop *workshop = NULL;
        const struct workshop_product *product = NULL;
        int outcome;

        fixture_candidate(&contract, source, &candidate);
        assert_int_equal(workshop_new(fixture_sandbox, &contract, &candidate, &workshop), 0);
        outcome = workshop_program(workshop, BUILD_PLAIN, &product);
        assert_true(outcome > 0);
        assert_null(product->path);
        if (!strstr(product->output, words))
                fail_msg("output: %s", product->output);
        workshop_free(&workshop);
        candidate_fini(&candidate);
        return outcome;
}

static void what_cannot_be_built_is_rejected(void **state)
{
        (void)state;
        assert_int_equal(build_of_source("int f(", "error"), WORKSHOP_REJECTED);
        assert_int_equal(build_of_source("int f;\n", "undefined reference"), WORKSHOP_REJECTED);
        /* It can see neither cases nor their header. */
        assert_int_equal(build_of_source("#include \"cases/box.c\"\n", "No such file"),
                         WORKSHOP_REJECTED);
        assert_int_equal(build_of_source("#include \"/cases/box.c\"\n", "No such file"),
                         WORKSHOP_REJECTED);
        assert_int_equal(build_of_source("#include <tocsin/case.h>\n", "No such file"),
                         WORKSHOP_REJECTED);
        assert_int_equal(build_of_source("#include \"/etc/shadow\"\n", "error"), WORKSHOP_REJECTED);
}

static void a_flood_of_words_is_cut(void **state)
{
        struct text source BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
        struct candidate candidate;
        struct workshop *workshop = NULL;
        const struct workshop_product *product = NULL;

        (void)state;
        for (int i = 0; i < 30000; i++)
                text_append(&source, "#warning long words\n");
        fixture_candidate(&contract, text_view(&source), &candidate);
        assert_int_equal(workshop_new(fixture_sandbox, &contract, &candidate, &workshop), 0);
        assert_int_equal(workshop_object(workshop, BUILD_GCC_O0, &product), WORKSHOP_REJECTED);
        assert_true(product->was_flooded);
        assert_true(product->output_length <= workshop_output_max);
        workshop_free(&workshop);
        candidate_fini(&candidate);
}

static void a_stub_is_made_of_the_header_and_links(void **state)
{
        struct candidate stub;
        struct workshop *workshop = NULL;
        const struct workshop_product *product = NULL;
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        int outcome;

        (void)state;
        assert_int_equal(stub_make(fixture_sandbox, &contract, &stub, &why), 0);
        assert_non_null(strstr(stub.files[0].bytes, "box_put(struct box *, uint64_t)"));
        assert_int_equal(workshop_new(fixture_sandbox, &contract, &stub, &workshop), 0);
        outcome = workshop_program(workshop, BUILD_RELEASE, &product);
        if (outcome)
                fail_msg("%d %s %s", outcome, sandbox_why(), product ? product->output : "");
        workshop_free(&workshop);
        candidate_fini(&stub);
}

/* A name that files of a candidate share cannot take the place of libc's for anybody else. */
static void hidden_names_stay_with_the_candidate(void **state)
{
        static const char hidden[] = "__attribute__((visibility(\"hidden\")))\n"
                                     "int memcmp(const void *a, const void *b, unsigned long n);\n";
        struct text texts[3] = { TEXT_INIT(4096), TEXT_INIT(4096), TEXT_INIT(4096) };
        const struct text *list[3] = { &texts[0], &texts[1], &texts[2] };
        const struct workshop_product *product = NULL;
        const struct session_run run = { .name = "libc_is_libc", .seed = 1 };
        struct session_plan plan = { .build = BUILD_RELEASE };
        struct session_verdict verdict = SESSION_VERDICT_NULL;
        struct session *session = NULL;
        struct workshop *workshop = NULL;
        struct contract pair;
        struct candidate candidate;

        (void)state;
        fixture_contract("pair", &pair);
        text_printf(&texts[0], "#include \"pair.h\"\n#include <tocsin.h>\n"
                               "TOC_MODULE(pair, \"Counts what is put in\");\n"
                               "int pair_next(void) { return 1; }\n");
        text_printf(&texts[1],
                    "%sint memcmp(const void *a, const void *b, unsigned long n)\n"
                    "{ return 0; }\n",
                    hidden);
        text_append(&texts[2], "/* none */\n");
        assert_int_equal(candidate_make("test", (const char *const *)pair.supplies.items, list, 3,
                                        &candidate),
                         0);
        assert_int_equal(workshop_new(fixture_sandbox, &pair, &candidate, &workshop), 0);
        if (workshop_program(workshop, BUILD_RELEASE, &product))
                fail_msg("%s%s", sandbox_why(), product ? product->output : "");
        plan.program = product->path;
        assert_int_equal(session_open(fixture_sandbox, &plan, &session), 0);
        assert_int_equal(session_run(session, &run, &verdict), 0);
        if (verdict.state != SESSION_PASSED)
                fail_msg("%s", verdict.message);
        session_verdict_fini(&verdict);
        session_close(&session, NULL);
        workshop_free(&workshop);
        candidate_fini(&candidate);
        contract_fini(&pair);
        for (unsigned i = 0; i < 3; i++)
                text_fini(&texts[i]);
}

static int begin(void **state)
{
        int outcome = fixture_begin(state);

        fixture_contract("box", &contract);
        return outcome;
}

static int end(void **state)
{
        contract_fini(&contract);
        return fixture_end(state);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_build_makes_a_program),
                cmocka_unit_test(many_who_ask_get_one_product),
                cmocka_unit_test(what_cannot_be_built_is_rejected),
                cmocka_unit_test(a_flood_of_words_is_cut),
                cmocka_unit_test(hidden_names_stay_with_the_candidate),
                cmocka_unit_test(a_stub_is_made_of_the_header_and_links),
        };

        return cmocka_run_group_tests_name("workshop", tests, begin, end);
}
