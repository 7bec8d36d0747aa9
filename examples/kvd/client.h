/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - one connection: its buffers, and how far it has come.
 *
 * Backpressure: while more than CLIENT_OUTPUT_SOFT bytes wait to be sent, no further command of
 * this client is run, and nothing is read from it. So what a client makes us hold is one request,
 * one read, and CLIENT_OUTPUT_SOFT plus one reply.
 *
 * Ownership: client_new_take() takes the socket, also when it fails; client_free() closes it.
 * Errors:    a connection that fails is a connection that ended: CLIENT_DONE.
 * Threads:   the event loop's. Limits: the constants below, options, and the purse of all buffers.
 */
#ifndef KVD_CLIENT_H
#define KVD_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"

enum {
        CLIENT_READ_BYTES = 16384,   /* room made for one read; there may be more */
        CLIENT_OUTPUT_SOFT = 262144, /* backpressure starts here */
        CLIENT_ROUNDS_MAX = 4,       /* of answering and sending, before others have their turn */
        CLIENT_LINGER_MS = 1000,     /* to let the peer read our last words */
};

enum client_state {
        CLIENT_SERVING,
        CLIENT_ENDING,    /* runs nothing more; sends what is left */
        CLIENT_LINGERING, /* all is sent; what still comes is dropped until the peer closes */
};

struct client {
        struct client *previous, *next; /* the server's list */
        int fd;
        enum client_state state;
        bool input_ended;
        bool is_runnable;     /* a complete request may stand in the input */
        uint32_t armed;       /* events that epoll watches for us */
        uint64_t progress_ms; /* when bytes last moved, either way */
        size_t needed;        /* bytes of input before another parse makes sense */
        struct resp_limits limits;
        struct buffer input;
        struct buffer output;
        struct command_session session;
};

enum client_outcome { CLIENT_DONE = 1 };

/* NULL: no memory. */
struct client *client_new_take(int fd, uint64_t id, const struct options *options,
                               struct purse *purse);
void client_free(struct client **client);

/* Does what can be done after these events (EPOLL...). 0 or CLIENT_DONE. */
int client_step(struct client *client, uint32_t events, struct command_host *host);

/* The events to wait for now. */
uint32_t client_wants(const struct client *client);

/* CLIENT_DONE when it has held us up for too long: in mid-request, in mid-reply, in parting. */
int client_check_time(const struct client *client, uint64_t now_ms, uint64_t stall_ms);

/* What limits apply to requests under these options. */
struct resp_limits client_limits(const struct options *options);

#endif
