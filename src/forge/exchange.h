/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h - one request for a chat completion and all that came back, for provider_openai.c.
 *
 * Units:     bytes. Ownership: the struct's until exchange_fini(); it must not be moved.
 * Errors:    0: something came back, or nothing did: `http` and `reply` say what; -errno.
 * Threads:   one. Limits: http.h, sse.h, openai.h.
 */
#ifndef FORGE_EXCHANGE_H
#define FORGE_EXCHANGE_H

#include "forge/http.h"
#include "forge/openai.h"
#include "forge/sse.h"

enum { exchange_status_ok = 200 };
enum exchange_form { EXCHANGE_UNKNOWN, EXCHANGE_STREAM, EXCHANGE_BODY };

struct exchange {
        const struct provider_question *question;
        struct openai_reply reply;
        struct sse sse;
        struct text raw; /* what has come, until it is known to be a stream of events */
        enum exchange_form form;
        int outcome; /* of the reply's parts: enum openai_outcome */
        struct http_answer http;
};

void exchange_init(struct exchange *exchange, const struct provider_question *question);
void exchange_fini(struct exchange *exchange);

int exchange_perform(struct exchange *exchange, const struct model *model,
                     const struct openai_quirks *quirks, const char *key, struct http *http);

#endif
