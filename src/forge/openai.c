/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because one protocol is spoken in a dozen dialects: what they have in common is read here,
 * what of the rest must not be lost is named where it is taken, and all else is passed over.
 */
#include "forge/openai.h"

#include <errno.h>
#include <strings.h>

/* ---- The body ----------------------------------------------------------------------------- */

static bool has_end(const char *host, size_t length, const char *end)
{
        return length >= strlen(end) &&
               strncasecmp(host + length - strlen(end), end, strlen(end)) == 0;
}

/*
 * OpenAI's own newer models refuse max_tokens; elsewhere it is what is understood: Ollama ignores
 * max_completion_tokens without a word, and then writes for as long as it likes.
 */
static bool has_new_limit(const char *url)
{
        const char *host = strstr(url, "://");
        size_t length;

        host = host ? host + 3 : url;
        length = strcspn(host, ":/?#");
        return (length == strlen("api.openai.com") && has_end(host, length, "api.openai.com")) ||
               has_end(host, length, ".openai.azure.com");
}

static const char *limit_name(const struct model *model, const struct openai_quirks *quirks)
{
        return has_new_limit(model->url) != quirks->limit_is_renamed ? "max_completion_tokens"
                                                                     : "max_tokens";
}

static json_t *make_body(const struct model *model, const struct provider_question *question,
                         const struct openai_quirks *quirks)
{
        const uint64_t permille =
                question->is_repair ? model->temperature_permille / 4 : model->temperature_permille;
        json_t *body = json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}], s:b}", "model", model->model,
                                 "messages", "role", "system", "content", question->system, "role",
                                 "user", "content", question->user, "stream", 1);
        int failed = body ? 0 : -1;

        if (!failed && !quirks->drops_usage)
                failed = json_object_set_new(body, "stream_options",
                                             json_pack("{s:b}", "include_usage", 1));
        if (!failed)
                failed = json_object_set_new(body, limit_name(model, quirks),
                                             json_integer((json_int_t)question->output_tokens_max));
        if (!failed && model->has_temperature && !quirks->drops_temperature)
                failed = json_object_set_new(body, "temperature",
                                             json_real((double)permille / 1000.0));
        if (!failed && model->has_seed && question->has_seed && !quirks->drops_seed)
                failed =
                        json_object_set_new(body, "seed", json_integer((json_int_t)question->seed));
        if (failed) {
                json_decref(body);
                return NULL;
        }
        return body;
}

static int append(const char *bytes, size_t length, void *context)
{
        struct text *into = context;

        text_append_bytes(into, bytes, length);
        return into->error;
}

int openai_render(const struct model *model, const struct provider_question *question,
                  const struct openai_quirks *quirks, struct text *into)
{
        json_t *body;

        /* Else the reason for a missing body would be memory. */
        if (!text_is_utf8(question->system, strlen(question->system)) ||
            !text_is_utf8(question->user, strlen(question->user)))
                return -EILSEQ;
        body = make_body(model, question, quirks);
        if (!body)
                return -ENOMEM;
        /* Keys in the order in which they were set; a temperature as 0.175, not as 0.17499... */
        (void)json_dump_callback(body, append, into, JSON_COMPACT | JSON_REAL_PRECISION(6));
        json_decref(body);
        return into->error;
}

/* ---- Parts of what comes back ------------------------------------------------------------- */

void openai_reply_init(struct openai_reply *reply)
{
        *reply = (struct openai_reply){
                .content = TEXT_INIT(openai_content_bytes_max),
                .refusal = TEXT_INIT(openai_content_bytes_max),
                .error = { .message = TEXT_INIT(openai_content_bytes_max) },
        };
}

void openai_reply_fini(struct openai_reply *reply)
{
        text_fini(&reply->content);
        text_fini(&reply->refusal);
        text_fini(&reply->error.message);
}

static void copy_string(const json_t *from, char *into, size_t size)
{
        const char *string = json_string_value(from);

        if (string && string[0])
                (void)snprintf(into, size, "%s", string);
}

/* A code is a word with some, a number with others. */
static void copy_code(const json_t *from, char *into, size_t size)
{
        if (json_is_integer(from))
                (void)snprintf(into, size, "%lld", (long long)json_integer_value(from));
        else
                copy_string(from, into, size);
}

/* An object with a message; with older servers a bare string; anything else is shown as it is. */
static void take_error(struct openai_error *error, const json_t *value)
{
        const json_t *message = json_is_object(value) ? json_object_get(value, "message") : value;

        error->stands = true;
        text_clear(&error->message);
        if (json_is_string(message)) {
                text_append_bytes(&error->message, json_string_value(message),
                                  json_string_length(message));
        } else {
                char *dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

                text_append(&error->message, dump ? dump : "");
                free(dump);
        }
        copy_string(json_object_get(value, "type"), error->type, sizeof(error->type));
        copy_code(json_object_get(value, "code"), error->code, sizeof(error->code));
        copy_string(json_object_get(value, "param"), error->param, sizeof(error->param));
}

static bool is_count(const json_t *value)
{
        return json_is_integer(value) && json_integer_value(value) >= 0;
}

static uint64_t count_of(const json_t *value)
{
        const uint64_t count = is_count(value) ? (uint64_t)json_integer_value(value) : 0;

        return count < money_tokens_max ? count : money_tokens_max;
}

/*
 * Some servers say it with every chunk: the last one counts. A prompt of no tokens at all was not
 * counted, and says nothing. Some leave reasoning out of completion_tokens, although it is billed;
 * it is in total_tokens then.
 */
static void take_usage(struct money_usage *into, const json_t *usage)
{
        const json_t *prompt = json_object_get(usage, "prompt_tokens");
        const json_t *completion = json_object_get(usage, "completion_tokens");
        const json_t *input_details = json_object_get(usage, "prompt_tokens_details");
        const json_t *output_details = json_object_get(usage, "completion_tokens_details");
        const uint64_t total = count_of(json_object_get(usage, "total_tokens"));
        struct money_usage taken = {
                .is_known = true,
                .input = count_of(prompt),
                .cached = count_of(json_object_get(input_details, "cached_tokens")),
                .output = count_of(completion),
                .reasoning = count_of(json_object_get(output_details, "reasoning_tokens")),
        };

        if (!is_count(prompt) || !is_count(completion) || !taken.input)
                return;
        if (total > taken.input + taken.output)
                taken.output = total - taken.input;
        if (taken.cached > taken.input)
                taken.cached = taken.input;
        if (taken.reasoning > taken.output)
                taken.reasoning = taken.output;
        *into = taken;
}

/* Some put parts of several types where a string is usual: those of text are the answer. */
static void take_content(struct openai_reply *reply, const json_t *content)
{
        const json_t *part;
        size_t i;

        if (json_is_string(content))
                text_append_bytes(&reply->content, json_string_value(content),
                                  json_string_length(content));
        json_array_foreach(content, i, part)
        {
                const json_t *text = json_object_get(part, "text");

                if (json_is_string(text))
                        text_append_bytes(&reply->content, json_string_value(text),
                                          json_string_length(text));
                else
                        reply->reasoning_bytes += json_dumpb(part, NULL, 0, JSON_COMPACT);
        }
}

/* Under two names at once it is still said once. */
static void take_reasoning(struct openai_reply *reply, const json_t *message)
{
        static const char *const names[] = { "reasoning", "reasoning_content", "thinking" };

        for (size_t i = 0; i < BASE_COUNT(names); i++) {
                const size_t length = json_string_length(json_object_get(message, names[i]));

                reply->reasoning_bytes += length;
                if (length)
                        return;
        }
}

/* One was asked for; of several the first is taken, and mixing them is what must not happen. */
static const json_t *first_choice(const json_t *choices)
{
        const json_t *choice;
        size_t i;

        json_array_foreach(choices, i, choice)
        {
                const json_t *index = json_object_get(choice, "index");

                if (json_is_integer(index) ? json_integer_value(index) == 0 : i == 0)
                        return choice;
        }
        return NULL;
}

static void take_choice(struct openai_reply *reply, const json_t *choice, const char *part)
{
        const json_t *message = json_object_get(choice, part);
        const json_t *refusal = json_object_get(message, "refusal");

        take_content(reply, json_object_get(message, "content"));
        take_reasoning(reply, message);
        if (json_is_string(refusal))
                text_append_bytes(&reply->refusal, json_string_value(refusal),
                                  json_string_length(refusal));
        copy_string(json_object_get(choice, "finish_reason"), reply->finish, sizeof(reply->finish));
        if (json_object_get(choice, "error") && !json_is_null(json_object_get(choice, "error")))
                take_error(&reply->error, json_object_get(choice, "error"));
}

/* Beside {"error": ...}: the error itself in place of an answer, and what frameworks say of their
 * own accord. */
static const json_t *find_error(const json_t *root)
{
        const json_t *error = json_object_get(root, "error");
        const char *object = json_string_value(json_object_get(root, "object"));

        if (error && !json_is_null(error) && !json_is_false(error) &&
            !(json_is_object(error) && !json_object_size(error)) &&
            !(json_is_string(error) && !json_string_length(error)))
                return error;
        if (json_object_get(root, "choices"))
                return NULL;
        if ((object && strcmp(object, "error") == 0) ||
            json_is_string(json_object_get(root, "message")))
                return root;
        return json_object_get(root, "detail");
}

static int take(struct openai_reply *reply, const json_t *root, const char *part)
{
        const json_t *error = find_error(root);

        if (error)
                take_error(&reply->error, error);
        copy_string(json_object_get(root, "model"), reply->model, sizeof(reply->model));
        copy_string(json_object_get(root, "id"), reply->id, sizeof(reply->id));
        take_usage(&reply->usage, json_object_get(root, "usage"));
        take_choice(reply, first_choice(json_object_get(root, "choices")), part);
        if (reply->content.error == -ENOMEM || reply->refusal.error == -ENOMEM)
                return -ENOMEM;
        return reply->content.error || reply->refusal.error ? OPENAI_FULL : 0;
}

int openai_take_chunk(struct openai_reply *reply, const char *data, size_t length)
{
        static const char done[] = "[DONE]";
        json_t *root;
        int outcome = OPENAI_STRANGE;

        while (length && strchr(" \t\r\n", data[length - 1]))
                length--;
        while (length && strchr(" \t\r\n", *data)) {
                data++;
                length--;
        }
        if (length == sizeof(done) - 1 && memcmp(data, done, length) == 0) {
                reply->is_done = true;
                return 0;
        }
        root = json_loadb(data, length, JSON_ALLOW_NUL, NULL);
        if (json_is_object(root))
                outcome = take(reply, root, "delta");
        json_decref(root);
        return outcome;
}

int openai_take_body(struct openai_reply *reply, const char *body, size_t length)
{
        json_t *root = json_loadb(body, length, JSON_ALLOW_NUL, NULL);
        int outcome = OPENAI_STRANGE;

        if (json_is_array(json_object_get(root, "choices")) || find_error(root))
                outcome = take(reply, root, "message");
        json_decref(root);
        return outcome;
}

/* ---- What it means ------------------------------------------------------------------------ */

enum openai_end openai_end(const struct openai_reply *reply)
{
        static const struct {
                const char *word;
                enum openai_end end;
        } words[] = {
                { "length", OPENAI_END_LENGTH },
                { "max_tokens", OPENAI_END_LENGTH },
                { "content_filter", OPENAI_END_FILTERED },
                { "refusal", OPENAI_END_FILTERED },
                { "safety", OPENAI_END_FILTERED },
                { "error", OPENAI_END_FAILED },
                { "abort", OPENAI_END_FAILED },
                { "insufficient_system_resource", OPENAI_END_FAILED },
        };

        if (!reply->finish[0])
                return OPENAI_END_NONE;
        for (size_t i = 0; i < BASE_COUNT(words); i++)
                if (strcasecmp(words[i].word, reply->finish) == 0)
                        return words[i].end;
        return reply->refusal.length && !reply->content.length ? OPENAI_END_FILTERED
                                                               : OPENAI_END_STOP;
}

bool openai_mend(struct openai_quirks *quirks, const struct model *model,
                 const struct openai_error *error)
{
        const char *param = error->param;
        bool *mended = NULL;

        if (strcmp(param, limit_name(model, quirks)) == 0)
                mended = &quirks->limit_is_renamed;
        else if (strcmp(param, "temperature") == 0 && model->has_temperature)
                mended = &quirks->drops_temperature;
        else if (strcmp(param, "seed") == 0 && model->has_seed)
                mended = &quirks->drops_seed;
        else if (strncmp(param, "stream_options", strlen("stream_options")) == 0)
                mended = &quirks->drops_usage;
        if (!mended || *mended)
                return false;
        *mended = true;
        return true;
}

/* Less than 0.6 of a token for each four bytes. English and code have more. */
bool openai_is_truncated(const struct money_usage *usage, size_t prompt_bytes)
{
        return usage->is_known && usage->input * 20 < (uint64_t)prompt_bytes * 3;
}
