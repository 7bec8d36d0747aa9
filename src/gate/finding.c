/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings have fixed places from the first one on, so that a thread may go on filling in its own
 * while another adds the next.
 */
#include "gate/stage.h"

enum { finding_message_max = 2000, stage_why_max = 2000, progress_text_max = 400 };

void stage_result_init(struct stage_result *result)
{
        *result = (struct stage_result){ .why = TEXT_INIT(stage_why_max) };
        (void)pthread_mutex_init(&result->lock, NULL); /* cannot fail with these attributes */
}

void stage_result_fini(struct stage_result *result)
{
        for (size_t i = 0; i < result->finding_count; i++) {
                free(result->findings[i].message);
                free(result->findings[i].file);
                free(result->findings[i].evidence);
                free(result->findings[i].test_case);
                free(result->findings[i].other_cases);
        }
        free(result->findings);
        json_decref(result->measures);
        json_decref(result->kept);
        text_fini(&result->why);
        (void)pthread_mutex_destroy(&result->lock); /* nobody holds it */
        *result = (struct stage_result){ .why = TEXT_INIT(stage_why_max) };
}

/* One line, however many the writer had. */
static void append_line(struct text *into, const char *format, va_list arguments) BASE_PRINTF(2, 0);
static void append_line(struct text *into, const char *format, va_list arguments)
{
        BASE_SCOPE(text_fini) struct text raw = TEXT_INIT(finding_message_max);

        text_vprintf(&raw, format, arguments);
        for (size_t i = 0; i < raw.length; i++)
                if (raw.bytes[i] == '\n' || raw.bytes[i] == '\t')
                        raw.bytes[i] = ' ';
        text_append_escaped(into, text_view(&raw), raw.length);
}

static struct finding *place(struct stage_result *result)
{
        if (!result->findings)
                result->findings = calloc(finding_max, sizeof(*result->findings));
        if (!result->findings || result->finding_count == finding_max) {
                result->findings_dropped++;
                return NULL;
        }
        return &result->findings[result->finding_count++];
}

struct finding *finding_add(struct stage_result *result, const char *rule, const char *format, ...)
{
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(finding_message_max);
        struct finding *finding;
        va_list arguments;

        va_start(arguments, format);
        append_line(&line, format, arguments);
        va_end(arguments);
        (void)pthread_mutex_lock(&result->lock);
        finding = place(result);
        if (finding) {
                finding->rule = rule;
                finding->message = strdup(text_view(&line));
        }
        (void)pthread_mutex_unlock(&result->lock);
        return finding;
}

static void set(char **at, const char *value)
{
        free(*at);
        *at = value && *value ? strdup(value) : NULL;
}

void finding_at(struct finding *finding, const char *file, unsigned line)
{
        if (!finding)
                return;
        set(&finding->file, file);
        finding->line = line;
}

void finding_evidence(struct finding *finding, const void *bytes, size_t length)
{
        if (!finding || !bytes || !length)
                return;
        if (length > finding_evidence_max)
                length = finding_evidence_max;
        free(finding->evidence);
        finding->evidence_length = 0;
        finding->evidence = malloc(length + 1);
        if (!finding->evidence)
                return;
        memcpy(finding->evidence, bytes, length);
        finding->evidence[length] = '\0';
        finding->evidence_length = length;
}

void finding_case(struct finding *finding, const char *test_case, const char *build)
{
        if (!finding)
                return;
        set(&finding->test_case, test_case);
        finding->build = build;
}

void finding_other_cases(struct finding *finding, const char *names)
{
        if (finding)
                set(&finding->other_cases, names);
}

void stage_unknown(struct stage_result *result, const char *format, ...)
{
        va_list arguments;

        (void)pthread_mutex_lock(&result->lock);
        if (!result->is_unknown) {
                result->is_unknown = true;
                va_start(arguments, format);
                append_line(&result->why, format, arguments);
                va_end(arguments);
        }
        (void)pthread_mutex_unlock(&result->lock);
}

void stage_progress(struct stage_context *context, const char *format, ...)
{
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(progress_text_max);
        va_list arguments;

        if (!context->progress)
                return;
        va_start(arguments, format);
        append_line(&line, format, arguments);
        va_end(arguments);
        context->progress(context->progress_context, text_view(&line));
}
