/* SPDX-License-Identifier: Apache-2.0 */
/* Shows stage build sources that compilers complain of, each by the rule that should. */
#include "gate/stage_fixture.h"

#include "base/file.h"

static struct contract contract;

#define START "#include \"box.h\"\n#include <stdlib.h>\n"
#define REST                                                                    \
        "struct box { uint64_t sum; };\n"                                       \
        "struct box *box_new(void) { return calloc(1, sizeof(struct box)); }\n" \
        "void box_free(struct box *box) { free(box); }\n"                       \
        "uint64_t box_sum(const struct box *box) { return box->sum; }\n"        \
        "int box_check(const struct box *box) { return box ? 0 : 1; }\n"
#define PUT "int box_put(struct box *box, uint64_t value) { box->sum += value; return 0; }\n"

static void clean_code_passes(void **state)
{
        (void)state;
        fixture_expect(stage_build, &contract, START REST PUT, NULL, NULL);
}

static void each_warning_is_found_once(void **state)
{
        struct candidate candidate;
        struct stage_result result;

        (void)state;
        fixture_candidate(&contract,
                          START REST "int box_put(struct box *box, uint64_t value)\n"
                                     "{ int unused_one; box->sum += value; return 0; }\n",
                          &candidate);
        assert_int_equal(fixture_run(stage_build, &contract, &candidate, &result), 0);
        assert_int_equal(result.finding_count, 1);
        assert_string_equal(result.findings[0].rule, "build.warning");
        assert_string_equal(result.findings[0].file, "box.c");
        assert_int_equal(result.findings[0].line, 9);
        assert_non_null(strstr(result.findings[0].message, "unused_one"));
        assert_non_null(strstr(result.findings[0].message, "clang-O3"));
        assert_non_null(strstr(result.findings[0].message, "release"));
        assert_true(result.findings[0].evidence_length > 0);
        stage_result_fini(&result);
        candidate_fini(&candidate);
}

static void errors_are_refused(void **state)
{
        (void)state;
        fixture_expect(stage_build, &contract, START REST "int box_put(", "build.error", NULL);
        fixture_expect(stage_build, &contract, START REST PUT "#include \"nowhere.h\"\n",
                       "build.error", "nowhere.h");
}

/* Its own text twice at each of a hundred depths: no compiler ends that. */
static void an_endless_compilation_is_late(void **state)
{
        (void)state;
        fixture_expect(
                stage_build, &contract,
                "#if __INCLUDE_LEVEL__ < 100\n#include __FILE__\n#include __FILE__\n#endif\n",
                "build.late", NULL);
}

static void narrowing_is_a_warning(void **state)
{
        (void)state;
        fixture_expect(stage_build, &contract,
                       START REST "int box_put(struct box *box, uint64_t value)\n"
                                  "{ int n = value; box->sum += (uint64_t)n; return 0; }\n",
                       "build.warning", "onver");
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
                cmocka_unit_test(clean_code_passes),
                cmocka_unit_test(each_warning_is_found_once),
                cmocka_unit_test(errors_are_refused),
                cmocka_unit_test(an_endless_compilation_is_late),
                cmocka_unit_test(narrowing_is_a_warning),
        };

        return cmocka_run_group_tests_name("stage_build", tests, begin, end);
}
