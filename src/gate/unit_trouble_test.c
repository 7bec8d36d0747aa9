/* SPDX-License-Identifier: Apache-2.0 */
/* Reports as gcc 12's sanitizers and valgrind 3.19 wrote them, and what is read out of them. */
#include "gate/unit_trouble.h"

#include "tocsin/case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct candidate_file files[] = { { .name = (char *)"box.c" } };
static const struct candidate candidate = { .files = files, .file_count = 1 };

#define ASAN                                                                                  \
        "==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc " \
        "0x5581 bp 0x7ffd sp 0x7ffd\nREAD of size 8 at 0x602000000010 thread T0\n"            \
        "    #0 0x5581 in toc_case_run_x /tmp/cases/mybox.c:7\n    #1 0x5581 in box_free "    \
        "/tmp/candidate/box.c:51\n    #2 0x5581 in main /tmp/box.c:99\n"                      \
        "SUMMARY: AddressSanitizer: heap-use-after-free /tmp/candidate/box.c:51 in box_free\n"
#define UBSAN "/tmp/candidate/box.c:33:17: runtime error: signed integer overflow: 1 + 2 cannot\n"
#define LSAN                                                                                     \
        "==9==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 64 byte(s) in 1 "    \
        "object(s) allocated from:\n    #0 0x7f in __interceptor_malloc (/usr/lib/libasan.so.8)" \
        "\n    #1 0x5 in __wrap_malloc\n    #2 0x5 in add /tmp/candidate/box.c:70\n\n"           \
        "SUMMARY: AddressSanitizer: 64 byte(s) leaked in 1 allocation(s).\n"
#define TSAN                                                                                  \
        "==================\nWARNING: ThreadSanitizer: data race (pid=9)\n  Write of size 8 " \
        "at 0x7b04 by thread T2:\n    #0 box_put /tmp/candidate/box.c:96 (program+0x1)\n"
#define VALGRIND                                                                               \
        "==7== Conditional jump or move depends on uninitialised value(s)\n==7==    at 0x10: " \
        "box_put (box.c:88)\n==7==    by 0x11: toc_case_run_x (cases.c:9)\n"
#define VALGRIND_READ                                                                            \
        "==7== Invalid read of size 1\n==7==    at 0x48: strtoul (strtol_l.c:433)\n==7==    by " \
        "0x10: box_put (box.c:83)\n"

/* A sight in a way, with the given end. */
static struct unit_trouble *seen(struct unit_troubles *troubles, const char *way, uint32_t of,
                                 uint64_t fail_at, enum session_state state, const char *kind,
                                 const char *message, const char *output)
{
        struct session_verdict verdict = SESSION_VERDICT_NULL;
        const struct session_run run = { .name = "x", .fail_at = fail_at };
        const struct unit_sight sight = {
                .way = way, .kind = of, .run = &run, .verdict = &verdict
        };

        verdict.state = state;
        verdict.kind = kind;
        (void)snprintf(verdict.message, sizeof verdict.message, "%s", message);
        text_append(&verdict.output, output);
        assert_int_equal(unit_trouble_note(troubles, &candidate, &sight), 0);
        text_fini(&verdict.output);
        return &troubles->items[troubles->count - 1];
}

/* What toc_stop_ of libtocsin says, and the shell's word behind it. */
#define STOPPED                                                                                   \
        "tocsin: box.c:33: n <= 4 does not hold: it is too full; stopping here, as its TOC_STOP " \
        "says\nAborted\n"

static void reads_the_reports(void **state)
{
        static const struct {
                const char *output, *rule, *fault_rule, *what;
                unsigned line;
        } rows[] = {
                { ASAN, "unit.sanitizer", "unit.fault-crash",
                  "AddressSanitizer: heap-use-after-free", 51 },
                { UBSAN, "unit.sanitizer", "unit.fault-crash",
                  "runtime error: signed integer overflow: 1 + 2 cannot", 33 },
                { LSAN, "unit.leak", "unit.fault-leak", "64 byte(s) leaked in 1 allocation(s)",
                  70 },
                { TSAN, "unit.race", "unit.race", "ThreadSanitizer: data race", 96 },
                { VALGRIND, "unit.valgrind", "unit.fault-crash",
                  "Conditional jump or move depends on uninitialised value(s)", 88 },
                { VALGRIND_READ, "unit.valgrind", "unit.fault-crash", "Invalid read of size 1",
                  83 },
                { STOPPED, "unit.crash", "unit.fault-crash",
                  "tocsin: box.c:33: n <= 4 does not hold: it is too full; stopping here, as its "
                  "TOC_STOP says",
                  33 },
                { "nothing of note\n", "unit.crash", "unit.fault-crash", "killed by SIGSEGV", 0 },
        };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(rows); i++) {
                struct unit_troubles troubles = { 0 };
                const struct unit_trouble *trouble =
                        seen(&troubles, "asan", TOC_CASE_TEST_, 0, SESSION_CRASHED, "signal",
                             "killed by SIGSEGV", rows[i].output);

                assert_string_equal(trouble->rule, rows[i].rule);
                assert_string_equal(text_view(&trouble->what), rows[i].what);
                assert_int_equal(trouble->line, rows[i].line);
                assert_string_equal(trouble->file, rows[i].line ? "box.c" : "");
                assert_string_equal(text_view(&trouble->evidence), rows[i].output);
                unit_troubles_fini(&troubles);
                trouble = seen(&troubles, "asan", TOC_CASE_FAULT_, 3, SESSION_CRASHED, "signal",
                               "killed by SIGSEGV", rows[i].output);
                assert_string_equal(trouble->rule, rows[i].fault_rule);
                unit_troubles_fini(&troubles);
        }
}

static void each_end_has_its_rule(void **state)
{
        static const struct {
                enum session_state end;
                const char *kind, *rule, *fault_rule;
        } rows[] = {
                { SESSION_FAILED, "", "unit.check", "unit.fault-check" },
                { SESSION_SILENT, "", "unit.early-exit", "unit.early-exit" },
                { SESSION_LATE, "", "unit.hang", "unit.fault-hang" },
                { SESSION_BROKEN, "", "unit.invariant", "unit.invariant" },
                { SESSION_LEFT, "heap", "unit.leak", "unit.fault-leak" },
                { SESSION_LEFT, "descriptors", "unit.descriptors", "unit.descriptors" },
                { SESSION_LEFT, "threads", "unit.threads", "unit.threads" },
                { SESSION_LEFT, "processes", "unit.threads", "unit.threads" },
                { SESSION_LOST, "flood", "unit.flood", "unit.flood" },
                { SESSION_LOST, "memory", "unit.memory", "unit.memory" },
                { SESSION_LOST, "forged", "unit.lost", "unit.lost" },
                { SESSION_LOST, "", "unit.lost", "unit.lost" },
                { SESSION_CRASHED, "status", "unit.crash", "unit.fault-crash" },
                { SESSION_CRASHED, "leak", "unit.leak", "unit.fault-leak" },
        };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(rows); i++) {
                struct unit_troubles troubles = { 0 };

                assert_string_equal(seen(&troubles, "release", TOC_CASE_TEST_, 0, rows[i].end,
                                         rows[i].kind, "m", "")
                                            ->rule,
                                    rows[i].rule);
                unit_troubles_fini(&troubles);
                assert_string_equal(seen(&troubles, "release", TOC_CASE_FAULT_, 1, rows[i].end,
                                         rows[i].kind, "m", "")
                                            ->rule,
                                    rows[i].fault_rule);
                unit_troubles_fini(&troubles);
        }
}

static void one_mistake_in_many_builds_is_one(void **state)
{
        struct unit_troubles troubles = { 0 };
        struct stage_result result;

        (void)state;
        stage_result_init(&result);
        (void)seen(&troubles, "release", TOC_CASE_TEST_, 0, SESSION_CRASHED, "signal",
                   "killed by SIGSEGV", "");
        (void)seen(&troubles, "asan", TOC_CASE_TEST_, 0, SESSION_CRASHED, "address",
                   "exit status 1", ASAN);
        (void)seen(&troubles, "debug", TOC_CASE_TEST_, 0, SESSION_CRASHED, "signal",
                   "killed by SIGSEGV", "");
        unit_trouble_tell(&troubles, &result);
        assert_int_equal(result.finding_count, 1);
        assert_string_equal(result.findings[0].rule, "unit.sanitizer");
        assert_string_equal(result.findings[0].message,
                            "x: AddressSanitizer: heap-use-after-free (asan, release, debug)");
        assert_string_equal(result.findings[0].build, "asan");
        assert_string_equal(result.findings[0].file, "box.c");
        unit_troubles_fini(&troubles);
        stage_result_fini(&result);
}

static void two_places_are_two(void **state)
{
        struct unit_troubles troubles = { 0 };

        (void)state;
        (void)seen(&troubles, "asan", TOC_CASE_TEST_, 0, SESSION_CRASHED, "address", "", ASAN);
        (void)seen(&troubles, "asan", TOC_CASE_TEST_, 0, SESSION_CRASHED, "address", "", UBSAN);
        assert_int_equal(troubles.count, 2);
        unit_troubles_fini(&troubles);
}

static void a_row_of_failures_is_one(void **state)
{
        struct unit_troubles troubles = { 0 };
        struct unit_troubles others = { 0 };
        struct stage_result result;

        (void)state;
        stage_result_init(&result);
        for (uint64_t n = 3; n < 9; n++)
                (void)seen(&troubles, "release", TOC_CASE_FAULT_, n, SESSION_LEFT, "heap",
                           "left 24 bytes", "");
        (void)seen(&others, "asan", TOC_CASE_FAULT_, 3, SESSION_CRASHED, "leak", "exit status 1",
                   LSAN);
        assert_int_equal(unit_trouble_join(&troubles, &others), 0);
        unit_trouble_tell(&troubles, &result);
        assert_int_equal(result.finding_count, 1);
        assert_string_equal(result.findings[0].rule, "unit.fault-leak");
        assert_string_equal(result.findings[0].message,
                            "x: 64 byte(s) leaked in 1 allocation(s) when allocation 3 fails "
                            "(release, asan; in 7 runs)");
        assert_int_equal(result.findings[0].fail_at, 3);
        assert_int_equal(result.findings[0].line, 70);
        unit_troubles_fini(&troubles);
        stage_result_fini(&result);
}

static void one_line_in_many_cases_is_one(void **state)
{
        static const char *const names[] = { "x", "b", "c", "d", "e", "f" };
        struct unit_troubles troubles = { 0 };
        struct stage_result result;

        (void)state;
        stage_result_init(&result);
        for (size_t i = 0; i < BASE_COUNT(names); i++) {
                struct unit_trouble *trouble = seen(&troubles, "asan", TOC_CASE_TEST_, 0,
                                                    SESSION_CRASHED, "leak", "", LSAN);

                (void)snprintf(trouble->test_case, sizeof trouble->test_case, "%s",
                               names[BASE_COUNT(names) - 1 - i]);
        }
        unit_trouble_tell(&troubles, &result);
        assert_int_equal(result.finding_count, 1);
        assert_string_equal(result.findings[0].message,
                            "f, e, d, c and 2 more: 64 byte(s) leaked in 1 allocation(s) (asan)");
        assert_string_equal(result.findings[0].test_case, "f");
        assert_string_equal(result.findings[0].other_cases, "e, d, c, b, x");
        unit_troubles_fini(&troubles);
        stage_result_fini(&result);
}

static void what_does_not_fit_is_counted(void **state)
{
        struct unit_troubles troubles = { 0 };
        struct stage_result result;
        char output[64];

        (void)state;
        stage_result_init(&result);
        for (int i = 1; i <= unit_trouble_max + 1; i++) {
                (void)snprintf(output, sizeof output, "box.c:%d:1: runtime error: x\n", i);
                (void)seen(&troubles, "asan", TOC_CASE_TEST_, 0, SESSION_CRASHED, "address", "",
                           output);
        }
        assert_int_equal(troubles.count, unit_trouble_max);
        assert_int_equal(troubles.dropped, 1);
        unit_trouble_tell(&troubles, &result);
        assert_int_equal(result.finding_count, finding_max);
        assert_int_equal(result.findings_dropped, unit_trouble_max - finding_max + 1);
        unit_troubles_fini(&troubles);
        stage_result_fini(&result);
}

static void foreign_bytes_are_escaped(void **state)
{
        struct unit_troubles troubles = { 0 };
        const struct unit_trouble *trouble;

        (void)state;
        trouble = seen(&troubles, "asan", TOC_CASE_TEST_, 0, SESSION_CRASHED, "address", "",
                       "runtime error: \033[2J\n");
        assert_string_equal(text_view(&trouble->what), "runtime error: \\x1b[2J");
        /* A number that no line has is no line. */
        unit_troubles_fini(&troubles);
        trouble = seen(&troubles, "asan", TOC_CASE_TEST_, 0, SESSION_CRASHED, "address", "",
                       "runtime error: box.c:99999999999999999999\n");
        assert_in_range(trouble->line, 0, 100000000);
        unit_troubles_fini(&troubles);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_the_reports),
                cmocka_unit_test(each_end_has_its_rule),
                cmocka_unit_test(one_mistake_in_many_builds_is_one),
                cmocka_unit_test(two_places_are_two),
                cmocka_unit_test(a_row_of_failures_is_one),
                cmocka_unit_test(one_line_in_many_cases_is_one),
                cmocka_unit_test(what_does_not_fit_is_counted),
                cmocka_unit_test(foreign_bytes_are_escaped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
