/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to ask promtool about many streams at once: one rule file, one test in which each stream
 * is an instance of its own, and one question a step and stream.
 *
 * promtool prints only where it finds something else than expected. So it is told the engine's
 * timeline, and what it prints is where the two disagree. The number of the step is a comment in
 * the question, because it repeats that word for word. */
#include "judge.h"

#include "base/child.h"
#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
        file_bytes_max = 1 << 30,
        said_bytes_max = 256 << 20,
        why_lines_max = 12,
};

static const uint64_t time_max_ns = 1200 * CLOCK_S_NS;

struct folder {
        char path[64];
};

static void folder_fini(struct folder *folder)
{
        if (folder->path[0])
                (void)file_remove_tree(AT_FDCWD, folder->path); /* it is in /tmp, and tiny */
}

/* ---- The rules ----------------------------------------------------------------------------*/

static int write_rules(struct text *text, const struct stream *stream)
{
        for (uint32_t slot = 0; slot < 2; slot++) {
                const struct toc_rule *rule = &stream->record.rule[slot];
                char alert[32];
                struct promql how = { .alert = alert, .scrape_s = stream->scrape_s };
                int error;

                if (!rule->severity)
                        continue;
                (void)snprintf(alert, sizeof(alert), "A%u_%s", slot, stream->record.module);
                text_printf(text, "  - alert: %s\n    expr: '", alert);
                error = promql_expr(text, &stream->record, slot, &how);
                if (error)
                        return error;
                text_printf(text, "'\n    for: %" PRIu32 "s\n    keep_firing_for: %" PRIu32 "s\n",
                            rule->hold_s, rule->keep_s);
        }
        return text->error;
}

/* ---- The samples --------------------------------------------------------------------------*/

static void write_name(struct text *text, const struct stream *stream, const char *name,
                       const char *le, bool is_labelled)
{
        text_printf(text, "  - series: '%s{instance=\"%s\",job=\"c\"", name, stream->record.module);
        if (is_labelled)
                text_printf(text, ",label=\"%s\"", stream->record.labels);
        if (le[0])
                text_printf(text, ",le=\"%s\"", le);
        text_append(text, "}'\n    values: '");
}

/* What is not sampled is absent; what is gone is stale. */
static void write_value(struct text *text, const struct stream_step *step, int64_t value)
{
        if (step->is_stale)
                text_append(text, "stale ");
        else if (!step->is_sampled)
                text_append(text, "_ ");
        else if (value == STREAM_ABSENT || value == STREAM_STALE)
                text_append(text, "stale ");
        else
                text_printf(text, "%" PRId64 " ", value);
}

static void write_series(struct text *text, const struct stream *stream)
{
        bool is_hit = stream->form->script == SCRIPT_HIT;
        struct promql_series series;
        char gate[96];

        for (uint32_t n = 0; promql_series(&stream->record, n, &series) == 0; n++) {
                write_name(text, stream, series.name, series.le,
                           stream->record.labels[0] && !is_hit);
                for (uint32_t i = 0; i < stream->steps; i++)
                        write_value(text, &stream->step[i], stream->step[i].series[n]);
                text_append(text, "'\n");
        }
        write_name(text, stream, "process_start_time_seconds", "", false);
        for (uint32_t i = 0; i < stream->steps; i++)
                write_value(text, &stream->step[i], stream->step[i].started);
        text_append(text, "'\n");
        if (!is_hit || !stream->record.labels[0])
                return;
        (void)snprintf(gate, sizeof(gate), "%s_%s", stream->record.module, stream->record.labels);
        write_name(text, stream, gate, "", false);
        for (uint32_t i = 0; i < stream->steps; i++)
                write_value(text, &stream->step[i], stream->step[i].gate);
        text_append(text, "'\n");
}

/* ---- The questions ------------------------------------------------------------------------*/

static void write_expected(struct text *text, const struct stream *stream, uint32_t slot,
                           char letter, bool *is_first)
{
        if (letter != 'P' && letter != 'F')
                return;
        text_printf(text,
                    "%s{labels: 'ALERTS{alertname=\"A%u_%s\",alertstate=\"%s\",instance=\"%s\","
                    "job=\"c\"",
                    *is_first ? "    exp_samples: [" : ", ", slot, stream->record.module,
                    letter == 'P' ? "pending" : "firing", stream->record.module);
        if (stream->record.labels[0] && stream->form->script != SCRIPT_HIT)
                text_printf(text, ",label=\"%s\"", stream->record.labels);
        text_append(text, "}', value: 1}");
        *is_first = false;
}

static void write_questions(struct text *text, const struct stream *stream,
                            const struct timeline *expected)
{
        for (uint32_t i = 0; i < stream->steps; i++) {
                bool is_first = true;

                if (!stream->step[i].is_sampled)
                        continue;
                text_printf(text, "  - expr: 'ALERTS{instance=\"%s\"} # %u'\n    eval_time: %us\n",
                            stream->record.module, i, i * stream->scrape_s);
                for (uint32_t slot = 0; slot < 2; slot++)
                        write_expected(text, stream, slot, expected->letter[slot][i], &is_first);
                text_append(text, is_first ? "" : "]\n");
        }
}

static int write_files(const struct folder *folder, const struct stream *streams,
                       const struct timeline *expected, size_t count)
{
        struct text rules BASE_SCOPE(text_fini) = TEXT_INIT(file_bytes_max);
        struct text test BASE_SCOPE(text_fini) = TEXT_INIT(file_bytes_max);
        char path[96];
        int error = 0;

        text_append(&rules, "groups:\n- name: conform\n  rules:\n");
        text_printf(&test,
                    "rule_files: [rules.yml]\nevaluation_interval: %us\ntests:\n- interval: %us\n"
                    "  input_series:\n",
                    streams[0].scrape_s, streams[0].scrape_s);
        for (size_t k = 0; k < count && !error; k++) {
                error = write_rules(&rules, &streams[k]);
                write_series(&test, &streams[k]);
        }
        text_append(&test, "  promql_expr_test:\n");
        for (size_t k = 0; k < count; k++)
                write_questions(&test, &streams[k], &expected[k]);
        if (error || rules.error || test.error)
                return error ? error : rules.error ? rules.error : test.error;
        (void)snprintf(path, sizeof(path), "%s/rules.yml", folder->path);
        error = file_replace(AT_FDCWD, path, rules.bytes, rules.length, 0600);
        if (error)
                return error;
        (void)snprintf(path, sizeof(path), "%s/test.yml", folder->path);
        return file_replace(AT_FDCWD, path, test.bytes, test.length, 0600);
}

/* ---- The answers --------------------------------------------------------------------------*/

/* What stands in "got: ..." about the alert of that slot. */
static char letter_of(const char *got, const struct stream *stream, uint32_t slot)
{
        char wanted[96];

        (void)snprintf(wanted, sizeof(wanted), "alertname=\"A%u_%s\", alertstate=\"", slot,
                       stream->record.module);
        got = strstr(got, wanted);
        if (!got)
                return '.';
        return got[strlen(wanted)] == 'f' ? 'F' : 'P';
}

static const struct stream *find_stream(const struct stream *streams, size_t count,
                                        const char *module, size_t *ret_index)
{
        size_t length = strcspn(module, "\\\"");

        for (size_t k = 0; k < count; k++)
                if (strlen(streams[k].record.module) == length &&
                    strncmp(streams[k].record.module, module, length) == 0) {
                        *ret_index = k;
                        return &streams[k];
                }
        return NULL;
}

/* Reads "expr: "ALERTS{instance=\"s7\"} # 12", time: ...", and the two lines below it. Returns how
 * many answers were understood. */
static size_t read_answers(char *said, const struct stream *streams, size_t count,
                           struct timeline *timelines)
{
        static const char question[] = "expr: \"ALERTS{instance=\\\"";
        const struct stream *stream = NULL;
        size_t understood = 0;
        size_t index = 0;
        uint32_t step = 0;
        char *line;

        while ((line = strsep(&said, "\n"))) {
                char *found = strstr(line, question);
                char *got = strstr(line, "got: ");

                if (found) {
                        char *number = strstr(found, "# ");

                        stream = find_stream(streams, count, found + strlen(question), &index);
                        step = number ? (uint32_t)strtoul(number + 2, NULL, 10) : UINT32_MAX;
                } else if (got && stream && step < stream->steps) {
                        for (uint32_t slot = 0; slot < 2; slot++)
                                if (stream->record.rule[slot].severity)
                                        timelines[index].letter[slot][step] =
                                                letter_of(got, stream, slot);
                        stream = NULL;
                        understood++;
                }
        }
        return understood;
}

static void say_why(struct text *why, const struct child_result *result, const struct text *said)
{
        const char *line = text_view(said);

        text_append(why, "promtool: ");
        child_append_end(result, why);
        for (int i = 0; i < why_lines_max && *line; i++) {
                size_t length = strcspn(line, "\n");

                text_append(why, "\n  ");
                text_append_escaped(why, line, length < 300 ? length : 300);
                line += length + (line[length] == '\n');
        }
}

int judge_promtool(const struct stream *streams, const struct timeline *expected, size_t count,
                   struct timeline *ret_timelines, struct text *why)
{
        static const char *const command[] = { "promtool", "test", "rules", "test.yml", NULL };
        struct folder folder BASE_SCOPE(folder_fini) = { "/tmp/tocsin-conform.XXXXXX" };
        struct text said BASE_SCOPE(text_fini) = TEXT_INIT(said_bytes_max);
        struct child_request request = {
                .argv = command,
                .output = &said,
                .time_max_ns = time_max_ns,
                .directory = folder.path,
        };
        struct child_result result;
        int error;

        if (!mkdtemp(folder.path)) {
                error = -errno;
                folder.path[0] = '\0';
                return error;
        }
        memcpy(ret_timelines, expected, count * sizeof(*expected));
        error = write_files(&folder, streams, expected, count);
        if (error)
                return error;
        error = child_run(&request, &result);
        if (error) {
                text_printf(why, "promtool: %s", error_text(-error));
                return JUDGE_NO_PROMTOOL;
        }
        if (child_succeeded(&result))
                return 0;
        if (said.error) {
                text_append(why, "promtool said more than can be kept");
                return JUDGE_NO_PROMTOOL;
        }
        if (strstr(text_view(&said), "err: ") ||
            !strstr(text_view(&said), "expr: \"ALERTS{instance")) {
                say_why(why, &result, &said);
                return JUDGE_NO_PROMTOOL;
        }
        if (!read_answers(said.bytes, streams, count, ret_timelines)) {
                text_append(why, "promtool disagreed, in words that are not understood");
                return JUDGE_NO_PROMTOOL;
        }
        return 0;
}
