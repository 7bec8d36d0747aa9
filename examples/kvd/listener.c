/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that the event loop does not know what an address looks like.
 */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
};

static int parse(const char *text, uint16_t port, union address *ret_address, socklen_t *ret_size)
{
        union address address;

        memset(&address, 0, sizeof(address));
        if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
                address.v4.sin_family = AF_INET;
                address.v4.sin_port = htons(port);
                *ret_size = sizeof(address.v4);
        } else if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1) {
                address.v6.sin6_family = AF_INET6;
                address.v6.sin6_port = htons(port);
                *ret_size = sizeof(address.v6);
        } else {
                return -EINVAL;
        }
        *ret_address = address;
        return 0;
}

/* The same field for both families, as RFC 3493 lays them out. */
static uint16_t port_of(const union address *address)
{
        return ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port
                                                       : address->v6.sin6_port);
}

static int bind_and_listen(int fd, union address *address, socklen_t size)
{
        int yes = 1;

        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
            bind(fd, &address->any, size) || listen(fd, LISTENER_BACKLOG) ||
            getsockname(fd, &address->any, &size))
                return -errno;
        return 0;
}

int listener_open(const char *address, uint16_t port, int *ret_fd, uint16_t *ret_port)
{
        union address to;
        socklen_t size;
        int fd, result = parse(address, port, &to, &size);

        if (result)
                return result;
        fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        result = bind_and_listen(fd, &to, size);
        if (result) {
                (void)close(fd); /* nothing was sent on it */
                return result;
        }
        *ret_fd = fd;
        *ret_port = port_of(&to);
        return 0;
}

int listener_accept(int listener, int *ret_fd)
{
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int yes = 1;

        if (fd < 0)
                return -errno;
        /* Only slower without it; fails if the peer has gone, which reading will notice. */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        *ret_fd = fd;
        return 0;
}
