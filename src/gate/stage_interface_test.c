/* SPDX-License-Identifier: Apache-2.0 */
/* Shows stage interface objects that offer or use something else, each by the rule that should.
 * What tokens are refused is shown by authored_test.c. */
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
#define MODULE                                               \
        "#include <tocsin.h>\n"                              \
        "TOC_MODULE(box, \"Keeps a sum of what is put\");\n" \
        "TOC_COUNTER(puts, \"Values put in\", TOC_QUIET(\"of no concern\"));\n"

static const struct {
        const char *source;
        const char *rule;
        const char *words;
} rows[] = {
        { START REST PUT, NULL, NULL },
        { START MODULE REST PUT, NULL, NULL },
        { START MODULE REST "int box_put(struct box *box, uint64_t value)\n"
                            "{ toc_count(puts); TOC_EXPECT(value, TOC_NOTE, \"nobody puts 0\");\n"
                            "box->sum += value; return 0; }\n",
          NULL, NULL },
        { START REST PUT "int box_size(void);\nint box_size(void) { return 1; }\n",
          "interface.extra-symbol", "box_size" },
        { START REST PUT "int box_count;\n", "interface.extra-symbol", "box_count" },
        { START REST PUT "int main(void);\nint main(void) { return 0; }\n",
          "interface.extra-symbol", "main" },
        { START REST PUT
          "void *memcpy(void *to, const void *from, size_t n);\n"
          "void *memcpy(void *to, const void *from, size_t n) { return n ? to : (void *)from; }\n",
          "interface.extra-symbol", "memcpy" },
        { START REST, "interface.missing-symbol", "box_put" },
        { START REST "static int box_put_(void) { return 0; }\n", "interface.missing-symbol",
          "box_put" },
        { START REST "int box_put(struct box *box, uint64_t value)\n"
                     "{ if (!value) abort(); box->sum += value; return 0; }\n",
          "interface.forbidden-symbol", "abort" },
        { START "void _exit(int);\n" REST PUT "static void f(void) { _exit(0); }\n"
                "void (*const box_hook)(void) = f;\n",
          "interface.forbidden-symbol", "_exit" },
        { START "void *dlsym(void *, const char *);\n" REST
                "int box_put(struct box *box, uint64_t value)\n"
                "{ box->sum += value; return !dlsym(0, \"system\"); }\n",
          "interface.forbidden-symbol", "dlsym" },
        { START "int printf(const char *, ...);\n" REST
                "int box_put(struct box *box, uint64_t value)\n"
                "{ box->sum += value; return printf(\"%d\", 1); }\n",
          "interface.forbidden-symbol", "printf" },
        /* The tokens are refused too; here the object alone would be enough. */
        { START REST PUT "__attribute__((weak)) int box_w(void);\nint box_w(void) { return 1; }\n",
          "interface.weak-symbol", "box_w" },
        { START REST PUT "__attribute__((constructor)) static void f(void) {}\n",
          "interface.constructor", ".init_array" },
        { START REST PUT "__attribute__((constructor(101))) static void f(void) {}\n",
          "interface.constructor", ".init_array" },
        { START MODULE REST PUT "__attribute__((constructor(101))) static void f(void) {}\n",
          "interface.constructor", ".init_array" },
        { START MODULE REST PUT "__attribute__((constructor)) static void f(void) {}\n",
          "interface.constructor", ".init_array" },
        { START REST PUT "__attribute__((destructor)) static void f(void) {}\n",
          "interface.constructor", ".fini_array" },
        { START REST PUT "__attribute__((section(\"toc_cases_1\"), used)) static int x = 1;\n",
          "interface.section", "toc_cases_1" },
        { START REST PUT "static void *choose(void) { return (void *)box_sum; }\n"
                         "uint64_t box_i(void) __attribute__((ifunc(\"choose\")));\n",
          "interface.ifunc", "box_i" },
        { START REST "int box_put(struct box *box, uint64_t value)\n"
                     "{ long n; __asm__ volatile(\"syscall\" : \"=a\"(n) : \"a\"(231));\n"
                     "box->sum += value; return (int)n; }\n",
          "interface.opcode", "box_put" },
        { START REST "int box_put(struct box *box, uint64_t value)\n"
                     "{ __asm__ volatile(\"int $0x80\"); box->sum += value; return 0; }\n",
          "interface.opcode", "box_put" },
        { START REST "int box_put(struct box *box, uint64_t value)\n"
                     "{ __asm__ volatile(\"nop\"); box->sum += value; return 0; }\n",
          "interface.token", "reserved" },
        { START REST PUT "#include <unistd.h>\n", "interface.include", "unistd.h" },
        { START REST PUT "#ifdef NDEBUG\n#endif\n", "interface.conditional", NULL },
        { START REST "int box_put(", "interface.object", "does not compile" },
};

static void objects_offer_exactly_this(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(rows); i++)
                fixture_expect(stage_interface, &contract, rows[i].source, rows[i].rule,
                               rows[i].words);
}

/* What was handed in is judged before anything is compiled. */
static void faults_of_the_intake_are_findings(void **state)
{
        struct candidate candidate = { .name = NULL };
        struct candidate_fault fault = { .rule = "interface.extra-file",
                                         .file = (char *)"x.c",
                                         .message = (char *)"x.c is not asked for" };
        struct stage_result result;

        (void)state;
        fixture_candidate(&contract, START, &candidate);
        candidate.faults = &fault;
        candidate.fault_count = 1;
        assert_int_equal(fixture_run(stage_interface, &contract, &candidate, &result), 0);
        assert_int_equal(result.finding_count, 1);
        assert_string_equal(result.findings[0].rule, "interface.extra-file");
        stage_result_fini(&result);
        candidate.faults = NULL;
        candidate.fault_count = 0;
        candidate_fini(&candidate);
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
                cmocka_unit_test(objects_offer_exactly_this),
                cmocka_unit_test(faults_of_the_intake_are_findings),
        };

        return cmocka_run_group_tests_name("stage_interface", tests, begin, end);
}
