/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai.h - chat completions as bytes: the body that is sent, and what comes back. No network.
 *
 * Sent are two messages of plain text, a limit, a seed and a temperature; never tools and never a
 * format, which some servers enforce by crippling the answer. Back come chunks of a stream, or one
 * object from servers that do not stream, or an error in any of the shapes that exist.
 *
 * Units:     bytes, tokens. Ownership: the struct's until openai_reply_fini().
 * Errors:    0; -errno; OPENAI_x as told at each function.
 * Threads:   one reply, one thread.
 * Limits:    openai_content_bytes_max of content, of a refusal and of an error's message.
 */
#ifndef FORGE_OPENAI_H
#define FORGE_OPENAI_H

#include "forge/key.h"
#include "forge/provider.h"

#include <jansson.h>

/* Room beyond the limits of an answer, so that a key that stands across one is found whole. */
enum {
        openai_content_bytes_max = provider_answer_bytes_max + key_bytes_max,
        openai_name_max = provider_name_max + key_bytes_max,
};

enum openai_outcome {
        OPENAI_STRANGE = 1, /* not JSON, or no chat completion */
        OPENAI_FULL,        /* content reached its limit */
};

/* What a server has said it does not take. Remembered for as long as the provider lives. */
struct openai_quirks {
        bool limit_is_renamed; /* the other of max_tokens and max_completion_tokens */
        bool drops_temperature;
        bool drops_seed;
        bool drops_usage; /* stream_options */
};

/* The same bytes for the same question. */
int openai_render(const struct model *model, const struct provider_question *question,
                  const struct openai_quirks *quirks, struct text *into);

struct openai_error {
        bool stands;
        struct text message; /* empty: it has none that can be read */
        char type[64];       /* "invalid_request_error"; "" */
        char code[64];       /* "insufficient_quota", "503"; "" */
        char param[64];
};

struct openai_reply {
        struct text content;
        struct text refusal;
        char finish[32]; /* as the server calls it, "" while it is not over */
        struct money_usage usage;
        uint64_t reasoning_bytes; /* counted and dropped */
        bool is_done;             /* "[DONE]", which some never say */
        char model[openai_name_max + 1];
        char id[openai_name_max + 1];
        struct openai_error error; /* in place of an answer, or within one */
};

void openai_reply_init(struct openai_reply *reply);
void openai_reply_fini(struct openai_reply *reply);

/* Data of one event; "[DONE]" is nothing. OPENAI_STRANGE: there is a hole in the answer now. */
int openai_take_chunk(struct openai_reply *reply, const char *data, size_t length);

/* A whole body in one piece, with an answer or an error. */
int openai_take_body(struct openai_reply *reply, const char *body, size_t length);

/* What the server's word for the end means. */
enum openai_end {
        OPENAI_END_NONE, /* not over */
        OPENAI_END_STOP,
        OPENAI_END_LENGTH,
        OPENAI_END_FILTERED,
        OPENAI_END_FAILED, /* it gave up */
};
enum openai_end openai_end(const struct openai_reply *reply);

/* Drops or renames what the error names. False: it names nothing that we can do without, or that we
 * have mended already. The limit is never dropped: what a call may cost is reckoned with it. */
bool openai_mend(struct openai_quirks *quirks, const struct model *model,
                 const struct openai_error *error);

/* Whether the server has read less of a prompt than was sent: it cut its front off in silence. */
bool openai_is_truncated(const struct money_usage *usage, size_t prompt_bytes);

#endif
