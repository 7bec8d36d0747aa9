/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - what the program reads and writes, and in which call it is blocked.
 *
 * One call in 16 is timed, with two readings of the clock; the others cost some additions. What
 * stdio reads and writes inside libc does not come by. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "inside/descriptor.h"
#include "inside/inside.h"
#include "inside/real.h"

enum { TIMED = 16 };

static struct {
#define X(type, name, ...) type (*name)(__VA_ARGS__);
#include "inside/call.def"
#undef X
} real;

void inside_call_start(void)
{
#define X(type, name, ...) INSIDE_REAL(real.name, #name);
#include "inside/call.def"
#undef X
        inside_.flags |= INSIDE_HAS_CALLS;
}

/* Not what a peer may cause, nor what only says "not now". */
static bool is_fault(int error)
{
        switch (error) {
        case EIO:
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
        case EROFS:
        case EBADF:
        case EFAULT:
        case EINVAL:
        case EISDIR:
        case ENXIO:
        case ENODEV:
        case ESTALE:
        case EMFILE:
        case ENFILE:
                return true;
        default:
                return false;
        }
}

struct call {
        struct inside_thread *page; /* NULL: it is not watched */
        struct inside_io *io;
        uint64_t began_ns; /* 0: not timed */
};

static uint64_t now_ns(void)
{
        struct timespec now = { 0 };

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock exists */
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* NULL: we are not there, or not yet. */
__attribute__((cold)) static struct inside_thread *awake(void)
{
        int saved = errno;
        struct inside_thread *page = inside_is_awake() ? inside_page() : NULL;

        errno = saved;
        return page;
}

/* Every TIMED-th call. */
__attribute__((noinline)) static uint64_t begin_timed(uint64_t number)
{
        int saved = errno;

        if (number % INSIDE_REFRESH == 0)
                inside_region_publish();
        errno = saved;
        return now_ns();
}

static struct call begin(enum inside_call kind, int fd, const void *at)
{
        struct inside_thread *page = inside_local_.own;
        struct call call = { .page = page };
        uint64_t number;

        if (INSIDE_SLOW(!page)) {
                call.page = page = awake();
                if (!page)
                        return call;
        }
        call.io = &page->io[inside_module(page)];
        if (inside_is_crowd(page))
                return call;
        page->call_at = (uintptr_t)at;
        page->call_kind = kind;
        page->call_fd = fd;
        number = (page->call_number + 1) | 1; /* one that was left by longjmp did not end */
        __atomic_store_n(&page->call_number, number, __ATOMIC_RELEASE);
        if (INSIDE_SLOW((number >> 1) % TIMED == 0))
                call.began_ns = begin_timed(number >> 1);
        return call;
}

static void end(const struct call *call)
{
        if (!call->page || inside_is_crowd(call->page))
                return;
        if (INSIDE_SLOW(call->began_ns)) {
                toc_add_at_(&call->io->timed, 1);
                toc_add_at_(&call->io->timed_ns, now_ns() - call->began_ns);
        }
        __atomic_store_n(&call->page->call_number, (call->page->call_number + 1) & ~UINT64_C(1),
                         __ATOMIC_RELEASE);
}

/* Nothing here changes errno: there is always a clock. */
static ssize_t end_io(const struct call *call, bool is_read, ssize_t got, size_t wanted)
{
        if (INSIDE_SLOW(!call->page))
                return got;
        inside_add(call->page, is_read ? &call->io->reads : &call->io->writes, 1);
        if (got >= 0)
                inside_add(call->page, is_read ? &call->io->read_bytes : &call->io->written_bytes,
                           (uint64_t)got);
        else if (is_fault(errno))
                inside_add(call->page, &call->io->errors, 1);
        if (!is_read && got >= 0 && (size_t)got < wanted)
                inside_add(call->page, &call->io->shorts, 1);
        end(call);
        return got;
}

#define AT __builtin_return_address(0)

#define IO(name, is_read, kind, wanted, parameters, arguments)                        \
        INSIDE_PUBLIC ssize_t name parameters;                                        \
        ssize_t name parameters                                                       \
        {                                                                             \
                struct call call = begin(kind, fd, AT);                               \
                                                                                      \
                return end_io(&call, is_read, real.name arguments, (size_t)(wanted)); \
        }
#define READ(name, wanted, parameters, arguments) \
        IO(name, true, INSIDE_CALL_READ, wanted, parameters, arguments)
#define WRITE(name, wanted, parameters, arguments) \
        IO(name, false, INSIDE_CALL_WRITE, wanted, parameters, arguments)

READ(read, size, (int fd, void *to, size_t size), (fd, to, size))
READ(__read_chk, size, (int fd, void *to, size_t size, size_t room), (fd, to, size, room))
READ(pread, size, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
READ(pread64, size, (int fd, void *to, size_t size, off64_t at), (fd, to, size, at))
READ(__pread_chk, size, (int fd, void *to, size_t size, off_t at, size_t room),
     (fd, to, size, at, room))
READ(__pread64_chk, size, (int fd, void *to, size_t size, off64_t at, size_t room),
     (fd, to, size, at, room))
READ(readv, 0, (int fd, const struct iovec *to, int count), (fd, to, count))
READ(preadv, 0, (int fd, const struct iovec *to, int count, off_t at), (fd, to, count, at))
READ(preadv64, 0, (int fd, const struct iovec *to, int count, off64_t at), (fd, to, count, at))
READ(recv, size, (int fd, void *to, size_t size, int flags), (fd, to, size, flags))
READ(__recv_chk, size, (int fd, void *to, size_t size, size_t room, int flags),
     (fd, to, size, room, flags))
READ(recvfrom, size,
     (int fd, void *to, size_t size, int flags, __SOCKADDR_ARG from, socklen_t *length),
     (fd, to, size, flags, from.__sockaddr__, length))
READ(preadv2, 0, (int fd, const struct iovec *to, int count, off_t at, int flags),
     (fd, to, count, at, flags))
READ(preadv64v2, 0, (int fd, const struct iovec *to, int count, off64_t at, int flags),
     (fd, to, count, at, flags))
WRITE(write, size, (int fd, const void *from, size_t size), (fd, from, size))
WRITE(pwrite, size, (int fd, const void *from, size_t size, off_t at), (fd, from, size, at))
WRITE(pwrite64, size, (int fd, const void *from, size_t size, off64_t at), (fd, from, size, at))
WRITE(writev, 0, (int fd, const struct iovec *from, int count), (fd, from, count))
WRITE(pwritev, 0, (int fd, const struct iovec *from, int count, off_t at), (fd, from, count, at))
WRITE(pwritev64, 0, (int fd, const struct iovec *from, int count, off64_t at),
      (fd, from, count, at))
WRITE(send, size, (int fd, const void *from, size_t size, int flags), (fd, from, size, flags))
WRITE(sendto, size,
      (int fd, const void *from, size_t size, int flags, __CONST_SOCKADDR_ARG to, socklen_t length),
      (fd, from, size, flags, to.__sockaddr__, length))
WRITE(sendmsg, 0, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WRITE(pwritev2, 0, (int fd, const struct iovec *from, int count, off_t at, int flags),
      (fd, from, count, at, flags))
WRITE(pwritev64v2, 0, (int fd, const struct iovec *from, int count, off64_t at, int flags),
      (fd, from, count, at, flags))
WRITE(sendfile, 0, (int fd, int from, off_t *at, size_t size), (fd, from, at, size))
WRITE(sendfile64, 0, (int fd, int from, off64_t *at, size_t size), (fd, from, at, size))

WRITE(splice, 0, (int from, off64_t *at, int fd, off64_t *to, size_t size, unsigned flags),
      (from, at, fd, to, size, flags))
WRITE(tee, 0, (int from, int fd, size_t size, unsigned flags), (from, fd, size, flags))
WRITE(vmsplice, 0, (int fd, const struct iovec *from, size_t count, unsigned flags),
      (fd, from, count, flags))
WRITE(copy_file_range, 0, (int from, off64_t *at, int fd, off64_t *to, size_t size, unsigned flags),
      (from, at, fd, to, size, flags))

/* ---- Messages, some of which bring descriptors ---------------------------------------- */

INSIDE_PUBLIC ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
        struct call call = begin(INSIDE_CALL_READ, fd, AT);
        ssize_t got = end_io(&call, true, real.recvmsg(fd, message, flags), 0);

        if (got >= 0 && call.page)
                descriptors_received(message, AT, inside_sp());
        return got;
}

/* Bytes of the first `got` messages, or the error that it is. */
static ssize_t bytes_of(const struct mmsghdr *messages, int got)
{
        ssize_t bytes = got < 0 ? got : 0;

        for (int i = 0; i < got; i++)
                bytes += messages[i].msg_len;
        return bytes;
}

INSIDE_PUBLIC int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                           struct timespec *limit)
{
        struct call call = begin(INSIDE_CALL_READ, fd, AT);
        int got = real.recvmmsg(fd, messages, count, flags, limit);

        (void)end_io(&call, true, bytes_of(messages, got), 0);
        for (int i = 0; i < got && call.page; i++)
                descriptors_received(&messages[i].msg_hdr, AT, inside_sp());
        return got;
}

INSIDE_PUBLIC int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
        struct call call = begin(INSIDE_CALL_WRITE, fd, AT);
        int got = real.sendmmsg(fd, messages, count, flags);

        (void)end_io(&call, false, bytes_of(messages, got), 0);
        return got;
}

/* ---- Those that move no bytes --------------------------------------------------------- */

#define CALL(name, kind, of, parameters, arguments)                                            \
        INSIDE_PUBLIC int name parameters;                                                     \
        int name parameters                                                                    \
        {                                                                                      \
                struct call call = begin(kind, of, AT);                                        \
                int outcome = real.name arguments;                                             \
                                                                                               \
                if (outcome < 0 && call.page && is_fault(errno) && (kind) == INSIDE_CALL_SYNC) \
                        inside_add(call.page, &call.io->errors, 1);                            \
                end(&call);                                                                    \
                return outcome;                                                                \
        }

CALL(fsync, INSIDE_CALL_SYNC, fd, (int fd), (fd))
CALL(fdatasync, INSIDE_CALL_SYNC, fd, (int fd), (fd))
CALL(syncfs, INSIDE_CALL_SYNC, fd, (int fd), (fd))
CALL(sync_file_range, INSIDE_CALL_SYNC, fd, (int fd, off64_t at, off64_t size, unsigned flags),
     (fd, at, size, flags))
CALL(msync, INSIDE_CALL_SYNC, -1, (void *memory, size_t size, int flags), (memory, size, flags))
CALL(connect, INSIDE_CALL_CONNECT, fd, (int fd, __CONST_SOCKADDR_ARG to, socklen_t length),
     (fd, to.__sockaddr__, length))

INSIDE_PUBLIC int accept(int fd, __SOCKADDR_ARG from, socklen_t *length);
INSIDE_PUBLIC int accept4(int fd, __SOCKADDR_ARG from, socklen_t *length, int flags);

/* What it is out of is its own fault, or its host's. */
static int end_accept(const struct call *call, int made, const void *at, const void *sp)
{
        if (made < 0 && call->page && is_fault(errno))
                inside_add(call->page, &call->io->errors, 1);
        end(call);
        return descriptor_made(made, at, sp);
}

int accept(int fd, __SOCKADDR_ARG from, socklen_t *length)
{
        struct call call = begin(INSIDE_CALL_ACCEPT, fd, AT);

        return end_accept(&call, real.accept(fd, from.__sockaddr__, length), AT, inside_sp());
}

int accept4(int fd, __SOCKADDR_ARG from, socklen_t *length, int flags)
{
        struct call call = begin(INSIDE_CALL_ACCEPT, fd, AT);

        return end_accept(&call, real.accept4(fd, from.__sockaddr__, length, flags), AT,
                          inside_sp());
}
