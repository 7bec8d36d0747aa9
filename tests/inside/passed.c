/* SPDX-License-Identifier: Apache-2.0 */
/* passed.c - descriptors that come from a peer, and bytes that go less usual ways. Prints what must
 * be counted then and waits for a line. */
#include <fcntl.h>
#include <pty.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tocsin.h>

TOC_MODULE(mine, "What is counted by hand beside it");

static void frame(struct msghdr *message, struct iovec *bytes, void *room, size_t size)
{
        *message = (struct msghdr){
                .msg_iov = bytes, .msg_iovlen = 1, .msg_control = room, .msg_controllen = size
        };
}

/* `count` copies of standard input and output, as the peer of a socket sends them. */
static void send_along(struct msghdr *message, int count)
{
        struct cmsghdr *part = CMSG_FIRSTHDR(message);
        int fds[2] = { 0, 1 };

        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
        memcpy(CMSG_DATA(part), fds, (size_t)count * sizeof(int));
        message->msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
}

/* 3 bytes with two descriptors; then two messages of 4, the second with one. */
static void exchange(const int *pair)
{
        char rooms[2][64] = { { 0 } }, text[4] = "abc";
        struct iovec three = { text, 3 }, four = { text, 4 };
        struct msghdr message;
        struct mmsghdr two[2];

        frame(&message, &three, rooms[0], sizeof(rooms[0]));
        send_along(&message, 2);
        if (sendmsg(pair[0], &message, 0) != 3)
                exit(9);
        frame(&message, &four, rooms[0], sizeof(rooms[0]));
        if (recvmsg(pair[1], &message, 0) != 3)
                exit(9);
        frame(&two[0].msg_hdr, &four, NULL, 0);
        frame(&two[1].msg_hdr, &four, rooms[1], sizeof(rooms[1]));
        send_along(&two[1].msg_hdr, 1);
        if (sendmmsg(pair[0], two, 2, 0) != 2)
                exit(9);
        frame(&two[0].msg_hdr, &four, rooms[0], sizeof(rooms[0]));
        frame(&two[1].msg_hdr, &four, rooms[1], sizeof(rooms[1]));
        if (recvmmsg(pair[1], two, 2, 0, NULL) != 2)
                exit(9);
}

static int terminals(void)
{
        int master, slave, made = posix_openpt(O_RDWR | O_NOCTTY) >= 0;
        pid_t child;

        if (openpty(&master, &slave, NULL, NULL, NULL) == 0)
                made += 2;
        child = forkpty(&master, NULL, NULL, NULL);
        if (child == 0)
                _exit(0);
        if (child > 0)
                made += waitpid(child, NULL, 0) == child;
        return made;
}

static int shared_memory(void)
{
        char name[64];
        int fd;

        (void)snprintf(name, sizeof(name), "/tocsin-subject-%d", (int)getpid());
        fd = shm_open(name, O_CREAT | O_RDWR, 0600);
        (void)shm_unlink(name);
        return fd >= 0;
}

/* Less usual ways to the same. The sums are by hand: 3 + 8 + 10 read; 3 + 8 + 10 + 10 + 5 + 6 + 11
 * written; of descriptors 2 of the pair, 3 by it, 2 files, 4 of pipes, 1 of a process. */
int main(void)
{
        TOC_ENTER(mine);
        char bytes[16] = { 0 };
        struct iovec ten = { bytes, 10 }, six = { bytes, 6 };
        int pair[2], ends[2], more[2], one, two, open = 12;
        off64_t at = 0, to = 0;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) || pipe2(ends, 0) || pipe2(more, 0))
                exit(9);
        exchange(pair);
        one = memfd_create("one", 0);
        two = memfd_create("two", 0);
        (void)!pwritev2(one, &ten, 1, 0, 0);
        (void)!preadv2(one, &ten, 1, 0, 0);
        if (copy_file_range(one, &at, two, &to, 10, 0) != 10)
                exit(9);
        at = 0;
        if (splice(one, &at, ends[1], NULL, 5, 0) != 5 || vmsplice(ends[1], &six, 1, 0) != 6 ||
            tee(ends[0], more[1], 11, 0) != 11)
                exit(9);
        (void)fclose(fdopen(dup(1), "w"));
        (void)pidfd_open(getpid(), 0);
        open += terminals() + shared_memory();
        (void)syncfs(one);
        (void)sync_file_range(-1, 0, 1, 0);             /* EBADF */
        (void)!splice(-1, NULL, ends[1], NULL, 1, 0);   /* EBADF */
        (void)msync((void *)(uintptr_t)1, 1, MS_ASYNC); /* EINVAL: no page begins there */
        printf("open %d read 21 written 53 errors 3 pid %d\n", open, (int)getpid());
        (void)fflush(stdout);
        (void)getchar(); /* somebody looks */
        return 0;
}
