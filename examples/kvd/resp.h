/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resp.h - the Redis serialisation protocol, version 2: requests in, replies out.
 *
 * Requests are arrays of bulk strings ("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n") or inline commands: one
 * line, words separated by blanks, no quotes ("GET k\r\n"). An empty line and an empty array are
 * requests without arguments; they have no answer.
 *
 * Pure: no I/O, no state between calls. To read on after RESP_PARTIAL, call again with more bytes.
 *
 * Ownership: the arguments are views of the bytes that were parsed.
 * Errors:    -EPROTO, and the request says why in a sentence fit for an error reply. The stream
 *            cannot be read on after that.
 * Threads:   any.
 * Limits:    RESP_ARGS_MAX arguments, RESP_LINE_MAX bytes a line, those of resp_limits.
 */
#ifndef KVD_RESP_H
#define KVD_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

enum {
        RESP_ARGS_MAX = 1024,
        RESP_LINE_MAX = 16384, /* an inline command, with its line end */
        RESP_HEAD_MAX = 32,    /* "*12\r\n", with its line end */
        RESP_ERROR_MAX = 255,  /* text of an error reply; longer ones are cut */
};

struct resp_limits {
        size_t bulk_max;    /* one argument */
        size_t request_max; /* all of it, as it stands on the wire */
};

struct resp_view {
        const char *bytes;
        size_t length;
};

struct resp_request {
        size_t count;
        size_t bytes;       /* taken from the stream; if partial: at least so many are needed */
        const char *reason; /* of -EPROTO */
        struct resp_view args[RESP_ARGS_MAX];
};

enum resp_outcome { RESP_PARTIAL = 1 };

/* 0, RESP_PARTIAL or -EPROTO. */
int resp_parse(struct resp_view bytes, const struct resp_limits *limits,
               struct resp_request *request);

/* Does the argument say that word, whatever the case of its letters? */
bool resp_is(struct resp_view view, const char *word);

/* 0 or -EINVAL. As Redis reads numbers: decimal digits, a minus, nothing else, no leading 0. */
int resp_number(struct resp_view view, int64_t *ret_number);

/* Replies, appended to a buffer that remembers errors. */
void resp_put_status(struct buffer *reply, const char *word);
void resp_put_error(struct buffer *reply, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
void resp_put_number(struct buffer *reply, int64_t number);
void resp_put_bulk(struct buffer *reply, struct resp_view value);
void resp_put_text(struct buffer *reply, const char *text);
void resp_put_nil(struct buffer *reply);
void resp_put_array(struct buffer *reply, size_t count);

#endif
