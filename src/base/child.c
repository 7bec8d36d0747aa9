/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because system() and popen() have no deadline, leave grandchildren behind and hand every
 * open descriptor to a program that did not ask for it.
 *
 * Between fork() and exec() only async-signal-safe calls are made: the watcher has threads, and any
 * of them may hold a lock at that moment. execvpe() is not on POSIX's list, but glibc's neither
 * allocates nor locks.
 */
#include "base/child.h"
#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { chunk_bytes = 16384, exec_fd = 3 };

/* The parent's ends. Negative: closed. */
struct child {
        pid_t pid;
        int pidfd;
        int output;
        int errors;
        int refusal; /* an int from the child if exec fails, else end of file when it succeeds */
};

/* The child's ends, already opened by the parent. */
struct child_ends {
        int input;
        int output;
        int errors;
        int refusal;
};

static void close_end(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* pipes and memory files: nothing can be lost here */
        *fd = -1;
}

static void child_fini(struct child *child)
{
        close_end(&child->pidfd);
        close_end(&child->output);
        close_end(&child->errors);
        close_end(&child->refusal);
}

static void child_ends_fini(struct child_ends *ends)
{
        close_end(&ends->input);
        close_end(&ends->output);
        close_end(&ends->errors);
        close_end(&ends->refusal);
}

/* A file in memory with the input, ready to be read from its start. */
static int open_memory(const char *bytes, size_t left, int *ret_fd)
{
        *ret_fd = memfd_create("input", MFD_CLOEXEC);
        if (*ret_fd < 0)
                return error_last();
        while (left) {
                ssize_t written = write(*ret_fd, bytes, left);

                if (written <= 0)
                        return written ? error_last() : -EIO;
                bytes += written;
                left -= (size_t)written;
        }
        return lseek(*ret_fd, 0, SEEK_SET) < 0 ? error_last() : 0;
}

static int open_null(int flags, int *ret_fd)
{
        *ret_fd = open("/dev/null", flags | O_CLOEXEC);
        return *ret_fd < 0 ? error_last() : 0;
}

/* Our end never blocks: reading stops when the child has nothing to say, not when it is gone. */
static int open_pipe(int *ret_ours, int *ret_childs)
{
        int ends[2];

        if (pipe2(ends, O_CLOEXEC))
                return error_last();
        *ret_ours = ends[0];
        *ret_childs = ends[1];
        return fcntl(ends[0], F_SETFL, O_NONBLOCK) ? error_last() : 0;
}

/* Ours once more; nowhere if we have none. */
static int open_shown(int *ret_fd)
{
        *ret_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, exec_fd);
        if (*ret_fd < 0 && errno == EBADF)
                return open_null(O_WRONLY, ret_fd);
        return *ret_fd < 0 ? error_last() : 0;
}

/* What has been opened before an error is closed with the two structs. */
static int open_ends(const struct child_request *request, struct child *child,
                     struct child_ends *ends)
{
        /* First, while 2 is still what it was, or nothing. */
        int failed = request->shows_errors ? open_shown(&ends->errors) : 0;

        if (!failed)
                failed = open_pipe(&child->refusal, &ends->refusal);
        if (!failed && request->input_length)
                failed = open_memory(request->input, request->input_length, &ends->input);
        else if (!failed)
                failed = open_null(O_RDONLY, &ends->input);
        if (!failed && request->output)
                failed = open_pipe(&child->output, &ends->output);
        else if (!failed)
                failed = open_null(O_WRONLY, &ends->output);
        if (!failed && request->errors)
                failed = open_pipe(&child->errors, &ends->errors);
        return failed;
}

/* Above all the ends, so that moving one to its place cannot overwrite another. */
static int lift(int fd)
{
        return fcntl(fd, F_DUPFD, exec_fd + 1);
}

static void reset_signals(void)
{
        struct sigaction usual = { .sa_handler = SIG_DFL };
        sigset_t none;

        for (int number = 1; number < NSIG; number++)
                (void)sigaction(number, &usual, NULL); /* fails for KILL and STOP, rightly */
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with valid arguments */
}

/* Puts 0 to 2 and the way to refuse in their places, closes all others. */
static int arrange(struct child_ends *ends)
{
        int input = lift(ends->input);
        int output = lift(ends->output);
        int errors = lift(ends->errors < 0 ? ends->output : ends->errors);
        int refusal = lift(ends->refusal);

        if (input < 0 || output < 0 || errors < 0 || refusal < 0)
                return error_last();
        ends->refusal = refusal;
        if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0)
                return error_last();
        if (dup3(refusal, exec_fd, O_CLOEXEC) < 0)
                return error_last();
        ends->refusal = exec_fd;
        return close_range(exec_fd + 1, UINT_MAX, 0) ? error_last() : 0;
}

/* These return only to fail. The cast is due to their age: they write to no argument. */
static int execute(const struct child_request *request)
{
        char *const *environment =
                request->environment ? (char *const *)(uintptr_t)request->environment : environ;

        if (request->command)
                (void)execle("/bin/sh", "sh", "-c", request->command, (char *)NULL, environment);
        else
                (void)execvpe(request->argv[0], (char *const *)(uintptr_t)request->argv,
                              environment);
        return error_last();
}

static int become(const struct child_request *request, struct child_ends *ends, pid_t parent)
{
        int failed = arrange(ends);

        if (failed)
                return failed;
        if (setpgid(0, 0) ||
            prctl(PR_SET_PDEATHSIG, request->end_signal ? request->end_signal : SIGKILL))
                return error_last();
        if (getppid() != parent)
                return -ESRCH; /* it died before the line above: nobody waits for us */
        reset_signals();
        if (request->directory && chdir(request->directory))
                return error_last();
        return execute(request);
}

_Noreturn static void live_as_child(const struct child_request *request, struct child_ends *ends,
                                    pid_t parent)
{
        int failed = become(request, ends, parent);

        /* Four bytes into an empty pipe; if the parent is gone nobody wants them. */
        (void)!write(ends->refusal, &failed, sizeof(failed));
        _exit(ERROR_EXIT_RUN_MISSING);
}

/* All of the group, and the child itself in case it has not joined its group yet. */
static void kill_group(const struct child *child)
{
        (void)kill(-child->pid, SIGKILL); /* gone already is what we want */
        (void)kill(child->pid, SIGKILL);
}

static int start(struct child *child, struct child_ends *ends, const struct child_request *request)
{
        pid_t parent = getpid();
        sigset_t all, kept;
        int failed;

        /* Blocked until exec, so that no handler of ours runs in the child. */
        sigfillset(&all);
        failed = pthread_sigmask(SIG_SETMASK, &all, &kept);
        if (failed)
                return -failed;
        child->pid = fork();
        if (child->pid == 0)
                live_as_child(request, ends, parent);
        failed = child->pid < 0 ? error_last() : 0;
        (void)pthread_sigmask(SIG_SETMASK, &kept, NULL); /* was valid a moment ago */
        if (failed)
                return failed;
        (void)setpgid(child->pid, child->pid); /* fails if the child was first; either will do */
        child->pidfd = pidfd_open(child->pid, 0);
        if (child->pidfd >= 0)
                return 0;
        failed = error_last();
        kill_group(child);
        (void)waitpid(child->pid, NULL, 0); /* just killed, before it could do anything slow */
        return failed;
}

/* Takes what is there, at most `chunks` times; what the text cannot hold is dropped. */
static void drain(int *fd, struct text *into, int chunks)
{
        char chunk[chunk_bytes];

        while (*fd >= 0 && chunks-- > 0) {
                ssize_t length = read(*fd, chunk, sizeof(chunk));

                if (length < 0 && errno == EINTR)
                        continue;
                if (length < 0 && errno == EAGAIN)
                        return;
                if (length > 0)
                        text_append_bytes(into, chunk, (size_t)length);
                else
                        close_end(fd);
        }
}

/* Says so if it is time, and gives back how long to wait at most until it is time again. */
static uint64_t tick(const struct child_request *request, uint64_t now_ns, uint64_t *ticked_ns)
{
        if (!request->tick)
                return UINT64_MAX;
        if (now_ns - *ticked_ns >= CHILD_TICK_NS) {
                request->tick(request->tick_context);
                *ticked_ns = now_ns;
        }
        return *ticked_ns + CHILD_TICK_NS - now_ns;
}

/* 0 when the child has ended, -ETIMEDOUT when its time is over, -ECANCELED because of stop_fd. */
static int follow(struct child *child, const struct child_request *request, uint64_t time_max_ns,
                  int stop_fd)
{
        uint64_t start_ns = clock_monotonic_ns();
        uint64_t ticked_ns = start_ns;

        for (;;) {
                struct pollfd polled[] = {
                        { .fd = child->pidfd, .events = POLLIN },
                        { .fd = child->output, .events = POLLIN },
                        { .fd = child->errors, .events = POLLIN },
                        { .fd = stop_fd, .events = POLLIN },
                };
                uint64_t now_ns = clock_monotonic_ns();
                uint64_t spent_ns = now_ns - start_ns;
                uint64_t left_ns = spent_ns < time_max_ns ? time_max_ns - spent_ns : 0;
                uint64_t tick_ns = tick(request, now_ns, &ticked_ns);
                uint64_t wait_ns = left_ns < tick_ns ? left_ns : tick_ns;
                struct timespec wait = { .tv_sec = (time_t)(wait_ns / CLOCK_S_NS),
                                         .tv_nsec = (long)(wait_ns % CLOCK_S_NS) };

                if (ppoll(polled, BASE_COUNT(polled), &wait, NULL) < 0 && errno != EINTR)
                        return error_last();
                if (polled[1].revents)
                        drain(&child->output, request->output, 1);
                if (polled[2].revents)
                        drain(&child->errors, request->errors, 1);
                if (polled[0].revents)
                        return 0;
                if (polled[3].revents)
                        return -ECANCELED;
                if (!left_ns)
                        return -ETIMEDOUT;
        }
}

/* The child is dead or dying. Kills what it left behind before its number can be used again. */
static int finish(struct child *child, const struct child_request *request, int *ret_status)
{
        /* More than a pipe holds, and an end even if somebody outside the group keeps writing. */
        enum { chunks_max = 128 };
        int status, refusal;

        kill_group(child);
        if (follow(child, request, CHILD_REAP_MAX_NS, -1))
                return -ETIMEDOUT;
        drain(&child->output, request->output, chunks_max);
        drain(&child->errors, request->errors, chunks_max);
        if (waitpid(child->pid, &status, WNOHANG) != child->pid)
                return error_last();
        if (read(child->refusal, &refusal, sizeof(refusal)) == sizeof(refusal))
                return refusal;
        *ret_status = status;
        return 0;
}

/* Until it has ended or has to be killed: what follow() says of the time before it was told to. */
static int await(struct child *child, const struct child_request *request)
{
        int stop_fd = request->stop_fd ? *request->stop_fd : -1;
        int ended = follow(child, request, request->time_max_ns, stop_fd);

        if ((ended == -ETIMEDOUT || ended == -ECANCELED) && request->end_signal) {
                (void)kill(-child->pid, request->end_signal); /* gone already is what we want */
                (void)follow(child, request, request->end_max_ns, -1); /* else it is killed */
        }
        return ended;
}

int child_run(const struct child_request *request, struct child_result *ret_result)
{
        struct child child BASE_SCOPE(child_fini) = { -1, -1, -1, -1, -1 };
        struct child_ends ends BASE_SCOPE(child_ends_fini) = { -1, -1, -1, -1 };
        int failed, ended, status = 0;

        assert(request->time_max_ns && !request->command != !request->argv);
        assert(!request->shows_errors || !request->errors);
        failed = open_ends(request, &child, &ends);
        if (!failed)
                failed = start(&child, &ends, request);
        if (failed)
                return failed;
        child_ends_fini(&ends);

        ended = await(&child, request);
        failed = finish(&child, request, &status);
        /* Told to end, and not even dying in time: the kernel is at it; why it had to is known. */
        if (failed && !(failed == -ETIMEDOUT && (ended == -ETIMEDOUT || ended == -ECANCELED)))
                return failed;
        if (ended && ended != -ETIMEDOUT && ended != -ECANCELED)
                return ended;
        if (ended)
                *ret_result = (struct child_result){
                        .end = ended == -ETIMEDOUT ? CHILD_LATE : CHILD_STOPPED,
                };
        else if (WIFEXITED(status))
                *ret_result = (struct child_result){ CHILD_EXITED, WEXITSTATUS(status) };
        else
                *ret_result = (struct child_result){ CHILD_KILLED, WTERMSIG(status) };
        return 0;
}

bool child_succeeded(const struct child_result *result)
{
        return result->end == CHILD_EXITED && result->code == 0;
}

void child_append_end(const struct child_result *result, struct text *into)
{
        const char *name = result->end == CHILD_KILLED ? sigabbrev_np(result->code) : NULL;

        if (result->end == CHILD_EXITED)
                text_printf(into, "exit status %d", result->code);
        else if (result->end == CHILD_LATE)
                text_append(into, "did not end in time");
        else if (result->end == CHILD_STOPPED)
                text_append(into, "was stopped");
        else if (name)
                text_printf(into, "killed by SIG%s", name);
        else
                text_printf(into, "killed by signal %d", result->code);
}
