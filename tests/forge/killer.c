/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into tocsin forge: kill -9 at the n-th call that could leave something half done, so
 * that "killed anywhere" is a number that a test can draw, and a failure can be repeated.
 *
 * KILLER_AT=N  dies at the N-th call: before it if N is odd, after it if N is even
 * KILLER_LOG=F how many calls there were, written at the end
 *
 * The forge gives its environment neither to the gate nor to a command: only it is hit.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static unsigned long calls, at;

__attribute__((constructor)) static void begin(void)
{
        const char *number = getenv("KILLER_AT");

        at = number ? strtoul(number, NULL, 10) : 0;
}

__attribute__((destructor)) static void end(void)
{
        const char *path = getenv("KILLER_LOG");
        FILE *file = path ? fopen(path, "we") : NULL;

        if (!file)
                return;
        (void)fprintf(file, "%lu\n", calls); /* an empty file fails the test */
        (void)fclose(file);
}

static void die(void)
{
        (void)kill(getpid(), SIGKILL);
        for (;;)
                (void)pause();
}

static void before(void)
{
        if (++calls == at && at % 2)
                die();
}

static void after(void)
{
        if (calls == at && at % 2 == 0)
                die();
}

#define WRAP(result, name, parameters, arguments)                  \
        result name parameters;                                    \
        result name parameters                                     \
        {                                                          \
                static result(*real) parameters;                   \
                result value;                                      \
                                                                   \
                if (!real)                                         \
                        *(void **)&real = dlsym(RTLD_NEXT, #name); \
                before();                                          \
                value = real arguments;                            \
                after();                                           \
                return value;                                      \
        }

WRAP(ssize_t, write, (int fd, const void *bytes, size_t length), (fd, bytes, length))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, renameat, (int from_fd, const char *from, int to_fd, const char *to),
     (from_fd, from, to_fd, to))
WRAP(int, linkat, (int from_fd, const char *from, int to_fd, const char *to, int flags),
     (from_fd, from, to_fd, to, flags))
WRAP(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
WRAP(int, ftruncate64, (int fd, off64_t length), (fd, length))
WRAP(int, posix_fallocate64, (int fd, off64_t from, off64_t length), (fd, from, length))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, ppoll,
     (struct pollfd * polled, nfds_t count, const struct timespec *time, const sigset_t *mask),
     (polled, count, time, mask))
WRAP(pid_t, fork, (void), ())
