/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener.h - a socket that waits for connections.
 *
 * Ownership: descriptors are the caller's. Errors: -errno. Threads: any. Limits: LISTENER_BACKLOG.
 */
#ifndef KVD_LISTENER_H
#define KVD_LISTENER_H

#include <stdint.h>

enum { LISTENER_BACKLOG = 511 };

/* An IPv4 or IPv6 address in digits; port 0 takes a free one. */
int listener_open(const char *address, uint16_t port, int *ret_fd, uint16_t *ret_port);

/* A connection, not blocking, without delay for small replies. -EAGAIN: none is waiting. */
int listener_accept(int listener, int *ret_fd);

#endif
