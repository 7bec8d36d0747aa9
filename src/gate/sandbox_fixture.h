/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the sandbox share: one sandbox, shell commands and C programs in it, and a way
 * to become an ordinary user first. */
#ifndef GATE_SANDBOX_FIXTURE_H
#define GATE_SANDBOX_FIXTURE_H

#include "gate/sandbox.h"
#include "base/error.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define LONG_NS (60 * CLOCK_S_NS) /* never reached unless something is broken */

enum { nobody = 65534 };

static struct sandbox *sandbox;

static inline struct sandbox_request shell(const char *const argv[static 4], struct text *output)
{
        return (struct sandbox_request){ .argv = argv, .wall_max_ns = LONG_NS, .output = output };
}

#define SHELL(command) ((const char *const[]){ "/bin/sh", "-c", (command), NULL })

static inline struct sandbox_end run(const struct sandbox_request *request)
{
        struct sandbox_end end = { 0 };
        int failed = sandbox_run(sandbox, request, &end);

        if (failed)
                fail_msg("%s: %s", error_text(failed), sandbox_why());
        return end;
}

static inline struct sandbox_end run_shell(const char *command, struct text *output)
{
        struct sandbox_request request = shell(SHELL(command), output);

        return run(&request);
}

static inline void assert_exited(const struct sandbox_end *end, int code, const struct text *output)
{
        struct text words BASE_SCOPE(text_fini) = TEXT_INIT(256);

        sandbox_append_end(end, &words);
        if (end->how != SANDBOX_EXITED || end->code != code)
                fail_msg("%s: %s", text_view(&words), output ? text_view(output) : "");
}

/* A shell command that compiles the program with these flags and runs it. */
static inline void append_program(struct text *command, const char *compile, const char *source)
{
        text_printf(command,
                    "cat >/tmp/a.c <<'END'\n%s\nEND\n%s /tmp/a.c -o /tmp/a || exit 99\n"
                    "exec /tmp/a",
                    source, compile);
}

static inline struct sandbox_end run_program(const char *source, struct sandbox_request request,
                                             const char *compile)
{
        struct text command BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        const char *argv[] = { "/bin/sh", "-c", NULL, NULL };

        append_program(&command, compile ? compile : "gcc -D_GNU_SOURCE -w -pthread", source);
        argv[2] = text_view(&command);
        request.argv = argv;
        request.wall_max_ns = request.wall_max_ns ? request.wall_max_ns : LONG_NS;
        return run(&request);
}

/* Seconds to sleep by which processes of this test can be told from all others of the host. */
static inline const char *nap(void)
{
        static char seconds[24];
        static pid_t test;

        if (!test) { /* children of the test keep its word */
                test = getpid();
                (void)snprintf(seconds, sizeof(seconds), "9%d", (int)test);
        }
        return seconds;
}

/* A shell command with nap() for each NAP. One at a time. */
static inline const char *napping(const char *format)
{
        static char command[512];
        const char *from = format;
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(sizeof(command) - 1);

        for (const char *at; (at = strstr(from, "NAP")); from = at + 3) {
                text_append_bytes(&text, from, (size_t)(at - from));
                text_append(&text, nap());
        }
        text_append(&text, from);
        (void)snprintf(command, sizeof(command), "%s", text_view(&text));
        return command;
}

/* How many processes of the host have this word as an argument; the dead do not count. */
static inline int count_processes(const char *word)
{
        DIR *dir = opendir("/proc");
        struct dirent *entry;
        int count = 0;

        while (dir && (entry = readdir(dir))) {
                struct text line BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
                char path[300];

                (void)snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
                if (entry->d_name[0] < '0' || entry->d_name[0] > '9' ||
                    file_read(AT_FDCWD, path, &line))
                        continue;
                for (size_t at = 0; at < line.length; at += strlen(line.bytes + at) + 1)
                        count += strcmp(line.bytes + at, word) == 0;
        }
        if (dir)
                (void)closedir(dir);
        return count;
}

/* Whether within some seconds there are any (or none). */
static inline bool becomes(const char *word, bool any)
{
        uint64_t start_ns = clock_monotonic_ns();

        while (clock_monotonic_ns() - start_ns < 20 * CLOCK_S_NS) {
                if ((count_processes(word) > 0) == any)
                        return true;
                (void)poll(NULL, 0, 10);
        }
        return false;
}

/* Argument "nobody": what follows is done as an ordinary user; only root needs to change. */
static inline bool become_nobody(int argc, char **argv)
{
        if (argc < 2 || strcmp(argv[1], "nobody") != 0 || geteuid() != 0)
                return true;
        (void)setenv("TMPDIR", "/tmp", 1);
        return !setgroups(0, NULL) && !setresgid(nobody, nobody, nobody) &&
               !setresuid(nobody, nobody, nobody) && !prctl(PR_SET_DUMPABLE, 1);
}

static inline int run_with_sandbox(int argc, char **argv, int (*run_all)(void))
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        struct sandbox_settings settings = { .stop_fd = -1 };
        int failed;

        (void)nap();
        if (!become_nobody(argc, argv)) {
                (void)fputs("cannot become nobody\n", stderr);
                return 1;
        }
        if (sandbox_new(&settings, &sandbox, &why)) {
                (void)fprintf(stderr, "%s\n", text_view(&why));
                return 1;
        }
        failed = run_all();
        sandbox_free(&sandbox);
        return failed;
}

#endif
