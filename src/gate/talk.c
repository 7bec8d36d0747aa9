/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to keep the question "is this a pass?" in one place that does nothing else. */
#include "gate/talk.h"

#include <ctype.h>
#include <signal.h>

enum { sanitizer_status = 23, tsan_status = 66, valgrind_status = 99 };

static enum talk_wants lose(struct talk *talk, const char *why)
{
        talk->lost = why;
        talk->verdict->kind = "forged";
        return TALK_LOST;
}

/* ---- DATA ----------------------------------------------------------------- */

static struct session_sample *add_sample(struct talk *talk)
{
        struct session_verdict *verdict = talk->verdict;

        if (!verdict->samples)
                verdict->samples = calloc(session_sample_max, sizeof(*verdict->samples));
        if (!verdict->samples)
                return NULL;
        if (++talk->sample_skipped < talk->sample_stride)
                return NULL;
        talk->sample_skipped = 0;
        if (verdict->sample_count == session_sample_max) {
                for (size_t i = 0; i < session_sample_max / 2; i++)
                        verdict->samples[i] = verdict->samples[2 * i];
                verdict->sample_count /= 2;
                talk->sample_stride = 2 * (talk->sample_stride ? talk->sample_stride : 1);
        }
        return &verdict->samples[verdict->sample_count++];
}

struct pairs {
        const char *keys[12];
        uint64_t values[12];
        size_t count;
};

static bool take_pairs(char *text, struct pairs *ret_pairs)
{
        char *pair;

        while ((pair = strsep(&text, " "))) {
                char *value = strchr(pair, '=');

                if (!value || ret_pairs->count == BASE_COUNT(ret_pairs->keys))
                        return false;
                *value++ = '\0';
                if (text_parse_u64(value, 0, UINT64_MAX, &ret_pairs->values[ret_pairs->count]))
                        return false;
                ret_pairs->keys[ret_pairs->count++] = pair;
        }
        return ret_pairs->count > 0;
}

static void set_sample(struct talk *talk, const struct pairs *pairs)
{
        struct session_sample *sample = add_sample(talk);

        if (!sample)
                return;
        *sample = (struct session_sample){ .at_ns = pairs->values[0] < UINT64_MAX / CLOCK_MS_NS
                                                            ? pairs->values[0] * CLOCK_MS_NS
                                                            : UINT64_MAX };
        for (size_t i = 1; i < pairs->count; i++) {
                if (strcmp(pairs->keys[i], "live_bytes") == 0)
                        sample->live_bytes = pairs->values[i];
                if (strcmp(pairs->keys[i], "descriptors") == 0)
                        sample->descriptors = pairs->values[i];
                if (strcmp(pairs->keys[i], "threads") == 0)
                        sample->threads = pairs->values[i];
                if (strcmp(pairs->keys[i], "iterations") == 0)
                        sample->iterations = pairs->values[i];
        }
}

static bool set_number(struct talk *talk, const char *key, uint64_t value)
{
        struct session_verdict *verdict = talk->verdict;
        const struct {
                const char *key;
                uint64_t *number;
        } numbers[] = {
                { "allocations", &verdict->allocations },
                { "fired", &verdict->fired },
                { "calls", &verdict->calls },
                { "instructions", &verdict->instructions },
                { "ns", &verdict->loop_ns },
                { "peak_bytes", &verdict->peak_bytes },
                { "loop_live_bytes", &verdict->loop_live_bytes },
                { "descriptors", &verdict->left_descriptors },
                { "threads", &verdict->left_threads },
                { "live_bytes", &verdict->left_bytes },
        };

        for (size_t i = 0; i < BASE_COUNT(numbers); i++) {
                if (strcmp(key, numbers[i].key) != 0)
                        continue;
                *numbers[i].number = value;
                if (strcmp(key, "instructions") == 0)
                        verdict->has_instructions = true;
                return true;
        }
        return false;
}

static enum talk_wants take_data(struct talk *talk, char *text, bool is_harness)
{
        struct pairs pairs = { .count = 0 };

        if (!is_harness && strncmp(text, "broken=", 7) == 0) {
                talk->is_broken = true;
                return TALK_MORE;
        }
        if (!take_pairs(text, &pairs))
                return lose(talk, "it sent measures that are none");
        if (is_harness) {
                talk->is_late |= strcmp(pairs.keys[0], "late") == 0;
                talk->is_flooded |= strcmp(pairs.keys[0], "flooded") == 0;
                if (strcmp(pairs.keys[0], "processes") == 0)
                        talk->verdict->left_processes = pairs.values[0];
                return TALK_MORE;
        }
        if (strcmp(pairs.keys[0], "at_ms") == 0) {
                set_sample(talk, &pairs);
                return TALK_MORE;
        }
        for (size_t i = 0; i < pairs.count; i++)
                if (!set_number(talk, pairs.keys[i], pairs.values[i]))
                        return lose(talk, "it sent measures that are none");
        return TALK_MORE;
}

/* ---- CASE ----------------------------------------------------------------- */

static void set_message(struct session_verdict *verdict, const char *text)
{
        BASE_SCOPE(text_fini) struct text escaped = TEXT_INIT(sizeof(verdict->message) - 1);

        text_append_escaped(&escaped, text, strlen(text));
        (void)snprintf(verdict->message, sizeof(verdict->message), "%s", text_view(&escaped));
}

/* "FILE:LINE: MESSAGE" */
static void take_failure(struct session_verdict *verdict, char *text)
{
        char *end = strstr(text, ": ");
        char *colon = NULL;
        uint64_t line = 0;

        if (end) {
                *end = '\0';
                colon = strrchr(text, ':');
                *end = ':';
        }
        if (!colon || colon >= end) {
                set_message(verdict, text);
                return;
        }
        *colon = *end = '\0';
        if (!text_parse_u64(colon + 1, 0, 1000000000, &line)) {
                BASE_SCOPE(text_fini) struct text file = TEXT_INIT(sizeof(verdict->file) - 1);

                text_append_escaped(&file, text, strlen(text));
                (void)snprintf(verdict->file, sizeof(verdict->file), "%s", text_view(&file));
                verdict->line = (unsigned)line;
        }
        set_message(verdict, end + 2);
}

/* "NAME STATE [MESSAGE]" */
static enum talk_wants take_case(struct talk *talk, char *text)
{
        const char *name = strsep(&text, " ");
        const char *state = strsep(&text, " ");

        if (talk->stage != TALK_BEGUN)
                return lose(talk, "it said twice, or out of turn, how it ended: a forged line");
        if (!state || strcmp(name, talk->run->name) != 0)
                return lose(talk, "it spoke for another case: a forged line");
        if (strcmp(state, "pass") == 0 && !text) {
                talk->has_passed = true;
        } else if (strcmp(state, "fail") == 0) {
                talk->has_failed = true;
                take_failure(talk->verdict, text ? text : (char[]){ "" });
        } else {
                return lose(talk, "it ended in a state that there is not: a forged line");
        }
        talk->stage = TALK_SAID;
        return TALK_MORE;
}

/* ---- Messages ------------------------------------------------------------- */

static int hex(char digit)
{
        if (digit >= '0' && digit <= '9')
                return digit - '0';
        return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static void take_output(struct text *output, const char *text)
{
        for (const char *at = text; *at; at++) {
                char byte = *at;

                if (byte == '\\' && at[1] == 'x' && at[2] && hex(at[2]) >= 0 && hex(at[3]) >= 0) {
                        byte = (char)(hex(at[2]) * 16 + hex(at[3]));
                        at += 3;
                } else if (byte == '\\' && (at[1] == 'n' || at[1] == '\\')) {
                        byte = at[1] == 'n' ? '\n' : '\\';
                        at++;
                }
                text_append_bytes(output, &byte, 1);
        }
}

static enum talk_wants take_end(struct talk *talk, char *text)
{
        const char *how = strsep(&text, " ");
        uint64_t code;

        if (!text || text_parse_u64(text, 0, 255, &code))
                return lose(talk, "the harness sent nonsense");
        if (strcmp(how, "missing") == 0) {
                talk->lost =
                        "the harness has no such case, or two of that name, or could not begin it";
                return TALK_LOST;
        }
        talk->has_left = talk->stage == TALK_LEAVING;
        talk->was_killed = strcmp(how, "signal") == 0;
        talk->code = (int)code;
        talk->stage = TALK_ENDED;
        return TALK_END;
}

static enum talk_wants take_from_harness(struct talk *talk, const char *verb, char *text)
{
        if (strcmp(verb, "OUTPUT") == 0) {
                take_output(&talk->verdict->output, text);
                return TALK_MORE;
        }
        if (strcmp(verb, "DATA") == 0)
                return take_data(talk, text, true);
        if (strcmp(verb, "END") == 0)
                return take_end(talk, text);
        return lose(talk, "the harness spoke for a case: a forged line");
}

static enum talk_wants take_from_child(struct talk *talk, const char *verb, char *text)
{
        if (strcmp(verb, "DATA") == 0)
                return talk->stage < TALK_LEAVING
                               ? take_data(talk, text, false)
                               : lose(talk, "it went on talking after its end: a forged line");
        if (strcmp(verb, "CASE") == 0)
                return take_case(talk, text);
        if (strcmp(verb, "TICK") == 0 && talk->stage == TALK_BEGUN)
                return text_parse_u64(text, 0, 86400, &talk->tick_s)
                               ? lose(talk, "it ticked for longer than a day")
                               : TALK_GO_TICK;
        if (strcmp(verb, "LAST") == 0 && talk->stage == TALK_SAID) {
                talk->stage = TALK_LEAVING;
                return TALK_GO_LAST;
        }
        return lose(talk, "it spoke out of turn: a forged line");
}

enum talk_wants talk_take(struct talk *talk, char *line, pid_t sender)
{
        const char *verb = strsep(&line, " ");
        const char *nonce = line ? strsep(&line, " ") : NULL;
        char none[1] = "";

        if (!nonce || strcmp(nonce, talk->nonce) != 0)
                return lose(talk, "it sent a line without this run's number: a forged line");
        if (!line)
                line = none;
        if (sender == talk->harness)
                return take_from_harness(talk, verb, line);
        if (talk->stage == TALK_ASKED) {
                if (strcmp(verb, "BEGUN") != 0 ||
                    text_parse_u64(line, 1, INT32_MAX, &talk->child_inside))
                        return lose(talk, "it spoke out of turn: a forged line");
                talk->child = sender;
                talk->stage = TALK_BEGUN;
                return TALK_MORE;
        }
        if (sender != talk->child)
                return lose(talk, "another process spoke for it: a forged line");
        return take_from_child(talk, verb, line);
}

/* ---- What it means -------------------------------------------------------- */

static bool says(const struct session_verdict *verdict, const char *words)
{
        return memmem(text_view(&verdict->output), verdict->output.length, words, strlen(words));
}

/* The line of the output with these words, from there on. */
static void quote(struct session_verdict *verdict, const char *words)
{
        const char *output = text_view(&verdict->output);
        const char *at = memmem(output, verdict->output.length, words, strlen(words));
        char line[400];
        size_t length;

        if (!at)
                return;
        length = strcspn(at, "\n");
        if (length >= sizeof(line))
                length = sizeof(line) - 1;
        memcpy(line, at, length);
        line[length] = '\0';
        set_message(verdict, line);
}

/* Words by which the tools are known; the first row that is found in the output counts. */
static bool name_report(struct session_verdict *verdict)
{
        static const struct {
                const char *words, *quoted, *kind;
        } reports[] = {
                { "LeakSanitizer has encountered a fatal error", "LeakSanitizer has", "tool" },
                { "FATAL: ThreadSanitizer: unexpected memory", "FATAL: ThreadS", "tool" },
                { "ERROR: AddressSanitizer", "ERROR: AddressSanitizer", "address" },
                { "AddressSanitizer:DEADLYSIGNAL", "ERROR: AddressSanitizer", "address" },
                { "ERROR: LeakSanitizer", "SUMMARY:", "leak" },
                { "WARNING: ThreadSanitizer", "WARNING: ThreadSanitizer", "race" },
                { "runtime error: ", "runtime error: ", "undefined" },
        };

        for (size_t i = 0; i < BASE_COUNT(reports); i++) {
                if (!says(verdict, reports[i].words))
                        continue;
                verdict->kind = reports[i].kind;
                quote(verdict, reports[i].quoted);
                return true;
        }
        return false;
}

static void conclude_status(struct talk *talk)
{
        struct session_verdict *verdict = talk->verdict;

        verdict->state = SESSION_CRASHED;
        verdict->kind = talk->was_killed ? "signal" : "status";
        if (talk->was_killed)
                (void)snprintf(verdict->message, sizeof(verdict->message), "killed by SIG%s",
                               sigabbrev_np(talk->code) ? sigabbrev_np(talk->code) : "?");
        else
                (void)snprintf(verdict->message, sizeof(verdict->message), "ended with status %d%s",
                               talk->code, talk->has_passed ? " after it had passed" : "");
        if (talk->was_killed && talk->code == SIGKILL) {
                verdict->kind = "memory";
                set_message(verdict,
                            "killed by SIGKILL, as the kernel does at the limit of memory");
        }
        if (name_report(verdict)) {
                if (strcmp(verdict->kind, "tool") == 0)
                        verdict->state = SESSION_LOST;
                return;
        }
        if (talk->was_killed || talk->code != valgrind_status)
                return;
        verdict->kind = says(verdict, " lost in loss record") ? "leak" : "valgrind";
        (void)snprintf(verdict->message, sizeof(verdict->message),
                       "valgrind found errors; its report says which");
        if (strcmp(verdict->kind, "leak") == 0)
                quote(verdict, "bytes in ");
}

static void conclude_left(struct session_verdict *verdict)
{
        const struct {
                const char *kind, *what;
                uint64_t count;
        } left[] = {
                { "processes", "processes running", verdict->left_processes },
                { "threads", "threads running", verdict->left_threads },
                { "descriptors", "descriptors open", verdict->left_descriptors },
                { "heap",
                  "bytes of the candidate's heap (a case frees what it was given with "
                  "toc_case_free)",
                  verdict->left_bytes },
        };

        verdict->state = SESSION_PASSED;
        for (size_t i = 0; i < BASE_COUNT(left); i++) {
                if (!left[i].count)
                        continue;
                verdict->state = SESSION_LEFT;
                verdict->kind = left[i].kind;
                (void)snprintf(verdict->message, sizeof(verdict->message), "left %llu %s",
                               (unsigned long long)left[i].count, left[i].what);
                return;
        }
}

void talk_conclude(struct talk *talk)
{
        struct session_verdict *verdict = talk->verdict;
        const bool has_gone_well = !talk->was_killed && talk->code == 0;

        if (talk->is_flooded) {
                verdict->state = SESSION_LOST;
                verdict->kind = "flood";
                set_message(verdict, "it flooded its standard output");
        } else if (talk->is_late) {
                verdict->state = SESSION_LATE;
                set_message(verdict, "did not end in time");
        } else if (talk->is_broken) {
                verdict->state = SESSION_BROKEN;
        } else if (talk->has_failed) {
                verdict->state = SESSION_FAILED;
        } else if (!has_gone_well) {
                conclude_status(talk);
        } else if (!talk->has_passed || !talk->has_left) {
                verdict->state = SESSION_SILENT;
                set_message(verdict, "ended with status 0 and never said that it passed");
        } else {
                conclude_left(verdict);
        }
}
