/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to answer the gate: lists the cases, forks one child for each run, keeps its time and its
 * output within limits, and says how it ended. It opens nothing and allocates nothing of its own.
 */
#include "case/harness.h"
#include "case/wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
        output_kept_max = 64 << 10,
        output_max = 1 << 20,
        output_chunk = 900,
        orphan_rounds_max = 2000,
        run_word_max = 24,
};

extern const struct toc_case_ *const __start_toc_cases_1[] __attribute__((weak));
extern const struct toc_case_ *const __stop_toc_cases_1[] __attribute__((weak));

static struct {
        pid_t pid;
        int fd; /* of the pipe that is its standard output and error */
        char kept[output_kept_max];
        size_t kept_length;
        uint64_t length;
        int status;
        bool is_late, is_flooded;
        unsigned orphans;
} child;

static size_t case_count(void)
{
        return __start_toc_cases_1 ? (size_t)(__stop_toc_cases_1 - __start_toc_cases_1) : 0;
}

/* ---- LIST ----------------------------------------------------------------- */

static const char *word(const char *text)
{
        return text && *text ? text : "-";
}

static void list_case(const struct toc_case_ *test_case)
{
        char sizes[TOC_CASE_SIZE_MAX_ * 21 + 1] = "-", file[200];
        const char *name = toc_wire_file_(test_case->file);
        int used = 0;

        (void)toc_wire_escape_(file, sizeof(file), name, strlen(name));
        for (char *space = file; (space = strchr(space, ' '));)
                *space = '_';
        for (int i = 0; i < TOC_CASE_SIZE_MAX_ && test_case->sizes[i]; i++)
                used += snprintf(sizes + used, sizeof(sizes) - (size_t)used, "%s%llu", i ? "," : "",
                                 (unsigned long long)test_case->sizes[i]);
        (void)toc_wire_send_(WIRE_FD, "INFO %u %s %s %llu %s %u %s", test_case->kind,
                             test_case->name, word(test_case->axis),
                             (unsigned long long)test_case->seconds, word(file), test_case->line,
                             sizes);
}

static void list(void)
{
        for (size_t i = 0; i < case_count(); i++)
                list_case(__start_toc_cases_1[i]);
        (void)toc_wire_send_(WIRE_FD, "DONE %zu", case_count());
}

/* ---- The child ------------------------------------------------------------ */

static void on_child(int number)
{
        (void)number; /* poll() returns, which is all */
}

static uint64_t now_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* always there on Linux */
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

_Noreturn static void live_as_child(int output_fd, int input_fd)
{
        sigset_t none;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_DUMPABLE, 1); /* LeakSanitizer looks at itself through ptrace */
        (void)setpgid(0, 0);
        (void)signal(SIGCHLD, SIG_DFL);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)close(input_fd);
        if (dup2(output_fd, STDOUT_FILENO) < 0 || dup2(output_fd, STDERR_FILENO) < 0)
                _exit(2);
        (void)close(output_fd);
        toc_child_run_();
}

static bool start_child(void)
{
        int ends[2];

        if (pipe2(ends, O_CLOEXEC))
                return false;
        child.pid = fork();
        if (child.pid == 0)
                live_as_child(ends[1], ends[0]);
        (void)close(ends[1]);
        if (child.pid < 0) {
                (void)close(ends[0]);
                return false;
        }
        (void)setpgid(child.pid, child.pid); /* whoever comes first */
        child.fd = ends[0];
        (void)fcntl(child.fd, F_SETFL, O_NONBLOCK);
        return true;
}

/* False: nothing more will come, or not now. */
static bool drain(void)
{
        char bytes[4096];
        ssize_t length = read(child.fd, bytes, sizeof(bytes));
        size_t room = sizeof(child.kept) - child.kept_length;

        if (length <= 0)
                return length < 0 && errno == EINTR;
        child.length += (uint64_t)length;
        if (room > (size_t)length)
                room = (size_t)length;
        memcpy(child.kept + child.kept_length, bytes, room);
        child.kept_length += room;
        if (child.length > output_max && !child.is_flooded) {
                child.is_flooded = true;
                (void)kill(child.pid, SIGKILL);
        }
        return true;
}

static void await_child(const sigset_t *while_waiting)
{
        const uint64_t wall_ms = toc_harness_run_.wall_ms;
        const uint64_t end_ms = now_ms() + wall_ms;
        bool is_open = true;

        while (waitpid(child.pid, &child.status, WNOHANG) != child.pid) {
                uint64_t now = now_ms();
                uint64_t left_ms = wall_ms && now < end_ms ? end_ms - now : 0;
                struct timespec left = { .tv_sec = (time_t)(left_ms / 1000),
                                         .tv_nsec = (long)(left_ms % 1000) * 1000000 };
                struct pollfd polled[2] = {
                        { .fd = WIRE_FD },
                        { .fd = is_open ? child.fd : -1, .events = POLLIN },
                };
                const bool has_end = wall_ms && !child.is_late;

                if (has_end && now >= end_ms) {
                        child.is_late = true;
                        (void)kill(child.pid, SIGKILL);
                        continue;
                }
                (void)ppoll(polled, 2, has_end ? &left : NULL, while_waiting);
                if (polled[0].revents & (POLLHUP | POLLERR)) {
                        (void)kill(-child.pid, SIGKILL);
                        _exit(0);
                }
                if (polled[1].revents)
                        is_open = drain() || !(polled[1].revents & POLLHUP);
        }
}

/* What it started has become ours, and dies. */
static void end_orphans(void)
{
        char path[64], pids[1024];

        (void)kill(-child.pid, SIGKILL);
        (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
        for (int i = 0; i < orphan_rounds_max; i++) {
                pid_t ended = waitpid(-1, NULL, WNOHANG);
                ssize_t length = 0;
                int fd;

                if (ended > 0) {
                        child.orphans++;
                        continue;
                }
                if (ended < 0)
                        return;
                fd = open(path, O_RDONLY | O_CLOEXEC);
                if (fd >= 0) {
                        length = read(fd, pids, sizeof(pids) - 1);
                        (void)close(fd);
                }
                pids[length > 0 ? length : 0] = '\0';
                for (char *at = pids; *at;) {
                        long pid = strtol(at, &at, 10);

                        if (pid > 1)
                                (void)kill((pid_t)pid, SIGKILL);
                        while (*at == ' ')
                                at++;
                }
                (void)usleep(500);
        }
        _exit(3); /* they multiply: the sandbox ends them with us */
}

/* The file of its cells; a watcher has read it. */
static void remove_segments(void)
{
        const char *path = getenv("TOCSIN_DIR");
        DIR *folder = path ? opendir(path) : NULL;
        char prefix[24];
        struct dirent *entry;

        if (!folder)
                return;
        (void)snprintf(prefix, sizeof(prefix), "%d-", (int)child.pid);
        while ((entry = readdir(folder)))
                if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
                        (void)unlinkat(dirfd(folder), entry->d_name, 0);
        (void)closedir(folder);
}

static void report_end(void)
{
        const char *nonce = toc_harness_run_.nonce;
        char escaped[4 * output_chunk + 8];

        for (size_t at = 0; at < child.kept_length;) {
                size_t length = child.kept_length - at;

                at += toc_wire_escape_(escaped, sizeof(escaped), child.kept + at,
                                       length < output_chunk ? length : output_chunk);
                (void)toc_wire_send_(WIRE_FD, "OUTPUT %s %s", nonce, escaped);
        }
        if (child.is_late)
                (void)toc_wire_send_(WIRE_FD, "DATA %s late=1", nonce);
        if (child.is_flooded)
                (void)toc_wire_send_(WIRE_FD, "DATA %s flooded=1", nonce);
        if (child.orphans)
                (void)toc_wire_send_(WIRE_FD, "DATA %s processes=%u", nonce, child.orphans);
        if (WIFSIGNALED(child.status))
                (void)toc_wire_send_(WIRE_FD, "END %s signal %d", nonce, WTERMSIG(child.status));
        else
                (void)toc_wire_send_(WIRE_FD, "END %s exit %d", nonce, WEXITSTATUS(child.status));
}

/* ---- RUN ------------------------------------------------------------------ */

static void take_option(char *option)
{
        static const struct {
                const char *key;
                uint64_t *value;
        } options[] = {
                { "fail", &toc_harness_run_.fail_at },
                { "sticky", &toc_harness_run_.is_sticky },
                { "size", &toc_harness_run_.size },
                { "threads", &toc_harness_run_.threads },
                { "run_ms", &toc_harness_run_.run_ms },
                { "sample_ms", &toc_harness_run_.sample_ms },
                { "wall_ms", &toc_harness_run_.wall_ms },
                { "leak", &toc_harness_run_.leaks },
                { "deadlock", &toc_harness_run_.deadlocks_at },
                { "slow_us", &toc_harness_run_.slow_us },
                { "descriptor", &toc_harness_run_.loses_descriptors },
        };
        char *value = strchr(option, '=');

        if (!value)
                return;
        *value++ = '\0';
        for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
                if (strcmp(option, options[i].key) == 0)
                        *options[i].value = strtoull(value, NULL, 10);
        if (strcmp(option, "counter") != 0)
                return;
        if (strcmp(value, "perf") == 0)
                toc_harness_run_.counter = HARNESS_COUNTER_PERF;
        if (strcmp(value, "callgrind") == 0)
                toc_harness_run_.counter = HARNESS_COUNTER_CALLGRIND;
}

/* "NONCE NAME SEED KEY=VALUE..." */
static bool take_run(char *line)
{
        char *words[run_word_max];
        size_t count = 0, found = 0;

        toc_harness_run_ = (struct harness_run){ .wire_fd = WIRE_FD };
        while (count < run_word_max && (words[count] = strsep(&line, " ")))
                count++;
        if (count < 3 || strlen(words[0]) != wire_nonce_length)
                return false;
        memcpy(toc_harness_run_.nonce, words[0], wire_nonce_length + 1);
        toc_harness_run_.seed = strtoull(words[2], NULL, 10);
        for (size_t i = 3; i < count; i++)
                take_option(words[i]);
        for (size_t i = 0; i < case_count(); i++) {
                if (strcmp(__start_toc_cases_1[i]->name, words[1]) != 0)
                        continue;
                /* Of two with one name neither runs: the other would never be missed. */
                toc_harness_run_.test_case = found++ ? NULL : __start_toc_cases_1[i];
        }
        return true;
}

static void run(char *line, const sigset_t *while_waiting)
{
        if (!take_run(line))
                return;
        memset(&child, 0, sizeof(child));
        if (!toc_harness_run_.test_case || !start_child()) {
                (void)toc_wire_send_(WIRE_FD, "END %s missing 0", toc_harness_run_.nonce);
                return;
        }
        await_child(while_waiting);
        end_orphans();
        while (drain())
                ;
        (void)close(child.fd);
        remove_segments();
        report_end();
}

int main(void)
{
        char line[wire_line_max];
        struct sigaction action = { .sa_handler = on_child };
        sigset_t before, blocked;

        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
        (void)prctl(PR_SET_DUMPABLE, 0); /* /proc/PID/mem of ours is not for a candidate */
        (void)sigaction(SIGCHLD, &action, NULL);
        (void)sigemptyset(&blocked);
        (void)sigaddset(&blocked, SIGCHLD);
        (void)sigprocmask(SIG_BLOCK, &blocked, &before);
        while (toc_wire_receive_(WIRE_FD, line, sizeof(line)) > 0) {
                if (strcmp(line, "LIST") == 0)
                        list();
                else if (strncmp(line, "RUN ", 4) == 0)
                        run(line + 4, &before);
        }
        _exit(0); /* what the candidate registered for an exit was not ours to run */
}
