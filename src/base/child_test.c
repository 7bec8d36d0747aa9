/* SPDX-License-Identifier: Apache-2.0 */
/* Shows that a child gets what it should and nothing more. How one ends: child_stop_test.c. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define LONG_NS (60 * CLOCK_S_NS) /* never reached unless something is broken */

/* Runs a shell command with a long deadline; output is collected. */
static struct child_result run(const char *command, struct text *output)
{
        struct child_request request = {
                .command = command,
                .output = output,
                .time_max_ns = LONG_NS,
        };
        struct child_result result = { CHILD_LATE, -1 };

        assert_int_equal(child_run(&request, &result), 0);
        return result;
}

static void status_and_output_come_back(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct child_result result = run("echo out; echo err >&2; exit 3", &output);

        (void)state;
        assert_int_equal(result.end, CHILD_EXITED);
        assert_int_equal(result.code, 3);
        assert_false(child_succeeded(&result));
        assert_string_equal(text_view(&output), "out\nerr\n");
        result = run("exit 0", NULL);
        assert_true(child_succeeded(&result));
}

static void errors_can_be_kept_apart(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct text errors BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct child_request request = {
                .command = "echo out; echo err >&2",
                .output = &output,
                .errors = &errors,
                .time_max_ns = LONG_NS,
        };
        struct child_result result;

        (void)state;
        assert_int_equal(child_run(&request, &result), 0);
        assert_string_equal(text_view(&output), "out\n");
        assert_string_equal(text_view(&errors), "err\n");
}

static void signal_is_named(void **state)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct child_result result = run("kill -SEGV $$", NULL);

        (void)state;
        assert_int_equal(result.end, CHILD_KILLED);
        assert_int_equal(result.code, SIGSEGV);
        assert_false(child_succeeded(&result));
        child_append_end(&result, &text);
        text_append(&text, "; ");
        child_append_end(&(struct child_result){ CHILD_EXITED, 3 }, &text);
        text_append(&text, "; ");
        child_append_end(&(struct child_result){ CHILD_LATE, 0 }, &text);
        text_append(&text, "; ");
        child_append_end(&(struct child_result){ CHILD_STOPPED, 0 }, &text);
        assert_string_equal(text_view(&text),
                            "killed by SIGSEGV; exit status 3; did not end in time; was stopped");
}

static void arguments_reach_a_program_unchanged(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        const char *argv[] = { "printf", "%s|", "a b", "$HOME", "", NULL };
        struct child_request request = {
                .argv = argv,
                .output = &output,
                .time_max_ns = LONG_NS,
        };
        struct child_result result;

        (void)state;
        assert_int_equal(child_run(&request, &result), 0);
        assert_true(child_succeeded(&result));
        assert_string_equal(text_view(&output), "a b|$HOME||");
}

static void program_that_cannot_run_is_an_error(void **state)
{
        const char *missing[] = { "tocsin-no-such-program", NULL };
        const char *refused[] = { "/etc/passwd", NULL };
        struct child_request request = { .argv = missing, .time_max_ns = LONG_NS };
        struct child_result result = { CHILD_LATE, 77 };

        (void)state;
        assert_int_equal(child_run(&request, &result), -ENOENT);
        request.argv = refused;
        assert_int_equal(child_run(&request, &result), -EACCES);
        assert_int_equal(result.code, 77); /* untouched */
}

static void input_arrives_whole(void **state)
{
        static char input[1000000];
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct child_request request = {
                .command = "wc -c",
                .input = input,
                .input_length = sizeof(input),
                .output = &output,
                .time_max_ns = LONG_NS,
        };
        struct child_result result;

        (void)state;
        assert_int_equal(child_run(&request, &result), 0);
        assert_string_equal(text_view(&output), "1000000\n");
}

static void input_that_nobody_reads_does_no_harm(void **state)
{
        static char input[1000000];
        struct child_request request = {
                .command = "exec 0<&-; exit 5",
                .input = input,
                .input_length = sizeof(input),
                .time_max_ns = LONG_NS,
        };
        struct child_result result;

        (void)state;
        assert_int_equal(child_run(&request, &result), 0);
        assert_int_equal(result.code, 5);
}

static void no_input_is_end_of_file(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct child_result result = run("cat; echo end", &output);

        (void)state;
        assert_true(child_succeeded(&result));
        assert_string_equal(text_view(&output), "end\n");
}

static void output_limit_is_exact(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(5);

        (void)state;
        (void)run("printf 12345", &output);
        assert_int_equal(output.error, 0);
        assert_string_equal(text_view(&output), "12345");
        text_clear(&output);
        (void)run("printf 123456", &output);
        assert_int_equal(output.error, -EOVERFLOW);
        assert_string_equal(text_view(&output), "12345");
}

static void output_of_a_child_that_has_ended_is_not_lost(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100000);

        (void)state;
        /* As much as a pipe holds: the child can be gone before we have read a byte. */
        (void)run("head -c 65536 /dev/zero", &output);
        assert_int_equal(output.length, 65536);
}

static void output_beyond_the_limit_does_not_block_the_child(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(10);
        struct child_result result = run("head -c 3000000 /dev/zero; exit 4", &output);

        (void)state;
        assert_int_equal(result.end, CHILD_EXITED);
        assert_int_equal(result.code, 4);
        assert_int_equal(output.error, -EOVERFLOW);
        assert_int_equal(output.length, 10);
}

static void who_left_the_group_does_not_hold_us_up(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct child_result result;
        uint64_t pid = 0;

        (void)state;
        /* It keeps our pipe open. Ends only when it is in a session of its own. */
        result = run("setsid sleep 1000 & printf $!; "
                     "until [ $(cut -d ' ' -f 6 /proc/$!/stat) = $! ]; do sleep 0.01; done",
                     &output);
        assert_int_equal(text_parse_u64(text_view(&output), 2, INT32_MAX, &pid), 0);
        assert_int_equal(kill((pid_t)pid, SIGKILL), 0); /* it was alive */
        assert_true(child_succeeded(&result));
}

static void descriptors_are_not_handed_on(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(1000);
        int leaking = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, as careless code does */
        int high = dup2(leaking, 77);

        (void)state;
        assert_int_equal(high, 77);
        (void)run("test -e /proc/self/fd/77 || echo closed; ls /proc/self/fd | wc -l", &output);
        assert_int_equal(close(leaking), 0);
        assert_int_equal(close(high), 0);
        /* 0, 1, 2 and the one that ls reads the directory with. */
        assert_string_equal(text_view(&output), "closed\n4\n");
}

static void works_without_standard_descriptors(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        const char *missing[] = { "tocsin-no-such-program", NULL };
        struct child_request refused = {
                .argv = missing,
                .output = &output,
                .time_max_ns = LONG_NS,
        };
        struct child_result result, none;
        int kept[3], failed;

        (void)state;
        for (int fd = 0; fd < 3; fd++) {
                kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 100);
                assert_true(kept[fd] >= 0);
        }
        for (int fd = 0; fd < 3; fd++)
                (void)close(fd);
        result = run("cat; echo out; echo err >&2", &output);
        failed = child_run(&refused, &none);
        for (int fd = 0; fd < 3; fd++) {
                (void)dup2(kept[fd], fd);
                (void)close(kept[fd]);
        }
        assert_true(child_succeeded(&result));
        assert_string_equal(text_view(&output), "out\nerr\n");
        assert_int_equal(failed, -ENOENT);
}

static void signals_are_default_in_the_child(void **state)
{
        struct sigaction kept, ignored = { .sa_handler = SIG_IGN };
        struct child_result result;
        sigset_t terminate, mask;

        (void)state;
        /* As a server has it: SIGPIPE ignored, SIGTERM blocked for a signalfd. */
        assert_int_equal(sigaction(SIGPIPE, &ignored, &kept), 0);
        sigemptyset(&terminate);
        sigaddset(&terminate, SIGTERM);
        assert_int_equal(sigprocmask(SIG_BLOCK, &terminate, &mask), 0);
        result = run("kill -PIPE $$; exit 9", NULL);
        assert_int_equal(result.end, CHILD_KILLED);
        assert_int_equal(result.code, SIGPIPE);
        result = run("kill -TERM $$; exit 9", NULL);
        assert_int_equal(result.end, CHILD_KILLED);
        assert_int_equal(result.code, SIGTERM);
        assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &terminate), 0);
        assert_int_equal(sigismember(&terminate, SIGTERM), 1); /* ours is as before */
        assert_int_equal(sigismember(&terminate, SIGINT), 0);
        assert_int_equal(sigprocmask(SIG_SETMASK, &mask, NULL), 0);
        assert_int_equal(sigaction(SIGPIPE, &kept, NULL), 0);
}

static void environment_is_passed_on(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);

        (void)state;
        assert_int_equal(setenv("TOCSIN_CHILD_TEST", "seen", 1), 0);
        (void)run("echo $TOCSIN_CHILD_TEST", &output);
        assert_string_equal(text_view(&output), "seen\n");
}

static void environment_can_be_given(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(1000);
        const char *environment[] = { "ONLY=this", NULL };
        const char *nothing[] = { NULL };
        const char *argv[] = { "env", NULL }; /* found although it gets no PATH */
        struct child_request request = {
                .argv = argv,
                .output = &output,
                .time_max_ns = LONG_NS,
                .environment = environment,
        };
        struct child_result result;

        (void)state;
        assert_int_equal(child_run(&request, &result), 0);
        assert_true(child_succeeded(&result));
        assert_string_equal(text_view(&output), "ONLY=this\n");
        text_clear(&output);
        request.environment = nothing;
        assert_int_equal(child_run(&request, &result), 0);
        assert_string_equal(text_view(&output), "");
        request.environment = environment;
        request.argv = NULL;
        request.command = "echo $ONLY $HOME";
        assert_int_equal(child_run(&request, &result), 0);
        assert_string_equal(text_view(&output), "this\n");
}

static void directory_can_be_given(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct child_request request = {
                .command = "pwd",
                .output = &output,
                .time_max_ns = LONG_NS,
                .directory = "/usr",
        };
        struct child_result result;

        (void)state;
        assert_int_equal(child_run(&request, &result), 0);
        assert_string_equal(text_view(&output), "/usr\n");
        request.directory = "/tocsin-no-such-folder";
        assert_int_equal(child_run(&request, &result), -ENOENT);
}

/* Runs with our standard error being a pipe, or closed, and gives back what arrived there. */
static void run_showing_errors(bool is_closed, struct text *output, char shown[static 32])
{
        struct child_request request = {
                .command = "echo out; echo err >&2",
                .output = output,
                .time_max_ns = LONG_NS,
                .shows_errors = true,
        };
        struct child_result result;
        int ends[2], kept, failed;
        ssize_t length;

        assert_int_equal(pipe(ends), 0);
        kept = fcntl(2, F_DUPFD_CLOEXEC, 100);
        assert_true(kept >= 0);
        if (is_closed)
                (void)close(2);
        else
                (void)dup2(ends[1], 2);
        failed = child_run(&request, &result);
        (void)dup2(kept, 2);
        assert_int_equal(close(kept) | close(ends[1]), 0);
        length = read(ends[0], shown, 31);
        assert_true(length >= 0);
        shown[length] = '\0';
        assert_int_equal(close(ends[0]), 0);
        assert_int_equal(failed, 0);
        assert_true(child_succeeded(&result));
}

static void errors_can_be_shown(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        char shown[32];

        (void)state;
        run_showing_errors(false, &output, shown);
        assert_string_equal(text_view(&output), "out\n");
        assert_string_equal(shown, "err\n");
        run_showing_errors(true, &output, shown);
        assert_string_equal(text_view(&output), "out\nout\n");
        assert_string_equal(shown, "");
}

static int count_descriptors(void)
{
        int count = 0;

        for (int fd = 0; fd < 256; fd++)
                count += fcntl(fd, F_GETFD) >= 0;
        return count;
}

static void no_descriptor_is_leaked(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(10);
        const char *missing[] = { "tocsin-no-such-program", NULL };
        struct child_request refused = { .argv = missing, .time_max_ns = LONG_NS };
        struct child_request late = { .command = "sleep 1000", .time_max_ns = 1 };
        struct child_result result;
        int before = count_descriptors();

        (void)state;
        (void)run("echo x", &output);
        (void)child_run(&refused, &result);
        (void)child_run(&late, &result);
        assert_int_equal(count_descriptors(), before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(status_and_output_come_back),
                cmocka_unit_test(errors_can_be_kept_apart),
                cmocka_unit_test(signal_is_named),
                cmocka_unit_test(arguments_reach_a_program_unchanged),
                cmocka_unit_test(program_that_cannot_run_is_an_error),
                cmocka_unit_test(input_arrives_whole),
                cmocka_unit_test(input_that_nobody_reads_does_no_harm),
                cmocka_unit_test(no_input_is_end_of_file),
                cmocka_unit_test(output_limit_is_exact),
                cmocka_unit_test(output_of_a_child_that_has_ended_is_not_lost),
                cmocka_unit_test(output_beyond_the_limit_does_not_block_the_child),
                cmocka_unit_test(who_left_the_group_does_not_hold_us_up),
                cmocka_unit_test(descriptors_are_not_handed_on),
                cmocka_unit_test(works_without_standard_descriptors),
                cmocka_unit_test(signals_are_default_in_the_child),
                cmocka_unit_test(environment_is_passed_on),
                cmocka_unit_test(environment_can_be_given),
                cmocka_unit_test(directory_can_be_given),
                cmocka_unit_test(errors_can_be_shown),
                cmocka_unit_test(no_descriptor_is_leaked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
