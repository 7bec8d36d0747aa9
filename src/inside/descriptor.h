/* SPDX-License-Identifier: Apache-2.0 */
/* descriptor.h - what makes and ends descriptors, for those who do so on the way (accept, recvmsg).
 * Threads, signal handlers: any. errno is left alone. Errors: none. Limits: descriptor.c. */
#ifndef INSIDE_DESCRIPTOR_H
#define INSIDE_DESCRIPTOR_H

#include <sys/socket.h>

#pragma GCC visibility push(hidden)

/* Returns fd. */
int descriptor_made(int fd, const void *at, const void *sp);
void descriptor_ended(int fd);
/* Those that a peer has sent along. */
void descriptors_received(const struct msghdr *message, const void *at, const void *sp);

#pragma GCC visibility pop

#endif
