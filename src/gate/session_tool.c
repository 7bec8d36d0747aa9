/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to keep what is particular to valgrind, callgrind and the sanitizers out of the talk. */
#include "gate/session_tool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { report_bytes_max = 4 << 20 };

bool session_tool_is_valgrind(const struct session_plan *plan)
{
        return plan->tool == SESSION_VALGRIND || plan->tool == SESSION_CALLGRIND;
}

/* argv and environment of each tool. Sanitizers exit with a status of their own, so that their
 * reports are told from a candidate's exit. */
const char *const *session_tool_arguments(const struct session_plan *plan)
{
        static const char *const plain[] = { SESSION_TOOL_PROGRAM, NULL };
        static const char *const memcheck[] = {
                "/usr/bin/valgrind",
                "-q",
                "--vgdb=no",
                "--error-exitcode=99",
                "--leak-check=full",
                "--show-leak-kinds=definite,indirect,possible",
                "--errors-for-leak-kinds=definite,indirect,possible",
                "--track-fds=yes",
                "--child-silent-after-fork=no",
                "--log-file=" SESSION_TOOL_REPORTS "/tool.%p",
                SESSION_TOOL_PROGRAM,
                NULL
        };
        static const char *const callgrind[] = {
                "/usr/bin/valgrind",    "-q",
                "--tool=callgrind",     "--vgdb=no",
                "--collect-atstart=no", "--callgrind-out-file=" SESSION_TOOL_REPORTS "/tool.%p",
                SESSION_TOOL_PROGRAM,   NULL
        };

        if (plan->tool == SESSION_VALGRIND)
                return memcheck;
        return plan->tool == SESSION_CALLGRIND ? callgrind : plain;
}

const char *const *session_tool_environment(const struct session_plan *plan)
{
/* Bound at the start, so that no loop of a BENCH pays for the dynamic linker. */
#define ALWAYS \
        "PATH=/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C", "LD_BIND_NOW=1", "TOCSIN_DIR=/run/tocsin"
        static const char *const plain[] = { ALWAYS, NULL };
        static const char *const inside[] = { ALWAYS, "LD_PRELOAD=" SESSION_TOOL_INSIDE, NULL };
        static const char *const dirty[] = { ALWAYS, "GLIBC_TUNABLES=glibc.malloc.perturb=165",
                                             NULL };
        static const char *const asan[] = {
                ALWAYS,
                "ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=23:"
                "detect_stack_use_after_return=1:strict_string_checks=1:"
                "allocator_may_return_null=1",
                "LSAN_OPTIONS=exitcode=23",
                "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1",
                NULL,
        };
        static const char *const tsan[] = {
                ALWAYS,
                "TSAN_OPTIONS=halt_on_error=1:exitcode=66:second_deadlock_stack=1",
                NULL,
        };
#undef ALWAYS

        if (plan->build == BUILD_ASAN)
                return asan;
        if (plan->build == BUILD_TSAN)
                return tsan;
        if (plan->tool == SESSION_DIRTY)
                return dirty;
        return plan->sees_inside ? inside : plain;
}

/* ---- What tools wrote ----------------------------------------------------- */

/* The file of the process that says this was its pid: hostile, like all that it says. */
static void read_report(int folder_fd, uint64_t pid, struct text *into)
{
        char name[32];
        char bytes[4096];
        struct stat status;
        int fd;

        if (folder_fd < 0)
                return;
        (void)snprintf(name, sizeof(name), "tool.%llu", (unsigned long long)pid);
        fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return;
        if (!fstat(fd, &status) && S_ISREG(status.st_mode)) {
                ssize_t length;

                while (!into->error && (length = read(fd, bytes, sizeof(bytes))) > 0)
                        text_append_bytes(into, bytes, (size_t)length);
        }
        (void)close(fd); /* read only */
        (void)unlinkat(folder_fd, name, 0);
}

static void take_instructions(const struct text *report, struct session_verdict *verdict)
{
        static const char word[] = "\ntotals: ";
        const char *at = memmem(text_view(report), report->length, word, strlen(word));
        char number[32] = "";
        size_t length;

        if (!at)
                return;
        at += strlen(word);
        length = strspn(at, "0123456789");
        if (length >= sizeof(number))
                return;
        memcpy(number, at, length);
        verdict->has_instructions = !text_parse_u64(number, 0, UINT64_MAX, &verdict->instructions);
}

void session_tool_report(enum session_tool tool, int folder_fd, uint64_t pid,
                         struct session_verdict *verdict)
{
        BASE_SCOPE(text_fini) struct text report = TEXT_INIT(report_bytes_max);

        if (tool == SESSION_VALGRIND)
                read_report(folder_fd, pid, &verdict->output);
        if (tool != SESSION_CALLGRIND)
                return;
        read_report(folder_fd, pid, &report);
        verdict->has_instructions = false;
        if (verdict->calls)
                take_instructions(&report, verdict);
}
