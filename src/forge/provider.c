/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that callers know one way to ask, whoever answers: what all kinds have in common is
 * done here, once, after them: the name of the tier, the escaping, the length of an answer.
 */
#include "forge/provider.h"
#include "base/error.h"
#include "forge/key.h"
#include "forge/provider_kind.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

struct provider {
        const struct model *model;
        const struct provider_kind *kind;
        void *self;
};

static const struct provider_kind *kind_of(const struct model *model)
{
        switch (model->provider) {
        case MODELS_EXEC:
                return &provider_exec;
        case MODELS_REPLAY:
                return &provider_replay;
        case MODELS_OPENAI:
                break;
        }
        return &provider_openai;
}

static void tell(const struct model *model, int outcome, const struct text *said, struct text *why)
{
        BASE_SCOPE(text_fini) struct text plain = TEXT_INIT(provider_why_max);

        if (!outcome)
                return;
        text_printf(&plain, "tier %s: ", model->name);
        if (said->length)
                text_append_bytes(&plain, said->bytes, said->length);
        else if (outcome < 0)
                text_append(&plain, error_text(outcome));
        text_append_escaped(why, text_view(&plain), plain.length);
}

int provider_new(const struct model *model, struct provider **ret_provider, struct text *why)
{
        BASE_SCOPE(text_fini) struct text said = TEXT_INIT(provider_why_max);
        struct provider *provider = calloc(1, sizeof(*provider));
        int outcome;

        if (!provider)
                return -ENOMEM;
        provider->model = model;
        provider->kind = kind_of(model);
        outcome = provider->kind->open(model, &provider->self, &said);
        tell(model, outcome, &said, why);
        if (outcome)
                free(provider);
        else
                *ret_provider = provider;
        return outcome;
}

void provider_free(struct provider **provider)
{
        if (!*provider)
                return;
        (*provider)->kind->close((*provider)->self);
        free(*provider);
        *provider = NULL;
}

/* At the limit, between two characters. */
static void cut(struct provider_answer *answer)
{
        size_t length = provider_answer_bytes_max;

        if (answer->bytes.length <= length)
                return;
        while (length && ((unsigned char)answer->bytes.bytes[length] & 0xc0) == 0x80)
                length--;
        answer->bytes.length = length;
        answer->bytes.bytes[length] = '\0';
        answer->bytes.error = 0;
        answer->finish = PROVIDER_FINISH_TOO_LONG;
}

static void forget(struct provider_answer *answer)
{
        struct text kept = answer->bytes;

        text_clear(&kept);
        *answer = (struct provider_answer){ .bytes = kept };
}

/* Before anything is sent: a server may cut the beginning off, or charge for what it refuses. */
static bool fits(const struct model *model, const struct provider_question *question,
                 struct text *why)
{
        const uint64_t prompt =
                (strlen(question->system) + strlen(question->user) + models_token_bytes - 1) /
                models_token_bytes;
        const uint64_t answer = question->output_tokens_max;

        if (!model->context_tokens || prompt + answer <= model->context_tokens)
                return true;
        text_printf(why,
                    "a prompt of about %" PRIu64 " tokens and an answer of %" PRIu64
                    " do not fit into its context_tokens (%" PRIu64
                    "); lower output_tokens, or take another model",
                    prompt, answer, model->context_tokens);
        return false;
}

int provider_ask(struct provider *provider, const struct provider_question *question,
                 struct provider_answer *answer, struct text *why)
{
        BASE_SCOPE(text_fini) struct text said = TEXT_INIT(provider_why_max);
        int outcome = PROVIDER_BROKEN;

        forget(answer);
        if (fits(provider->model, question, &said))
                outcome = provider->kind->ask(provider->self, question, answer, &said);
        if (answer->bytes.error && answer->bytes.error != -EOVERFLOW)
                return answer->bytes.error;
        cut(answer);
        tell(provider->model, outcome, &said, why);
        return outcome;
}

int provider_render(const struct model *model, const struct provider_question *question,
                    struct text *into)
{
        return kind_of(model)->render(model, question, into);
}

int provider_render_plain(const struct model *model, const struct provider_question *question,
                          struct text *into)
{
        (void)model;
        text_append(into, question->system);
        text_append(into, "\n\n");
        text_append(into, question->user);
        return into->error;
}

void provider_copy_name(const char *name, char ret_name[static provider_name_max + 1])
{
        BASE_SCOPE(text_fini) struct text plain = TEXT_INIT(provider_name_max);

        text_append_escaped(&plain, name, strlen(name));
        memcpy(ret_name, text_view(&plain), plain.length + 1);
}

void provider_answer_init(struct provider_answer *answer)
{
        /* Room beyond the limit, so that a key that stands across it is found whole. */
        *answer = (struct provider_answer){
                .bytes = TEXT_INIT(provider_answer_bytes_max + key_bytes_max),
        };
}

void provider_answer_fini(struct provider_answer *answer)
{
        text_fini(&answer->bytes);
}

const char *provider_finish_name(enum provider_finish finish)
{
        static const char *const names[] = { "stop", "length", "filtered", "too-long" };

        assert((size_t)finish < BASE_COUNT(names));
        return names[finish];
}
