/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the bytes that are sent, and what is made of each dialect that comes back. */
#include "forge/openai.h"

#include <errno.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct provider_question make_question(void)
{
        return (struct provider_question){
                .system = "S",
                .user = "U \"\xc3\xa9\"\n",
                .has_seed = true,
                .seed = 2147483647,
                .output_tokens_max = 100,
        };
}

static struct model make_model(const char *url)
{
        return (struct model){
                .name = (char *)(uintptr_t) "t",
                .url = (char *)(uintptr_t)url,
                .model = (char *)(uintptr_t) "m",
                .has_temperature = true,
                .temperature_permille = 700,
                .has_seed = true,
        };
}

#define BODY_START                                                                          \
        "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":" \
        "\"user\",\"content\":\"U \\\"\xc3\xa9\\\"\\n\"}],\"stream\":true"
#define BODY_USAGE ",\"stream_options\":{\"include_usage\":true}"

static void assert_rendered(const struct model *model, const struct provider_question *question,
                            const struct openai_quirks *quirks, const char *wanted)
{
        struct text body BASE_SCOPE(text_fini) = TEXT_INIT(1000);

        assert_int_equal(openai_render(model, question, quirks, &body), 0);
        assert_string_equal(text_view(&body), wanted);
}

static void body_is_the_same_bytes(void **state)
{
        const struct openai_quirks none = { .drops_seed = false };
        const struct openai_quirks all = { true, true, true, true };
        struct provider_question question = make_question();
        struct model model = make_model("https://host/v1");

        (void)state;
        for (unsigned i = 0; i < 3; i++)
                assert_rendered(&model, &question, &none,
                                BODY_START BODY_USAGE
                                ",\"max_tokens\":100,\"temperature\":0.7,\"seed\":2147483647}");
        question.is_repair = true;
        assert_rendered(&model, &question, &none,
                        BODY_START BODY_USAGE
                        ",\"max_tokens\":100,\"temperature\":0.175,\"seed\":2147483647}");
        assert_rendered(&model, &question, &all, BODY_START ",\"max_completion_tokens\":100}");
        model.has_seed = model.has_temperature = false;
        assert_rendered(&model, &question, &none, BODY_START BODY_USAGE ",\"max_tokens\":100}");
        model.has_seed = true;
        question.has_seed = false;
        assert_rendered(&model, &question, &none, BODY_START BODY_USAGE ",\"max_tokens\":100}");
}

static void limit_has_the_name_that_the_host_knows(void **state)
{
        static const struct {
                const char *url;
                const char *name;
        } hosts[] = {
                { "https://api.openai.com/v1", "max_completion_tokens" },
                { "https://API.OpenAI.com:443/v1", "max_completion_tokens" },
                { "https://x.openai.azure.com/openai/v1", "max_completion_tokens" },
                { "https://openai.azure.com/v1", "max_tokens" },
                { "https://notapi.openai.com.example/v1", "max_tokens" },
                { "https://myapi.openai.com/v1", "max_tokens" },
                { "http://localhost:11434/v1?api.openai.com", "max_tokens" },
        };
        const struct openai_quirks none = { .drops_seed = false };
        const struct provider_question question = make_question();

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(hosts); i++) {
                struct text body BASE_SCOPE(text_fini) = TEXT_INIT(1000);
                struct text wanted BASE_SCOPE(text_fini) = TEXT_INIT(100);
                const struct model model = make_model(hosts[i].url);

                text_printf(&wanted, "\"%s\":100", hosts[i].name);
                assert_int_equal(openai_render(&model, &question, &none, &body), 0);
                assert_non_null(strstr(text_view(&body), text_view(&wanted)));
        }
}

static void prompt_must_be_text(void **state)
{
        const struct openai_quirks none = { .drops_seed = false };
        const struct model model = make_model("https://host/v1");
        struct provider_question question = make_question();
        struct text body BASE_SCOPE(text_fini) = TEXT_INIT(1000);

        (void)state;
        question.user = "\xff";
        assert_int_equal(openai_render(&model, &question, &none, &body), -EILSEQ);
}

/* ---- Coming back -------------------------------------------------------------------------- */

/* Events parted by newlines: where a test differs only in them. */
static int take_all(struct openai_reply *reply, const char *events)
{
        int outcome = 0;

        while (*events && !outcome) {
                const size_t length = strcspn(events, "\n");

                outcome = openai_take_chunk(reply, events, length);
                events += length + (events[length] == '\n');
        }
        return outcome;
}

#define DELTA(delta) "{\"choices\":[{\"index\":0,\"delta\":{" delta "}}]}\n"
#define FINISH(word) "{\"choices\":[{\"delta\":{},\"finish_reason\":\"" word "\"}]}\n"

static const struct {
        const char *events;
        const char *content;
        enum openai_end end;
        unsigned reasoning_bytes;
} streams[] = {
        { "", "", OPENAI_END_NONE, 0 },
        { "[DONE]\n", "", OPENAI_END_NONE, 0 },
        { DELTA("\"role\":\"assistant\",\"content\":\"\"") DELTA("\"content\":\"a\"")
                  DELTA("\"content\":\"b\"") FINISH("stop") "[DONE]",
          "ab", OPENAI_END_STOP, 0 },
        { DELTA("\"content\":null") FINISH("length"), "", OPENAI_END_LENGTH, 0 },
        { DELTA("\"content\":\"a\"") "{\"choices\":[{\"delta\":{},\"finish_reason\":null}]}\n"
                                     "{\"choices\":[{\"delta\":{},\"finish_reason\":\"\"}]}\n",
          "a", OPENAI_END_NONE, 0 },
        { FINISH("content_filter"), "", OPENAI_END_FILTERED, 0 },
        { FINISH("SAFETY"), "", OPENAI_END_FILTERED, 0 },
        { FINISH("error"), "", OPENAI_END_FAILED, 0 },
        { FINISH("insufficient_system_resource"), "", OPENAI_END_FAILED, 0 },
        { FINISH("eos"), "", OPENAI_END_STOP, 0 },
        { DELTA("\"reasoning\":\"abc\"") DELTA("\"reasoning_content\":\"de\"")
                  DELTA("\"thinking\":\"f\"") DELTA("\"reasoning\":\"g\",\"thinking\":\"g\""),
          "", OPENAI_END_NONE, 7 },
        { DELTA("\"refusal\":\"no\"") FINISH("stop"), "", OPENAI_END_FILTERED, 0 },
        { DELTA("\"refusal\":\"\",\"content\":\"a\"") FINISH("stop"), "a", OPENAI_END_STOP, 0 },
        { DELTA("\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":"
                "\"b\"}]"),
          "ab", OPENAI_END_NONE, 0 },
        { "{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"},"
          "{\"index\":0,\"delta\":{\"content\":\"a\"}}]}",
          "a", OPENAI_END_NONE, 0 },
        { "{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"}}]}", "", OPENAI_END_NONE, 0 },
        { "{\"choices\":[]}\n{\"choices\":null}\n{}\n{\"timings\":{\"n\":1}}\n", "",
          OPENAI_END_NONE, 0 },
        { "{\"choices\":[7]}\n{\"choices\":[{\"delta\":7}]}\n{\"choices\":{\"a\":1}}\n"
          "{\"choices\":[{\"delta\":{\"content\":7}}],\"model\":7,\"usage\":7,\"id\":null}\n",
          "", OPENAI_END_NONE, 0 },
        { "{\"error\":null,\"choices\":[]}\n{\"error\":{}}\n{\"error\":\"\"}\n{\"error\":false}\n",
          "", OPENAI_END_NONE, 0 },
};

static void each_stream_is_understood(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(streams); i++) {
                struct openai_reply reply BASE_SCOPE(openai_reply_fini);

                openai_reply_init(&reply);
                assert_int_equal(take_all(&reply, streams[i].events), 0);
                assert_string_equal(text_view(&reply.content), streams[i].content);
                assert_int_equal(openai_end(&reply), streams[i].end);
                assert_int_equal(reply.reasoning_bytes, streams[i].reasoning_bytes);
                assert_false(reply.error.stands);
        }
}

static void what_is_no_object_is_strange(void **state)
{
        static const char *const chunks[] = {
                "x",     "7",    "[]", "\"a\"", "null", "{\"choices\":", "{\"a\":\"\xff\"}",
                "{} {}", "[DONE"
        };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(chunks); i++) {
                struct openai_reply reply BASE_SCOPE(openai_reply_fini);

                openai_reply_init(&reply);
                assert_int_equal(take_all(&reply, chunks[i]), OPENAI_STRANGE);
                assert_int_equal(openai_take_body(&reply, chunks[i], strlen(chunks[i])),
                                 OPENAI_STRANGE);
        }
}

static void nul_in_an_answer_is_kept(void **state)
{
        struct openai_reply reply BASE_SCOPE(openai_reply_fini);

        (void)state;
        openai_reply_init(&reply);
        assert_int_equal(take_all(&reply, DELTA("\"content\":\"a\\u0000b\"")), 0);
        assert_int_equal(reply.content.length, 3);
        assert_memory_equal(reply.content.bytes, "a\0b", 3);
}

static const struct {
        const char *usage;
        struct money_usage taken;
} usages[] = {
        { "null", { false, 0, 0, 0, 0 } },
        { "{}", { false, 0, 0, 0, 0 } },
        { "{\"prompt_tokens\":0,\"completion_tokens\":0}", { false, 0, 0, 0, 0 } },
        { "{\"prompt_tokens\":-5,\"completion_tokens\":1}", { false, 0, 0, 0, 0 } },
        { "{\"prompt_tokens\":5.5,\"completion_tokens\":1}", { false, 0, 0, 0, 0 } },
        { "{\"prompt_tokens\":\"5\",\"completion_tokens\":1}", { false, 0, 0, 0, 0 } },
        { "{\"prompt_tokens\":5,\"completion_tokens\":1}", { true, 5, 0, 1, 0 } },
        { "{\"prompt_tokens\":5,\"completion_tokens\":3,\"prompt_tokens_details\":{"
          "\"cached_tokens\":4},\"completion_tokens_details\":{\"reasoning_tokens\":2}}",
          { true, 5, 4, 3, 2 } },
        { "{\"prompt_tokens\":5,\"completion_tokens\":3,\"prompt_tokens_details\":{"
          "\"cached_tokens\":9},\"completion_tokens_details\":{\"reasoning_tokens\":9}}",
          { true, 5, 5, 3, 3 } },
        { "{\"prompt_tokens\":5,\"completion_tokens\":3,\"prompt_tokens_details\":null,"
          "\"completion_tokens_details\":7}",
          { true, 5, 0, 3, 0 } },
        { "{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":20}",
          { true, 5, 0, 15, 0 } },
        { "{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":2}",
          { true, 5, 0, 3, 0 } },
        { "{\"prompt_tokens\":9223372036854775807,\"completion_tokens\":9223372036854775807}",
          { true, money_tokens_max, 0, money_tokens_max, 0 } },
};

static void usage_is_taken_with_care(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(usages); i++) {
                struct openai_reply reply BASE_SCOPE(openai_reply_fini);
                struct text chunk BASE_SCOPE(text_fini) = TEXT_INIT(1000);

                openai_reply_init(&reply);
                text_printf(&chunk, "{\"choices\":[],\"usage\":%s}", usages[i].usage);
                assert_int_equal(take_all(&reply, text_view(&chunk)), 0);
                assert_int_equal(reply.usage.is_known, usages[i].taken.is_known);
                assert_int_equal(reply.usage.input, usages[i].taken.input);
                assert_int_equal(reply.usage.cached, usages[i].taken.cached);
                assert_int_equal(reply.usage.output, usages[i].taken.output);
                assert_int_equal(reply.usage.reasoning, usages[i].taken.reasoning);
        }
}

static const struct {
        const char *body;
        const char *message;
        const char *type;
        const char *code;
        const char *param;
} errors[] = {
        { "{\"error\":{\"message\":\"m\",\"type\":\"t\",\"param\":\"p\",\"code\":\"c\"}}", "m", "t",
          "c", "p" },
        { "{\"error\":{\"message\":\"m\",\"type\":\"t\",\"param\":null,\"code\":null}}", "m", "t",
          "", "" },
        { "{\"error\":{\"message\":\"m\",\"code\":503}}", "m", "", "503", "" },
        { "{\"error\":\"m\"}", "m", "", "", "" },
        { "{\"error\":[1]}", "[1]", "", "", "" },
        { "{\"error\":{\"message\":{\"a\":1}}}", "{\"message\":{\"a\":1}}", "", "", "" },
        { "{\"error\":true}", "true", "", "", "" },
        { "{\"detail\":\"m\"}", "m", "", "", "" },
        { "{\"message\":\"m\",\"code\":1}", "m", "", "1", "" },
        { "{\"object\":\"error\",\"message\":\"m\",\"param\":\"seed\"}", "m", "", "", "seed" },
};

static void errors_of_any_shape(void **state)
{
        (void)state;
        for (size_t i = 0; i < BASE_COUNT(errors); i++) {
                for (unsigned is_chunk = 0; is_chunk < 2; is_chunk++) {
                        struct openai_reply reply BASE_SCOPE(openai_reply_fini);
                        const char *body = errors[i].body;
                        int outcome;

                        openai_reply_init(&reply);
                        outcome = is_chunk ? openai_take_chunk(&reply, body, strlen(body))
                                           : openai_take_body(&reply, body, strlen(body));
                        assert_int_equal(outcome, 0);
                        assert_true(reply.error.stands);
                        assert_string_equal(text_view(&reply.error.message), errors[i].message);
                        assert_string_equal(reply.error.type, errors[i].type);
                        assert_string_equal(reply.error.code, errors[i].code);
                        assert_string_equal(reply.error.param, errors[i].param);
                }
        }
}

static void whole_answers_are_understood(void **state)
{
        static const char body[] =
                "{\"id\":\"i\",\"model\":\"n\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
                "\"assistant\",\"content\":\"a\",\"reasoning_content\":\"abc\",\"refusal\":null},"
                "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,"
                "\"completion_tokens\":2}}";
        struct openai_reply reply BASE_SCOPE(openai_reply_fini);

        (void)state;
        openai_reply_init(&reply);
        assert_int_equal(openai_take_body(&reply, body, sizeof(body) - 1), 0);
        assert_string_equal(text_view(&reply.content), "a");
        assert_string_equal(reply.model, "n");
        assert_string_equal(reply.id, "i");
        assert_int_equal(reply.reasoning_bytes, 3);
        assert_int_equal(reply.usage.input, 3);
        assert_int_equal(openai_end(&reply), OPENAI_END_STOP);
        assert_int_equal(openai_take_body(&reply, "{\"status\":\"ok\"}", 15), OPENAI_STRANGE);
}

/* What is fed is a mutilated answer; sanitizers and the limits are what looks at the result. */
static void random_damage_does_no_harm(void **state)
{
        static const char whole[] =
                "{\"id\":\"i\",\"model\":\"n\",\"error\":null,\"choices\":[{\"index\":0,\"delta\":"
                "{\"content\":\"a\",\"reasoning\":\"b\",\"refusal\":null},\"finish_reason\":"
                "\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}";
        static const char marks[] = "{}[]\",:07neE.\\u";
        uint64_t random = 88172645463325252U;

        (void)state;
        for (unsigned round = 0; round < 20000; round++) {
                struct openai_reply reply BASE_SCOPE(openai_reply_fini);
                char damaged[sizeof(whole)];

                memcpy(damaged, whole, sizeof(whole));
                for (unsigned i = 0; i < 1 + round % 4; i++) {
                        random = random * 6364136223846793005U + 1442695040888963407U;
                        damaged[(random >> 33) % (sizeof(whole) - 1)] =
                                marks[(random >> 13) % (sizeof(marks) - 1)];
                }
                openai_reply_init(&reply);
                assert_in_range(openai_take_chunk(&reply, damaged, sizeof(whole) - 1), 0,
                                OPENAI_FULL);
                assert_in_range(openai_take_body(&reply, damaged, sizeof(whole) - 1 - round % 9), 0,
                                OPENAI_FULL);
                assert_in_range(openai_end(&reply), OPENAI_END_NONE, OPENAI_END_FAILED);
        }
}

static void content_limit_is_exact(void **state)
{
        struct text chunk BASE_SCOPE(text_fini) = TEXT_INIT(2 * openai_content_bytes_max);
        struct openai_reply reply BASE_SCOPE(openai_reply_fini);

        (void)state;
        openai_reply_init(&reply);
        text_append(&chunk, "{\"choices\":[{\"delta\":{\"content\":\"");
        for (size_t i = 0; i < openai_content_bytes_max; i++)
                text_append(&chunk, "x");
        text_append(&chunk, "\"}}]}");
        assert_int_equal(openai_take_chunk(&reply, text_view(&chunk), chunk.length), 0);
        assert_int_equal(reply.content.length, openai_content_bytes_max);
        assert_int_equal(take_all(&reply, DELTA("\"content\":\"\"")), 0);
        assert_int_equal(take_all(&reply, DELTA("\"content\":\"y\"")), OPENAI_FULL);
        assert_int_equal(reply.content.length, openai_content_bytes_max);
}

static bool mend(struct openai_quirks *quirks, const struct model *model, const char *param)
{
        struct openai_error error = { .stands = true };

        (void)snprintf(error.param, sizeof(error.param), "%s", param);
        return openai_mend(quirks, model, &error);
}

static void each_parameter_is_mended_once(void **state)
{
        static const char *const mendable[] = { "max_tokens", "temperature", "seed",
                                                "stream_options" };
        static const char *const vain[] = { "",      "messages", "max_completion_tokens",
                                            "top_p", "stop",     "reasoning_effort",
                                            "model" };
        const struct model model = make_model("https://host/v1");
        struct model plain = model;
        struct openai_quirks quirks = { .drops_seed = false };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(vain); i++)
                assert_false(mend(&quirks, &model, vain[i]));
        for (size_t i = 0; i < BASE_COUNT(mendable); i++) {
                assert_true(mend(&quirks, &model, mendable[i]));
                assert_false(mend(&quirks, &model, mendable[i]));
        }
        assert_false(mend(&quirks, &model, "max_completion_tokens")); /* never without a limit */
        quirks = (struct openai_quirks){ .drops_seed = false };
        assert_true(mend(&quirks, &model, "stream_options.include_usage"));
        plain.has_seed = plain.has_temperature = false;
        assert_false(mend(&quirks, &plain, "seed")); /* was not sent */
        assert_false(mend(&quirks, &plain, "temperature"));
}

static void truncation_is_noticed_at_its_limit(void **state)
{
        struct money_usage usage = { .is_known = true, .input = 150 };

        (void)state;
        assert_false(openai_is_truncated(&usage, 1000));
        assert_true(openai_is_truncated(&usage, 1001));
        usage.is_known = false;
        assert_false(openai_is_truncated(&usage, 100000));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(body_is_the_same_bytes),
                cmocka_unit_test(limit_has_the_name_that_the_host_knows),
                cmocka_unit_test(prompt_must_be_text),
                cmocka_unit_test(each_stream_is_understood),
                cmocka_unit_test(what_is_no_object_is_strange),
                cmocka_unit_test(nul_in_an_answer_is_kept),
                cmocka_unit_test(usage_is_taken_with_care),
                cmocka_unit_test(errors_of_any_shape),
                cmocka_unit_test(whole_answers_are_understood),
                cmocka_unit_test(random_damage_does_no_harm),
                cmocka_unit_test(content_limit_is_exact),
                cmocka_unit_test(each_parameter_is_mended_once),
                cmocka_unit_test(truncation_is_noticed_at_its_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
