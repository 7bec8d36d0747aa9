/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - one POST of JSON to one address, answered in pieces, and ended at any moment.
 *
 *         struct http *http = NULL;
 *         int outcome = http_new("https://host/v1", "/chat/completions", &http, &why);
 *         outcome = http_post(http, &request, &answer);
 *
 * Units:     nanoseconds of monotonic time. Ownership: all of a request is borrowed for the call;
 *            an answer is a plain value.
 * Errors:    0; -errno; HTTP_WRONG with a sentence in `why`, in which the address does not stand.
 *            How a transfer ended is in the answer, whatever that was.
 * Threads:   one object, one thread. Each request has a connection of its own.
 * Limits:    http_body_bytes_max of an answer; a name or a connection takes http_connect_max_ms;
 *            deadlines and stop_fd are noticed within http_turn_ms.
 */
#ifndef FORGE_HTTP_H
#define FORGE_HTTP_H

#include "forge/retry.h"

#include "base/text.h"

enum {
        http_body_bytes_max = 16 << 20,
        http_connect_max_ms = 10000,
        http_turn_ms = 200,
        http_last_ms = 1000,
        http_id_max = 8000, /* room for a server that puts our key there */
};
enum http_outcome { HTTP_WRONG = 1 };

/* What the receiver of a piece makes of it. */
enum http_news {
        HTTP_NOTHING, /* the server lives, and says nothing */
        HTTP_NEWS,    /* the silence is over */
        HTTP_LAST,    /* nothing is missing: the end has http_last_ms to come */
        HTTP_ENOUGH,  /* no more is wanted */
};

struct http_request {
        const char *key; /* NULL or "": none */
        const char *body;
        size_t body_length;
        uint64_t deadline_ns;
        uint64_t silence_ns;
        int stop_fd; /* -1: none */
        enum http_news (*take)(void *context, long status, const char *bytes, size_t length);
        void (*turn)(void *context); /* about every http_turn_ms, while it waits; NULL: never */
        void *context;
};

enum http_end {
        HTTP_END_WHOLE,
        HTTP_END_ENOUGH, /* take() said so, or http_body_bytes_max, or HTTP_LAST and no end */
        HTTP_END_STOPPED,
        HTTP_END_LATE,
        HTTP_END_SILENT,
        HTTP_END_BROKEN, /* code says how */
};

struct http_answer {
        enum http_end end;
        long status; /* 0: none came */
        CURLcode code;
        char message[CURL_ERROR_SIZE]; /* of libcurl, in English; may be "" */
        char id[http_id_max + 1];      /* of the request, as the server calls it, or "" */
        struct retry_hints hints;
        bool is_too_long; /* http_body_bytes_max */
        bool is_sent;     /* the whole body: from here on somebody may be at work on it */
};

struct http;

/* `path` is added to that of the address. */
int http_new(const char *address, const char *path, struct http **ret_http, struct text *why);
void http_free(struct http **http);

/* "host:port", for people. */
const char *http_place(const struct http *http);

int http_post(struct http *http, const struct http_request *request,
              struct http_answer *ret_answer);

#endif
