/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that tests can drive src/forge/provider.h from outside.
 *
 * usage: ask MODELS_YAML TIER <QUESTIONS
 *
 * Questions are a JSON array of objects {"stage", "system", "user", "slot", "seed", "repair",
 * "output_tokens", "deadline_ms", "stop_ms"}, put to one provider one after the other. Printed is a
 * JSON array of what came of each; or of one element that says why there is no provider. Ctrl-C
 * is heard as the forge hears it.
 */
#include "base/clock.h"
#include "base/error.h"
#include "forge/provider.h"
#include "gate/digest.h"
#include "gate/stop.h"

#include <jansson.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const char *outcome_name(int outcome)
{
        static const char *const names[] = { "ok", "wrong", "retry", "broken", "stopped" };

        return outcome < 0 ? error_name(outcome) : names[outcome];
}

static uint64_t number(const json_t *from, const char *key, uint64_t otherwise)
{
        const json_t *value = json_object_get(from, key);

        return value ? (uint64_t)json_integer_value(value) : otherwise;
}

static const char *word(const json_t *from, const char *key, const char *otherwise)
{
        const json_t *value = json_object_get(from, key);

        return value ? json_string_value(value) : otherwise;
}

/* Readable once the time is over. */
static int stop_in(uint64_t ms)
{
        const struct itimerspec when = { .it_value = { .tv_sec = (time_t)(ms / 1000),
                                                       .tv_nsec = (long)(ms % 1000 * 1000000) } };
        int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

        if (fd < 0 || timerfd_settime(fd, 0, &when, NULL))
                abort();
        return fd;
}

struct seen {
        size_t bytes;
        unsigned count; /* how often */
};

static void see_progress(void *context, size_t bytes)
{
        struct seen *seen = context;

        if (bytes < seen->bytes)
                abort(); /* it never goes back */
        seen->bytes = bytes;
        seen->count++;
}

static json_t *show_answer(const struct provider_answer *answer)
{
        const struct money_usage *usage = &answer->usage;
        json_t *shown =
                json_pack("{s:s, s:s, s:s, s:I, s:b, s:I, s:b, s:I}", "finish",
                          provider_finish_name(answer->finish), "model", answer->model,
                          "request_id", answer->request_id, "reasoning_bytes",
                          (json_int_t)answer->reasoning_bytes, "differs", answer->differs,
                          "retry_ms", (json_int_t)(answer->retry_ns / CLOCK_MS_NS), "was_billed",
                          answer->was_billed, "length", (json_int_t)answer->bytes.length);
        char hash[digest_hex_size];

        if (digest_of(text_view(&answer->bytes), answer->bytes.length, hash))
                abort();
        (void)json_object_set_new(shown, "sha256", json_string(hash));
        if (answer->bytes.length <= 65536) /* others are compared by their hash; null: no UTF-8 */
                (void)json_object_set_new(
                        shown, "answer",
                        json_stringn(text_view(&answer->bytes), answer->bytes.length));
        if (usage->is_known)
                (void)json_object_set_new(shown, "usage",
                                          json_pack("{s:I, s:I, s:I, s:I}", "input",
                                                    (json_int_t)usage->input, "cached",
                                                    (json_int_t)usage->cached, "output",
                                                    (json_int_t)usage->output, "reasoning",
                                                    (json_int_t)usage->reasoning));
        return shown;
}

static json_t *ask(struct provider *provider, const json_t *from)
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(provider_why_max);
        struct provider_answer answer BASE_SCOPE(provider_answer_fini);
        const uint64_t start_ns = clock_monotonic_ns();
        const uint64_t stop_ms = number(from, "stop_ms", 0);
        struct seen seen = { .count = 0 };
        struct provider_question question = {
                .stage = word(from, "stage", "write"),
                .system = word(from, "system", "You write C."),
                .user = word(from, "user", "Write it."),
                .slot = number(from, "slot", 1),
                .has_seed = json_object_get(from, "seed") != NULL,
                .seed = number(from, "seed", 0),
                .is_repair = json_is_true(json_object_get(from, "repair")),
                .output_tokens_max = number(from, "output_tokens", 1000),
                .deadline_ns = start_ns + number(from, "deadline_ms", 60000) * CLOCK_MS_NS,
                .stop_fd = stop_ms ? stop_in(stop_ms) : -1,
                .progress = see_progress,
                .progress_context = &seen,
        };
        json_t *shown;
        int outcome;

        provider_answer_init(&answer);
        outcome = provider_ask(provider, &question, &answer, &why);
        shown = show_answer(&answer);
        (void)json_object_set_new(shown, "outcome", json_string(outcome_name(outcome)));
        (void)json_object_set_new(shown, "why", json_string(text_view(&why)));
        (void)json_object_set_new(shown, "progress", json_integer((json_int_t)seen.bytes));
        (void)json_object_set_new(shown, "progress_count", json_integer((json_int_t)seen.count));
        (void)json_object_set_new(
                shown, "elapsed_ms",
                json_integer((json_int_t)((clock_monotonic_ns() - start_ns) / CLOCK_MS_NS)));
        if (question.stop_fd >= 0)
                (void)close(question.stop_fd); /* a clock */
        return shown;
}

static json_t *refuse(const char *what, int outcome, const struct text *why)
{
        return json_pack("[{s:s, s:s}]", what, outcome_name(outcome), "why", text_view(why));
}

static json_t *ask_all(const char *path, const char *tier, const json_t *questions)
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct models models BASE_SCOPE(models_fini) = { .count = 0 };
        struct provider *provider BASE_SCOPE(provider_free) = NULL;
        json_t *answers = NULL;
        json_t *question;
        size_t i, index = 0;
        int outcome = models_load(path, &models, &why);

        if (outcome)
                return refuse("load", outcome, &why);
        while (index < models.count && strcmp(models.tiers[index].name, tier) != 0)
                index++;
        if (index == models.count)
                return NULL;
        outcome = provider_new(&models.tiers[index], &provider, &why);
        if (outcome)
                return refuse("new", outcome, &why);
        answers = json_array();
        json_array_foreach(questions, i, question)(void)
                json_array_append_new(answers, ask(provider, question));
        return answers;
}

int main(int argc, char **argv)
{
        const bool is_listening = !stop_listen();
        json_t *questions = json_loadf(stdin, 0, NULL);
        json_t *answers = is_listening && argc == 3 && json_is_array(questions)
                                  ? ask_all(argv[1], argv[2], questions)
                                  : NULL;
        int failed = !answers || json_dumpf(answers, stdout, JSON_INDENT(1)) || fflush(stdout);

        json_decref(answers);
        json_decref(questions);
        return failed ? ERROR_EXIT_USAGE : ERROR_EXIT_YES;
}
