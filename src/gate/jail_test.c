/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows what those who try get: nothing; and what honest tools need: enough. As root it is run
 * twice, the second time as an ordinary user (argument "nobody"), whose limits are weaker.
 */
#include "gate/sandbox_fixture.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define MIB ((uint64_t)1 << 20)

static bool has_cgroup(void)
{
        return sandbox_layers(sandbox)->cgroup != NULL;
}

/* The command fails; what it printed is shown if it does not. */
static void assert_refused(const char *command)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        struct sandbox_end end = run_shell(command, &output);

        if (end.how == SANDBOX_EXITED && end.code == 0)
                fail_msg("went through: %s: %s", command, text_view(&output));
}

static void assert_prints(const char *command, const char *wanted)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        struct sandbox_end end = run_shell(command, &output);

        assert_exited(&end, 0, &output);
        assert_string_equal(text_view(&output), wanted);
}

/* The program says which of its attempts went through; none should. */
static void assert_all_refused(const char *source, struct sandbox_request request)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        struct sandbox_end end;

        request.output = &output;
        end = run_program(source, request, NULL);
        assert_exited(&end, 0, &output);
        assert_string_equal(text_view(&output), "");
}

/* ---- What it must not get ---- */

static void memory_is_bounded(void **state)
{
        struct sandbox_request request = { .memory_max_bytes = 100 * MIB };
        const char *bomb = "#include <stdlib.h>\n#include <string.h>\n"
                           "int main(void) { for (;;) { char *p = malloc(1 << 20);\n"
                           "  if (!p) return 7; memset(p, 1, 1 << 20); } }";
        struct sandbox_end end = run_program(bomb, request, NULL);

        (void)state;
        if (!has_cgroup()) {
                assert_exited(&end, 7, NULL);
                return;
        }
        assert_int_equal(end.how, SANDBOX_OUT_OF_MEMORY);
        assert_in_range(end.memory_peak_bytes, 50 * MIB, 101 * MIB);

        /* Many small ones are as bad as one; what lies in /tmp counts too. */
        request = shell(SHELL("i=0; while [ $i -lt 8 ]; do i=$((i+1));"
                              " dd if=/dev/zero of=/tmp/$i bs=1M count=30 || exit 9; done"),
                        NULL);
        request.memory_max_bytes = 100 * MIB;
        end = run(&request);
        assert_int_equal(end.how, SANDBOX_OUT_OF_MEMORY);
        request.memory_max_bytes = 400 * MIB;
        end = run(&request);
        assert_exited(&end, 0, NULL);
}

static void processes_are_bounded(void **state)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(100);
        struct sandbox_request request = { .process_max = 20, .output = &output };
        struct sandbox_end end = run_program("#include <stdio.h>\n#include <unistd.h>\n"
                                             "int main(void) { int n = 0; pid_t p;\n"
                                             "while ((p = fork()) > 0) n++;\n"
                                             "if (p == 0) pause(); printf(\"%d\", n); return 0; }",
                                             request, NULL);
        uint64_t count = 0;

        (void)state;
        assert_exited(&end, 0, &output);
        assert_true(end.left_processes);
        assert_int_equal(text_parse_u64(text_view(&output), 0, UINT64_MAX, &count), 0);
        if (has_cgroup()) {
                assert_in_range(count, 15, 20);
                assert_true(end.was_refused_processes);
        } else {
                assert_in_range(count, 15, 4000);
        }
        request = shell(SHELL(napping("b() { b NAP | b NAP & }; b; sleep NAP")), NULL);
        request.wall_max_ns = CLOCK_S_NS;
        request.output_max_bytes = 64 * MIB;
        (void)run(&request);
        assert_int_equal(count_processes(nap()), 0);
}

static void disk_is_bounded(void **state)
{
        struct sandbox_request request =
                shell(SHELL("for i in 1 2 3 4; do head -c 1000000 /dev/zero >/tmp/$i; done"
                            " 2>/dev/null; test $(cat /tmp/? | wc -c) -le 2500000 &&"
                            " ! head -c 100M /dev/zero >/dev/shm/x"),
                      NULL);
        struct sandbox_end end;

        (void)state;
        request.file_max_bytes = 2500000;
        end = run(&request);
        assert_exited(&end, 0, NULL);
        assert_refused("echo >/x");
        assert_refused("echo >/dev/x");
        assert_refused("echo >/usr/x");
        assert_refused("echo >/etc/x");
        assert_refused("echo >/run/x");
        assert_refused("mkdir /x");
}

static void there_is_no_network(void **state)
{
        struct sockaddr_in address = { .sin_family = AF_INET };
        socklen_t length = sizeof(address);
        int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct pollfd polled = { .fd = server, .events = POLLIN };
        char source[1000];

        (void)state;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(server, 4), 0);
        assert_int_equal(getsockname(server, (struct sockaddr *)&address, &length), 0);
        (void)snprintf(source, sizeof(source),
                       "#include <arpa/inet.h>\n#include <stdio.h>\n#include <errno.h>\n"
                       "int main(void) { struct sockaddr_in a = { AF_INET, htons(%u) };\n"
                       "int s = socket(AF_INET, SOCK_STREAM, 0), v[2];\n"
                       "a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);\n"
                       "if (s >= 0) puts(\"socket\");\n"
                       "if (!connect(s, (void *)&a, sizeof a)) puts(\"connect\");\n"
                       "if (socket(AF_INET6, SOCK_DGRAM, 0) >= 0) puts(\"inet6\");\n"
                       "if (socket(AF_NETLINK, SOCK_RAW, 0) >= 0) puts(\"netlink\");\n"
                       "if (socket(AF_PACKET, SOCK_RAW, 0) >= 0) puts(\"packet\");\n"
                       "if (socketpair(AF_UNIX, SOCK_STREAM, 0, v)) puts(\"no pair\");\n"
                       "return 0; }",
                       ntohs(address.sin_port));
        assert_all_refused(source, (struct sandbox_request){ 0 });
        assert_int_equal(poll(&polled, 1, 0), 0);
        assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(poll(&polled, 1, 10000), 1); /* it could have been reached */
        (void)close(client);
        (void)close(server);
}

static void files_are_out_of_reach(void **state)
{
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        struct text command BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct sandbox_bind bind = { .inside = "/file" };
        struct sandbox_request request = shell(SHELL("cat /file"), NULL);
        struct sandbox_end end;
        int fd = -1;

        (void)state;
        assert_refused("cat /etc/shadow");
        assert_refused("cat /etc/passwd");
        assert_refused("ls /root");
        assert_refused("ls /home");
        assert_refused("ls /var");
        assert_refused("ls /sys/fs");
        assert_refused("cat /proc/kcore");
        assert_refused("echo c >/proc/sysrq-trigger");
        assert_refused("echo 0 >/proc/sys/vm/overcommit_memory");
        assert_refused("ls -d /proc/[0-9][0-9][0-9]*"); /* nobody else's processes */

        /* In a folder of the gate that was not bound. */
        assert_int_equal(sandbox_folder(sandbox, "secret", &fd, &path), 0);
        assert_int_equal(file_replace(fd, "file", "secret", 6, 0600), 0);
        text_append(&path, "/file");
        text_printf(&command, "cat %s", text_view(&path));
        assert_refused(text_view(&command));
        /* And even bound, what is root's and 0600. */
        if (geteuid() == 0) {
                bind.host = text_view(&path);
                request.binds = &bind;
                request.bind_count = 1;
                end = run(&request);
                assert_true(end.how == SANDBOX_EXITED && end.code != 0);
                assert_int_equal(fchmodat(fd, "file", 0604, 0), 0);
                end = run(&request); /* or this test could not fail */
                assert_exited(&end, 0, NULL);
        }
        (void)close(fd);
}

static void nothing_is_inherited(void **state)
{
        static const char *const environment[] = { "MINE=a=b", "HOME=/here", NULL };
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        struct sandbox_request request =
                shell(SHELL("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= | sort"), &output);
        struct sandbox_end end;
        int leak = open("/etc/passwd", O_RDONLY); /* not closed on exec */

        (void)state;
        assert_true(leak >= 0);
        assert_int_equal(setenv("TOCSIN_TEST_SECRET", "secret", 1), 0);
        assert_prints("env | cut -d= -f1 | sort | grep -v -x -e _ -e SHLVL | tr '\\n' ' '",
                      "HOME LC_ALL PATH PWD ");
        request.environment = environment;
        end = run(&request);
        assert_exited(&end, 0, &output);
        assert_string_equal(text_view(&output), "HOME=/here\nLC_ALL=C.UTF-8\nMINE=a=b\n"
                                                "PATH=/usr/local/bin:/usr/bin:/bin\n");
        /* 3 is ls's own. */
        assert_prints("ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 ");
        assert_prints("cat; pwd; umask", "/tmp\n0022\n");
        (void)close(leak);
}

static void nobody_outside_can_be_hurt(void **state)
{
        char command[100];

        (void)state;
        (void)snprintf(command, sizeof(command), "kill -9 %d", (int)getpid());
        assert_refused(command);
        (void)snprintf(command, sizeof(command), "kill -9 %d", (int)getppid());
        assert_refused(command);
        (void)run_shell("kill -9 1; kill -9 -1", NULL);
        (void)run_shell("kill -9 $PPID", NULL);
        assert_refused("chrt -f 50 true");
        assert_refused("nice -n -5 nice | grep -x -e -5");
}

static void dangerous_calls_are_refused(void **state)
{
        (void)state;
        assert_refused("unshare -Ur true");
        assert_refused("unshare -n true");
        assert_refused("mount -t tmpfs x /tmp");
        assert_refused("chroot / true");
        assert_all_refused(
                "#include <sched.h>\n#include <stdio.h>\n#include <errno.h>\n#include <signal.h>\n"
                "#include <sys/ioctl.h>\n#include <sys/ptrace.h>\n#include <sys/syscall.h>\n"
                "#include <unistd.h>\n#include <stdlib.h>\n"
                "#define T(e, ...) if (syscall(__VA_ARGS__) != -1 || errno != e)\\\n"
                "  printf(\"%s: %d\\n\", #__VA_ARGS__, errno)\n"
                "int main(void) { char b[256] = { 0 };\n"
                "T(EPERM, SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);\n"
                "T(EPERM, SYS_process_vm_readv, 1, 0, 0, 0, 0, 0);\n"
                "T(EPERM, SYS_process_vm_writev, 1, 0, 0, 0, 0, 0);\n"
                "T(EPERM, SYS_perf_event_open, b, 0, -1, -1, 0);\n"
                "T(EPERM, SYS_bpf, 0, b, 120);\n"
                "T(EPERM, SYS_add_key, \"user\", \"a\", \"b\", 1, -1);\n"
                "T(EPERM, SYS_keyctl, 0, 0, 0, 0, 0);\n"
                "T(EPERM, SYS_userfaultfd, 1);\n"
                "T(ENOSYS, SYS_io_uring_setup, 1, b);\n"
                "T(ENOSYS, SYS_clone3, b, 88);\n"
                "T(EPERM, SYS_unshare, CLONE_NEWUSER);\n"
                "T(EPERM, SYS_setns, 0, 0);\n"
                "T(EPERM, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);\n"
                "T(EPERM, SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);\n"
                "T(EPERM, SYS_open_by_handle_at, 3, b, 0);\n"
                "T(EPERM, SYS_pidfd_getfd, 3, 3, 0);\n"
                "T(EPERM, SYS_kexec_load, 0, 0, 0, 0);\n"
                "T(EPERM, SYS_ioctl, 0, TIOCSTI, b);\n"
                "T(EPERM, SYS_ioctl, 0, 0xfeedUL << 32 | TIOCSTI, b);\n"
                "return 0; }",
                (struct sandbox_request){ 0 });
        /* Another ABI has other numbers, so it is not there at all. */
#ifdef __x86_64__
        struct sandbox_end end =
                run_program("#include <unistd.h>\n#include <sys/syscall.h>\n"
                            "int main(void) { return syscall(0x40000000 + SYS_getpid) < 0; }",
                            (struct sandbox_request){ 0 }, NULL);

        assert_true(end.how != SANDBOX_EXITED || end.code != 0);
#endif
}

static void a_core_is_not_written(void **state)
{
        (void)state;
        assert_prints("ulimit -c; ulimit -n; sh -c 'kill -ABRT $$' 2>/dev/null; ls /tmp",
                      "0\n256\n");
}

/* ---- What honest tools need ---- */

static void ptrace_is_let_through_if_wished(void **state)
{
        struct sandbox_request request = { .lets_ptrace = true };
        struct sandbox_end end = run_program("#include <sys/ptrace.h>\n"
                                             "int main(void) { return ptrace(PTRACE_TRACEME, 0, 0,"
                                             " 0) != 0; }",
                                             request, NULL);

        (void)state;
        assert_exited(&end, 0, NULL);
}

static void expect(const char *source, struct sandbox_request request, const char *compile,
                   const char *wanted)
{
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
        struct sandbox_end end;

        request.output = &output;
        end = run_program(source, request, compile);
        if (!wanted) {
                assert_exited(&end, 0, &output);
                return;
        }
        if (end.how != SANDBOX_EXITED || end.code == 0 || end.code == 99 ||
            !strstr(text_view(&output), wanted))
                fail_msg("%s: no '%s', how %d code %d: %s", compile, wanted, (int)end.how, end.code,
                         text_view(&output));
}

static void sanitizers_work(void **state)
{
        static const char good[] = "#include <stdlib.h>\nint main(void) { free(malloc(3)); }";
        static const char over[] = "#include <stdlib.h>\n"
                                   "int main(int c, char **v) { char *p = malloc(3);"
                                   " p[c + 2] = 1; free(p); return 0; }";
        static const char leak[] = "#include <stdlib.h>\nvoid *volatile p;\n"
                                   "int main(void) { p = malloc(3); p = 0; return 0; }";
        /* Many times: of two accesses at the very same moment the sanitizer may see neither. */
        static const char race[] =
                "#include <pthread.h>\nint x;\n"
                "static void *f(void *p) { for (int i = 0; i < 9999; i++) x++; return p; }\n"
                "int main(void) { pthread_t a, b; pthread_create(&a, 0, f, 0);\n"
                "pthread_create(&b, 0, f, 0); pthread_join(a, 0); pthread_join(b, 0);"
                " return 0; }";
        struct sandbox_request address = { .is_sanitized = true, .lets_ptrace = true };
        struct sandbox_request thread = { .is_sanitized = true, .fixes_addresses = true };

        (void)state;
        expect(good, address, "gcc -w -fsanitize=address,undefined", NULL);
        expect(over, address, "gcc -w -fsanitize=address,undefined", "heap-buffer-overflow");
        expect(over, address, "clang -w -fsanitize=address,undefined", "heap-buffer-overflow");
        expect(leak, address, "gcc -w -fsanitize=address", "detected memory leaks");
        expect(good, thread, "gcc -w -fsanitize=thread -pthread", NULL);
        expect(race, thread, "gcc -w -fsanitize=thread -pthread", "data race");
        expect(race, thread, "clang -w -fsanitize=thread -pthread", "data race");
}

static int run_all(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(memory_is_bounded),
                cmocka_unit_test(processes_are_bounded),
                cmocka_unit_test(disk_is_bounded),
                cmocka_unit_test(there_is_no_network),
                cmocka_unit_test(files_are_out_of_reach),
                cmocka_unit_test(nothing_is_inherited),
                cmocka_unit_test(nobody_outside_can_be_hurt),
                cmocka_unit_test(dangerous_calls_are_refused),
                cmocka_unit_test(a_core_is_not_written),
                cmocka_unit_test(ptrace_is_let_through_if_wished),
                cmocka_unit_test(sanitizers_work),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
        return run_with_sandbox(argc, argv, run_all);
}
