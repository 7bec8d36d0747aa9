/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the judge of tokens what it must refuse, each by the rule that should, and what it must let
 * pass. Sources are read by the real tocsin-lens; what is expected is written by hand. */
#include "gate/authored.h"
#include "base/child.h"
#include "base/file.h"
#include "gate/workshop.h"

#include <errno.h>
#include <fcntl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

struct row {
        const char *source;
        const char *rule; /* NULL: passes */
        unsigned line;
};

static const struct row sources[] = {
        { "#include <stdlib.h>\n#include \"m.h\"\n#include \"part.h\"\nint f(void) { return 1; }\n",
          NULL, 0 },
        { "# include <sys/types.h>\nint f(void);\n", NULL, 0 },
        { "#define _GNU_SOURCE\n#include <stdlib.h>\n#define TWICE(x) \\\n        ((x) * 2)\n",
          NULL, 0 },
        { "#define NAME(x) #x\n", "interface.token", 1 },
        { "const char *f(void) { return NDEBUG; }\n", "interface.token", 1 },
        { "int f(void) { return TOCSIN_OFF; }\n", "interface.token", 1 },
        { "static int f(void) __attribute__((unused, cold));\n", NULL, 0 },
        { "static void f(const char *, ...) __attribute__((__format__(printf, 1, 2)));\n", NULL,
          0 },
        { "int f(int constructor, int weak) { return constructor + weak; }\n", NULL, 0 },
        { "TOC_MODULE(m, \"A module of the tests\");\nvoid f(void) { toc_count(x); }\n", NULL, 0 },
        { "_Static_assert(sizeof(int) == 4, \"\");\n", NULL, 0 },
        { "/* #if 0 asm ## */ // #if\nint x;\n", NULL, 0 },
        { "const char *t = \"asm #if __asm__\";\n", NULL, 0 },

        { "void f(void) { __asm__(\"nop\"); }\n", "interface.token", 1 },
        { "int x;\nvoid f(void) { asm(\"nop\"); }\n", "interface.token", 2 },
        { "void f(void) { __asm volatile(\"nop\"); }\n", "interface.token", 1 },
        { "__attribute__((constructor)) static void f(void) {}\n", "interface.token", 1 },
        { "__attribute__((__constructor__(101))) static void f(void) {}\n", "interface.token", 1 },
        { "__attribute__((destructor)) static void f(void) {}\n", "interface.token", 1 },
        { "int f(void) __attribute__((weak));\n", "interface.token", 1 },
        { "int f(void) __attribute__((unused, alias(\"g\")));\n", "interface.token", 1 },
        { "int f(void) __attribute__((ifunc(\"g\")));\n", "interface.token", 1 },
        { "int x __attribute__((section(\"toc_cases_1\")));\n", "interface.token", 1 },
        { "int x __attribute((section(\"a\")));\n", "interface.token", 1 },
        { "__attribute__((no_sanitize(\"address\"))) int f(void);\n", "interface.token", 1 },
        { "#define unused constructor\n", "interface.token", 1 },
        { "#define A __attribute__\nA((constructor)) int f(void);\n", "interface.token", 1 },
        { "#define T(x) __attribute__(x)\nT((constructor)) int f(void);\n", "interface.token", 1 },
        { "[[gnu::constructor]] int f(void);\n", "interface.token", 1 },
        { "#if 1\n#endif\n", "interface.conditional", 1 },
        { "int x;\n#ifdef NDEBUG\n#endif\n", "interface.conditional", 2 },
        { "#ifdef __SANITIZE_ADDRESS__\n#endif\n", "interface.conditional", 1 },
        { "#else\n", "interface.conditional", 1 },
        { "/* c\n */ # /* d */ if 0\n", "interface.conditional", 2 },
        { "#i\\\nf 1\n", "interface.conditional", 1 },
        { "#\\\nif 1\n", "interface.conditional", 1 },
        { "%:if 1\n", "interface.token", 1 },
        { "%: define X 1\n", "interface.token", 1 },
        { "\?\?=if 1\n", "interface.token", 1 },
        { "int x;\nconst char *t = \"\?\?/\";\n", "interface.token", 2 },
        { "#define J(a, b) a##b\n", "interface.token", 1 },
        { "#define J(a, b) a%:%:b\n", "interface.token", 1 },
        { "#pragma GCC optimize(\"O0\")\n", "interface.token", 1 },
        { "_Pragma(\"GCC diagnostic ignored\") int x;\n", "interface.token", 1 },
        { "#line 3 \"other.c\"\n", "interface.token", 1 },
        { "# 3 \"other.c\"\n", "interface.token", 1 },
        { "#error no\n", "interface.conditional", 1 },
        { "#include <unistd.h>\n", "interface.include", 1 },
        { "#include \"../m.h\"\n", "interface.include", 1 },
        { "#include \"/etc/passwd\"\n", "interface.include", 1 },
        { "#include __FILE__\n", "interface.include", 1 },
        { "#define H <stdlib.h>\n#include H\n", "interface.include", 2 },
        { "#include_next <stdlib.h>\n", "interface.conditional", 1 },
        { "int f(void) { return __has_include(<a.h>); }\n", "interface.token", 1 },
        { "int f(void) { return __has_feature(x); }\n", "interface.token", 1 },
        { "void *f(void) { return __builtin_frame_address(0); }\n", "interface.token", 1 },
        { "void *f(void) { return __builtin_return_address(0); }\n", "interface.token", 1 },
        { "const char *t = __DATE__ __TIME__ __TIMESTAMP__;\n", "interface.token", 1 },
        { "int n = __COUNTER__;\n", "interface.token", 1 },
        { "int f(int) __REDIRECT(f, (int), g);\n", "interface.token", 1 },
        { "#define toc_count(x) 0\n", "interface.token", 1 },
        { "#undef TOC_EXPECT\n", "interface.token", 1 },
        { "#undef _FORTIFY_SOURCE\n", "interface.token", 1 },
        { "void f(void) { toc_register_(0); }\n", "interface.token", 1 },
        { "static int x TOC_IN_(\"toc_probes_1\");\n", "interface.token", 1 },
        { "int re\\\nturned;\n", "interface.token", 1 },
        { "const char *t = \"a\\\nb\";\n", "interface.token", 1 },
};

static const struct row headers[] = {
        { "#ifndef PART_H\n#define PART_H\nint part(void);\n#endif\n", NULL, 0 },
        { "#ifndef PART_H\n#define PART_H\n#if 1\nint part(void);\n#endif\n#endif\n",
          "interface.conditional", 3 },
        { "#ifndef NDEBUG\n#define PART_H\nint part(void);\n#endif\n", "interface.conditional", 1 },
        { "#ifndef PART_H\n#define PART_H\n#else\nint part(void);\n#endif\n",
          "interface.conditional", 3 },
        { "#pragma once\nint part(void);\n", "interface.token", 1 },
};

static char *header_list[] = { (char *)"stdlib.h", (char *)"sys/types.h", (char *)"tocsin.h" };
static char *supply_list[] = { (char *)"source.c", (char *)"part.h" };
static const struct contract contract = {
        .header = (char *)"m.h",
        .standard = (char *)"c11",
        .headers = { .items = header_list, .count = BASE_COUNT(header_list) },
        .supplies = { .items = supply_list, .count = BASE_COUNT(supply_list) },
};

/* What tocsin-lens says of a file with these bytes. */
static void look_at(const char *name, const char *source, struct lens *ret_lens)
{
        char folder[] = "/tmp/authored-XXXXXX";
        char path[64];
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(1024);
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
        const char *const argv[] = {
                "/bin/sh", "-c",   "cd \"$1\" && exec \"$2\" tokens \"$3\" -- -xc -std=c11",
                "sh",      folder, parts_find(&why)->lens,
                name,      NULL
        };
        struct child_request request = { .argv = argv,
                                         .output = &output,
                                         .time_max_ns = 30 * CLOCK_S_NS };
        struct child_result result;

        assert_non_null(mkdtemp(folder));
        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        assert_int_equal(file_replace(AT_FDCWD, path, source, strlen(source), 0600), 0);
        assert_int_equal(child_run(&request, &result), 0);
        assert_true(child_succeeded(&result));
        assert_int_equal(lens_parse(text_view(&output), output.length, ret_lens), 0);
        assert_int_equal(file_remove_tree(AT_FDCWD, folder), 0);
}

static void judge_row(const char *name, const struct row *row)
{
        struct candidate_file file = { .name = (char *)name,
                                       .bytes = (char *)row->source,
                                       .length = strlen(row->source) };
        const struct candidate candidate = { .files = &file, .file_count = 1 };
        struct lens lens BASE_SCOPE(lens_fini) = LENS_NULL;
        struct stage_result result;

        stage_result_init(&result);
        look_at(name, row->source, &lens);
        authored_judge(&contract, &candidate, &lens, &result);
        if (row->rule && !result.finding_count)
                fail_msg("passed: %s", row->source);
        if (!row->rule && result.finding_count)
                fail_msg("%s for: %s", result.findings[0].message, row->source);
        if (row->rule) {
                if (strcmp(result.findings[0].rule, row->rule) != 0 ||
                    result.findings[0].line != row->line)
                        fail_msg("%s, line %u for: %s", result.findings[0].rule,
                                 result.findings[0].line, row->source);
                assert_string_equal(result.findings[0].file, name);
        }
        stage_result_fini(&result);
}

static void sources_are_plain_c_or_refused(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(sources); i++)
                judge_row("source.c", &sources[i]);
}

static void headers_have_a_guard_and_no_other_choice(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(headers); i++)
                judge_row("part.h", &headers[i]);
}

static void a_guard_in_a_source_is_a_choice(void **state)
{
        (void)state;
        judge_row("source.c", &(struct row){ headers[0].source, "interface.conditional", 1 });
}

static void an_answer_of_another_form_is_refused(void **state)
{
        static const char *const answers[] = {
                "",
                "{}",
                "[]",
                "{\"lens\":2,\"files\":[]}",
                "{\"lens\":1,\"files\":{}}",
                "{\"lens\":1,\"files\":[{}]}",
                "{\"lens\":1,\"files\":[{\"file\":\"a\",\"is_cut\":true,\"tokens\":[]}]}",
                "{\"lens\":1,\"files\":[{\"file\":\"a\",\"tokens\":[[0,1,\"word\",\"x\"]]}]}",
                "{\"lens\":1,\"files\":[{\"file\":\"a\",\"tokens\":[[1,4,\"word\",\"x\"]]}]}",
                "{\"lens\":1,\"files\":[{\"file\":\"a\",\"tokens\":[[1,1,\"what\",\"x\"]]}]}",
                "{\"lens\":1,\"files\":[{\"file\":\"a\",\"tokens\":[[1,1,\"word\"]]}]}",
                "{\"lens\":1,\"files\":[{\"file\":\"a\",\"functions\":[{\"name\":\"a b\","
                "\"result\":\"int\",\"parameters\":[],\"line\":1}],\"objects\":[]}]}",
                "{\"lens\":1,\"files\":[{\"file\":\"a\",\"functions\":[{\"name\":\"a\","
                "\"result\":\"int\",\"parameters\":[1],\"line\":1}],\"objects\":[]}]}",
        };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(answers); i++) {
                struct lens lens = LENS_NULL;

                if (lens_parse(answers[i], strlen(answers[i]), &lens) != -EPROTO)
                        fail_msg("believed: %s", answers[i]);
        }
}

/* Is the name one of those that the gate knows? */
static bool is_known(const char *name, size_t length)
{
        static const char *const lists[] = {
#define X(kind, words) #kind " " words " ",
#include "gate/authored.def"
#undef X
        };

        for (size_t i = 0; i < BASE_COUNT(lists); i++) {
                const char *at = lists[i];

                if (strncmp(at, "tocsin ", 7) != 0)
                        continue;
                while ((at = strchr(at, ' '))) {
                        at++;
                        if (strncmp(at, name, length) == 0 && at[length] == ' ')
                                return true;
                }
        }
        return false;
}

/* What <tocsin.h> has learned lately may be written by candidates, too. */
static void the_header_offers_nothing_else(void **state)
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(1024);
        struct text header BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
        char path[512];
        size_t count = 0;

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/tocsin.h", parts_find(&why)->include);
        assert_int_equal(file_read(AT_FDCWD, path, &header), 0);
        for (const char *at = text_view(&header); (at = strstr(at, "\n#define ")); at++) {
                const char *name = at + 9;
                size_t length = strcspn(name, "( \n");

                if (strncmp(name, "TOCSIN_H", length) == 0)
                        continue;
                count++;
                if (!is_known(name, length))
                        fail_msg("%.*s is not in authored.def", (int)length, name);
        }
        assert_true(count > 60);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sources_are_plain_c_or_refused),
                cmocka_unit_test(headers_have_a_guard_and_no_other_choice),
                cmocka_unit_test(a_guard_in_a_source_is_a_choice),
                cmocka_unit_test(an_answer_of_another_form_is_refused),
                cmocka_unit_test(the_header_offers_nothing_else),
        };

        return cmocka_run_group_tests_name("authored", tests, NULL, NULL);
}
