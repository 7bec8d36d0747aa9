/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to turn what happened on the wire into what the caller can do about it. A clean end of the
 * transfer proves nothing: a connection that is closed in the middle looks the same. An answer is
 * whole if the server said 200 and how it finished.
 */
#include "base/error.h"
#include "forge/exchange.h"
#include "forge/key.h"
#include "forge/provider_kind.h"

#include <errno.h>

/* An error under 200 that does not say of which kind it is: as one of the server's own. */
enum { quoted_bytes_max = 200, status_unsaid = 599 };

struct openai {
        const struct model *model;
        struct key key;
        struct http *http;
        struct openai_quirks quirks;
};

/* ---- What went wrong, in a sentence ------------------------------------------------------- */

/* Its own words, or the beginning of whatever it sent; without a key, before anything is cut. */
static void quote(const struct openai *openai, struct exchange *exchange, struct text *why)
{
        BASE_SCOPE(text_fini) struct text quoted = TEXT_INIT(quoted_bytes_max);
        struct text *said = exchange->reply.error.message.length ? &exchange->reply.error.message
                                                                 : &exchange->raw;

        key_redact(&openai->key, said);
        text_append_escaped(&quoted, text_view(said), said->length);
        if (quoted.length)
                text_printf(why, ": '%s'", text_view(&quoted));
}

static bool is_word(const struct openai_error *error, const char *word)
{
        return strcmp(error->code, word) == 0 || strcmp(error->type, word) == 0;
}

/* By its codes only: texts about the usual limits speak of billing, too. */
static bool is_about_money(long status, const struct openai_error *error)
{
        return status == 402 || is_word(error, "insufficient_quota") ||
               is_word(error, "insufficient_balance") || strstr(error->code, "billing") ||
               strstr(error->type, "billing");
}

static int tell_money(const struct openai *openai, struct exchange *exchange, long status,
                      struct text *why)
{
        text_printf(why, "the account has no credit left (%ld)", status);
        quote(openai, exchange, why);
        text_append(why, "; see to its billing, or use another tier");
        return PROVIDER_BROKEN;
}

static int tell_key(const struct openai *openai, struct exchange *exchange, long status,
                    struct text *why)
{
        const struct model *model = openai->model;

        if (!openai->key.bytes.length)
                text_printf(why, "%s wants a key (%ld)", http_place(openai->http), status);
        else
                text_printf(why, "the key was refused (%ld)", status);
        quote(openai, exchange, why);
        if (model->key_env)
                text_printf(why, "; see what stands in %s", model->key_env);
        else
                text_append(why, model->key_command ? "; see what key_command prints"
                                                    : "; name its variable with key_env");
        return PROVIDER_BROKEN;
}

/* For all that asking again cannot mend. */
static int tell_refusal(const struct openai *openai, struct exchange *exchange, long status,
                        struct text *why)
{
        const struct model *model = openai->model;
        const char *place = http_place(openai->http);

        if (status == 401 || status == 403)
                return tell_key(openai, exchange, status, why);
        text_printf(why, "%s answers %ld", place, status);
        quote(openai, exchange, why);
        if (status == 404)
                text_printf(why,
                            "; see whether it has a model '%s', and whether url ends as it "
                            "should, mostly in /v1",
                            model->model);
        else if (status >= 300 && status < 400)
                text_append(why, "; no key is sent on to another address: write that one as url");
        else if (status == 413 || is_word(&exchange->reply.error, "context_length_exceeded") ||
                 is_word(&exchange->reply.error, "exceed_context_size_error"))
                text_append(why, "; the prompt is longer than it reads: use a tier with a larger "
                                 "context");
        else
                text_append(why, "; correct its models.yaml, or use another tier");
        return PROVIDER_BROKEN;
}

static int tell_failure(const struct openai *openai, struct exchange *exchange, long status,
                        struct provider_answer *answer, struct text *why)
{
        if (status == status_unsaid)
                text_printf(why, "%s reports an error", http_place(openai->http));
        else
                text_printf(why, "%s answers %ld", http_place(openai->http), status);
        quote(openai, exchange, why);
        text_append(why, "; it may be better later");
        answer->retry_ns = exchange->http.hints.after_ns;
        return PROVIDER_RETRY;
}

/* Under 200 an error comes without a status, unless its code is one. */
static long status_of(const struct exchange *exchange)
{
        static const struct {
                const char *word;
                long status;
        } words[] = {
                { "invalid_api_key", 401 },           { "authentication_error", 401 },
                { "model_not_found", 404 },           { "context_length_exceeded", 400 },
                { "exceed_context_size_error", 400 }, { "invalid_request_error", 400 },
        };
        const struct openai_error *error = &exchange->reply.error;
        uint64_t code;

        if (exchange->http.status != exchange_status_ok)
                return exchange->http.status;
        if (!text_parse_u64(error->code, 400, 599, &code))
                return (long)code;
        for (size_t i = 0; i < BASE_COUNT(words); i++)
                if (is_word(error, words[i].word))
                        return words[i].status;
        return status_unsaid;
}

static int judge_error(const struct openai *openai, struct exchange *exchange,
                       struct provider_answer *answer, struct text *why)
{
        const long status = status_of(exchange);

        if (is_about_money(status, &exchange->reply.error))
                return tell_money(openai, exchange, status, why);
        if (retry_is_worth_status(status, &exchange->http.hints))
                return tell_failure(openai, exchange, status, answer, why);
        return tell_refusal(openai, exchange, status, why);
}

/* Of a portal, or a server of something else: it would come again. */
static bool is_page(const struct text *body)
{
        const char *bytes = text_view(body);

        return bytes[strspn(bytes, " \t\r\n")] == '<';
}

/* No status came, or an answer without an end. */
static int judge_end(const struct openai *openai, struct exchange *exchange, struct text *why)
{
        const struct http_answer *http = &exchange->http;
        const char *place = http_place(openai->http);
        const char *message = http->message[0] ? http->message : curl_easy_strerror(http->code);

        switch (http->end) {
        case HTTP_END_LATE:
                text_printf(why,
                            "%s did not finish its answer in time; give it longer, or ask "
                            "for less",
                            place);
                return PROVIDER_RETRY;
        case HTTP_END_SILENT:
                text_printf(why, "%s said nothing for ", place);
                text_append_duration(why, openai->model->silence_ns);
                text_append(why, "; raise silence if it thinks for longer");
                return PROVIDER_RETRY;
        case HTTP_END_BROKEN:
                if (http->code == CURLE_COULDNT_CONNECT)
                        text_printf(why, "no connection to %s (%s); see whether its server runs",
                                    place, message);
                else if (retry_is_worth_code(http->code))
                        text_printf(why, "the connection to %s broke (%s); it may be better later",
                                    place, message);
                else
                        text_printf(why,
                                    "no connection to %s can be trusted (%s); correct its url, or "
                                    "the certificates of this machine",
                                    place, message);
                return retry_is_worth_code(http->code) ? PROVIDER_RETRY : PROVIDER_BROKEN;
        default:
                break;
        }
        if (exchange->form == EXCHANGE_BODY && http->is_too_long) {
                text_printf(why,
                            "%s answers with more than %d bytes in one piece; use one that "
                            "streams",
                            place, http_body_bytes_max);
                return PROVIDER_BROKEN;
        }
        if (is_page(&exchange->raw)) {
                text_printf(why, "%s answers with a page, not with a completion", place);
                quote(openai, exchange, why);
                text_append(why, "; url has to lead to chat completions, mostly to /v1");
                return PROVIDER_BROKEN;
        }
        text_printf(why, "%s did not finish its answer", place);
        if (!exchange->reply.content.length)
                quote(openai, exchange, why);
        text_append(why, "; see whether url leads to chat completions, mostly to /v1");
        return PROVIDER_RETRY;
}

/* ---- What came of it ---------------------------------------------------------------------- */

/*
 * Whether an answer may have been made, and be paid for, although we have none or a part of one: as
 * soon as the server has the whole question, unless it says that it refuses.
 */
static bool may_be_billed(const struct exchange *exchange)
{
        const struct openai_reply *reply = &exchange->reply;

        if (reply->content.length || reply->refusal.length || reply->reasoning_bytes ||
            reply->usage.is_known)
                return true;
        if (exchange->http.status >= 300)
                return false;
        if (reply->error.stands && status_of(exchange) != status_unsaid)
                return false;
        return exchange->http.is_sent;
}

/* All that can be known however it ended. */
static void take_figures(const struct openai *openai, struct exchange *exchange,
                         struct provider_answer *answer)
{
        struct openai_reply *reply = &exchange->reply;
        const struct key *key = &openai->key;
        char *id = exchange->http.id[0] ? exchange->http.id : reply->id;

        key_redact_string(key, reply->model);
        provider_copy_name(reply->model, answer->model);
        key_redact_string(key, id);
        provider_copy_name(id, answer->request_id);
        answer->usage = reply->usage;
        answer->reasoning_bytes = reply->reasoning_bytes;
}

static enum provider_finish finish_of(enum openai_end end)
{
        return end == OPENAI_END_LENGTH     ? PROVIDER_FINISH_LENGTH
               : end == OPENAI_END_FILTERED ? PROVIDER_FINISH_FILTERED
                                            : PROVIDER_FINISH_STOP;
}

static int take_answer(const struct openai *openai, struct exchange *exchange,
                       enum provider_finish finish, struct provider_answer *answer,
                       struct text *why)
{
        struct openai_reply *reply = &exchange->reply;
        const struct provider_question *question = exchange->question;
        const size_t prompt_bytes = strlen(question->system) + strlen(question->user);
        struct text *said = reply->content.length || finish != PROVIDER_FINISH_FILTERED
                                    ? &reply->content
                                    : &reply->refusal;

        if (openai_is_truncated(&reply->usage, prompt_bytes)) {
                text_printf(why,
                            "%s has read %llu tokens of a prompt of %zu bytes, so it cut its "
                            "beginning off; give the server a larger context (Ollama: "
                            "OLLAMA_CONTEXT_LENGTH or num_ctx, llama.cpp: -c), or use another tier",
                            http_place(openai->http), (unsigned long long)reply->usage.input,
                            prompt_bytes);
                return PROVIDER_BROKEN;
        }
        key_redact(&openai->key, said);
        text_append_bytes(&answer->bytes, text_view(said), said->length);
        answer->finish = finish;
        return 0;
}

static int judge(const struct openai *openai, struct exchange *exchange,
                 struct provider_answer *answer, struct text *why)
{
        const struct http_answer *http = &exchange->http;
        const enum openai_end end = openai_end(&exchange->reply);
        const bool is_cut = exchange->outcome == OPENAI_FULL ||
                            (http->is_too_long && exchange->form == EXCHANGE_STREAM);

        take_figures(openai, exchange, answer);
        if (http->end == HTTP_END_STOPPED) {
                text_append(why, "stopped");
                return PROVIDER_STOPPED;
        }
        if (!http->status)
                return judge_end(openai, exchange, why);
        if (http->status != exchange_status_ok || exchange->reply.error.stands)
                return judge_error(openai, exchange, answer, why);
        if (is_cut)
                return take_answer(openai, exchange, PROVIDER_FINISH_TOO_LONG, answer, why);
        if (end == OPENAI_END_FAILED) {
                text_printf(why, "%s gave up in the middle; it may be better later",
                            http_place(openai->http));
                return PROVIDER_RETRY;
        }
        if (end == OPENAI_END_NONE || exchange->outcome == OPENAI_STRANGE)
                return judge_end(openai, exchange, why);
        return take_answer(openai, exchange, finish_of(end), answer, why);
}

/* ---- The kind ----------------------------------------------------------------------------- */

/* A parameter that is refused is left out from then on, and the question put again at once: nothing
 * has been paid. Each can be mended once, so this ends. */
static int ask(void *self, const struct provider_question *question, struct provider_answer *answer,
               struct text *why)
{
        struct openai *openai = self;

        for (;;) {
                BASE_SCOPE(exchange_fini) struct exchange exchange;
                int outcome;

                exchange_init(&exchange, question);
                outcome = exchange_perform(&exchange, openai->model, &openai->quirks,
                                           text_view(&openai->key.bytes), openai->http);
                if (!outcome && exchange.http.status == 400 &&
                    exchange.http.end == HTTP_END_WHOLE &&
                    openai_mend(&openai->quirks, openai->model, &exchange.reply.error))
                        continue;
                answer->was_billed = may_be_billed(&exchange);
                if (!outcome)
                        outcome = judge(openai, &exchange, answer, why);
                key_redact(&openai->key, why);
                return outcome;
        }
}

static void close_openai(void *self)
{
        struct openai *openai = self;

        http_free(&openai->http);
        key_fini(&openai->key);
        free(openai);
}

static int read_key(struct openai *openai, struct text *why)
{
        const int outcome = key_read(openai->model, &openai->key, why);

        return outcome == KEY_STOPPED ? PROVIDER_STOPPED
               : outcome == KEY_WRONG ? PROVIDER_WRONG
                                      : outcome;
}

static int open_openai(const struct model *model, void **ret_self, struct text *why)
{
        struct openai *openai = calloc(1, sizeof(*openai));
        int failed;

        if (!openai)
                return -ENOMEM;
        openai->model = model;
        failed = http_new(model->url, "/chat/completions", &openai->http, why);
        if (failed == HTTP_WRONG)
                failed = PROVIDER_WRONG;
        else if (!failed)
                failed = read_key(openai, why);
        if (failed)
                close_openai(openai);
        else
                *ret_self = openai;
        return failed;
}

static int render(const struct model *model, const struct provider_question *question,
                  struct text *into)
{
        const struct openai_quirks none = { .drops_seed = false };

        return openai_render(model, question, &none, into);
}

const struct provider_kind provider_openai = {
        .open = open_openai,
        .close = close_openai,
        .ask = ask,
        .render = render,
};
