/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows that what runs in the sandbox gets nothing and leaves nothing, with programs that try. As
 * root it is run twice, the second time as an ordinary user (argument "nobody").
 */
#include "gate/sandbox.h"
#include "base/child.h"
#include "base/error.h"
#include "base/file.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define LONG_NS (60 * CLOCK_S_NS) /* never reached unless something is broken */

static struct sandbox *sandbox;
static int stop_ends[2];

static const char *shell_argv[] = { "/bin/sh", "-c", NULL, NULL };

static struct sandbox_request shell(const char *command, struct text *output)
{
        shell_argv[2] = command;
        return (struct sandbox_request){ .argv = shell_argv,
                                         .wall_max_ns = LONG_NS,
                                         .output = output };
}

static struct sandbox_end run(const struct sandbox_request *request)
{
        struct sandbox_end end = { 0 };
        int failed = sandbox_run(sandbox, request, &end);

        if (failed)
                fail_msg("%s: %s", error_text(failed), sandbox_why());
        return end;
}

static struct sandbox_end run_shell(const char *command, struct text *output)
{
        struct sandbox_request request = shell(command, output);

        return run(&request);
}

static void assert_exited(const struct sandbox_end *end, int code, const struct text *output)
{
        struct text words BASE_SCOPE(text_fini) = TEXT_INIT(256);

        sandbox_append_end(end, &words);
        if (end->how != SANDBOX_EXITED || end->code != code)
                fail_msg("%s: %s", text_view(&words), output ? text_view(output) : "");
}

/* The shell command fails inside; `output` is shown if it does not. */
static void assert_refused(const char *command)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        struct sandbox_end end = run_shell(command, &output);

        if (end.how == SANDBOX_EXITED && end.code == 0)
                fail_msg("went through: %s: %s", command, text_view(&output));
}

static void status_and_output_come_back(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct sandbox_end end = run_shell("echo out; echo err >&2; exit 3", &output);

        (void)state;
        assert_exited(&end, 3, &output);
        assert_string_equal(text_view(&output), "out\nerr\n");
        assert_true(end.wall_ns > 0);
        assert_false(end.left_processes);
}

static void a_signal_comes_back(void **state)
{
        struct sandbox_end end = run_shell("kill -SEGV $$", NULL);

        (void)state;
        assert_int_equal(end.how, SANDBOX_KILLED);
        assert_int_equal(end.code, SIGSEGV);
}

static void a_missing_program_is_an_error(void **state)
{
        const char *const argv[] = { "/usr/bin/no-such-program", NULL };
        struct sandbox_request request = { .argv = argv };
        struct sandbox_end end;

        (void)state;
        assert_int_equal(sandbox_run(sandbox, &request, &end), -ENOENT);
        assert_non_null(strstr(sandbox_why(), "no-such-program"));
}

static void the_clock_ends_it(void **state)
{
        struct sandbox_request request = shell("sleep 1000 & sleep 1000", NULL);
        struct sandbox_end end;

        (void)state;
        request.wall_max_ns = 300 * CLOCK_MS_NS;
        end = run(&request);
        assert_int_equal(end.how, SANDBOX_LATE);
}

static void a_flood_ends_it(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
        struct sandbox_request request = shell("yes", &output);
        struct sandbox_end end;

        (void)state;
        request.output_max_bytes = 100000;
        end = run(&request);
        assert_int_equal(end.how, SANDBOX_FLOODED);
        assert_true(output.length <= 100000);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(status_and_output_come_back),
                cmocka_unit_test(a_signal_comes_back),
                cmocka_unit_test(a_missing_program_is_an_error),
                cmocka_unit_test(the_clock_ends_it),
                cmocka_unit_test(a_flood_ends_it),
        };
        struct text why = TEXT_INIT(4096);
        struct sandbox_settings settings = { .stop_fd = -1 };
        int failed;

        (void)argc;
        (void)argv;
        (void)stop_ends;
        (void)assert_refused;
        failed = sandbox_new(&settings, &sandbox, &why);
        if (failed) {
                fprintf(stderr, "%d %s\n", failed, text_view(&why));
                return 1;
        }
        fprintf(stderr, "missing: %s\n", text_view(&sandbox_layers(sandbox)->missing));
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        sandbox_free(&sandbox);
        return failed;
}
