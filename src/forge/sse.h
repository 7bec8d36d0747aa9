/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse.h - takes a stream of server-sent events apart, in whatever pieces it arrives.
 *
 * Only the data of events is looked at. Lines end with CR, LF or both; a byte-order mark, comments
 * and other fields are passed over; several lines of data are joined by a newline; an event whose
 * data is blank or begins with ':' is some gateway's way to say that it is alive, and is passed
 * over too. An end without an empty line ends the last event.
 *
 * Units:     bytes. Ownership: the struct's until sse_fini(); an event is a view during the call.
 * Errors:    0; SSE_ENOUGH: the taker said so; -EOVERFLOW: a limit; -ENOMEM. Whichever came first
 *            comes again from then on.
 * Threads:   one stream, one thread. Limits: sse_line_bytes_max, for a line and for an event's
 *            data, and sse_bytes_max of all.
 */
#ifndef FORGE_SSE_H
#define FORGE_SSE_H

#include "base/text.h"

enum { sse_line_bytes_max = 8 << 20, sse_bytes_max = 16 << 20 };
enum sse_outcome { SSE_ENOUGH = 1 };

/* False: no more of it is wanted. */
typedef bool sse_take(void *context, const char *data, size_t length);

struct sse {
        sse_take *take;
        void *context;
        struct text line;
        struct text data;
        size_t bytes_count;
        bool has_data;
        bool has_begun; /* its first line is over */
        bool after_cr;
        int outcome;
};

void sse_init(struct sse *sse, sse_take *take, void *context);
void sse_fini(struct sse *sse);

int sse_feed(struct sse *sse, const char *bytes, size_t length);
int sse_end(struct sse *sse);

#endif
