/* SPDX-License-Identifier: Apache-2.0 */
/* descriptor.c - every descriptor of the program, with the place where it was opened.
 *
 * What libc opens inside itself and gives out as something else - a FILE, a DIR - comes by under
 * the name of that; what it opens and closes for itself does not come by, and is nobody's to
 * lose. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <pty.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inside/descriptor.h"
#include "inside/inside.h"
#include "inside/real.h"

enum { DESCRIPTORS = 1 << 16 }; /* those above are not accounted */

static uint16_t sites[DESCRIPTORS]; /* 0: not made here, or closed */

static struct {
#define X(type, name, ...) type (*name)(__VA_ARGS__);
#include "inside/descriptor.def"
#undef X
} real;

void inside_descriptor_start(void)
{
#define X(type, name, ...) INSIDE_REAL(real.name, #name);
#include "inside/descriptor.def"
#undef X
        inside_.flags |= INSIDE_HAS_DESCRIPTORS;
}

#define AT __builtin_return_address(0)
#define SP inside_sp()

static bool is_on(void)
{
        return inside_is_awake();
}

void descriptor_ended(int fd)
{
        uint32_t site = 0;

        /* Looked at first: whoever closes all of them writes nothing. */
        if (fd >= 0 && fd < DESCRIPTORS && inside_is_ready() &&
            __atomic_load_n(&sites[fd], __ATOMIC_RELAXED))
                site = __atomic_exchange_n(&sites[fd], 0, __ATOMIC_RELAXED);
        if (site)
                inside_ended(inside_page(), site % INSIDE_SITES, 0);
}

int descriptor_made(int fd, const void *at, const void *sp)
{
        struct inside_thread *page;
        uint32_t site;
        int saved = errno;

        if (fd < 0 || fd >= DESCRIPTORS || !is_on())
                return fd;
        descriptor_ended(fd); /* one that was closed behind our back */
        page = inside_page();
        site = inside_site(page, INSIDE_DESCRIPTOR, at, sp);
        __atomic_store_n(&sites[fd], (uint16_t)site, __ATOMIC_RELAXED);
        inside_made(page, site, 0);
        errno = saved;
        return fd;
}

void descriptors_received(const struct msghdr *message, const void *at, const void *sp)
{
        const int pidfd = 4; /* SCM_PIDFD, younger than libc's headers */
        struct msghdr *walked = (struct msghdr *)message; /* only read, but the macros want it so */

        for (struct cmsghdr *part = CMSG_FIRSTHDR(walked); part; part = CMSG_NXTHDR(walked, part)) {
                const unsigned char *bytes = CMSG_DATA(part);
                size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                if (part->cmsg_level != SOL_SOCKET ||
                    (part->cmsg_type != SCM_RIGHTS && part->cmsg_type != pidfd))
                        continue;
                for (size_t i = 0; i < count; i++) {
                        int fd;

                        __builtin_memcpy(&fd, bytes + i * sizeof(fd), sizeof(fd));
                        (void)descriptor_made(fd, at, sp);
                }
        }
}

static void made_two(int error, const int *fds, const void *at, const void *sp)
{
        if (error)
                return;
        (void)descriptor_made(fds[0], at, sp);
        (void)descriptor_made(fds[1], at, sp);
}

/* ---- Files ----------------------------------------------------------------------------*/

static bool has_mode(int flags)
{
        return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

/* The mode is there only if something may be made. */
#define OPEN(name, first, ...)                    \
        mode_t mode = 0;                          \
        va_list more;                             \
        va_start(more, flags);                    \
        if (has_mode(flags))                      \
                mode = (mode_t)va_arg(more, int); \
        va_end(more);                             \
        (void)is_on();                            \
        return descriptor_made(real.name(__VA_ARGS__, flags, mode), AT, SP)

INSIDE_PUBLIC int open(const char *path, int flags, ...)
{
        OPEN(open, , path);
}

INSIDE_PUBLIC int open64(const char *path, int flags, ...)
{
        OPEN(open64, , path);
}

INSIDE_PUBLIC int openat(int folder, const char *path, int flags, ...)
{
        OPEN(openat, , folder, path);
}

INSIDE_PUBLIC int openat64(int folder, const char *path, int flags, ...)
{
        OPEN(openat64, , folder, path);
}

/* Those that return a descriptor, or -1, and take it from nowhere else. Old libcs lack some. */
#define MAKES(name, parameters, arguments)                           \
        INSIDE_PUBLIC int name parameters;                           \
        int name parameters                                          \
        {                                                            \
                (void)is_on();                                       \
                if (!real.name) {                                    \
                        errno = ENOSYS;                              \
                        return -1;                                   \
                }                                                    \
                return descriptor_made(real.name arguments, AT, SP); \
        }

MAKES(__open_2, (const char *path, int flags), (path, flags))
MAKES(__open64_2, (const char *path, int flags), (path, flags))
MAKES(__openat_2, (int folder, const char *path, int flags), (folder, path, flags))
MAKES(__openat64_2, (int folder, const char *path, int flags), (folder, path, flags))
MAKES(creat, (const char *path, mode_t mode), (path, mode))
MAKES(creat64, (const char *path, mode_t mode), (path, mode))
MAKES(socket, (int domain, int type, int protocol), (domain, type, protocol))
MAKES(dup, (int fd), (fd))
MAKES(epoll_create, (int size), (size))
MAKES(epoll_create1, (int flags), (flags))
MAKES(eventfd, (unsigned count, int flags), (count, flags))
MAKES(timerfd_create, (int clock, int flags), (clock, flags))
MAKES(inotify_init, (void), ())
MAKES(inotify_init1, (int flags), (flags))
MAKES(memfd_create, (const char *name, unsigned flags), (name, flags))
MAKES(mkstemp, (char *path), (path))
MAKES(mkstemp64, (char *path), (path))
MAKES(mkostemp, (char *path, int flags), (path, flags))
MAKES(mkostemp64, (char *path, int flags), (path, flags))
MAKES(mkstemps, (char *path, int length), (path, length))
MAKES(mkstemps64, (char *path, int length), (path, length))
MAKES(mkostemps, (char *path, int length, int flags), (path, length, flags))
MAKES(mkostemps64, (char *path, int length, int flags), (path, length, flags))
MAKES(shm_open, (const char *name, int flags, mode_t mode), (name, flags, mode))
MAKES(posix_openpt, (int flags), (flags))
MAKES(pidfd_open, (pid_t pid, unsigned flags), (pid, flags))
MAKES(dup3, (int fd, int to, int flags), (fd, to, flags))

/* These two may give back what they were given. */
INSIDE_PUBLIC int dup2(int fd, int to)
{
        int made;

        (void)is_on();
        made = real.dup2(fd, to);
        return fd == to ? made : descriptor_made(made, AT, SP);
}

INSIDE_PUBLIC int signalfd(int fd, const void *mask, int flags);

int signalfd(int fd, const void *mask, int flags)
{
        int made;

        (void)is_on();
        made = real.signalfd(fd, mask, flags);
        return fd >= 0 ? made : descriptor_made(made, AT, SP);
}

INSIDE_PUBLIC int pipe(int fds[2]);
INSIDE_PUBLIC int pipe2(int fds[2], int flags);
INSIDE_PUBLIC int socketpair(int domain, int type, int protocol, int fds[2]);

int pipe(int fds[2])
{
        int error = is_on() ? real.pipe(fds) : real.pipe(fds);

        made_two(error, fds, AT, SP);
        return error;
}

int pipe2(int fds[2], int flags)
{
        int error = is_on() ? real.pipe2(fds, flags) : real.pipe2(fds, flags);

        made_two(error, fds, AT, SP);
        return error;
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
        int error = is_on() ? real.socketpair(domain, type, protocol, fds)
                            : real.socketpair(domain, type, protocol, fds);

        made_two(error, fds, AT, SP);
        return error;
}

INSIDE_PUBLIC int openpty(int *master, int *slave, char *name, const struct termios *terminal,
                          const struct winsize *size)
{
        int fds[2] = { -1, -1 }, error;

        (void)is_on();
        error = real.openpty(master, slave, name, terminal, size);
        if (!error) {
                fds[0] = *master;
                fds[1] = *slave;
        }
        made_two(error, fds, AT, SP);
        return error;
}

/* In the child only the terminal is left, as its standard input and output. */
INSIDE_PUBLIC int forkpty(int *master, char *name, const struct termios *terminal,
                          const struct winsize *size)
{
        int pid;

        (void)is_on();
        pid = real.forkpty(master, name, terminal, size);
        if (pid > 0)
                (void)descriptor_made(*master, AT, SP);
        return pid;
}

/* One argument at most, of the size of a pointer: as libc itself passes it on. */
#define FCNTL(name)                                                   \
        INSIDE_PUBLIC int name(int fd, int command, ...)              \
        {                                                             \
                void *argument;                                       \
                va_list more;                                         \
                int outcome;                                          \
                                                                      \
                va_start(more, command);                              \
                argument = va_arg(more, void *);                      \
                va_end(more);                                         \
                (void)is_on();                                        \
                outcome = real.name(fd, command, argument);           \
                if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) \
                        return descriptor_made(outcome, AT, SP);      \
                return outcome;                                       \
        }

FCNTL(fcntl)
FCNTL(fcntl64)

/* ---- Ends -----------------------------------------------------------------------------
 *
 * Counted before: a moment later another thread may have that number. */

INSIDE_PUBLIC int close(int fd)
{
        (void)is_on();
        descriptor_ended(fd);
        return real.close(fd);
}

INSIDE_PUBLIC int close_range(unsigned first, unsigned last, int flags);

int close_range(unsigned first, unsigned last, int flags)
{
        const int keeps = 4; /* CLOSE_RANGE_CLOEXEC: they stay open */

        (void)is_on();
        for (unsigned fd = first; !(flags & keeps) && fd <= last && fd < DESCRIPTORS; fd++)
                descriptor_ended((int)fd);
        return real.close_range(first, last, flags);
}

INSIDE_PUBLIC void closefrom(int first);

void closefrom(int first)
{
        (void)is_on();
        for (int fd = first < 0 ? 0 : first; fd < DESCRIPTORS; fd++)
                descriptor_ended(fd);
        real.closefrom(first);
}

/* ---- What libc opens and gives out as something else ---------------------------------- */

/* Of one that is in memory there is none, and that is no error of the caller's. */
static void stream_ended(FILE *stream)
{
        int saved = errno;

        (void)is_on();
        descriptor_ended(fileno(stream));
        errno = saved;
}

static FILE *made_stream(FILE *stream, const void *at, const void *sp)
{
        if (stream)
                (void)descriptor_made(fileno(stream), at, sp);
        return stream;
}

#define MAKES_STREAM(name, parameters, arguments)                \
        INSIDE_PUBLIC FILE *name parameters;                     \
        FILE *name parameters                                    \
        {                                                        \
                (void)is_on();                                   \
                return made_stream(real.name arguments, AT, SP); \
        }

MAKES_STREAM(fopen, (const char *path, const char *mode), (path, mode))
MAKES_STREAM(fopen64, (const char *path, const char *mode), (path, mode))
MAKES_STREAM(tmpfile, (void), ())
MAKES_STREAM(tmpfile64, (void), ())
MAKES_STREAM(popen, (const char *command, const char *mode), (command, mode))

INSIDE_PUBLIC FILE *freopen(const char *path, const char *mode, FILE *stream)
{
        stream_ended(stream);
        return made_stream(real.freopen(path, mode, stream), AT, SP);
}

INSIDE_PUBLIC FILE *freopen64(const char *path, const char *mode, FILE *stream)
{
        stream_ended(stream);
        return made_stream(real.freopen64(path, mode, stream), AT, SP);
}

INSIDE_PUBLIC int fclose(FILE *stream)
{
        stream_ended(stream);
        return real.fclose(stream);
}

INSIDE_PUBLIC int pclose(FILE *stream)
{
        stream_ended(stream);
        return real.pclose(stream);
}

INSIDE_PUBLIC DIR *opendir(const char *path)
{
        DIR *folder;

        (void)is_on();
        folder = real.opendir(path);
        if (folder)
                (void)descriptor_made(dirfd(folder), AT, SP);
        return folder;
}

INSIDE_PUBLIC int closedir(DIR *folder)
{
        (void)is_on();
        descriptor_ended(dirfd(folder));
        return real.closedir(folder);
}
