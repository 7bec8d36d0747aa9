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
        { START REST PUT "static const char *own(void) { return BOX_TEXT(NDEBUG); }\n",
          "interface.token", "NDEBUG" },
        { START "#define BOX_TEXT(x) #x\n" REST PUT, "interface.token", "reads its own text" },
        /* Only what ships calls it: PLAIN has no NDEBUG and drops the branch. */
        { START "#define T(x) #x\n#define W(x) T(x)\nint getpid(void);\n" REST
                "int box_put(struct box *box, uint64_t value)\n"
                "{ box->sum += value; return sizeof W(NDEBUG) == 2 ? getpid() : 0; }\n",
          "interface.forbidden-symbol", "getpid" },
        { START "static char arena[1 << 20];\n" REST
                "int box_put(struct box *box, uint64_t value)\n"
                "{ box->sum += value; arena[value & 1023] = 1; return arena[7] - arena[7]; }\n",
          "interface.static-memory", "1048" },
};

static void objects_offer_exactly_this(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(rows); i++)
                fixture_expect(stage_interface, &contract, rows[i].source, rows[i].rule,
                               rows[i].words);
}

/* pair.c and store.c, sharing what store.h declares. */
static void judge_pair(const char *attribute, const char *shared, const char *rule)
{
        struct text texts[3] = { TEXT_INIT(4096), TEXT_INIT(4096), TEXT_INIT(4096) };
        const struct text *list[3] = { &texts[0], &texts[1], &texts[2] };
        struct contract pair;
        struct candidate candidate;
        struct stage_result result;

        fixture_contract("pair", &pair);
        text_printf(&texts[0],
                    "#include \"pair.h\"\n#include \"store.h\"\n#include <tocsin.h>\n"
                    "TOC_MODULE(pair, \"Counts what is put in\");\n"
                    "int pair_next(void) { return %s(\"\", \"\", 0) + 1; }\n",
                    shared);
        text_printf(&texts[1],
                    "#include \"store.h\"\n"
                    "int %s(const void *a, const void *b, size_t n) { return a == b && n; }\n",
                    shared);
        text_printf(&texts[2],
                    "#ifndef STORE_H\n#define STORE_H\n#include <stdlib.h>\n"
                    "%s int %s(const void *a, const void *b, size_t n);\n#endif\n",
                    attribute, shared);
        assert_int_equal(candidate_make("test", (const char *const *)pair.supplies.items, list, 3,
                                        &candidate),
                         0);
        assert_int_equal(fixture_run(stage_interface, &pair, &candidate, &result), 0);
        assert_false(result.is_unknown);
        if (rule ? !fixture_finding(&result, rule) : result.finding_count > 0)
                fail_msg("%s", result.finding_count ? result.findings[0].message : "passed");
        stage_result_fini(&result);
        candidate_fini(&candidate);
        contract_fini(&pair);
        for (unsigned i = 0; i < 3; i++)
                text_fini(&texts[i]);
}

static void files_share_hidden_names_only(void **state)
{
        (void)state;
        judge_pair("__attribute__((visibility(\"hidden\")))", "store_same", NULL);
        judge_pair("", "store_same", "interface.extra-symbol");
        judge_pair("__attribute__((visibility(\"hidden\")))", "memcmp", "interface.extra-symbol");
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
                cmocka_unit_test(files_share_hidden_names_only),
                cmocka_unit_test(faults_of_the_intake_are_findings),
        };

        return cmocka_run_group_tests_name("stage_interface", tests, begin, end);
}
