/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - the listening socket, all connections, and the loop that serves them.
 *
 * Ownership: the server owns its descriptors and clients; vault, flusher and options are borrowed.
 * Errors:    -errno. What goes wrong with one client ends that client.
 * Threads:   one. SIGTERM and SIGINT must be blocked in every thread; server_run() returns on them.
 * Limits:    options->clients_max connections; one more is told so and closed.
 */
#ifndef KVD_SERVER_H
#define KVD_SERVER_H

#include "command.h"

struct server;

int server_open(struct server **ret_server, const struct options *options, struct vault *vault,
                struct flusher *flusher);
void server_close(struct server **server);

uint16_t server_port(const struct server *server);

/* 0 after SIGTERM or SIGINT. */
int server_run(struct server *server);

/* "I am alive", from who has good reason not to be in server_run(): loading, or the last save. */
void server_beat(void);

#endif
