/* SPDX-License-Identifier: Apache-2.0 */
/* Reports as the tools print them, and what is left of each. */
#include "forge/evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static char a_c[] = "a.c", header[] = "a.h";
static char *supplied[] = { a_c };
static struct contract contract = {
        .dir_fd = -1,
        .header = header,
        .supplies = { .items = supplied, .count = 1 },
};
static struct candidate candidate;
static struct evidence_filter *filter;

static int setup(void **state)
{
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(1000);
        const struct text *files[] = { &bytes };
        const char *names[] = { "a.c" };

        (void)state;
        text_append(&bytes, "first\nsecond\n");
        assert_int_equal(candidate_make("x", names, files, 1, &candidate), 0);
        return evidence_filter_new(&filter);
}

static int teardown(void **state)
{
        (void)state;
        candidate_fini(&candidate);
        evidence_filter_free(&filter);
        return 0;
}

static void leaves(const char *evidence, const char *expected)
{
        const struct excerpt excerpt = { &contract, &candidate };
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(10000);

        evidence_append(filter, &excerpt, evidence, strlen(evidence), 2000, &into);
        assert_string_equal(text_view(&into), expected);
}

static void test_compilers(void **state)
{
        (void)state;
        leaves("/src/a.c:2:19: error: \xe2\x80\x98x\xe2\x80\x99 undeclared\n"
               "    2 |         while (x < 0x7fffffff) {\n"
               "      |                ^\n"
               "In file included from /contract/a.h:1:\n",
               "a.c:2:19: error: 'x' undeclared\n"
               "    2 |         while (x < 0x7fffffff) {\n"
               "      |                ^\n"
               "In file included from a.h:1:\n");
}

static void test_leaks(void **state)
{
        (void)state;
        leaves("\n=====\n==39==ERROR: LeakSanitizer: detected memory leaks\n\n"
               "Direct leak of 80 byte(s) in 1 object(s) allocated from:\n"
               "    #0 0x7fdbff8b89cf in __interceptor_malloc ../../src/libsanitizer/x.cpp:6\n"
               "    #1 0x5654d13f562c in __wrap_malloc ../src/case/heap.c:102\n"
               "    #2 0x5654d13f3020 in put /src/a.c:2\n"
               "    #9 0x5654d13e2ae4 in main ../src/case/harness.c:353\n"
               "    #10 0x55eb3c4ddb10 in _start (/harness+0x17b10)\n"
               "SUMMARY: AddressSanitizer: 160000 byte(s) leaked in 2000 allocation(s).\n",
               "ERROR: LeakSanitizer: detected memory leaks\n"
               "Direct leak of 80 byte(s) in 1 object(s) allocated from:\n"
               "    in malloc\n"
               "    in put, a.c:2  `second`\n");
}

static void test_races(void **state)
{
        (void)state;
        leaves("==================\nWARNING: ThreadSanitizer: data race (pid=3)\n"
               "  Read of size 8 at 0x7b2000000070 by thread T2:\n"
               "    #0 count /src/a.c:1 (harness+0xbc5a)\n"
               "    #1 work ../src/case/stress.c:58 (harness+0xd661)\n\n"
               "  Thread T2 (tid=7, running) created by main thread at:\n"
               "    #0 pthread_create ../../src/libsanitizer/x.cpp:1 (libtsan.so.2+0x5e)\n"
               "    #1 start /src/a.c:2 (harness+0xd880)\n\n"
               "  Mutex M2 (0x7b2000000000) created at:\n"
               "    #1 new /src/a.c:2 (harness+0xb240)\n"
               "SUMMARY: ThreadSanitizer: data race /src/a.c:1 in count\n",
               "WARNING: ThreadSanitizer: data race\n"
               "  Read of size 8 at 0xADDR by thread T2:\n"
               "    in count, a.c:1  `first`\n"
               "  Mutex M2 (0xADDR) created at:\n"
               "    in new, a.c:2  `second`\n");
}

static void test_valgrind(void **state)
{
        (void)state;
        leaves("==3== Memcheck, a memory error detector\n==3== \n"
               "==3== Invalid read of size 1\n"
               "==3==    at 0x4848612: strlen (vg_replace_strmem.c:494)\n"
               "==3==    by 0x111239: put (a.c:2)\n"
               "==3==    by 0x10C904: main (harness.c:353)\n"
               "==3==  Address 0x4a8f040 is 0 bytes after a block of size 21 alloc'd\n"
               "==3==    at 0x4848899: malloc (in /usr/libexec/vgpreload.so)\n"
               "==3== FILE DESCRIPTORS: 4 open (3 std) at exit.\n"
               "==3== Open file descriptor 4: /reports/tool.2\n==3==    <inherited from parent>\n"
               "==3== ERROR SUMMARY: 1 errors\n",
               "Invalid read of size 1\n"
               "    in strlen\n"
               "    in put, a.c:2  `second`\n"
               " Address 0xADDR is 0 bytes after a block of size 21 alloc'd\n"
               "    in malloc\n");
}

static void test_tables(void **state)
{
        (void)state;
        leaves("case put, along n; instructions counted by callgrind, per call\n\n"
               "           n        calls     instructions     peak bytes             ns\n"
               "         250          250            878.8          28176          116.9\n",
               "case put, along n; instructions counted by callgrind, per call\n"
               "           n        calls     instructions     peak bytes\n"
               "         250          250            878.8          28176\n");
        leaves("        ms       live bytes  descriptors    threads     iterations\n"
               "       100             1234            4          5           9999\n"
               "ended\n",
               "ended\n");
        leaves("Rule time that passed: 120 s\n\nRang:\n  nothing\n",
               "Rule time that passed: 120 s\nRang:\n  nothing\n");
}

static void test_what_is_no_evidence(void **state)
{
        (void)state;
        leaves("", "");
        leaves("\n\n \n===\n", "");
        leaves("#\n#x\n    #1\n    #1 0x\n at 0x: (\n==1==\n",
               "#\n#x\n    #1\n    #1 0x\n at 0x: (\n");
        leaves("    #0 f /src/a.c:99999999999999999999\n    #1 f /src/a.c:\n    #2 f /src/a.c\n"
               "    #3 f /src/../src/a.c:1\n    #4 f /etc/hostname:1\n    #5 f a.c:x\n",
               "    in f\n");
}

static void test_limits(void **state)
{
        const struct excerpt excerpt = { &contract, NULL };
        BASE_SCOPE(text_fini) struct text evidence = TEXT_INIT(1 << 20);
        BASE_SCOPE(text_fini) struct text into = TEXT_INIT(10000);

        (void)state;
        for (int i = 0; i < 10; i++)
                text_append(&evidence, "123456789\n");
        evidence_append(filter, &excerpt, text_view(&evidence), evidence.length, 100, &into);
        assert_int_equal(into.length, 100);
        text_clear(&into);
        text_append(&evidence, "1\n");
        evidence_append(filter, &excerpt, text_view(&evidence), evidence.length, 100, &into);
        assert_int_equal(into.length, 96);
        assert_string_equal(text_view(&into) + 80, "123456789\n(cut)\n");
        text_clear(&into);
        text_clear(&evidence);
        for (int i = 0; i < evidence_line_max + 1; i++)
                text_append(&evidence, "y");
        evidence_append(filter, &excerpt, text_view(&evidence), evidence.length, 2000, &into);
        assert_int_equal(into.length, evidence_line_max + 4);
        text_clear(&into);
        text_clear(&evidence);
        for (int i = 0; i < evidence_lines_max; i++)
                text_append(&evidence, "\n");
        text_append(&evidence, "too late\n");
        evidence_append(filter, &excerpt, text_view(&evidence), evidence.length, 2000, &into);
        assert_int_equal(into.length, 0);
        evidence_append(filter, &excerpt, text_view(&evidence) + 1, evidence.length - 1, 2000,
                        &into);
        assert_string_equal(text_view(&into), "too late\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_compilers), cmocka_unit_test(test_leaks),
                cmocka_unit_test(test_races),     cmocka_unit_test(test_valgrind),
                cmocka_unit_test(test_tables),    cmocka_unit_test(test_what_is_no_evidence),
                cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
