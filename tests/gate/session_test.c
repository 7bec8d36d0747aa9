/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows the session one case of each end there is, in each build and tool, and what it must say.
 * Numbers are counted by hand from tests/gate/harness/cases.c.
 *
 *     session_test FOLDER      that holds subject-release, subject-asan and subject-tsan
 */
#include "gate/session.h"
#include "tocsin/case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static const char *folder;
static struct sandbox *sandbox;
static bool sees_inside;

static int make_sandbox(void **state)
{
        const struct sandbox_settings settings = { .stop_fd = -1 };
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(4096);
        int failed = sandbox_new(&settings, &sandbox, &why);

        (void)state;
        if (failed)
                print_message("# %s\n", text_view(&why));
        return failed;
}

static int free_sandbox(void **state)
{
        (void)state;
        sandbox_free(&sandbox);
        return 0;
}

static struct session *open_session(const char *program, enum build_id build,
                                    enum session_tool tool)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(4096);
        struct session_plan plan = {
                .build = build, .tool = tool, .watches_segments = true, .sees_inside = sees_inside
        };
        struct session *session = NULL;

        if (build == BUILD_RELEASE && tool == SESSION_PLAIN)
                plan.memory_max_bytes = 128 << 20;
        text_printf(&path, "%s/%s", folder, program);
        plan.program = text_view(&path);
        assert_int_equal(session_open(sandbox, &plan, &session), 0);
        return session;
}

struct expected {
        struct session_run run;
        enum session_state state;
        const char *kind;
        const char *message; /* part of it */
        unsigned line;       /* 0: not looked at */
};

static void expect_all(const char *program, enum build_id build, enum session_tool tool,
                       const struct expected *expected, size_t count)
{
        struct session *session = NULL;

        for (size_t i = 0; i < count; i++) {
                struct session_verdict verdict = SESSION_VERDICT_NULL;
                struct session_run run = expected[i].run;

                if (!session)
                        session = open_session(program, build, tool);
                run.seed = 1234567;
                assert_int_equal(session_run(session, &run, &verdict), 0);
                if (verdict.state != expected[i].state ||
                    strcmp(verdict.kind, expected[i].kind) != 0 ||
                    !strstr(verdict.message, expected[i].message) ||
                    (expected[i].line && verdict.line != expected[i].line))
                        fail_msg("%s in %s: %s, kind '%s', '%s' at %s:%u\n%s", run.name, program,
                                 session_state_name(verdict.state), verdict.kind, verdict.message,
                                 verdict.file, verdict.line, text_view(&verdict.output));
                session_verdict_fini(&verdict);
                if (session_is_over(session))
                        session_close(&session, NULL);
        }
        session_close(&session, NULL);
}

#define SHORT_NS (500 * CLOCK_MS_NS)

static void each_end_has_its_name(void **state)
{
        static const struct expected expected[] = {
                { { .name = "passes" }, SESSION_PASSED, "", "", 0 },
                { { .name = "draws_numbers" }, SESSION_PASSED, "", "", 0 },
                { { .name = "compares_numbers" }, SESSION_FAILED, "", "1 + 1 == 3: 2, 3", 37 },
                { { .name = "compares_texts" }, SESSION_FAILED, "", "\"right\"", 42 },
                { { .name = "compares_bytes" }, SESSION_FAILED, "", "byte 2 of 3 is 0x63", 47 },
                { { .name = "crashes" }, SESSION_CRASHED, "signal", "killed by SIGSEGV", 0 },
                { { .name = "exits_early" }, SESSION_SILENT, "", "never said", 0 },
                { { .name = "exits_badly" }, SESSION_CRASHED, "status", "with status 3", 0 },
                { { .name = "hangs", .wall_max_ns = SHORT_NS }, SESSION_LATE, "", "in time", 0 },
                { { .name = "loses_memory" }, SESSION_LEFT, "heap", "left 10", 0 },
                { { .name = "gives_away" }, SESSION_PASSED, "", "", 0 },
                { { .name = "opens" }, SESSION_LEFT, "descriptors", "left 1", 0 },
                { { .name = "starts_a_thread" }, SESSION_LEFT, "threads", "left 1", 0 },
                { { .name = "starts_a_process" }, SESSION_LEFT, "processes", "left 1", 0 },
                { { .name = "floods" }, SESSION_LOST, "flood", "flooded", 0 },
                { { .name = "eats_memory" }, SESSION_CRASHED, "memory", "SIGKILL", 0 },
                { { .name = "forges_blindly" }, SESSION_LOST, "forged", "forged", 0 },
                { { .name = "forges_its_end" }, SESSION_LOST, "forged", "forged", 0 },
                { { .name = "passes_twice" }, SESSION_LOST, "forged", "forged", 0 },
                { { .name = "forks_a_voice" }, SESSION_LOST, "forged", "another process", 0 },
                { { .name = "passes_and_fails" }, SESSION_CRASHED, "status", "after it had", 0 },
                { { .name = "leaves_broken" }, SESSION_BROKEN, "", "it returned 7", 0 },
                { { .name = "ticks_in_a_test" }, SESSION_FAILED, "", "not for a case", 0 },
                { { .name = "has_no_loop", .size = 10 }, SESSION_FAILED, "", "BENCH_LOOP", 0 },
                { { .name = "survives" }, SESSION_PASSED, "", "", 0 },
                { { .name = "survives", .fail_at = 1 }, SESSION_PASSED, "", "", 0 },
                { { .name = "survives", .fail_at = 2 }, SESSION_PASSED, "", "", 0 },
                { { .name = "is_careless" }, SESSION_PASSED, "", "", 0 },
                { { .name = "is_careless", .fail_at = 1 }, SESSION_PASSED, "", "", 0 },
                { { .name = "is_careless", .fail_at = 2 }, SESSION_CRASHED, "signal", "SEGV", 0 },
                { { .name = "leaks_on_error", .fail_at = 2 }, SESSION_LEFT, "heap", "left 1", 0 },
                { { .name = "breaks_after_fault", .fail_at = 3 }, SESSION_BROKEN, "", "7", 0 },
                { { .name = "there_is_no_such" }, SESSION_LOST, "", "no such case", 0 },
        };

        (void)state;
        expect_all("subject-release", BUILD_RELEASE, SESSION_PLAIN, expected, BASE_COUNT(expected));
        sees_inside = true;
        expect_all("subject-release", BUILD_RELEASE, SESSION_PLAIN, expected, BASE_COUNT(expected));
        sees_inside = false;
}

/* Nobody knows what it held: neither a pass nor a failure. */
static void who_hides_is_not_judged(void **state)
{
        static const struct expected expected[] = {
                { { .name = "hides" }, SESSION_LOST, "tool", "nobody saw inside", 0 },
        };

        (void)state;
        sees_inside = true;
        expect_all("subject-release", BUILD_RELEASE, SESSION_PLAIN, expected, BASE_COUNT(expected));
        sees_inside = false;
}

static void sanitizers_are_told_apart(void **state)
{
        static const struct expected asan[] = {
                { { .name = "passes" }, SESSION_PASSED, "", "", 0 },
                { { .name = "loses_memory" }, SESSION_CRASHED, "leak", "1000 byte(s)", 0 },
                { { .name = "overruns" }, SESSION_CRASHED, "address", "heap-buffer-overflow", 0 },
                { { .name = "overflows" }, SESSION_CRASHED, "undefined", "signed integer", 0 },
                { { .name = "survives", .fail_at = 2 }, SESSION_PASSED, "", "", 0 },
                { { .name = "leaks_on_error", .fail_at = 2 }, SESSION_CRASHED, "leak", "100 ", 0 },
        };
        static const struct expected tsan[] = {
                { { .name = "passes" }, SESSION_PASSED, "", "", 0 },
                { { .name = "takes_turns", .threads = 3, .run_ns = SHORT_NS },
                  SESSION_PASSED,
                  "",
                  "",
                  0 },
                { { .name = "races", .threads = 2, .run_ns = SHORT_NS },
                  SESSION_CRASHED,
                  "race",
                  "data race",
                  0 },
        };

        (void)state;
        expect_all("subject-asan", BUILD_ASAN, SESSION_PLAIN, asan, BASE_COUNT(asan));
        expect_all("subject-tsan", BUILD_TSAN, SESSION_PLAIN, tsan, BASE_COUNT(tsan));
}

static void valgrind_is_heard(void **state)
{
        static const struct expected expected[] = {
                { { .name = "passes" }, SESSION_PASSED, "", "", 0 },
                { { .name = "loses_memory" }, SESSION_CRASHED, "leak", "definitely lost", 0 },
                { { .name = "overruns" }, SESSION_CRASHED, "valgrind", "valgrind", 0 },
                { { .name = "opens" }, SESSION_LEFT, "descriptors", "left 1", 0 },
        };
        static const struct expected dirty[] = {
                { { .name = "expects_zero" }, SESSION_FAILED, "", "== 0", 0 },
        };

        (void)state;
        expect_all("subject-release", BUILD_RELEASE, SESSION_VALGRIND, expected,
                   BASE_COUNT(expected));
        expect_all("subject-release", BUILD_RELEASE, SESSION_DIRTY, dirty, BASE_COUNT(dirty));
}

static void run_one(struct session *session, const struct session_run *run,
                    struct session_verdict *verdict)
{
        assert_int_equal(session_run(session, run, verdict), 0);
        if (verdict->state != SESSION_PASSED)
                fail_msg("%s: %s: %s\n%s", run->name, session_state_name(verdict->state),
                         verdict->message, text_view(&verdict->output));
}

static void loops_are_counted(void **state)
{
        struct session *session = open_session("subject-release", BUILD_RELEASE, SESSION_CALLGRIND);
        uint64_t instructions[4];

        (void)state;
        for (size_t i = 0; i < 4; i++) {
                struct session_run run = { .name = "takes", .size = UINT64_C(10) << i };
                struct session_verdict verdict = SESSION_VERDICT_NULL;

                run_one(session, &run, &verdict);
                assert_int_equal(verdict.calls, run.size);
                assert_int_equal(verdict.allocations, run.size);
                /* glibc gives 24 bytes to who asks for 24; valgrind what was asked for */
                assert_int_equal(verdict.loop_live_bytes, 24 * run.size);
                assert_int_equal(verdict.peak_bytes, 24 * run.size);
                assert_true(verdict.has_instructions);
                assert_int_equal(verdict.probe_count, 4);
                for (size_t probe = 0; probe < 4; probe++) /* set to 1 in the loop, to 0 behind */
                        assert_int_equal(verdict.moved[probe],
                                         verdict.probes[probe].kind == toc_kind_gauge);
                instructions[i] = verdict.instructions;
                session_verdict_fini(&verdict);
        }
        /* One call more costs the same each time, up to what malloc does now and then. */
        assert_in_range((instructions[3] - instructions[2]) * 100 /
                                (2 * (instructions[2] - instructions[1])),
                        90, 110);
        session_close(&session, NULL);
        session = open_session("subject-release", BUILD_RELEASE, SESSION_PLAIN);
        for (size_t i = 0; i < 2; i++) {
                struct session_run run = { .name = "takes_and_returns", .size = 10 + 10 * i };
                struct session_verdict verdict = SESSION_VERDICT_NULL;

                run_one(session, &run, &verdict);
                assert_int_equal(verdict.allocations, 2 * run.size);
                assert_int_equal(verdict.loop_live_bytes, 0);
                assert_int_equal(verdict.peak_bytes, 2 * 1000);
                session_verdict_fini(&verdict);
        }
        session_close(&session, NULL);
}

static void each_request_fails_in_turn(void **state)
{
        static const struct {
                const char *program;
                enum build_id build;
        } subjects[] = { { "subject-release", BUILD_RELEASE }, { "subject-asan", BUILD_ASAN } };

        (void)state;
        for (size_t i = 0; i < 2; i++)
                for (uint64_t n = 1; n <= 13; n++) {
                        struct session *session =
                                open_session(subjects[i].program, subjects[i].build, SESSION_PLAIN);
                        struct session_run run = { .name = "asks_in_each_way", .fail_at = n };
                        struct session_verdict verdict = SESSION_VERDICT_NULL;

                        run_one(session, &run, &verdict);
                        /* eleven, and one that grows */
                        assert_int_equal(verdict.allocations, 12);
                        assert_int_equal(verdict.fired, n <= 12 ? 1 : 0);
                        session_verdict_fini(&verdict);
                        run.is_sticky = true;
                        run_one(session, &run, &verdict);
                        assert_int_equal(verdict.fired, n <= 12 ? 13 - n : 0);
                        session_verdict_fini(&verdict);
                        session_close(&session, NULL);
                }
}

static void a_long_run_is_sampled(void **state)
{
        struct session *session = open_session("subject-release", BUILD_RELEASE, SESSION_PLAIN);
        struct session_run run = { .name = "grows",
                                   .threads = 2,
                                   .run_ns = 2 * SHORT_NS,
                                   .sample_ns = 100 * CLOCK_MS_NS };
        struct session_verdict verdict = SESSION_VERDICT_NULL;
        const struct session_sample *last;

        (void)state;
        assert_int_equal(session_run(session, &run, &verdict), 0);
        assert_int_equal(verdict.state, SESSION_LEFT);
        assert_string_equal(verdict.kind, "heap");
        assert_true(verdict.sample_count >= 3);
        last = &verdict.samples[verdict.sample_count - 1];
        assert_true(last->live_bytes > verdict.samples[0].live_bytes);
        assert_true(last->at_ns > verdict.samples[0].at_ns);
        assert_int_equal(last->threads, 3); /* two, and the one that looks */
        session_verdict_fini(&verdict);
        session_close(&session, NULL);
}

/* name of the probe, and when it rang; "": none */
static void expect_rang(struct session *session, const char *name, const char *probe, uint64_t at_s,
                        uint64_t ticked_s)
{
        struct session_run run = { .name = name };
        struct session_verdict verdict = SESSION_VERDICT_NULL;

        run_one(session, &run, &verdict);
        assert_int_equal(verdict.ticked_s, ticked_s);
        if (!*probe && verdict.rang_count)
                fail_msg("%s: %s rang", name, verdict.rang[0].record.name);
        if (*probe) {
                if (verdict.rang_count != 1)
                        fail_msg("%s: %zu rang of %zu probes", name, verdict.rang_count,
                                 verdict.probe_count);
                assert_string_equal(verdict.rang[0].record.name, probe);
                assert_int_equal(verdict.rang[0].at_s, at_s);
        }
        session_verdict_fini(&verdict);
}

static void rules_ring_on_the_rule_clock(void **state)
{
        struct session *session = open_session("subject-release", BUILD_RELEASE, SESSION_PLAIN);
        struct session_run run = { .name = "is_not_calm" };
        struct session_verdict verdict = SESSION_VERDICT_NULL;
        size_t moved = 0;

        (void)state;
        /* It holds from second 1 on, and rings once it has held for 30 s. */
        expect_rang(session, "rings", "events", 31, 40);
        expect_rang(session, "rings_too_early", "", 0, 29);
        expect_rang(session, "fails_allocations", "fill", 0, 0);
        expect_rang(session, "is_calm", "", 0, 3600);
        run_one(session, &run, &verdict);
        assert_int_equal(verdict.rang_count, 1);
        assert_int_equal(verdict.rang[0].record.kind, toc_kind_expectation);
        for (size_t i = 0; i < verdict.probe_count; i++)
                moved += verdict.moved[i];
        assert_int_equal(verdict.probe_count, 4); /* module, events, fill, the expectation */
        assert_int_equal(moved, 1);
        session_verdict_fini(&verdict);
        session_close(&session, NULL);
}

static void cases_are_listed(void **state)
{
        struct session *session = open_session("subject-release", BUILD_RELEASE, SESSION_PLAIN);
        const struct session_case *cases = NULL;
        size_t count = 0, found = 0;

        (void)state;
        assert_int_equal(session_list(session, &cases, &count), 0);
        for (size_t i = 0; i < count; i++) {
                if (strcmp(cases[i].name, "takes") == 0) {
                        found++;
                        assert_int_equal(cases[i].kind, TOC_CASE_BENCH_);
                        assert_string_equal(cases[i].axis, "count");
                        assert_string_equal(cases[i].file, "cases.c");
                        assert_int_equal(cases[i].size_count, 4);
                        assert_int_equal(cases[i].sizes[3], 80);
                }
                if (strcmp(cases[i].name, "rings") == 0) {
                        found++;
                        assert_int_equal(cases[i].kind, TOC_CASE_ALARM_);
                        assert_int_equal(cases[i].seconds, 60);
                }
        }
        assert_int_equal(found, 2);
        session_close(&session, NULL);
}

static int count_verdict(void *context, const struct session_run *run,
                         const struct session_verdict *verdict)
{
        unsigned *states = context;

        (void)run;
        states[verdict->state]++;
        return 0;
}

static void a_lost_session_is_opened_anew(void **state)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(4096);
        struct session_plan plan = { .build = BUILD_RELEASE };
        const struct session_run runs[] = { { .name = "passes" },
                                            { .name = "kills_its_parent" },
                                            { .name = "passes" },
                                            { .name = "forges_blindly" },
                                            { .name = "passes" } };
        unsigned states[SESSION_LOST + 1] = { 0 };

        (void)state;
        text_printf(&path, "%s/subject-release", folder);
        plan.program = text_view(&path);
        assert_int_equal(
                session_run_all(sandbox, &plan, runs, BASE_COUNT(runs), count_verdict, states), 0);
        assert_int_equal(states[SESSION_PASSED], 3);
        assert_int_equal(states[SESSION_LOST], 2);
}

static void a_program_that_is_no_harness_has_no_cases(void **state)
{
        struct session_plan plan = { .program = "/bin/true" };
        const struct session_case *cases = NULL;
        struct session *session = NULL;
        size_t count = 0;

        (void)state;
        assert_int_equal(session_open(sandbox, &plan, &session), 0);
        assert_int_equal(session_list(session, &cases, &count), SESSION_NO_CASES);
        assert_true(session_is_over(session));
        session_close(&session, NULL);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(cases_are_listed),
                cmocka_unit_test(each_end_has_its_name),
                cmocka_unit_test(who_hides_is_not_judged),
                cmocka_unit_test(a_lost_session_is_opened_anew),
                cmocka_unit_test(a_program_that_is_no_harness_has_no_cases),
                cmocka_unit_test(loops_are_counted),
                cmocka_unit_test(each_request_fails_in_turn),
                cmocka_unit_test(a_long_run_is_sampled),
                cmocka_unit_test(rules_ring_on_the_rule_clock),
                cmocka_unit_test(sanitizers_are_told_apart),
                cmocka_unit_test(valgrind_is_heard),
        };

        if (argc != 2)
                return 2;
        folder = argv[1];
        return cmocka_run_group_tests(tests, make_sandbox, free_sandbox);
}
