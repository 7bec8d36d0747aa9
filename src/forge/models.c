/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because this file decides whom we pay, and with which key: what is not understood in full
 * is refused with its line, and whatever looks like a key is refused without being shown.
 */
#include "forge/models.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "forge/key.h"
#include "gate/document.h"
#include "gate/schema.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>

enum {
        name_length_max = 47,
        word_length_max = 200,
        line_length_max = 4096,
        environment_max = 64,
        output_tokens_default = 16384,
        calls_default = 12,
};

#define SILENCE_DEFAULT_NS (120 * CLOCK_S_NS)
#define TEMPERATURE_MAX    UINT64_C(2000000) /* millionths */

static const char page[] = "doc/forge.md";
static const char never_in_a_file[] =
        "a key never stands in a file; name a variable with key_env, or a command that prints the "
        "key with key_command";

/* ---- What a word may be ------------------------------------------------------------------- */

static bool is_line(const char *word, size_t length_max)
{
        for (const char *at = word; *at; at++)
                if (iscntrl((unsigned char)*at))
                        return false;
        return strlen(word) <= length_max && text_is_utf8(word, strlen(word));
}

static bool is_tier_name(const char *word)
{
        size_t length = 0;

        while (isalnum((unsigned char)word[length]) ||
               (word[length] && strchr("_-.", word[length])))
                length++;
        return !word[length] && length <= name_length_max;
}

static bool is_model_name(const char *word)
{
        return is_line(word, word_length_max);
}

/* A command may be a script of several lines. */
static bool is_command(const char *word)
{
        return strlen(word) <= line_length_max;
}

static bool is_path(const char *word)
{
        return strlen(word) <= line_length_max;
}

static bool is_variable(const char *word)
{
        return document_is_c_name(word, word_length_max);
}

static bool looks_like_key(const char *word)
{
        return strncmp(word, "sk-", 3) == 0;
}

static const struct document_word_kind tier_name_kind = { is_tier_name };
static const struct document_word_kind model_name_kind = { is_model_name };
static const struct document_word_kind command_kind = { is_command };
static const struct document_word_kind path_kind = { is_path };

static const struct document_choice provider_items[] = {
        { "openai", MODELS_OPENAI },
        { "exec", MODELS_EXEC },
        { "replay", MODELS_REPLAY },
};
static const struct document_choices providers = { provider_items, BASE_COUNT(provider_items),
                                                   "openai, exec or replay" };

static const struct document_choice match_items[] = {
        { "prompt", MODELS_MATCH_PROMPT },
        { "order", MODELS_MATCH_ORDER },
};
static const struct document_choices matches = { match_items, BASE_COUNT(match_items),
                                                 "prompt or order" };

struct range {
        uint64_t min;
        uint64_t max;
};
static const struct range tokens_range = { 1, money_tokens_max };
static const struct range calls_range = { 1, 10000 };
static const struct range silence_range = { CLOCK_S_NS, CLOCK_HOUR_NS };

/* ---- Setters of a tier -------------------------------------------------------------------- */

/* Whatever was written there is not shown: it may be one. */
static void refuse_secret(struct document *document, const struct document_key *key,
                          const yaml_node_t *value, void *field)
{
        (void)field;
        document_wrong(document, document_line(value), "'%s': %s", key->name, never_in_a_file);
}

static void set_key_env(struct document *document, const struct document_key *key,
                        const yaml_node_t *value, void *field)
{
        const char *word = document_value(document, key, value);

        if (!word)
                return;
        if (!is_variable(word) || looks_like_key(word)) {
                document_wrong(document, document_line(value),
                               "key_env is not the name of a variable; %s", never_in_a_file);
                return;
        }
        *(char **)field = strdup(word);
        if (!*(char **)field)
                document->error = -ENOMEM;
}

static void set_url(struct document *document, const struct document_key *key,
                    const yaml_node_t *value, void *field)
{
        const char *word = document_value(document, key, value);
        const char *host;

        if (!word)
                return;
        host = strstr(word, "://");
        host = host ? host + 3 : word;
        if (memchr(host, '@', strcspn(host, "/?#"))) {
                document_wrong(document, document_line(value), "url holds a password; %s",
                               never_in_a_file);
                return;
        }
        if ((strncmp(word, "https://", 8) != 0 && strncmp(word, "http://", 7) != 0) ||
            !is_line(word, line_length_max) || strchr(word, ' ')) {
                document_wrong(document, document_line(value), "url '%.*s' is not %s",
                               DOCUMENT_SHOWN(word), key->wants);
                return;
        }
        if (strstr(word, "/chat/completions")) {
                document_wrong(document, document_line(value),
                               "url ends before /chat/completions; remove that");
                return;
        }
        *(char **)field = strdup(word);
        if (!*(char **)field)
                document->error = -ENOMEM;
}

/* It is run in an empty folder: nothing lies beside it there. */
static void set_command(struct document *document, const struct document_key *key,
                        const yaml_node_t *value, void *field)
{
        const char *word = document_word(value);

        if (word && (strncmp(word, "./", 2) == 0 || strncmp(word, "../", 3) == 0))
                document_wrong(document, document_line(value),
                               "command '%.*s' is run in an empty folder, where it does not lie; "
                               "write its whole path, or put it into PATH",
                               DOCUMENT_SHOWN(word));
        else
                document_set_word(document, key, value, field);
}

static void set_environment(struct document *document, const struct document_key *key,
                            const yaml_node_t *value, void *field)
{
        struct contract_list *list = field;

        if (!document_items(document, key, value, environment_max))
                return;
        for (size_t i = 0; i < document_item_count(value) && !document->error; i++) {
                const yaml_node_t *item = document_item(document, value, i);
                const char *word = document_word(item);
                char name[word_length_max + 1] = "";
                const size_t length = word ? strcspn(word, "=") : 0;

                if (length <= word_length_max)
                        memcpy(name, word ? word : "", length);
                if (!is_variable(name) || (!word[length] && looks_like_key(word)))
                        document_wrong(document, document_line(item), "environment: an entry is %s",
                                       key->wants);
                else if (word[length] && (looks_like_key(word + length + 1) || key_is_named(word)))
                        document_wrong(document, document_line(item), "environment: %s: %s", name,
                                       "a key never stands in a file; write the name alone, and "
                                       "export the variable");
                else if (!schema_list_add(list, word, document_line(item)))
                        document->error = -ENOMEM;
        }
}

static void set_count(struct document *document, const struct document_key *key,
                      const yaml_node_t *value, void *field)
{
        const struct range *range = key->detail;
        const char *word = document_value(document, key, value);
        uint64_t number;

        if (word && text_parse_u64(word, range->min, range->max, &number))
                document_wrong(document, document_line(value), "%s '%.*s' is not %s", key->name,
                               DOCUMENT_SHOWN(word), key->wants);
        else if (word)
                *(uint64_t *)field = number;
}

static void set_duration(struct document *document, const struct document_key *key,
                         const yaml_node_t *value, void *field)
{
        const struct range *range = key->detail;
        const char *word = document_value(document, key, value);
        uint64_t number;

        if (word && text_parse_duration(word, range->min, range->max, &number))
                document_wrong(document, document_line(value), "%s '%.*s' is not %s", key->name,
                               DOCUMENT_SHOWN(word), key->wants);
        else if (word)
                *(uint64_t *)field = number;
}

static void set_temperature(struct document *document, const struct document_key *key,
                            const yaml_node_t *value, void *field)
{
        struct model *model = field;
        const char *word = document_value(document, key, value);
        uint64_t millionths;

        if (!word)
                return;
        if (money_parse(word, &millionths) || millionths > TEMPERATURE_MAX || millionths % 1000) {
                document_wrong(document, document_line(value), "temperature '%.*s' is not %s",
                               DOCUMENT_SHOWN(word), key->wants);
                return;
        }
        model->has_temperature = true;
        model->temperature_permille = millionths / 1000;
}

static void set_seed(struct document *document, const struct document_key *key,
                     const yaml_node_t *value, void *field)
{
        const char *word = document_value(document, key, value);

        if (word && strcmp(word, "none") != 0 && strcmp(word, "send") != 0)
                document_wrong(document, document_line(value), "seed '%.*s' is not %s",
                               DOCUMENT_SHOWN(word), key->wants);
        else if (word)
                *(bool *)field = word[0] == 's';
}

/* ---- Prices ------------------------------------------------------------------------------- */

static void set_price_of(struct document *document, const struct document_key *key,
                         const yaml_node_t *value, void *field)
{
        const char *word = document_value(document, key, value);
        uint64_t micro;

        if (!word)
                return;
        if (money_parse(word, &micro) || micro > money_price_max)
                document_wrong(document, document_line(value), "price: %s '%.*s' is not %s",
                               key->name, DOCUMENT_SHOWN(word), key->wants);
        else
                *(uint64_t *)field = micro;
}

static const char price_wants[] = "dollars for a million tokens, such as 0.15";
static const struct document_key price_keys[] = {
        { "input", true, price_wants, set_price_of, offsetof(struct money_price, input), NULL },
        { "cached", false, price_wants, set_price_of, offsetof(struct money_price, cached), NULL },
        { "output", true, price_wants, set_price_of, offsetof(struct money_price, output), NULL },
};
static const struct document_scope price_scope = { "a price", page, price_keys,
                                                   BASE_COUNT(price_keys) };

static void set_price(struct document *document, const struct document_key *key,
                      const yaml_node_t *value, void *field)
{
        struct model *model = field;
        const char *word = document_word(value);
        const size_t wrong_before = document->wrong_count;

        (void)key;
        model->has_price = true;
        if (word && strcmp(word, "free") == 0) {
                model->price.is_free = true;
                return;
        }
        if (word) {
                document_wrong(document, document_line(value),
                               "price '%.*s' is not understood; write price: {input: 0.15, "
                               "output: 0.60}, dollars for a million tokens, or price: free",
                               DOCUMENT_SHOWN(word));
                return;
        }
        model->price.cached = UINT64_MAX;
        document_read(document, value, &price_scope, &model->price);
        if (model->price.cached == UINT64_MAX)
                model->price.cached = model->price.input;
        if (document->wrong_count != wrong_before)
                model->price = (struct money_price){ .is_free = false };
}

/* ---- A tier ------------------------------------------------------------------------------- */

#define KEY(key, required, wants, setter, field, detail)                            \
        {                                                                           \
                key, required, wants, setter, offsetof(struct model, field), detail \
        }

/* set_temperature() and set_price() take the struct itself. */
static const struct document_key tier_keys[] = {
        KEY("name", true, "a word of letters, digits, _ - and .", document_set_word, name,
            &tier_name_kind),
        KEY("provider", true, "openai, exec or replay", document_set_choice, provider, &providers),
        KEY("url", false, "an address such as https://host/v1, without /chat/completions", set_url,
            url, NULL),
        KEY("model", false, "one line of at most 200 bytes", document_set_word, model,
            &model_name_kind),
        KEY("key_env", false, "the name of a variable", set_key_env, key_env, NULL),
        KEY("key_command", false, "a command that prints the key", document_set_word, key_command,
            &command_kind),
        { "key", false, "", refuse_secret, 0, NULL },
        { "api_key", false, "", refuse_secret, 0, NULL },
        KEY("command", false, "a command for /bin/sh", set_command, command, &command_kind),
        KEY("environment", false, "NAME, to pass a variable on, or NAME=VALUE", set_environment,
            environment, NULL),
        KEY("recording", false, "the folder of a run", document_set_word, recording, &path_kind),
        KEY("match", false, "prompt or order", document_set_choice, match, &matches),
        { "price", false, "", set_price, 0, NULL },
        KEY("output_tokens", false, "a number of tokens from 1", set_count, output_tokens_max,
            &tokens_range),
        KEY("context_tokens", false, "a number of tokens from 1", set_count, context_tokens,
            &tokens_range),
        { "temperature", false, "a number from 0 to 2, such as 0.8", set_temperature, 0, NULL },
        KEY("seed", false, "send or none", set_seed, has_seed, NULL),
        KEY("calls_max", false, "a number from 1 to 10000", set_count, calls_max, &calls_range),
        KEY("silence", false, "a duration from 1s to 1h", set_duration, silence_ns, &silence_range),
};
static const struct document_scope tier_scope = { "a tier", page, tier_keys,
                                                  BASE_COUNT(tier_keys) };

/* A key that stands there although its provider does not read it, or does not although it must. */
static void check_key(struct document *document, const struct model *model, const char *key,
                      const char *stands, enum models_provider reader)
{
        if (stands && model->provider != reader)
                document_wrong(document, model->line,
                               "tier %s: '%s' is of provider %s and not of %s; remove one of them",
                               model->name, key, models_provider_name(reader),
                               models_provider_name(model->provider));
}

static void check_needed(struct document *document, const struct model *model, const char *key,
                         const char *stands, const char *wants)
{
        if (!stands)
                document_wrong(document, model->line, "tier %s: provider %s lacks '%s'; add it: %s",
                               model->name, models_provider_name(model->provider), key, wants);
}

static void check_tier(struct document *document, const struct model *model)
{
        check_key(document, model, "url", model->url, MODELS_OPENAI);
        check_key(document, model, "key_env", model->key_env, MODELS_OPENAI);
        check_key(document, model, "key_command", model->key_command, MODELS_OPENAI);
        check_key(document, model, "temperature", model->has_temperature ? "" : NULL,
                  MODELS_OPENAI);
        check_key(document, model, "silence", model->silence_ns ? "" : NULL, MODELS_OPENAI);
        check_key(document, model, "command", model->command, MODELS_EXEC);
        check_key(document, model, "environment", model->environment.count ? "" : NULL,
                  MODELS_EXEC);
        check_key(document, model, "recording", model->recording, MODELS_REPLAY);
        if (model->provider == MODELS_OPENAI) {
                check_needed(document, model, "url", model->url, "https://host/v1");
                check_needed(document, model, "model", model->model, "as the server calls it");
        }
        if (model->provider == MODELS_EXEC)
                check_needed(document, model, "command", model->command, "a command for /bin/sh");
        if (model->provider == MODELS_REPLAY)
                check_needed(document, model, "recording", model->recording, "the folder of a run");
        if (model->key_env && model->key_command)
                document_wrong(document, model->line,
                               "tier %s has key_env and key_command; keep one of them",
                               model->name);
        if (!model->has_price)
                document_wrong(document, model->line,
                               "tier %s has no price; write price: {input: 0.15, output: 0.60}, "
                               "dollars for a million tokens, or write price: free if it costs "
                               "nothing",
                               model->name);
}

static void check_name(struct document *document, const struct models *models)
{
        const struct model *last = &models->tiers[models->count - 1];

        for (const struct model *other = models->tiers; other < last; other++)
                if (other->name && strcmp(other->name, last->name) == 0)
                        document_wrong(document, last->line,
                                       "a tier '%s' stands in line %u already; rename one of them",
                                       last->name, other->line);
}

static void set_tiers(struct document *document, const struct document_key *key,
                      const yaml_node_t *value, void *field)
{
        struct models *models = field;

        if (!document_items(document, key, value, models_tiers_max))
                return;
        if (!document_item_count(value))
                document_wrong(document, document_line(value),
                               "tiers is empty; add one: - name: NAME");
        for (size_t i = 0; i < document_item_count(value) && !document->error; i++) {
                const yaml_node_t *item = document_item(document, value, i);
                struct model *model = &models->tiers[models->count++];
                const size_t wrong_before = document->wrong_count;

                *model = (struct model){
                        .output_tokens_max = output_tokens_default,
                        .has_seed = true,
                        .calls_max = calls_default,
                        .line = document_line(item),
                };
                document_read(document, item, &tier_scope, model);
                if (document->wrong_count == wrong_before)
                        check_tier(document, model);
                if (!model->silence_ns)
                        model->silence_ns = SILENCE_DEFAULT_NS;
                if (model->name)
                        check_name(document, models);
        }
}

/* ---- The whole ---------------------------------------------------------------------------- */

static void set_version(struct document *document, const struct document_key *key,
                        const yaml_node_t *value, void *field)
{
        const char *word = document_value(document, key, value);

        (void)field; /* there is one version, and nothing to remember */
        if (word && strcmp(word, "1") != 0)
                document_wrong(document, document_line(value),
                               "version '%.*s' of models is unknown; this Tocsin reads 'tocsin: 1'",
                               DOCUMENT_SHOWN(word));
}

static const struct document_key models_keys[] = {
        { "tocsin", true, "1", set_version, 0, NULL },
        { "tiers", true, "a list of tiers, the cheapest first", set_tiers, 0, NULL },
};
static const struct document_scope models_scope = { "a file of models", page, models_keys,
                                                    BASE_COUNT(models_keys) };

/* What it names lies beside the file, wherever we are called from. */
static int place_recording(const char *path, struct model *model)
{
        const char *slash = strrchr(path, '/');
        char *placed;

        if (!model->recording || model->recording[0] == '/' || !slash)
                return 0;
        if (asprintf(&placed, "%.*s/%s", (int)(slash - path), path, model->recording) < 0)
                return -ENOMEM;
        free(model->recording);
        model->recording = placed;
        return 0;
}

static int refuse(const char *path, int error, struct text *why)
{
        struct document document = { .file = path, .why = why };

        if (error == -ENOMEM || error == -EIO || error == -EMFILE || error == -ENFILE)
                return error;
        if (error == -EFBIG)
                document_wrong(&document, 1, "more than %d bytes; no file of models needs that",
                               models_bytes_max);
        else if (error == -EINVAL || error == -EISDIR)
                document_wrong(&document, 1, "no regular file; name a file such as models.yaml");
        else
                document_wrong(&document, 1, "cannot be read: %s; name a file such as models.yaml",
                               error_text(error));
        return MODELS_WRONG;
}

static int read_models(const char *path, struct models *models, struct text *why)
{
        struct text bytes BASE_SCOPE(text_fini) = TEXT_INIT(models_bytes_max);
        struct document document BASE_SCOPE(document_fini) = { .file = path };
        int failed = file_read(AT_FDCWD, path, &bytes);

        if (failed)
                return refuse(path, failed, why);
        if (document_load(&document, path, text_view(&bytes), bytes.length, why)) {
                if (document_root(&document))
                        document_read(&document, document_root(&document), &models_scope, models);
                else
                        document_wrong(&document, 1, "the file is empty; begin with 'tocsin: 1'");
        }
        for (size_t i = 0; i < models->count && !document.error; i++)
                document.error = place_recording(path, &models->tiers[i]);
        if (document.error)
                return document.error;
        if (document.wrong_count > document_wrong_max)
                text_printf(why, "%s:1: %zu more; mend these first\n", path,
                            document.wrong_count - document_wrong_max);
        return document.wrong_count ? MODELS_WRONG : 0;
}

int models_load(const char *path, struct models *ret_models, struct text *why)
{
        struct models models = { .count = 0 };
        int outcome = read_models(path, &models, why);

        if (outcome)
                models_fini(&models);
        else
                *ret_models = models;
        return outcome;
}

void models_fini(struct models *models)
{
        for (size_t i = 0; i < models->count; i++) {
                struct model *model = &models->tiers[i];

                free(model->name);
                free(model->url);
                free(model->model);
                free(model->key_env);
                free(model->key_command);
                free(model->command);
                schema_list_fini(&model->environment);
                free(model->recording);
        }
        *models = (struct models){ .count = 0 };
}

const char *models_provider_name(enum models_provider provider)
{
        return provider_items[provider].word;
}
