/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command_call.h - one command being answered: what its function sees. For command*.c only.
 *
 * A command function reads the arguments, whose number fits its row in command.def, and appends
 * exactly one reply. Ownership, errors, threads and limits: as command.h.
 */
#ifndef KVD_COMMAND_CALL_H
#define KVD_COMMAND_CALL_H

#include "command.h"

struct command_call {
        struct command_host *host;
        struct command_session *session;
        const struct resp_request *request;
        struct buffer *reply;
        struct store *store; /* locked; NULL unless the row says NEEDS_STORE */
        uint64_t now_ms;
};

#define COMMAND(name, least, most, needs, group, summary) \
        void command_##name(struct command_call *call);
#include "command.def"
#undef COMMAND

/* Replies that more than one file gives. */
void command_put_syntax_error(struct command_call *call);

#endif
