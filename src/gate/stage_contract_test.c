/* SPDX-License-Identifier: Apache-2.0 */
/* Shows stage contract questions that are not sound, each found by the rule that should. They are
 * the fixture's contract with one thing changed. */
#include "gate/stage_fixture.h"

#include "base/file.h"
#include "gate/stub.h"

#include <sys/stat.h>

static const char yaml[] = "tocsin: 1\n"
                           "module: box\n"
                           "summary: Keeps a sum\n"
                           "header: box.h\n"
                           "supplies: [box.c]\n"
                           "headers: [stdlib.h, stdint.h, tocsin.h]\n"
                           "symbols: [heap]\n"
                           "threads: none\n";
static const char header[] = "#ifndef BOX_H\n"
                             "#define BOX_H\n"
                             "#include <stdint.h>\n"
                             "struct box;\n"
                             "struct box *box_new(void);\n"
                             "int box_put(struct box *box, uint64_t value);\n"
                             "int box_check(const struct box *box);\n"
                             "#endif\n";

#define CASES   "#include \"box.h\"\n#include <tocsin/case.h>\n"
#define A_TEST  "TEST(makes) { CHECK(box_new()); }\n"
#define A_ALARM "ALARM(rings, 5) { CHECK(box_new()); toc_case_tick(5); }\n"
#define A_CALM  "CALM(quiet) { toc_case_tick(1); }\n"
#define A_BENCH "BENCH(put, count, 1, 2, 4, 8) { BENCH_LOOP(2) { (void)box_put(0, 1); } }\n"

static const struct {
        const char *yaml; /* after the common part */
        const char *header;
        const char *cases;
        const char *rule; /* NULL: sound */
        const char *words;
} rows[] = {
        { "", NULL, CASES A_TEST A_ALARM A_CALM, NULL, NULL },
        { "invariant: box_check\n", NULL, CASES A_TEST A_ALARM A_CALM, NULL, NULL },
        { "budgets: [{function: box_put, case: put, axis: count, growth: constant}]\n", NULL,
          CASES A_TEST A_ALARM A_CALM A_BENCH, NULL, NULL },
        /* An ALARM that only waits fails on the stub, for nothing rings. */
        { "", NULL, CASES A_TEST "ALARM(rings, 2) { toc_case_tick(2); }\n" A_CALM, NULL, NULL },

        { "", "struct box *box_new(void);\nint box_put(struct box *, uint64_t);\n",
          CASES A_TEST A_ALARM A_CALM, "contract.header", "gcc" },
        { "", "struct box *box_new(void);\nint box_put(struct box *, uint64_t);\n",
          CASES A_TEST A_ALARM A_CALM, "contract.header", "clang" },
        { "", "#define NOTHING\n", CASES A_TEST A_ALARM A_CALM, "contract.header", "no function" },
        { "invariant: box_chek\n", NULL, CASES A_TEST A_ALARM A_CALM, "contract.invariant",
          "box_chek" },
        { "budgets: [{function: box_putt, case: put, axis: count, growth: constant}]\n", NULL,
          CASES A_TEST A_ALARM A_CALM A_BENCH, "contract.budget", "box_putt" },
        { "budgets: [{function: box_put, case: putt, axis: count, growth: constant}]\n", NULL,
          CASES A_TEST A_ALARM A_CALM A_BENCH, "contract.budget", "putt" },
        { "budgets: [{function: box_put, case: put, axis: depth, growth: constant}]\n", NULL,
          CASES A_TEST A_ALARM A_CALM A_BENCH, "contract.budget", "depth" },
        { "", NULL, CASES "TEST(makes) { CHECK(box_nev()); }\n" A_ALARM A_CALM, "contract.cases",
          NULL },
        { "", NULL, CASES "TEST(makes) { CHECK(}\n" A_ALARM A_CALM, "contract.cases", "compile" },
        { "", NULL, CASES A_TEST A_CALM, "contract.no-alarm", NULL },
        { "", NULL, CASES A_TEST A_ALARM, "contract.no-calm", NULL },
        { "", NULL, CASES A_ALARM A_CALM, "contract.no-test", NULL },
        { "", NULL, CASES A_TEST "TEST(asks_nothing) { (void)box_new(); }\n" A_ALARM A_CALM,
          "contract.vacuous", "asks_nothing" },
        { "", NULL,
          CASES A_TEST "TEST(wants_zero) { CHECK_EQ(box_put(0, 1), 0); }\n" A_ALARM A_CALM,
          "contract.vacuous", "wants_zero" },
};

static void write_file(const char *folder, const char *name, const char *first, const char *then)
{
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        struct text bytes BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);

        text_printf(&path, "%s/%s", folder, name);
        text_printf(&bytes, "%s%s", first, then);
        assert_int_equal(
                file_replace(AT_FDCWD, text_view(&path), text_view(&bytes), bytes.length, 0600), 0);
}

static void judge_row(size_t i)
{
        char folder[] = "/tmp/contract-XXXXXX";
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        struct contract contract;
        struct candidate none = { .name = NULL };
        struct stage_result result;
        const struct finding *finding;
        bool is_found = false;

        assert_non_null(mkdtemp(folder));
        text_printf(&path, "%s/cases", folder);
        assert_int_equal(mkdir(text_view(&path), 0700), 0);
        write_file(folder, "contract.yaml", yaml, rows[i].yaml);
        write_file(folder, "box.h", rows[i].header ? rows[i].header : header, "");
        write_file(folder, "cases/box.c", rows[i].cases, "");
        if (contract_load(folder, &contract, &why))
                fail_msg("row %zu: %s", i, text_view(&why));
        if (fixture_run(stage_contract, &contract, &none, &result) || result.is_unknown)
                fail_msg("row %zu: %s; %s", i, text_view(&result.why), sandbox_why());
        for (size_t k = 0; k < result.finding_count; k++)
                is_found = is_found ||
                           (rows[i].rule && strcmp(result.findings[k].rule, rows[i].rule) == 0 &&
                            (!rows[i].words || strstr(result.findings[k].message, rows[i].words)));
        finding = result.findings;
        if (rows[i].rule ? !is_found : result.finding_count > 0)
                fail_msg("row %zu: %s: %s\n%s", i, finding ? finding->rule : "sound",
                         finding ? finding->message : "",
                         finding && finding->evidence ? finding->evidence : "");
        assert_int_equal(result.is_unsound, rows[i].rule != NULL);
        stage_result_fini(&result);
        contract_fini(&contract);
        assert_int_equal(file_remove_tree(AT_FDCWD, folder), 0);
}

static void unsound_questions_are_found(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(rows); i++)
                judge_row(i);
}

static void the_fixture_itself_is_sound(void **state)
{
        struct contract contract;
        struct candidate none = { .name = NULL };
        struct stage_result result;

        (void)state;
        fixture_contract("box", &contract);
        assert_int_equal(fixture_run(stage_contract, &contract, &none, &result), 0);
        assert_false(result.is_unknown);
        if (result.finding_count)
                fail_msg("%s: %s", result.findings[0].rule, result.findings[0].message);
        stage_result_fini(&result);
        contract_fini(&contract);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_fixture_itself_is_sound),
                cmocka_unit_test(unsound_questions_are_found),
        };

        return cmocka_run_group_tests_name("stage_contract", tests, fixture_begin, fixture_end);
}
