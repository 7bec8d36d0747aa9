/* SPDX-License-Identifier: Apache-2.0 */
/* Shows that each key arrives, each mistake is named with its line, and no secret is shown. */
#include "forge/models.h"
#include "base/clock.h"
#include "forge/ledger_fixture.h"

#include <errno.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define HEAD   "tocsin: 1\ntiers:\n"
#define EXEC   "  - name: t\n    provider: exec\n    command: cat\n"
#define OPENAI "  - name: t\n    provider: openai\n    url: https://a.example/v1\n    model: m\n"
#define FREE   "    price: free\n"

static int load(const struct place *place, const char *yaml, struct models *ret_models,
                struct text *why)
{
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/models.yaml", place->path);
        assert_int_equal(file_replace(AT_FDCWD, path, yaml, strlen(yaml), 0600), 0);
        return models_load(path, ret_models, why);
}

static void each_key_arrives(void **state)
{
        static const char yaml[] = HEAD
                "  - name: small-1.5\n    provider: openai\n    url: http://localhost:8080/v1\n"
                "    model: org/coder-32b\n    key_env: EXAMPLE_KEY\n"
                "    price: {input: 0.15, output: 0.60}\n    output_tokens: 4096\n"
                "    context_tokens: 32768\n    temperature: 0.75\n    seed: none\n"
                "    calls_max: 3\n    silence: 10m\n"
                "  - name: local\n    provider: exec\n    command: ask --quiet\n    model: x\n"
                "    environment: [HOME, A=b c, PATH]\n    price: free\n"
                "    context_tokens: 100\n"
                "  - name: again\n    provider: replay\n    recording: runs/1\n    match: order\n"
                "    price: {input: 1, cached: 0.25, output: 2}\n";
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct models models BASE_SCOPE(models_fini);
        const struct model *model = models.tiers;
        char recording[128];

        assert_int_equal(load(*state, yaml, &models, &why), 0);
        assert_int_equal(models.count, 3);
        assert_string_equal(model->name, "small-1.5");
        assert_int_equal(model->provider, MODELS_OPENAI);
        assert_string_equal(model->url, "http://localhost:8080/v1");
        assert_string_equal(model->model, "org/coder-32b");
        assert_string_equal(model->key_env, "EXAMPLE_KEY");
        assert_true(model->has_price && !model->price.is_free);
        assert_int_equal(model->price.input, 150000);
        assert_int_equal(model->price.cached, 150000);
        assert_int_equal(model->price.output, 600000);
        assert_int_equal(model->output_tokens_max, 4096);
        assert_int_equal(model->context_tokens, 32768);
        assert_true(model->has_temperature);
        assert_int_equal(model->temperature_permille, 750);
        assert_false(model->has_seed);
        assert_int_equal(model->calls_max, 3);
        assert_int_equal(model->silence_ns, 10 * CLOCK_MIN_NS);
        assert_int_equal(model->line, 3);
        model++;
        assert_int_equal(model->provider, MODELS_EXEC);
        assert_string_equal(model->command, "ask --quiet");
        assert_int_equal(model->environment.count, 3);
        assert_string_equal(model->environment.items[1], "A=b c");
        assert_true(model->price.is_free && model->has_seed && !model->has_temperature);
        assert_int_equal(model->output_tokens_max, 16384);
        assert_int_equal(model->context_tokens, 100);
        assert_int_equal(model->calls_max, 12);
        assert_int_equal(model->silence_ns, 120 * CLOCK_S_NS);
        model++;
        (void)snprintf(recording, sizeof(recording), "%s/runs/1",
                       ((const struct place *)*state)->path);
        assert_string_equal(model->recording, recording);
        assert_int_equal(model->match, MODELS_MATCH_ORDER);
        assert_int_equal(model->price.cached, 250000);
        assert_int_equal(model->context_tokens, 0);
}

static const struct {
        const char *yaml;
        const char *said; /* a part of it */
} mistakes[] = {
        { "", ":1: the file is empty; begin with 'tocsin: 1'" },
        { "tocsin: 2\ntiers:\n" EXEC FREE, ":1: version '2' of models is unknown" },
        { "tiers:\n" EXEC FREE, ":1: a file of models lacks 'tocsin'; add it: 1" },
        { "tocsin: 1\n", ":1: a file of models lacks 'tiers'" },
        { "tocsin: 1\ntiers: []\n", ":2: tiers is empty; add one" },
        { "tocsin: 1\ntiers: none\n", ":2: 'tiers' is a list" },
        { HEAD "  - name: t\n    provider: exec\n    command: cat\n",
          ":3: tier t has no price; write price: {input: 0.15, output: 0.60}, dollars for a "
          "million tokens, or write price: free if it costs nothing" },
        { HEAD EXEC FREE "    price: free\n", ":7: 'price' stands in line 6 already" },
        { HEAD EXEC "    price: cheap\n", ":6: price 'cheap' is not understood; write price: {" },
        { HEAD EXEC "    price: {input: 1}\n", ":6: a price lacks 'output'" },
        { HEAD EXEC "    price: {input: 1, output: 10000.000001}\n",
          ":6: price: output '10000.000001' is not dollars for a million tokens, such as 0.15" },
        { HEAD EXEC "    price: {input: -1, output: 1}\n", ":6: price: input '-1' is not dollars" },
        { HEAD EXEC "    price: {input: 1, output: 1, outptu: 1}\n",
          ":6: unknown key 'outptu' in a price; did you mean output?" },
        { HEAD "  - name: a b\n    provider: exec\n    command: cat\n" FREE,
          ":3: name 'a b' is not a word of letters" },
        { HEAD EXEC FREE EXEC FREE, ":7: a tier 't' stands in line 3 already; rename one" },
        { HEAD "  - name: t\n    provider: opanai\n" FREE,
          ":4: unknown provider 'opanai'; did you mean openai?" },
        { HEAD "  - name: t\n    provider: openai\n    model: m\n" FREE,
          ":3: tier t: provider openai lacks 'url'; add it: https://host/v1" },
        { HEAD "  - name: t\n    provider: openai\n    url: https://h/v1\n" FREE,
          ":3: tier t: provider openai lacks 'model'" },
        { HEAD "  - name: t\n    provider: exec\n" FREE,
          ":3: tier t: provider exec lacks 'command'" },
        { HEAD "  - name: t\n    provider: replay\n" FREE,
          ":3: tier t: provider replay lacks 'recording'" },
        { HEAD EXEC FREE "    url: https://h/v1\n",
          ":3: tier t: 'url' is of provider openai and not of exec; remove one of them" },
        { HEAD EXEC FREE "    temperature: 1\n",
          ":3: tier t: 'temperature' is of provider openai" },
        { HEAD EXEC FREE "    silence: 120s\n",
          ":3: tier t: 'silence' is of provider openai and not of exec; remove one of them" },
        { HEAD "  - name: t\n    provider: replay\n    recording: r\n    silence: 2s\n" FREE,
          ":3: tier t: 'silence' is of provider openai and not of replay" },
        { HEAD OPENAI FREE "    environment: [A]\n",
          ":3: tier t: 'environment' is of provider exec" },
        { HEAD OPENAI FREE "    url: ftp://h/v1\n", "'url' stands in line 5 already" },
        { HEAD "  - name: t\n    provider: openai\n    model: m\n    url: h/v1\n" FREE,
          ":6: url 'h/v1' is not an address such as https://host/v1" },
        { HEAD "  - name: t\n    provider: openai\n    url: https://h/v1/chat/completions\n" FREE,
          ":5: url ends before /chat/completions; remove that" },
        { HEAD EXEC FREE "    temprature: 1\n", ":7: unknown key 'temprature' in a tier; did you" },
        { HEAD EXEC FREE "    zzzzzzz: 1\n", "; see doc/forge.md for those there are" },
        { HEAD OPENAI FREE "    temperature: 2.001\n", ":8: temperature '2.001' is not a number" },
        { HEAD OPENAI FREE "    temperature: 0.0001\n",
          ":8: temperature '0.0001' is not a number" },
        { HEAD OPENAI FREE "    temperature: -1\n", ":8: temperature '-1' is not a number" },
        { HEAD OPENAI FREE "    seed: 7\n", ":8: seed '7' is not send or none" },
        { HEAD OPENAI FREE "    calls_max: 0\n", ":8: calls_max '0' is not a number from 1" },
        { HEAD OPENAI FREE "    calls_max: 10001\n", ":8: calls_max '10001' is not a number" },
        { HEAD OPENAI FREE "    output_tokens: 1k\n", ":8: output_tokens '1k' is not a number" },
        { HEAD OPENAI FREE "    silence: 999ms\n", ":8: silence '999ms' is not a duration" },
        { HEAD OPENAI FREE "    silence: 61m\n", ":8: silence '61m' is not a duration" },
        { HEAD OPENAI FREE "    key_env: A\n    key_command: b\n",
          ":3: tier t has key_env and key_command; keep one of them" },
        { HEAD "  - name: t\n    provider: exec\n    command: ./ask\n" FREE,
          ":5: command './ask' is run in an empty folder, where it does not lie; write its whole" },
        { HEAD EXEC FREE "    environment: [A-B]\n", ":7: environment: an entry is NAME, to pass" },
        { HEAD EXEC FREE "    environment: ['=x']\n", ":7: environment: an entry is NAME" },
        { HEAD EXEC FREE "    environment: HOME\n", ":7: 'environment' is a list" },
        { HEAD "  - name: t\n    provider: replay\n    recording: r\n    match: prompts\n" FREE,
          ":6: unknown match 'prompts'; did you mean prompt?" },
};

static void each_mistake_is_named_with_its_line(void **state)
{
        for (size_t i = 0; i < BASE_COUNT(mistakes); i++) {
                struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
                struct models models;

                if (load(*state, mistakes[i].yaml, &models, &why) != MODELS_WRONG ||
                    !strstr(text_view(&why), mistakes[i].said)) {
                        print_message("# %s# %s", mistakes[i].yaml, text_view(&why));
                        fail_msg("not said: %s", mistakes[i].said);
                }
                assert_int_equal(text_view(&why)[why.length - 1], '\n');
        }
}

static const char *const secrets[] = {
        HEAD OPENAI FREE "    key: sk-SECRET\n",
        HEAD OPENAI FREE "    api_key: SECRET\n",
        HEAD OPENAI FREE "    api_key: {value: SECRET}\n",
        HEAD OPENAI FREE "    key_env: sk-SECRET\n",
        HEAD OPENAI FREE "    key_env: 9SECRET\n",
        HEAD "  - name: t\n    provider: openai\n    model: m\n"
             "    url: https://user:SECRET@host/v1\n" FREE,
        HEAD EXEC FREE "    environment: [API_KEY=sk-SECRET]\n",
        HEAD EXEC FREE "    environment: [MY_TOKEN=SECRET]\n",
        HEAD EXEC FREE "    environment: [sk-SECRET]\n",
};

static void what_looks_like_a_key_is_refused_and_not_shown(void **state)
{
        for (size_t i = 0; i < BASE_COUNT(secrets); i++) {
                struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
                struct models models;

                assert_int_equal(load(*state, secrets[i], &models, &why), MODELS_WRONG);
                assert_null(strstr(text_view(&why), "SECRET"));
                assert_non_null(strstr(text_view(&why), i + 1 < BASE_COUNT(secrets)
                                                                ? "a key never stands in a file"
                                                                : "an entry is NAME"));
        }
}

static void limits_hold(void **state)
{
        struct text yaml BASE_SCOPE(text_fini) = TEXT_INIT(models_bytes_max + 10);
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct models models;

        text_append(&yaml, HEAD);
        for (unsigned i = 0; i < models_tiers_max; i++)
                text_printf(&yaml, "  - {name: t%u, provider: exec, command: cat, price: free}\n",
                            i);
        assert_int_equal(load(*state, text_view(&yaml), &models, &why), 0);
        assert_int_equal(models.count, models_tiers_max);
        models_fini(&models);
        assert_int_equal(models.count, 0);
        while (yaml.length < models_bytes_max)
                text_append(&yaml, "#");
        assert_int_equal(load(*state, text_view(&yaml), &models, &why), 0);
        models_fini(&models);
        text_append(&yaml, "#");
        assert_int_equal(load(*state, text_view(&yaml), &models, &why), MODELS_WRONG);
        assert_non_null(strstr(text_view(&why), ":1: more than 65536 bytes"));
        text_clear(&yaml);
        text_append(&yaml, HEAD);
        for (unsigned i = 0; i <= models_tiers_max; i++)
                text_append(&yaml, "  - {}\n");
        assert_int_equal(load(*state, text_view(&yaml), &models, &why), MODELS_WRONG);
        assert_non_null(strstr(text_view(&why), "'tiers' has 9 entries; at most 8 are taken"));
}

static void file_that_cannot_be_read_is_said(void **state)
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        const struct place *place = *state;
        struct models models;

        assert_int_equal(models_load("/tocsin-no-such-file", &models, &why), MODELS_WRONG);
        assert_string_equal(text_view(&why),
                            "/tocsin-no-such-file:1: cannot be read: No such file or directory; "
                            "name a file such as models.yaml\n");
        text_clear(&why);
        assert_int_equal(models_load(place->path, &models, &why), MODELS_WRONG);
        assert_non_null(strstr(text_view(&why), ":1: no regular file"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(each_key_arrives, enter, leave),
                cmocka_unit_test_setup_teardown(each_mistake_is_named_with_its_line, enter, leave),
                cmocka_unit_test_setup_teardown(what_looks_like_a_key_is_refused_and_not_shown,
                                                enter, leave),
                cmocka_unit_test_setup_teardown(limits_hold, enter, leave),
                cmocka_unit_test_setup_teardown(file_that_cannot_be_read_is_said, enter, leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
