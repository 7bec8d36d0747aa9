/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every text of a verdict may come from a candidate. It is escaped here, so that what reads the
 * JSON later gets valid UTF-8 without a control character in it.
 */
#include "gate/verdict.h"
#include "gate/digest.h"

#include <errno.h>
#include <inttypes.h>

enum {
        field_bytes_max = 16 << 10,
        excerpt_bytes_max = 8 << 10,
        excerpts_bytes_max = 1 << 20, /* of one page */
        id_digits = 12,
};

static const char *const verdict_names[] = {
        [STAGE_PASS] = "pass",
        [STAGE_FAIL] = "fail",
        [STAGE_SKIP] = "skip",
        [STAGE_UNKNOWN] = "unknown",
};

const char *stage_verdict_name(enum stage_verdict verdict)
{
        return verdict_names[verdict];
}

size_t verdict_stopped_at(const struct verdict *verdict)
{
        for (size_t i = 0; i < STAGE_COUNT; i++)
                if (verdict->results[i] && (verdict->results[i]->verdict == STAGE_FAIL ||
                                            verdict->results[i]->verdict == STAGE_UNKNOWN))
                        return i;
        return STAGE_COUNT;
}

enum verdict_word verdict_word(const struct verdict *verdict)
{
        size_t stopped = verdict_stopped_at(verdict);

        for (size_t i = 0; i < STAGE_COUNT; i++)
                if (verdict->results[i] && verdict->results[i]->is_unsound)
                        return VERDICT_UNSOUND;
        if (stopped == STAGE_ID_contract && verdict->results[stopped]->verdict == STAGE_FAIL)
                return VERDICT_UNSOUND;
        if (stopped < STAGE_COUNT && verdict->results[stopped]->verdict == STAGE_FAIL)
                return verdict->is_partial ? VERDICT_UNKNOWN : VERDICT_REJECTED;
        if (stopped < STAGE_COUNT || verdict->is_partial)
                return VERDICT_UNKNOWN;
        for (size_t i = 0; i < STAGE_COUNT; i++)
                if (!verdict->results[i] || verdict->results[i]->verdict != STAGE_PASS)
                        return VERDICT_UNKNOWN;
        return VERDICT_ACCEPTED;
}

const char *verdict_word_name(enum verdict_word word)
{
        switch (word) {
        case VERDICT_ACCEPTED:
                return "accepted";
        case VERDICT_REJECTED:
                return "rejected";
        default:
                return "unknown";
        }
}

static unsigned score(const struct verdict *verdict)
{
        unsigned total = 0;
        unsigned passed = 0;

        for (size_t i = 0; i < STAGE_COUNT; i++) {
                total += stages[i].weight_permille;
                if (verdict->results[i] && verdict->results[i]->verdict == STAGE_PASS)
                        passed += stages[i].weight_permille;
        }
        return total ? passed * 1000 / total : 0;
}

/* ---- The command that repeats it --------------------------------------------------------- */

/* An operand that begins with a dash would be taken for an option. */
static void append_path(struct text *into, const char *path)
{
        BASE_SCOPE(text_fini) struct text safe = TEXT_INIT(field_bytes_max);

        if (*path == '-')
                text_append(&safe, "./");
        text_append(&safe, path);
        text_append_shell_word(into, text_view(&safe));
}

static void append_option(struct text *into, const char *name, const char *value)
{
        text_append_shell_word(into, name);
        text_append_shell_word(into, value);
}

void verdict_append_repeat(const struct verdict *verdict, size_t stage,
                           const struct finding *finding, struct text *into)
{
        const struct gate_options *options = &verdict->request->options;

        if (stage == STAGE_ID_contract && strcmp(finding->rule, "contract.reference") == 0 &&
            verdict->reference) {
                size_t stopped = verdict_stopped_at(verdict->reference);

                if (stopped < STAGE_COUNT && verdict->reference->results[stopped]->finding_count) {
                        verdict_append_repeat(verdict->reference, stopped,
                                              verdict->reference->results[stopped]->findings, into);
                        return;
                }
        }
        text_append_shell_word(into,
                               verdict->request->program ? verdict->request->program : "tocsin");
        text_append_shell_word(into, "gate");
        append_path(into, verdict->request->contract);
        if (verdict->given)
                append_path(into, verdict->given);
        append_option(into, "--stage", stages[stage].name);
        if (finding->test_case)
                append_option(into, "--case", finding->test_case);
        if (finding->build)
                append_option(into, "--build", finding->build);
        if (finding->fail_at)
                text_printf(into, " --fault %" PRIu64 "%s", finding->fail_at,
                            finding->is_sticky ? "+" : "");
        if (options->has_seed)
                text_printf(into, " --seed %" PRIu64, options->seed);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static json_t *escaped(const char *bytes, size_t length)
{
        BASE_SCOPE(text_fini) struct text safe = TEXT_INIT(field_bytes_max);

        text_append_escaped(&safe, bytes, length);
        return json_string(text_view(&safe));
}

static json_t *text_json(const char *string)
{
        return string ? escaped(string, strlen(string)) : json_null();
}

/* Lines stay lines; whatever else is no text becomes \xNN. */
static json_t *excerpt_json(const char *bytes, size_t length, size_t *left)
{
        BASE_SCOPE(text_fini) struct text safe = TEXT_INIT(2 * excerpt_bytes_max);
        const char *end = bytes + length;

        while (bytes < end && safe.length < excerpt_bytes_max) {
                const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
                size_t line = (size_t)((stop ? stop : end) - bytes);

                text_append_escaped(&safe, bytes, line < 2000 ? line : 2000);
                text_append(&safe, "\n");
                bytes += line + !!stop;
        }
        if (bytes < end)
                text_append(&safe, "...\n");
        if (safe.length > *left)
                return json_null();
        *left -= safe.length;
        return json_string(text_view(&safe));
}

/* Stays the same from run to run, so that people can talk about it. */
static void finding_id(const struct finding *finding, char ret_id[digest_hex_size])
{
        char number[64];
        struct digest digest;

        digest_begin(&digest);
        digest_text(&digest, finding->rule);
        digest_text(&digest, finding->test_case ? finding->test_case : "");
        digest_text(&digest, finding->build ? finding->build : "");
        digest_text(&digest, finding->file ? finding->file : "");
        (void)snprintf(number, sizeof(number), "%u %" PRIu64 "%s", finding->line, finding->fail_at,
                       finding->is_sticky ? "+" : ""); /* fits */
        digest_text(&digest, number);
        if (digest_end(&digest, ret_id))
                memset(ret_id, '0', digest_hex_size - 1);
        ret_id[id_digits] = '\0';
}

static void add_id(json_t *into, const struct stage_result *result, size_t index)
{
        char id[digest_hex_size] = "";
        unsigned same = 1;

        finding_id(&result->findings[index], id);
        for (size_t i = 0; i < index; i++) {
                char other[digest_hex_size] = "";

                finding_id(&result->findings[i], other);
                same += strcmp(id, other) == 0;
        }
        (void)json_object_set_new(into, "id",
                                  same > 1 ? json_sprintf("%s-%u", id, same) : json_string(id));
}

static void add_evidence(json_t *into, const struct finding *finding, size_t *excerpts_left)
{
        char sha256[digest_hex_size];

        if (!finding->evidence || digest_of(finding->evidence, finding->evidence_length, sha256)) {
                (void)json_object_set_new(into, "evidence", json_null());
                return;
        }
        (void)json_object_set_new(into, "evidence",
                                  json_pack("{s:o, s:s}", "path",
                                            json_sprintf("evidence/%s.txt", sha256), "sha256",
                                            sha256));
        if (excerpts_left)
                (void)json_object_set_new(
                        into, "excerpt",
                        excerpt_json(finding->evidence, finding->evidence_length, excerpts_left));
}

/* Of names joined by ", ". */
static json_t *names_json(const char *names)
{
        json_t *list = json_array();

        while (*names) {
                size_t length = strcspn(names, ",");

                (void)json_array_append_new(list, escaped(names, length));
                names += length;
                names += strspn(names, ", ");
        }
        return list;
}

static json_t *finding_json(const struct verdict *verdict, size_t stage, size_t index,
                            size_t *excerpts_left)
{
        const struct finding *finding = &verdict->results[stage]->findings[index];
        BASE_SCOPE(text_fini) struct text repeat = TEXT_INIT(field_bytes_max);
        json_t *json = json_object();

        verdict_append_repeat(verdict, stage, finding, &repeat);
        add_id(json, verdict->results[stage], index);
        (void)json_object_set_new(json, "rule", text_json(finding->rule));
        (void)json_object_set_new(json, "message", text_json(finding->message));
        (void)json_object_set_new(json, "file", text_json(finding->file));
        (void)json_object_set_new(json, "line",
                                  finding->line ? json_integer(finding->line) : json_null());
        (void)json_object_set_new(json, "case", text_json(finding->test_case));
        if (finding->other_cases)
                (void)json_object_set_new(json, "other_cases", names_json(finding->other_cases));
        (void)json_object_set_new(json, "build", text_json(finding->build));
        if (finding->fail_at) {
                (void)json_object_set_new(json, "fault",
                                          json_integer((json_int_t)finding->fail_at));
                (void)json_object_set_new(json, "sticky", json_boolean(finding->is_sticky));
        }
        add_evidence(json, finding, excerpts_left);
        (void)json_object_set_new(json, "repeat", text_json(text_view(&repeat)));
        return json;
}

static json_t *stage_json(const struct verdict *verdict, size_t stage, size_t *excerpts_left)
{
        const struct stage_result *result = verdict->results[stage];
        json_t *json = json_object();
        json_t *findings = json_array();

        (void)json_object_set_new(json, "name", json_string(stages[stage].name));
        (void)json_object_set_new(json, "question", json_string(stages[stage].question));
        (void)json_object_set_new(
                json, "result",
                json_string(stage_verdict_name(result ? result->verdict : STAGE_SKIP)));
        (void)json_object_set_new(json, "seconds", json_real(result ? result->seconds : 0));
        (void)json_object_set_new(json, "cached", json_boolean(result && result->was_cached));
        for (size_t i = 0; result && i < result->finding_count; i++)
                (void)json_array_append_new(findings,
                                            finding_json(verdict, stage, i, excerpts_left));
        (void)json_object_set_new(json, "findings", findings);
        if (result && result->findings_dropped)
                (void)json_object_set_new(json, "findings_dropped",
                                          json_integer((json_int_t)result->findings_dropped));
        if (result && result->why.length)
                (void)json_object_set_new(json, "why", text_json(text_view(&result->why)));
        (void)json_object_set_new(json, "measures",
                                  result && json_is_object(result->measures)
                                          ? json_deep_copy(result->measures)
                                          : json_object());
        return json;
}

static json_t *files_json(const struct candidate *candidate)
{
        json_t *files = json_array();

        for (size_t i = 0; i < candidate->file_count; i++)
                (void)json_array_append_new(files, json_pack("{s:o, s:s}", "path",
                                                             text_json(candidate->files[i].name),
                                                             "sha256", candidate->files[i].sha256));
        return files;
}

static json_t *reference_json(const struct verdict *reference)
{
        size_t stopped;

        if (!reference)
                return json_null();
        stopped = verdict_stopped_at(reference);
        return json_pack(
                "{s:o, s:s, s:s, s:o}", "name", text_json(reference->candidate->name), "sha256",
                reference->candidate->sha256, "verdict",
                stopped == STAGE_COUNT ? "pass"
                                       : stage_verdict_name(reference->results[stopped]->verdict),
                "stage", stopped == STAGE_COUNT ? json_null() : json_string(stages[stopped].name));
}

json_t *verdict_json(const struct verdict *verdict, bool has_excerpts)
{
        const struct candidate *candidate = verdict->candidate;
        size_t excerpts_left = excerpts_bytes_max;
        json_t *list = json_array();
        json_t *json = json_object();

        if (!json || !list) {
                json_decref(json);
                json_decref(list);
                return NULL;
        }
        (void)json_object_set_new(json, "tocsin", json_string("1"));
        (void)json_object_set_new(json, "contract",
                                  json_pack("{s:o, s:o, s:s}", "name",
                                            text_json(verdict->contract->module), "summary",
                                            text_json(verdict->contract->summary), "sha256",
                                            verdict->contract->sha256));
        (void)json_object_set_new(json, "candidate",
                                  json_pack("{s:o, s:s, s:o}", "name", text_json(candidate->name),
                                            "sha256", candidate->sha256, "files",
                                            files_json(candidate)));
        (void)json_object_set_new(json, "verdict",
                                  json_string(verdict_word_name(verdict_word(verdict))));
        (void)json_object_set_new(json, "partial", json_boolean(verdict->is_partial));
        (void)json_object_set_new(json, "score", json_real(score(verdict) / 1000.0));
        (void)json_object_set_new(json, "seed", json_sprintf("%" PRIu64, verdict->seed));
        (void)json_object_set_new(json, "reference", reference_json(verdict->reference));
        for (size_t i = 0; i < STAGE_COUNT; i++)
                (void)json_array_append_new(
                        list, stage_json(verdict, i, has_excerpts ? &excerpts_left : NULL));
        (void)json_object_set_new(json, "stages", list);
        (void)json_object_set(json, "host", verdict->surroundings->host);
        (void)json_object_set(json, "tools", verdict->surroundings->tools);
        (void)json_object_set(json, "sandbox", verdict->surroundings->sandbox);
        (void)json_object_set_new(json, "version", text_json(verdict->request->version));
        return json;
}
