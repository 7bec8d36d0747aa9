/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows how a job begins, talks and ends, and that a sandbox leaves nothing behind. As root it is
 * run twice, the second time as an ordinary user (argument "nobody").
 */
#include "gate/sandbox_fixture.h"

#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

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
        struct text words BASE_SCOPE(text_fini) = TEXT_INIT(100);

        (void)state;
        assert_int_equal(end.how, SANDBOX_KILLED);
        assert_int_equal(end.code, SIGSEGV);
        sandbox_append_end(&end, &words);
        assert_string_equal(text_view(&words), "killed by SIGSEGV");
}

static void what_cannot_begin_is_an_error(void **state)
{
        const char *const argv[] = { "/usr/bin/no-such-program", NULL };
        struct sandbox_bind bind = { .host = "/no/such/folder", .inside = "/x" };
        struct sandbox_request request = { .argv = argv };
        struct sandbox_end end;

        (void)state;
        assert_int_equal(sandbox_run(sandbox, &request, &end), -ENOENT);
        assert_non_null(strstr(sandbox_why(), "no-such-program"));

        request = shell(SHELL("true"), NULL);
        request.directory = "/no/such/folder";
        assert_true(sandbox_run(sandbox, &request, &end) < 0);

        request = shell(SHELL("true"), NULL);
        request.binds = &bind;
        request.bind_count = 1;
        assert_true(sandbox_run(sandbox, &request, &end) < 0);
}

static void as_many_binds_as_said(void **state)
{
        struct sandbox_bind binds[sandbox_bind_max + 1];
        struct sandbox_request request = shell(SHELL("test -d /b/last/lib"), NULL);
        struct sandbox_end end;

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(binds); i++)
                binds[i] = (struct sandbox_bind){ .host = "/usr", .inside = "/b/many" };
        binds[sandbox_bind_max - 1].inside = "/b/last";
        request.binds = binds;
        request.bind_count = sandbox_bind_max;
        end = run(&request);
        assert_exited(&end, 0, NULL);
        request.bind_count++;
        assert_int_equal(sandbox_run(sandbox, &request, &end), -EINVAL);
}

static void the_clock_ends_it(void **state)
{
        struct sandbox_request request = shell(SHELL(napping("sleep NAP & sleep NAP")), NULL);
        struct sandbox_end end;

        (void)state;
        request.wall_max_ns = 300 * CLOCK_MS_NS;
        end = run(&request);
        assert_int_equal(end.how, SANDBOX_LATE);
        assert_int_equal(count_processes(nap()), 0);
}

static void a_flood_ends_it(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
        struct sandbox_request request = shell(SHELL("yes"), &output);
        struct sandbox_end end;

        (void)state;
        request.output_max_bytes = 100000;
        end = run(&request);
        assert_int_equal(end.how, SANDBOX_FLOODED);
        assert_int_equal(output.length, 100000);

        request = shell(SHELL("head -c 100000 /dev/zero"), NULL);
        request.output_max_bytes = 100000;
        end = run(&request);
        assert_exited(&end, 0, NULL);
        request = shell(SHELL("head -c 100001 /dev/zero"), NULL);
        request.output_max_bytes = 100000;
        end = run(&request);
        assert_int_equal(end.how, SANDBOX_FLOODED);
}

static void what_outlives_its_program_is_seen_and_ended(void **state)
{
        struct sandbox_end end;

        (void)state;
        for (int i = 0; i < 20; i++) { /* it is over at once, and must not be over too early */
                end = run_shell(napping("setsid sh -c 'sleep NAP' & exit 0"), NULL);
                assert_exited(&end, 0, NULL);
                assert_true(end.left_processes);
                assert_int_equal(count_processes(nap()), 0);
        }
        end = run_shell("sleep 0.1", NULL);
        assert_false(end.left_processes);
        end = run_shell("true & wait", NULL);
        assert_false(end.left_processes);
}

/* A program that answers each message on the socket with "yes, ...". */
static const char answers[] =
        "#include <string.h>\n#include <unistd.h>\n#include <stdio.h>\n"
        "int main(void) { char in[100], out[120]; ssize_t n;\n"
        "  while ((n = read(3, in, 99)) > 0) { in[n] = 0; puts(in); fflush(stdout);\n"
        "    write(3, out, snprintf(out, sizeof out, \"yes, %s\", in)); } return 0; }";

static struct sandbox_job *start_program(const char *source, struct sandbox_request request)
{
        struct text command BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        const char *argv[] = { "/bin/sh", "-c", NULL, NULL };
        struct sandbox_job *job = NULL;

        append_program(&command, "gcc -w", source);
        argv[2] = text_view(&command);
        request.argv = argv;
        request.wall_max_ns = LONG_NS;
        if (sandbox_start(sandbox, &request, &job))
                fail_msg("%s", sandbox_why());
        return job;
}

static void assert_says(struct sandbox_job *job, const char *wanted)
{
        char heard[200] = "";
        struct pollfd polled = { .fd = sandbox_socket(job), .events = POLLIN };

        assert_int_equal(poll(&polled, 1, 60000), 1);
        assert_true(recv(polled.fd, heard, sizeof(heard) - 1, 0) > 0);
        assert_string_equal(heard, wanted);
}

static void one_can_talk_to_it(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(1000);
        struct sandbox_request request = { .has_socket = true, .output = &output };
        struct sandbox_job *job = start_program(answers, request);
        struct sandbox_end end;

        (void)state;
        assert_int_equal(send(sandbox_socket(job), "one", 3, MSG_NOSIGNAL), 3);
        assert_says(job, "yes, one");
        assert_int_equal(send(sandbox_socket(job), "two", 3, MSG_NOSIGNAL), 3);
        assert_says(job, "yes, two");
        (void)shutdown(sandbox_socket(job), SHUT_WR);
        assert_int_equal(sandbox_finish(&job, &end), 0);
        assert_null(job);
        assert_exited(&end, 0, &output);
        assert_string_equal(text_view(&output), "one\ntwo\n");
}

/* More output than a pipe holds, before it says a word. */
static void output_does_not_block_talk(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
        struct sandbox_request request = { .has_socket = true, .output = &output };
        struct sandbox_end end;
        struct sandbox_job *job =
                start_program("#include <stdio.h>\n#include <unistd.h>\n"
                              "int main(void) { for (int i = 0; i < 500000; i++) putchar('x');\n"
                              "fflush(stdout); write(3, \"done\", 4); return 0; }",
                              request);

        (void)state;
        assert_says(job, "done");
        assert_int_equal(sandbox_finish(&job, &end), 0);
        assert_exited(&end, 0, NULL);
        assert_int_equal(output.length, 500000);
}

static void its_owner_can_kill_it(void **state)
{
        struct sandbox_request request = shell(SHELL(napping("sleep NAP")), NULL);
        struct sandbox_job *job = NULL;
        struct sandbox_end end;

        (void)state;
        assert_int_equal(sandbox_start(sandbox, &request, &job), 0);
        assert_true(becomes(nap(), true));
        sandbox_kill(job);
        assert_int_equal(sandbox_finish(&job, &end), 0);
        assert_int_equal(end.how, SANDBOX_KILLED);
        assert_int_equal(count_processes(nap()), 0);

        /* And at once, when it has hardly begun. */
        for (int i = 0; i < 20; i++) {
                assert_int_equal(sandbox_start(sandbox, &request, &job), 0);
                sandbox_kill(job);
                assert_int_equal(sandbox_finish(&job, &end), 0);
                assert_int_equal(end.how, SANDBOX_KILLED);
        }
        assert_int_equal(count_processes(nap()), 0);
}

static void its_segments_can_be_opened(void **state)
{
        struct text content BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct sandbox_request request = { .has_socket = true, .has_segments = true };
        struct sandbox_job *job =
                start_program("#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n"
                              "int main(void) { char path[100]; FILE *f; char c;\n"
                              "  snprintf(path, 100, \"%s/1.seg\", getenv(\"TOCSIN_DIR\"));\n"
                              "  f = fopen(path, \"w\"); fputs(\"hello\", f); fclose(f);\n"
                              "  symlink(\"/etc/passwd\", \"/run/tocsin/2.seg\");\n"
                              "  write(3, \"written\", 7); read(3, &c, 1); return 0; }",
                              request);
        struct sandbox_end end;
        struct stat status;
        uid_t owner = 0;
        int fd = -1;

        (void)state;
        assert_says(job, "written");
        assert_int_equal(sandbox_segments(job, &fd, &owner), 0);
        assert_int_equal(file_read(fd, "1.seg", &content), 0);
        assert_string_equal(text_view(&content), "hello");
        assert_int_equal(fstatat(fd, "1.seg", &status, 0), 0);
        assert_int_equal(status.st_uid, owner);
        assert_true(geteuid() != 0 || owner != 0);
        (void)close(fd);
        (void)shutdown(sandbox_socket(job), SHUT_RDWR);
        assert_int_equal(sandbox_finish(&job, &end), 0);
        assert_exited(&end, 0, NULL);
}

static void a_job_without_segments_has_none(void **state)
{
        struct sandbox_request request = shell(SHELL("exit 0"), NULL);
        struct sandbox_job *job = NULL;
        struct sandbox_end end;
        uid_t owner;
        int fd;

        (void)state;
        assert_int_equal(sandbox_start(sandbox, &request, &job), 0);
        assert_true(sandbox_segments(job, &fd, &owner) < 0);
        assert_int_equal(sandbox_finish(&job, &end), 0);
}

static void folders_are_handed_in_and_out(void **state)
{
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        struct text content BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct sandbox_bind bind = { .inside = "/job", .is_writable = true };
        struct sandbox_request request = shell(SHELL("cat /job/in >/job/out"), NULL);
        struct sandbox_end end;
        int fd = -1;

        (void)state;
        assert_int_equal(sandbox_folder(sandbox, "work", &fd, &path), 0);
        assert_int_equal(file_replace(fd, "in", "text", 4, 0600), 0);
        assert_int_equal(symlinkat("/etc/passwd", fd, "link"), 0);
        bind.host = text_view(&path);
        request.binds = &bind;
        request.bind_count = 1;
        if (geteuid() == 0) { /* still root's, and so closed */
                end = run(&request);
                assert_true(end.how == SANDBOX_EXITED && end.code != 0);
        }
        assert_int_equal(sandbox_hand_over(sandbox, fd, "in"), 0);
        assert_true(sandbox_hand_over(sandbox, fd, "link") < 0);
        end = run(&request);
        assert_exited(&end, 0, NULL);
        assert_int_equal(file_read(fd, "out", &content), 0);
        assert_string_equal(text_view(&content), "text");

        bind.is_writable = false;
        request = shell(SHELL("echo >/job/out2"), NULL);
        request.binds = &bind;
        request.bind_count = 1;
        end = run(&request);
        assert_true(end.how == SANDBOX_EXITED && end.code != 0);
        (void)close(fd);
}

static void *run_many(void *context)
{
        intptr_t number = (intptr_t)context;

        for (int i = 0; i < 5; i++) {
                struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
                char command[64], wanted[64];
                const char *const argv[] = { "/bin/sh", "-c", command, NULL };
                struct sandbox_request request = { .argv = argv, .output = &output };
                struct sandbox_end end;

                (void)snprintf(command, sizeof(command), "echo %d.%d", (int)number, i);
                (void)snprintf(wanted, sizeof(wanted), "%d.%d\n", (int)number, i);
                if (sandbox_run(sandbox, &request, &end) || end.how != SANDBOX_EXITED || end.code ||
                    strcmp(text_view(&output), wanted) != 0)
                        return context;
        }
        return NULL;
}

static void many_threads_use_it(void **state)
{
        pthread_t threads[8];

        (void)state;
        for (intptr_t i = 0; i < 8; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, run_many, (void *)(i + 1)), 0);
        for (size_t i = 0; i < 8; i++) {
                void *failed = NULL;

                assert_int_equal(pthread_join(threads[i], &failed), 0);
                assert_null(failed);
        }
}

/* A sandbox besides the shared one. */
static struct sandbox *another(int stop_fd)
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        struct sandbox_settings settings = { .stop_fd = stop_fd };
        struct sandbox *made = NULL;

        if (sandbox_new(&settings, &made, &why))
                fail_msg("%s", text_view(&why));
        return made;
}

static void stop_stops(void **state)
{
        struct sandbox_request request = shell(SHELL(napping("sleep NAP")), NULL);
        struct sandbox_job *job = NULL;
        struct sandbox_end end;
        struct sandbox *stopped;
        int ends[2];

        (void)state;
        assert_int_equal(pipe(ends), 0);
        stopped = another(ends[0]);
        assert_int_equal(sandbox_start(stopped, &request, &job), 0);
        assert_int_equal(write(ends[1], "x", 1), 1);
        assert_int_equal(sandbox_finish(&job, &end), -ECANCELED);
        assert_int_equal(count_processes(nap()), 0);
        assert_int_equal(sandbox_run(stopped, &request, &end), -ECANCELED);
        sandbox_free(&stopped);
        (void)close(ends[0]);
        (void)close(ends[1]);
}

static void it_dies_with_the_gate(void **state)
{
        struct sandbox_request request =
                shell(SHELL(napping("setsid sleep NAP & sleep NAP")), NULL);
        pid_t gate;

        (void)state;
        assert_true(becomes(nap(), false)); /* or it would take one of before for its own */
        gate = fork();
        assert_true(gate >= 0);
        if (gate == 0) {
                struct sandbox_job *job = NULL;

                if (sandbox_start(sandbox, &request, &job))
                        _exit(1);
                (void)becomes(nap(), true);
                (void)raise(SIGKILL);
        }
        (void)waitpid(gate, NULL, 0);
        assert_true(becomes(nap(), false));
}

static size_t count_paths(const char *pattern)
{
        glob_t found = { 0 };
        size_t count = glob(pattern, GLOB_NOSORT, NULL, &found) ? 0 : found.gl_pathc;

        globfree(&found);
        return count;
}

/* Folders and groups of a process. */
static size_t count_leftovers(pid_t pid)
{
        static const char *const places[] = { "/tmp", "/sys/fs/cgroup", "/sys/fs/cgroup/*",
                                              "/sys/fs/cgroup/*/*", "/sys/fs/cgroup/*/*/*" };
        const char *parent = getenv("TMPDIR");
        size_t count = 0;
        char pattern[4096];

        for (size_t i = 0; i < BASE_COUNT(places); i++) {
                (void)snprintf(pattern, sizeof(pattern), "%s/tocsin-gate-%d-*",
                               i == 0 && parent ? parent : places[i], (int)pid);
                count += count_paths(pattern);
        }
        return count;
}

/* In a process of its own, as the shared sandbox leaves its folder until the end. */
static void nothing_is_left(void **state)
{
        int status = -1;
        pid_t gate = fork();

        (void)state;
        assert_true(gate >= 0);
        if (gate == 0) {
                struct sandbox_request request = shell(SHELL("sleep 1000"), NULL);
                struct text path = TEXT_INIT(4096);
                struct sandbox *own = another(-1);
                struct sandbox_job *job = NULL;
                struct sandbox_end end;
                int fd;

                if (sandbox_folder(own, "x", &fd, &path) || mkdirat(fd, "y", 0700) ||
                    mkdirat(fd, "y/z", 0700) || sandbox_start(own, &request, &job))
                        _exit(1);
                if (count_leftovers(getpid()) < (sandbox_layers(own)->cgroup ? 2 : 1))
                        _exit(2); /* or this test could not fail */
                sandbox_kill(job);
                if (sandbox_finish(&job, &end))
                        _exit(3);
                sandbox_free(&own);
                if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
                        _exit(5); /* somebody dead whom nobody reaped */
                _exit(count_leftovers(getpid()) ? 4 : 0);
        }
        assert_int_equal(waitpid(gate, &status, 0), gate);
        assert_int_equal(status, 0);
        assert_int_equal(count_leftovers(gate), 0);
}

/* Into the groups of this process, where nothing ends it: as who waits for a bubblewrap that is
 * dead. True: it is there. */
static bool leave_stray(void)
{
        char pattern[4096], said = 'n';
        int ends[2];
        glob_t found;

        (void)snprintf(pattern, sizeof(pattern),
                       "/sys/fs/cgroup/{,*/,*/*/,*/*/*/}tocsin-gate-%d-*/cgroup.procs",
                       (int)getpid());
        if (glob(pattern, GLOB_NOSORT | GLOB_BRACE, NULL, &found) || pipe(ends))
                return false;
        if (fork() == 0) {
                (void)alarm(60); /* if nobody sweeps it */
                said = 'y';
                for (size_t i = 0; i < found.gl_pathc; i++) {
                        int fd = open(found.gl_pathv[i], O_WRONLY);

                        if (write(fd, "0", 1) != 1)
                                said = 'n';
                }
                (void)!write(ends[1], &said, 1);
                (void)close_range(3, ~0U, 0); /* locks of the groups, too */
                for (;;)
                        (void)pause();
        }
        globfree(&found);
        return read(ends[0], &said, 1) == 1 && said == 'y';
}

/* One gate is killed; the next removes what it left. */
static void what_the_dead_left_is_swept(void **state)
{
        struct sandbox *next;
        int status;
        pid_t gate;

        (void)state;
        assert_true(becomes(nap(), false)); /* or it would take one of before for its own */
        gate = fork();
        assert_true(gate >= 0);
        if (gate == 0) {
                struct sandbox_request request = shell(SHELL(napping("sleep NAP")), NULL);
                struct sandbox_job *job = NULL;
                struct sandbox *own = another(-1);

                (void)sandbox_start(own, &request, &job);
                (void)becomes(nap(), true);
                if (sandbox_layers(own)->cgroup && !leave_stray())
                        _exit(1);
                (void)raise(SIGKILL);
        }
        assert_int_equal(waitpid(gate, &status, 0), gate);
        assert_true(WIFSIGNALED(status));
        assert_true(count_leftovers(gate) > 0);
        assert_true(becomes(nap(), false));
        next = another(-1);
        assert_int_equal(count_leftovers(gate), 0);
        sandbox_free(&next);
}

static void what_is_missing_is_said(void **state)
{
        const struct sandbox_layers *layers = sandbox_layers(sandbox);
        struct sandbox_settings settings = { .stop_fd = -1, .needs_layers = true };
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        struct sandbox *strict = NULL;
        int failed = sandbox_new(&settings, &strict, &why);

        (void)state;
        assert_int_equal(!layers->cgroup, layers->missing.length > 0);
        assert_int_equal(failed != 0, layers->missing.length > 0);
        if (failed)
                assert_non_null(strstr(text_view(&why), "cgroup"));
        sandbox_free(&strict);
}

static int run_all(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(status_and_output_come_back),
                cmocka_unit_test(a_signal_comes_back),
                cmocka_unit_test(what_cannot_begin_is_an_error),
                cmocka_unit_test(as_many_binds_as_said),
                cmocka_unit_test(the_clock_ends_it),
                cmocka_unit_test(a_flood_ends_it),
                cmocka_unit_test(what_outlives_its_program_is_seen_and_ended),
                cmocka_unit_test(one_can_talk_to_it),
                cmocka_unit_test(output_does_not_block_talk),
                cmocka_unit_test(its_owner_can_kill_it),
                cmocka_unit_test(its_segments_can_be_opened),
                cmocka_unit_test(a_job_without_segments_has_none),
                cmocka_unit_test(folders_are_handed_in_and_out),
                cmocka_unit_test(many_threads_use_it),
                cmocka_unit_test(stop_stops),
                cmocka_unit_test(it_dies_with_the_gate),
                cmocka_unit_test(nothing_is_left),
                cmocka_unit_test(what_the_dead_left_is_swept),
                cmocka_unit_test(what_is_missing_is_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
        return run_with_sandbox(argc, argv, run_all);
}
