/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - from a request to its reply.
 *
 * Ownership: everything is borrowed. Errors: replies; a reply that did not fit stands in
 * reply->error, which the caller looks at. Threads: one for a host, the event loop's.
 * Limits: a reply is at most COMMAND_REPLY_MAX bytes, and a value where it carries one.
 */
#ifndef KVD_COMMAND_H
#define KVD_COMMAND_H

#include "flusher.h"
#include "hot.h"
#include "options.h"
#include "resp.h"
#include "vault.h"

enum { COMMAND_NAME_MAX = 64, COMMAND_REPLY_MAX = 65536 };

/* What commands work on and tell about; one for the whole server. */
struct command_host {
        const struct options *options;
        struct vault *vault;
        struct flusher *flusher;
        struct hot *hot; /* NULL: nothing is held in front of the store */
        const struct purse *buffers;
        uint64_t started_ms;
        uint64_t connections; /* accepted since the start */
        uint64_t clients;     /* open now */
        uint64_t commands;    /* answered since the start */
        uint16_t port;
};

/* What is remembered about a connection from one command to the next. */
struct command_session {
        uint64_t id;
        bool wants_close;
        char name[COMMAND_NAME_MAX + 1]; /* CLIENT SETNAME */
};

void command_run(struct command_host *host, struct command_session *session,
                 const struct resp_request *request, struct buffer *reply);

#endif
