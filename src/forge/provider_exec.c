/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because every model has a command that can ask it, and because such commands look around:
 * it runs in an empty folder, with nothing of our environment but what models.yaml lists. Without
 * PATH among that, /bin/sh seeks programs where its own default says.
 *
 * What it prints is the answer; or one JSON object with the key "text", if it knows more than that.
 */
#include "base/child.h"
#include "base/error.h"
#include "base/file.h"
#include "forge/key.h"
#include "forge/provider_kind.h"

#include <errno.h>
#include <jansson.h>

enum {
        output_bytes_max = 16 << 20,
        errors_bytes_max = 1 << 20,
        quoted_bytes_max = 200,
        exit_try_again = 75, /* EX_TEMPFAIL */
};

/* Never removes more than what mkdtemp() made. */
static void remove_folder(char **path)
{
        /* What cannot be removed is left to whoever empties temporary folders. */
        if (*path)
                (void)file_remove_tree(AT_FDCWD, *path);
        free(*path);
}

static int make_folder(char **ret_path)
{
        const char *parent = getenv("TMPDIR");
        char *path;
        int failed;

        if (!parent || parent[0] != '/')
                parent = "/tmp";
        if (asprintf(&path, "%s/tocsin-ask-XXXXXX", parent) < 0)
                return -ENOMEM;
        if (!mkdtemp(path)) {
                failed = error_last();
                free(path);
                return failed;
        }
        *ret_path = path;
        return 0;
}

struct environment {
        char **items; /* ends with NULL */
        size_t count;
        int error;
};

static void environment_fini(struct environment *environment)
{
        for (size_t i = 0; i < environment->count; i++)
                free(environment->items[i]);
        free(environment->items);
}

static void set(struct environment *environment, const char *name, const char *value)
{
        char *item;

        if (asprintf(&item, "%s=%s", name, value) < 0)
                environment->error = -ENOMEM;
        else
                environment->items[environment->count++] = item;
}

static int make_environment(const struct model *model, struct environment *environment)
{
        environment->items = calloc(model->environment.count + 2, sizeof(char *));
        if (!environment->items)
                return -ENOMEM;
        for (size_t i = 0; i < model->environment.count; i++) {
                const char *word = model->environment.items[i];
                const char *value = strchr(word, '=') ? NULL : getenv(word);

                if (value) {
                        set(environment, word, value);
                } else if (strchr(word, '=')) {
                        environment->items[environment->count] = strdup(word);
                        if (!environment->items[environment->count++])
                                return -ENOMEM;
                }
        }
        if (model->model)
                set(environment, "TOCSIN_MODEL", model->model);
        return environment->error;
}

/* ---- Keys ---------------------------------------------------------------------------------- */

/* What it was handed in a variable that is called so is not handed on by what it says. */
static void redact(const struct model *model, struct text *said)
{
        for (size_t i = 0; i < model->environment.count; i++) {
                BASE_SCOPE(key_fini) struct key key = { TEXT_INIT(TEXT_LENGTH_LIMIT) };
                const char *word = model->environment.items[i];
                const char *value = strchr(word, '=') ? strchr(word, '=') + 1 : getenv(word);

                if (!value || !key_is_named(word))
                        continue;
                text_append(&key.bytes, value);
                if (!key.bytes.error)
                        key_redact(&key, said);
        }
}

/* ---- What it said ------------------------------------------------------------------------- */

/* False: it is no count. */
static bool take_tokens(const json_t *usage, const char *key, uint64_t *ret_tokens)
{
        const json_t *value = json_object_get(usage, key);

        if (!json_is_integer(value) || json_integer_value(value) < 0)
                return false;
        *ret_tokens = (uint64_t)json_integer_value(value);
        if (*ret_tokens > money_tokens_max)
                *ret_tokens = money_tokens_max;
        return true;
}

static bool is_given(const json_t *usage, const char *key)
{
        const json_t *value = json_object_get(usage, key);

        return value && !json_is_null(value);
}

/* Of figures that are wrong in one place none is believed. */
static void take_usage(const json_t *usage, struct money_usage *into)
{
        struct money_usage taken = { .is_known = true };

        if (!take_tokens(usage, "input", &taken.input) ||
            !take_tokens(usage, "output", &taken.output))
                return;
        if (is_given(usage, "cached") && !take_tokens(usage, "cached", &taken.cached))
                return;
        if (is_given(usage, "reasoning") && !take_tokens(usage, "reasoning", &taken.reasoning))
                return;
        *into = taken;
}

static enum provider_finish finish_of(const json_t *name)
{
        const char *word = json_string_value(name);

        if (word && strcmp(word, "length") == 0)
                return PROVIDER_FINISH_LENGTH;
        if (word && (strcmp(word, "filtered") == 0 || strcmp(word, "content_filter") == 0))
                return PROVIDER_FINISH_FILTERED;
        return PROVIDER_FINISH_STOP;
}

static void take_output(const struct text *output, struct provider_answer *answer)
{
        json_t *root = json_loadb(text_view(output), output->length, JSON_ALLOW_NUL, NULL);
        const json_t *text = json_object_get(root, "text");
        const char *model = json_string_value(json_object_get(root, "model"));

        if (json_is_string(text)) {
                text_append_bytes(&answer->bytes, json_string_value(text),
                                  json_string_length(text));
                answer->finish = finish_of(json_object_get(root, "finish"));
                take_usage(json_object_get(root, "usage"), &answer->usage);
                if (model)
                        provider_copy_name(model, answer->model);
        } else if (output->length) {
                text_append_bytes(&answer->bytes, output->bytes, output->length);
        }
        json_decref(root);
}

/* The last line that is not empty. Of one that was cut nobody knows what it held. */
static void quote_last_line(const struct text *errors, struct text *why)
{
        const char *line = text_view(errors);
        size_t length = errors->length;
        size_t start;

        while (errors->error && length && line[length - 1] != '\n')
                length--;
        while (length && strchr("\r\n \t", line[length - 1]))
                length--;
        start = length;
        while (start && line[start - 1] != '\n')
                start--;
        if (length - start > quoted_bytes_max)
                length = start + quoted_bytes_max;
        if (length > start)
                text_printf(why, ": '%.*s'", (int)(length - start), line + start);
}

static bool has_exited(const struct child_result *result, int code)
{
        return result->end == CHILD_EXITED && result->code == code;
}

static bool was_not_run(const struct child_result *result)
{
        return has_exited(result, ERROR_EXIT_RUN_MISSING) ||
               has_exited(result, ERROR_EXIT_RUN_DENIED);
}

/* Nobody but the command knows what it has asked for by then. */
static bool may_be_billed(const struct child_result *result, const struct text *output)
{
        return !was_not_run(result) && (!has_exited(result, exit_try_again) || output->length);
}

static int judge(const struct child_result *result, const struct text *errors, struct text *why)
{
        if (result->end == CHILD_STOPPED) {
                text_append(why, "stopped");
                return PROVIDER_STOPPED;
        }
        if (result->end == CHILD_LATE) {
                text_append(why, "its command did not answer in time; give it longer, or ask for "
                                 "less");
                return PROVIDER_RETRY;
        }
        text_append(why, "its command ended with ");
        child_append_end(result, why);
        quote_last_line(errors, why);
        if (has_exited(result, exit_try_again))
                return PROVIDER_RETRY;
        if (was_not_run(result)) {
                text_append(why, "; it was not found or cannot be run: write its whole path, or "
                                 "list PATH in environment");
                return PROVIDER_WRONG;
        }
        text_append(why, "; run it in a shell to see why");
        return PROVIDER_BROKEN;
}

/* What is shown while it runs. How much of an object is its text is not known by then. */
struct watch {
        const struct provider_question *question;
        const struct text *output;
        size_t shown;
};

static void show(struct watch *watch, size_t length)
{
        /* Of an answer that was cut, or had a key in it, less may be left. */
        if (length > watch->shown)
                watch->shown = length;
        if (watch->question->progress)
                watch->question->progress(watch->question->progress_context, watch->shown);
}

static void show_waiting(void *context)
{
        struct watch *watch = context;

        show(watch, text_view(watch->output)[0] == '{' ? 0 : watch->output->length);
}

static int run(const struct model *model, const struct provider_question *question,
               struct child_request *request, struct child_result *ret_result)
{
        BASE_SCOPE(environment_fini) struct environment environment = { .count = 0 };
        BASE_SCOPE(text_fini) struct text input = TEXT_INIT(TEXT_LENGTH_LIMIT);
        BASE_SCOPE(remove_folder) char *folder = NULL;
        const uint64_t now_ns = clock_monotonic_ns();
        int failed = make_environment(model, &environment);

        if (!failed)
                failed = provider_render_plain(model, question, &input);
        if (!failed)
                failed = make_folder(&folder);
        if (failed)
                return failed;
        request->command = model->command;
        request->input = text_view(&input);
        request->input_length = input.length;
        request->environment = (const char *const *)environment.items;
        request->directory = folder;
        request->stop_fd = question->stop_fd >= 0 ? &question->stop_fd : NULL;
        request->time_max_ns = question->deadline_ns > now_ns ? question->deadline_ns - now_ns : 1;
        return child_run(request, ret_result);
}

/* ---- The kind ----------------------------------------------------------------------------- */

static int ask(void *self, const struct provider_question *question, struct provider_answer *answer,
               struct text *why)
{
        BASE_SCOPE(text_fini) struct text output = TEXT_INIT(output_bytes_max);
        BASE_SCOPE(text_fini) struct text errors = TEXT_INIT(errors_bytes_max);
        struct watch watch = { .question = question, .output = &output };
        struct child_request request = {
                .output = &output,
                .errors = &errors,
                .tick = show_waiting,
                .tick_context = &watch,
        };
        struct child_result result;
        int failed;

        if (clock_monotonic_ns() >= question->deadline_ns) {
                text_append(why, "its time was over before it could begin; give it longer");
                return PROVIDER_RETRY;
        }
        failed = run(self, question, &request, &result);
        if (failed)
                return failed;
        redact(self, &output);
        redact(self, &errors);
        answer->was_billed = may_be_billed(&result, &output);
        if (!child_succeeded(&result))
                return judge(&result, &errors, why);
        take_output(&output, answer);
        redact(self, &answer->bytes);
        show(&watch, answer->bytes.length);
        return 0;
}

static int open_exec(const struct model *model, void **ret_self, struct text *why)
{
        (void)why;
        /* Read only from here on: this kind keeps nothing of its own. */
        *ret_self = (void *)(uintptr_t)model;
        return 0;
}

static void close_exec(void *self)
{
        (void)self;
}

const struct provider_kind provider_exec = {
        .open = open_exec,
        .close = close_exec,
        .ask = ask,
        .render = provider_render_plain,
};
