/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider.h - asks one model one question, once, and says what came of it.
 *
 * Three kinds: an endpoint that speaks OpenAI's chat completions, any command, and a recorded run.
 * Retries are the caller's (call.h), which records each attempt before it is made. Only a parameter
 * that a server refuses (400, nothing paid) is renamed or left out and the question put again at
 * once, each parameter once in the life of a provider.
 *
 *         struct provider *provider = NULL;
 *         int outcome = provider_new(&tier, &provider, &why);
 *         struct provider_answer answer;
 *
 *         provider_answer_init(&answer);
 *         outcome = provider_ask(provider, &question, &answer, &why);
 *
 * Units:     bytes, tokens, nanoseconds of monotonic time.
 * Ownership: questions are the caller's; an answer owns its texts until provider_answer_fini().
 *            A provider borrows its model.
 * Errors:    0: the model has answered, whole (finish says how it ended). Else the named outcome or
 *            -errno, and `why` holds one sentence with a remedy, in which no key ever stands.
 * Threads:   one provider, one thread.
 * Limits:    answer_bytes_max; 16 MiB on the wire; every wait ends at the deadline or at stop_fd.
 * Foreign:   whatever the server says is bounded and copied; the answer is bytes of any kind.
 */
#ifndef FORGE_PROVIDER_H
#define FORGE_PROVIDER_H

#include "forge/models.h"

enum { provider_answer_bytes_max = 1 << 20, provider_name_max = 200, provider_why_max = 2000 };

enum provider_outcome {
        PROVIDER_WRONG = 1, /* the request or its models.yaml: no key in the environment, no such
                               recording: exit 2 */
        PROVIDER_RETRY,     /* this attempt failed, another may not: retry_ns */
        PROVIDER_BROKEN,    /* no attempt can do better: wrong key, no credit, no such model */
        PROVIDER_STOPPED,   /* stop_fd became readable, or stop.h's while a key was read */
};

enum provider_finish {
        PROVIDER_FINISH_STOP,
        PROVIDER_FINISH_LENGTH,   /* its tokens ran out */
        PROVIDER_FINISH_FILTERED, /* refused, by the model or by a filter of the server */
        PROVIDER_FINISH_TOO_LONG, /* cut by us: provider_answer_bytes_max, or what is read at all */
};

struct provider_question {
        const char *stage;  /* "write": replay in order looks at it */
        const char *system; /* both end with a NUL and hold none */
        const char *user;
        uint64_t slot; /* which call of the run, from 1: two fresh samples are two slots */
        bool has_seed;
        uint64_t seed;  /* below 2^31 */
        bool is_repair; /* or a diagnosis; calmer: a quarter of the tier's temperature */
        uint64_t output_tokens_max;
        uint64_t deadline_ns; /* monotonic */
        int stop_fd;          /* readable: give up; -1: none */
        /* As it streams, and a few times a second while nothing comes; NULL. Never goes back. */
        void (*progress)(void *context, size_t answer_bytes);
        void *progress_context;
};

struct provider_answer {
        struct text bytes;
        enum provider_finish finish;
        struct money_usage usage;
        char model[provider_name_max + 1];      /* as the server says, "" unless it does */
        char request_id[provider_name_max + 1]; /* likewise */
        uint64_t reasoning_bytes;               /* seen and dropped */
        bool differs; /* replay in order: the question is not the one that was recorded */
        /* Of PROVIDER_RETRY: */
        uint64_t retry_ns; /* as the server asked; 0: it did not say */
        bool was_billed;   /* it may have to be paid: the whole question had been sent and was not
                            refused, or a command had run */
};

struct provider;

int provider_new(const struct model *model, struct provider **ret_provider, struct text *why);
void provider_free(struct provider **provider);

int provider_ask(struct provider *provider, const struct provider_question *question,
                 struct provider_answer *answer, struct text *why);

/* The bytes that would be sent, exactly: a body of HTTP, or what a command would read. Needs no
 * key. */
int provider_render(const struct model *model, const struct provider_question *question,
                    struct text *into);

void provider_answer_init(struct provider_answer *answer);
void provider_answer_fini(struct provider_answer *answer);

const char *provider_finish_name(
        enum provider_finish finish); /* stop, length, filtered, too-long */

#endif
