/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a model answers in prose with files in it, in a dozen dialects of Markdown, and
 * nothing but the files that the contract lists may ever reach the gate.
 */
#include "forge/reply.h"
#include "forge/fence.h"
#include "gate/candidate.h"

#include <assert.h>
#include <errno.h>

enum {
        shown_bytes_max = 60,     /* of a name that is not taken */
        shown_names_max = 5,      /* of those */
        conflict_bytes_max = 500, /* of what contradicts what */
        ignored_bytes_max = 1000,
        quoted_bytes_max = 100, /* of an answer in prose */
};

static const char too_long[] = "the answer is longer than 1 MiB, which no module needs";
static_assert(provider_answer_bytes_max == 1 << 20, "which the sentence above says");

static const char *const outcome_names[] = {
        [0] = "files",
        [REPLY_EMPTY] = "empty",
        [REPLY_NO_FILES] = "no-files",
        [REPLY_MISSING] = "missing",
        [REPLY_CUT] = "cut",
        [REPLY_REFUSED] = "refused",
        [REPLY_CONFLICT] = "conflict",
        [REPLY_NOT_TEXT] = "not-text",
};

const char *reply_outcome_name(int outcome)
{
        return outcome >= 0 && outcome < (int)BASE_COUNT(outcome_names) ? outcome_names[outcome]
                                                                        : "error";
}

/* ---- Thought ----------------------------------------------------------------------------- */

/* What a model thought before it answered is no answer. One that never ends is all there is. */
static struct span without_thought(struct span answer)
{
        static const char *const marks[][2] = { { "<think>", "</think>" },
                                                { "<thinking>", "</thinking>" } };
        struct span rest = span_trimmed(answer, " \t\r\n");

        for (size_t i = 0; i < BASE_COUNT(marks); i++) {
                const char *stop;

                if (!span_begins_with(rest, marks[i][0]))
                        continue;
                stop = span_find(rest, marks[i][1]);
                rest.at = stop ? stop + strlen(marks[i][1]) : rest.end;
                return span_trimmed(rest, " \t\r\n");
        }
        return rest;
}

/* ---- Names ------------------------------------------------------------------------------- */

#define NOBODY ((size_t)-1)

struct reading {
        const struct contract_list *supplies;
        struct reply *reply;
        bool *has_file; /* of `supplies` */
        bool *is_cut;
        struct text unnamed; /* the last fence of C without a name */
        bool has_unnamed;
        bool unnamed_is_cut;
        size_t ignored_count;
        int error;
};

static size_t index_of(const struct reading *reading, struct span name)
{
        for (size_t i = 0; i < reading->supplies->count; i++)
                if (strlen(reading->supplies->items[i]) == span_length(name) &&
                    memcmp(reading->supplies->items[i], name.at, span_length(name)) == 0)
                        return i;
        return NOBODY;
}

static void ignore(struct reading *reading, struct span name)
{
        struct text *into = &reading->reply->ignored;
        BASE_SCOPE(text_fini) struct text shown = TEXT_INIT(ignored_bytes_max);
        size_t length = span_length(name);

        if (reading->ignored_count++ >= shown_names_max)
                return;
        text_append_escaped(&shown, name.at, length < shown_bytes_max ? length : shown_bytes_max);
        text_printf(into, "%s%s%s",
                    into->length ? ", " : "not taken, because not listed: ", text_view(&shown),
                    length > shown_bytes_max ? "..." : "");
}

/* What a line or an info string says of the file that follows. */
struct name {
        bool is_given;
        size_t index; /* NOBODY: it is not listed */
        struct span shown;
};

static struct name named(const struct reading *reading, struct span shown)
{
        return (struct name){ .is_given = span_length(shown) > 0,
                              .index = index_of(reading, shown),
                              .shown = shown };
}

static bool has_end(struct span word, const char *end)
{
        return span_length(word) > strlen(end) &&
               memcmp(word.end - strlen(end), end, strlen(end)) == 0;
}

static bool looks_like_a_file(struct span word)
{
        return !span_find(word, " ") && !span_find(word, "\t") &&
               (has_end(word, ".c") || has_end(word, ".h"));
}

/* Of "lru.c (whole)". */
static struct span first_word(struct span span)
{
        struct span word = { span.at, span.at };

        while (word.end < span.end && *word.end != ' ' && *word.end != '\t')
                word.end++;
        return span_trimmed(word, "*`\"',:");
}

/* "FILE: lru.c", in whatever dress; `is_exact` when it says so. */
static struct name name_of_line(const struct reading *reading, struct span line, bool *is_exact)
{
        static const char dress[] = " \t*#`_>\"'";
        struct span word = span_trimmed(line, " \t");
        struct span listed = span_trimmed(word, " \t*#`\":");

        *is_exact = false;
        if (index_of(reading, listed) != NOBODY)
                return named(reading, listed);
        word = span_trimmed(word, dress);
        if (span_begins_with(word, "file:") || span_begins_with(word, "file**:") ||
            span_begins_with(word, "filename:")) {
                *is_exact = true;
                word.at = (const char *)memchr(word.at, ':', span_length(word)) + 1;
                word = span_trimmed(word, " \t*`\"'");
                return named(reading, first_word(word));
        }
        word = span_trimmed(word, " \t*`\":");
        return looks_like_a_file(word) ? named(reading, word) : (struct name){ .is_given = false };
}

/* "c lru.c", "lru.c", "c:lru.c", "c title=\"lru.c\"". */
static struct name name_of_info(const struct reading *reading, struct span info)
{
        static const char parting[] = " \t:=\"'{},;()";

        while (info.at < info.end) {
                struct span word = { info.at, info.at };

                while (word.end < info.end && !(*word.end && strchr(parting, *word.end)))
                        word.end++;
                if (span_length(word) &&
                    (index_of(reading, word) != NOBODY || looks_like_a_file(word)))
                        return named(reading, word);
                info.at = word.end + (word.end < info.end);
        }
        return (struct name){ .is_given = false };
}

/* ---- Fences ------------------------------------------------------------------------------ */

/* A whole file of C, or what could be one; not a command line, not JSON. */
static bool is_of_c(struct span info)
{
        static const char *const languages[] = { "c", "h", "c11", "c99", "cpp", "c++" };
        const struct span word = first_word(info);

        for (size_t i = 0; i < BASE_COUNT(languages); i++)
                if (span_length(word) == strlen(languages[i]) &&
                    span_begins_with(word, languages[i]))
                        return true;
        return !span_length(word);
}

static void keep(struct reading *reading, const struct name *name, const struct fence *fence,
                 const struct text *bytes, bool is_whole)
{
        struct text *into = &reading->unnamed;

        if (name->is_given && name->index == NOBODY) {
                ignore(reading, name->shown);
                return;
        }
        if (name->is_given) {
                into = &reading->reply->files[name->index].bytes;
                reading->has_file[name->index] = true;
                reading->is_cut[name->index] = !is_whole;
        } else if (is_of_c(fence->info)) {
                reading->has_unnamed = true;
                reading->unnamed_is_cut = !is_whole;
        } else {
                return;
        }
        text_clear(into);
        text_append_bytes(into, text_view(bytes), bytes->length);
        if (into->error)
                reading->error = into->error;
}

static void read_fences(struct reading *reading, struct span rest)
{
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(2 * provider_answer_bytes_max);
        struct name name = { .is_given = false };
        bool is_exact = false;
        struct span line;

        while (!reading->error && span_next_line(&rest, &line)) {
                struct fence fence;
                struct name other;
                bool other_is_exact;

                if (fence_opens(line, &fence)) {
                        if (!name.is_given)
                                name = name_of_info(reading, fence.info);
                        text_clear(&bytes);
                        keep(reading, &name, &fence, &bytes, fence_read(&rest, &fence, &bytes));
                        name.is_given = false;
                        continue;
                }
                if (!span_length(span_trimmed(line, " \t")))
                        continue;
                other = name_of_line(reading, line, &other_is_exact);
                /* Prose between "FILE:" and its fence takes nothing away; a mere mention stands
                 * only just before. */
                if (!other.is_given && name.is_given && is_exact)
                        continue;
                name = other;
                is_exact = other_is_exact;
        }
}

/* ---- What it adds up to ------------------------------------------------------------------ */

/* Some put even this into a fence. */
static bool is_conflict(struct span answer, struct text *why)
{
        BASE_SCOPE(text_fini) struct text said = TEXT_INIT(conflict_bytes_max);
        struct fence fence;
        struct span line;

        while (span_next_line(&answer, &line)) {
                const bool is_fence = fence_opens(line, &fence);

                line = span_trimmed(line, " \t*`#>");
                if (!said.length && (is_fence || !span_length(line)))
                        continue;
                if (!said.length && !span_begins_with(line, "CONTRACT-CONFLICT"))
                        return false;
                if (is_fence || !span_length(line))
                        break;
                text_append(&said, said.length ? " " : "");
                text_append_escaped(&said, line.at, span_length(line));
        }
        text_append(why, text_view(&said));
        return said.length > 0;
}

static int say(struct text *why, int outcome, const char *sentence)
{
        text_append(why, sentence);
        return outcome;
}

static void append_missing(const struct reading *reading, struct text *why)
{
        const char *before = "there is no ";

        for (size_t i = 0; i < reading->supplies->count; i++) {
                if (reading->has_file[i])
                        continue;
                text_printf(why, "%s%s", before, reading->supplies->items[i]);
                before = ", ";
        }
}

static int judge_file(const struct reading *reading, size_t index, struct text *why)
{
        const struct text *bytes = &reading->reply->files[index].bytes;
        const char *name = reading->supplies->items[index];

        if (reading->is_cut[index]) {
                text_printf(why, "the fence of %s has no end", name);
                return REPLY_CUT;
        }
        if (!memchr(text_view(bytes), '\0', bytes->length) &&
            text_is_utf8(text_view(bytes), bytes->length))
                return 0;
        text_printf(why, "%s holds NUL bytes or is not UTF-8", name);
        return REPLY_NOT_TEXT;
}

/* Its first lines, as one. */
static void quote_beginning(struct span answer, struct text *why)
{
        BASE_SCOPE(text_fini) struct text quoted = TEXT_INIT(quoted_bytes_max);
        struct span line;

        while (!quoted.error && span_next_line(&answer, &line)) {
                line = span_trimmed(line, " \t");
                if (quoted.length && span_length(line))
                        text_append(&quoted, " ");
                text_append_escaped(&quoted, line.at, span_length(line));
        }
        text_printf(why, " in the answer, which begins: '%s%s'", text_view(&quoted),
                    quoted.error ? "..." : "");
}

static int judge(struct reading *reading, struct span answer, struct text *why)
{
        const size_t wanted = reading->supplies->count;
        size_t count = 0;
        int outcome = 0;

        for (size_t i = 0; i < wanted; i++)
                count += reading->has_file[i];
        if (!count && wanted == 1 && reading->has_unnamed) {
                struct text given = reading->reply->files[0].bytes;

                reading->reply->files[0].bytes = reading->unnamed;
                reading->unnamed = given;
                reading->has_file[0] = true;
                reading->is_cut[0] = reading->unnamed_is_cut;
                count = 1;
        }
        for (size_t i = 0; i < wanted && !outcome; i++)
                if (reading->has_file[i])
                        outcome = judge_file(reading, i, why);
        if (outcome || count == wanted)
                return outcome;
        append_missing(reading, why);
        if (reading->reply->ignored.length)
                text_printf(why, "; %s", text_view(&reading->reply->ignored));
        else if (!count)
                quote_beginning(answer, why);
        return count ? REPLY_MISSING : REPLY_NO_FILES;
}

/* What is known before any file is looked for. */
static int judge_answer(struct span answer, enum provider_finish finish, struct text *why)
{
        if (finish == PROVIDER_FINISH_FILTERED)
                return say(why, REPLY_REFUSED, "the model, or a filter before it, refused");
        if (finish == PROVIDER_FINISH_LENGTH)
                return say(why, REPLY_CUT, "its tokens ran out; raise output_tokens of the tier");
        if (finish == PROVIDER_FINISH_TOO_LONG)
                return say(why, REPLY_CUT, too_long);
        if (!span_length(answer))
                return say(why, REPLY_EMPTY, "the answer is empty");
        return is_conflict(answer, why) ? REPLY_CONFLICT : 0;
}

static int reading_init(struct reading *reading, const struct contract_list *supplies,
                        struct reply *reply)
{
        *reply = (struct reply){ .ignored = TEXT_INIT(ignored_bytes_max) };
        *reading = (struct reading){ .supplies = supplies,
                                     .reply = reply,
                                     .unnamed = TEXT_INIT(candidate_file_bytes_max) };
        reply->files = calloc(supplies->count + 1, sizeof(*reply->files));
        reading->has_file = calloc(supplies->count + 1, sizeof(bool));
        reading->is_cut = calloc(supplies->count + 1, sizeof(bool));
        if (!reply->files || !reading->has_file || !reading->is_cut)
                return -ENOMEM;
        reply->count = supplies->count;
        for (size_t i = 0; i < supplies->count; i++) {
                reply->files[i].name = supplies->items[i];
                text_init(&reply->files[i].bytes, candidate_file_bytes_max);
        }
        return 0;
}

static void reading_fini(struct reading *reading)
{
        text_fini(&reading->unnamed);
        free(reading->has_file);
        free(reading->is_cut);
}

int reply_read(const char *answer, size_t length, enum provider_finish finish,
               const struct contract_list *supplies, struct reply *ret_reply, struct text *why)
{
        BASE_SCOPE(reading_fini) struct reading reading = { .error = 0 };
        BASE_SCOPE(reply_fini) struct reply reply = { .count = 0 };
        struct span span = { answer, answer + length };
        int outcome;

        if (length > provider_answer_bytes_max)
                return say(why, REPLY_CUT, too_long);
        span = without_thought(span);
        outcome = judge_answer(span, finish, why);
        if (outcome)
                return outcome;
        outcome = reading_init(&reading, supplies, &reply);
        if (outcome)
                return outcome;
        read_fences(&reading, span);
        if (reading.error)
                return reading.error;
        if (reading.ignored_count > shown_names_max)
                text_printf(&reply.ignored, " and %zu more",
                            reading.ignored_count - shown_names_max);
        outcome = judge(&reading, span, why);
        if (outcome)
                return outcome;
        *ret_reply = reply;
        reply = (struct reply){ .count = 0 };
        return 0;
}

void reply_fini(struct reply *reply)
{
        for (size_t i = 0; i < reply->count; i++)
                text_fini(&reply->files[i].bytes);
        free(reply->files);
        text_fini(&reply->ignored);
        *reply = (struct reply){ .count = 0 };
}

/* ---- Prose ------------------------------------------------------------------------------- */

int reply_prose(const char *answer, size_t length, enum provider_finish finish, size_t length_max,
                struct text *into, struct text *why)
{
        static const char cut[] = "\n(cut)";
        const size_t kept_max = length_max > sizeof(cut) ? length_max - (sizeof(cut) - 1) : 0;
        BASE_SCOPE(text_fini) struct text prose = TEXT_INIT(kept_max);
        struct span rest = without_thought((struct span){ answer, answer + length });
        struct span line;
        int outcome;

        /* Half a diagnosis is one too. */
        if (finish == PROVIDER_FINISH_LENGTH || finish == PROVIDER_FINISH_TOO_LONG)
                finish = PROVIDER_FINISH_STOP;
        outcome = judge_answer(rest, finish, why);
        if (outcome)
                return outcome;
        while (!prose.error && span_next_line(&rest, &line)) {
                if (prose.length)
                        text_append(&prose, "\n");
                text_append_escaped(&prose, line.at, span_length(line));
        }
        if (prose.error && prose.error != -EOVERFLOW)
                return prose.error;
        text_append_bytes(into, text_view(&prose), prose.length);
        if (prose.error)
                text_append(into, kept_max ? cut : "");
        return into->error;
}
