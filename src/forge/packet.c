/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a report is written for people with a browser: who is to mend the candidate reads
 * six kilobytes, and must find in them what failed, where, and how it was asked.
 *
 * The report is ours, but what stands in it is the candidate's, so each word is checked for its
 * type, and no path in it is followed out of the folder.
 */
#include "forge/packet.h"
#include "base/error.h"
#include "base/file.h"
#include "forge/evidence.h"
#include "gate/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        mark_digits = 16,
        message_bytes_max = 700, /* of the finding in full */
        line_bytes_max = 240,    /* of the others */
        word_bytes_max = 100,    /* of a rule, a case, a build */
        key_words_max = 1024,    /* looked at before packet_keys_max are kept */
        evidence_read_max = 1 << 20,
        body_bytes_max = 64 << 10, /* before it is cut */
        why_bytes_max = 1000,
};

static const char cut[] = "(cut)\n";

/* ---- Files ------------------------------------------------------------------------------- */

static void close_fd(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* only read from */
}

static int read_beneath(int dir_fd, const char *name, struct text *into)
{
        BASE_SCOPE(close_fd) int fd = -1;
        int failed = file_open_beneath(dir_fd, name, &fd);

        return failed ? failed : file_read_open(fd, into);
}

/* ---- The verdict ------------------------------------------------------------------------- */

struct report {
        int dir_fd;
        json_t *root;
        json_t *stage; /* the first that did not pass; NULL */
        json_t *findings;
        struct excerpt excerpt;
        struct evidence_filter *filter;
};

static void report_fini(struct report *report)
{
        json_decref(report->root);
        evidence_filter_free(&report->filter);
        close_fd(&report->dir_fd);
}

static const char *word_of(const json_t *object, const char *key)
{
        return json_string_value(json_object_get(object, key));
}

static int wrong(struct text *why, const char *sentence)
{
        text_printf(why, "the report's verdict.json %s", sentence);
        return PACKET_WRONG;
}

static int load(struct report *report, const char *folder, struct text *why)
{
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(packet_verdict_bytes_max);
        json_error_t error;
        int failed;

        report->dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (report->dir_fd < 0) {
                text_printf(why, "the report cannot be opened: %s", error_text(error_last()));
                return PACKET_WRONG;
        }
        failed = read_beneath(report->dir_fd, "verdict.json", &bytes);
        if (failed == -ENOMEM)
                return failed;
        if (failed) {
                text_printf(why, "the report's verdict.json cannot be read: %s",
                            error_text(failed));
                return PACKET_WRONG;
        }
        report->root = json_loadb(text_view(&bytes), bytes.length, JSON_REJECT_DUPLICATES, &error);
        return json_is_object(report->root) ? 0 : wrong(why, "is no JSON object");
}

static int read_word(const struct report *report, struct packet *packet, struct text *why)
{
        static const char *const words[] = { [PACKET_ACCEPTED] = "accepted",
                                             [PACKET_REJECTED] = "rejected",
                                             [PACKET_UNKNOWN] = "unknown" };
        const char *word = word_of(report->root, "verdict");
        const json_t *score = json_object_get(report->root, "score");
        const double share = json_number_value(score);

        if (!json_is_number(score) || !(share >= 0 && share <= 1))
                return wrong(why, "has no score between 0 and 1");
        packet->score_permille = (unsigned)(share * 1000 + 0.5);
        for (size_t i = 0; word && i < BASE_COUNT(words); i++) {
                if (strcmp(word, words[i]) != 0)
                        continue;
                packet->verdict = (enum packet_verdict)i;
                return 0;
        }
        return wrong(why, "has no verdict");
}

/* Finds the stage that ended it, and checks what is read of each finding. */
static int read_stages(struct report *report, struct packet *packet, struct text *why)
{
        json_t *stages = json_object_get(report->root, "stages");
        json_t *stage, *finding;
        size_t i;

        if (!json_is_array(stages))
                return wrong(why, "has no stages");
        json_array_foreach(stages, i, stage)
        {
                const char *name = word_of(stage, "name");
                const char *result = word_of(stage, "result");

                if (!name || !result || !*name || strlen(name) >= sizeof(packet->stage) ||
                    name[strspn(name, "abcdefghijklmnopqrstuvwxyz-")])
                        return wrong(why, "has a stage without name or result");
                if (strcmp(result, "fail") != 0 && strcmp(result, "unknown") != 0)
                        continue;
                memcpy(packet->stage, name, strlen(name) + 1);
                report->stage = stage;
                report->findings = json_object_get(stage, "findings");
                break;
        }
        if (report->findings && !json_is_array(report->findings))
                return wrong(why, "has findings that are no list");
        json_array_foreach(report->findings, i, finding) if (
                !word_of(finding, "rule") ||
                !word_of(finding, "message")) return wrong(why,
                                                           "has a finding without rule or message");
        if (packet->verdict == PACKET_ACCEPTED && report->stage)
                return wrong(why, "accepts what a stage did not pass");
        if (packet->verdict == PACKET_REJECTED && !json_array_size(report->findings))
                return wrong(why, "rejects without a finding");
        return 0;
}

/* ---- Keys -------------------------------------------------------------------------------- */

static int compare_words(const void *left, const void *right)
{
        return strcmp(*(char *const *)left, *(char *const *)right);
}

static void append_key(const char *rule, const char *test_case, struct text *into)
{
        excerpt_append_plain(rule, strlen(rule), word_bytes_max, into);
        if (!test_case)
                return;
        text_append(into, " ");
        excerpt_append_plain(test_case, strlen(test_case), word_bytes_max, into);
}

static int collect_keys(struct packet *packet, char **words, size_t count)
{
        struct digest digest;

        qsort(words, count, sizeof(*words), compare_words);
        for (size_t i = 0; i < count && json_array_size(packet->keys) < packet_keys_max; i++)
                if (i == 0 || strcmp(words[i], words[i - 1]) != 0)
                        if (json_array_append_new(packet->keys, json_string(words[i])))
                                return -ENOMEM;
        digest_begin(&digest);
        digest_text(&digest, packet->stage);
        for (size_t i = 0; i < json_array_size(packet->keys); i++)
                digest_text(&digest, json_string_value(json_array_get(packet->keys, i)));
        return digest_end(&digest, packet->signature);
}

struct keys {
        char *words[key_words_max];
        size_t count;
        int error;
};

static void keys_free(struct keys **keys)
{
        for (size_t i = 0; *keys && i < (*keys)->count; i++)
                free((*keys)->words[i]);
        free(*keys);
}

static void add_key(struct keys *keys, const char *rule, const char *test_case)
{
        BASE_SCOPE(text_fini) struct text key = TEXT_INIT(16 * word_bytes_max);

        if (keys->error || keys->count == key_words_max)
                return;
        append_key(rule, test_case, &key);
        keys->words[keys->count] = strdup(text_view(&key));
        keys->error = keys->words[keys->count] ? key.error : -ENOMEM;
        keys->count += keys->words[keys->count] != NULL;
}

/* A finding that several cases share stands for each of them: which one the gate names first
 * depends on the candidate's seed. */
static int add_keys(const struct report *report, struct packet *packet)
{
        struct keys *keys BASE_SCOPE(keys_free) = calloc(1, sizeof(*keys));
        const json_t *finding, *other;
        size_t i, k;

        if (!keys || !packet->keys)
                return -ENOMEM;
        json_array_foreach(report->findings, i, finding)
        {
                const char *rule = word_of(finding, "rule");

                add_key(keys, rule, word_of(finding, "case"));
                json_array_foreach(json_object_get(finding, "other_cases"), k,
                                   other) if (json_is_string(other))
                        add_key(keys, rule, json_string_value(other));
        }
        return keys->error ? keys->error : collect_keys(packet, keys->words, keys->count);
}

/* ---- Findings ---------------------------------------------------------------------------- */

static void append_steady(const struct report *report, const char *words, size_t length_max,
                          struct text *into)
{
        evidence_append_steady(report->filter, words, strlen(words), length_max, into);
}

static unsigned line_of(const json_t *finding)
{
        const json_int_t line = json_integer_value(json_object_get(finding, "line"));

        return line > 0 && line < 10000000 ? (unsigned)line : 0;
}

/* "lru.c:12", if that is a file that anybody knows. */
static bool append_place(const struct report *report, const json_t *finding, bool has_text,
                         struct text *into)
{
        BASE_SCOPE(text_fini) struct text file = TEXT_INIT(8 * word_bytes_max);
        const char *named = word_of(finding, "file");
        const unsigned line = line_of(finding);

        if (!named || !excerpt_find(&report->excerpt, named, &file))
                return false;
        if (has_text)
                excerpt_append_line(&report->excerpt, text_view(&file), line, into);
        else if (line)
                text_printf(into, "%s:%u", text_view(&file), line);
        else
                text_append(into, text_view(&file));
        return true;
}

/* Rule, place and message in one line. */
static void append_line(const struct report *report, const json_t *finding, struct text *into)
{
        append_steady(report, word_of(finding, "rule"), word_bytes_max, into);
        text_append(into, " ");
        if (append_place(report, finding, false, into))
                text_append(into, ": ");
        append_steady(report, word_of(finding, "message"), line_bytes_max, into);
}

/* Of evidence/SHA256.txt below the report and of nothing else. */
static void read_evidence(const struct report *report, const json_t *finding, struct text *into)
{
        static const char evidence[] = "evidence/";
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(evidence_read_max);
        const char *path = word_of(json_object_get(finding, "evidence"), "path");

        if (!path || strncmp(path, evidence, strlen(evidence)) != 0 ||
            strchr(path + strlen(evidence), '/') || read_beneath(report->dir_fd, path, &bytes))
                return;
        evidence_append(report->filter, &report->excerpt, text_view(&bytes), bytes.length,
                        packet_evidence_max, into);
}

/* The first that has evidence, else the first. Few are looked at: to read all would take as long as
 * whoever made the report likes. */
static size_t most_telling(const struct report *report, struct text *evidence)
{
        for (size_t i = 0; i < json_array_size(report->findings) && i < packet_lines_max; i++) {
                read_evidence(report, json_array_get(report->findings, i), evidence);
                if (evidence->length)
                        return i;
        }
        return 0;
}

static void append_field(const struct report *report, const char *before, const char *word,
                         struct text *into)
{
        if (!word)
                return;
        text_append(into, before);
        append_steady(report, word, word_bytes_max, into);
}

static void append_how(const struct report *report, const json_t *finding, struct text *into)
{
        const json_int_t fail_at = json_integer_value(json_object_get(finding, "fault"));
        const size_t before = into->length;

        append_field(report, "case ", word_of(finding, "case"), into);
        append_field(report, into->length > before ? ", build " : "build ",
                     word_of(finding, "build"), into);
        if (fail_at > 0)
                text_printf(into, ", with allocation %" JSON_INTEGER_FORMAT " failing%s", fail_at,
                            json_is_true(json_object_get(finding, "sticky")) ? " and all after it"
                                                                             : "");
        if (into->length > before)
                text_append(into, "\n");
}

/* Many a CHECK stands in a function that several cases share. */
static void append_helper(const struct report *report, const json_t *finding, struct text *into)
{
        BASE_SCOPE(text_fini) struct text file = TEXT_INIT(8 * word_bytes_max);
        BASE_SCOPE(text_fini) struct text source = TEXT_INIT(2 * excerpt_case_max);
        const char *named = word_of(finding, "file");

        if (named && excerpt_find(&report->excerpt, named, &file))
                excerpt_append_helper(&report->excerpt, text_view(&file), line_of(finding),
                                      &source);
        if (source.length)
                text_printf(into, "\nWhere it was checked, %s", text_view(&source));
}

static void append_whole(const struct report *report, const json_t *finding,
                         const struct text *evidence, struct text *into)
{
        const char *test_case = word_of(finding, "case");
        BASE_SCOPE(text_fini) struct text place = TEXT_INIT(8 * line_bytes_max);
        BASE_SCOPE(text_fini) struct text source = TEXT_INIT(2 * excerpt_case_max);

        append_steady(report, word_of(finding, "rule"), word_bytes_max, into);
        text_append(into, "\n");
        append_steady(report, word_of(finding, "message"), message_bytes_max, into);
        text_append(into, "\n");
        append_how(report, finding, into);
        if (append_place(report, finding, true, &place))
                text_printf(into, "at %s\n", text_view(&place));
        if (evidence->length)
                text_printf(into, "\nEvidence:\n%s", text_view(evidence));
        if (test_case)
                excerpt_append_case(&report->excerpt, test_case, &source);
        if (source.length)
                text_printf(into, "\nThe case, %s", text_view(&source));
        append_helper(report, finding, into);
}

static void append_others(const struct report *report, size_t told, struct text *into)
{
        const size_t count = json_array_size(report->findings);
        size_t lines = 0;

        if (count > 1)
                text_append(into, "\nFound as well:\n");
        for (size_t i = 0; i < count && lines < packet_lines_max; i++) {
                if (i == told)
                        continue;
                text_append(into, "- ");
                append_line(report, json_array_get(report->findings, i), into);
                text_append(into, "\n");
                lines++;
        }
        if (count > 1 + lines)
                text_printf(into, "and %zu more\n", count - 1 - lines);
}

/* ---- The text ---------------------------------------------------------------------------- */

/* Which stages passed says what need not be looked for. */
static void append_head(const struct report *report, const struct packet *packet, struct text *into)
{
        const size_t count = json_array_size(report->findings);
        const char *before = "; passed before it: ";
        const json_t *stage;
        size_t i;

        text_printf(into, "Stage %s failed with %zu finding%s", packet->stage, count,
                    count == 1 ? "" : "s");
        json_array_foreach(json_object_get(report->root, "stages"), i, stage)
        {
                if (stage == report->stage)
                        break;
                if (strcmp(word_of(stage, "result"), "pass") != 0)
                        continue;
                text_printf(into, "%s%s", before, word_of(stage, "name"));
                before = ", ";
        }
        text_append(into, ".\n\n");
}

/* Nothing in it may look like its own end. */
static void append_unmarked(const char *body, const char *mark, struct text *into)
{
        const char *at;

        while ((at = strstr(body, mark))) {
                text_append_bytes(into, body, (size_t)(at - body));
                text_append(into, "(mark)");
                body = at + mark_digits;
        }
        text_append(into, body);
}

static int write_text(const struct report *report, const char *mark, struct packet *packet)
{
        BASE_SCOPE(text_fini) struct text evidence = TEXT_INIT(2 * packet_evidence_max);
        BASE_SCOPE(text_fini) struct text body = TEXT_INIT(body_bytes_max);
        BASE_SCOPE(text_fini) struct text safe = TEXT_INIT(body_bytes_max);
        const size_t frame = sizeof("=== data  ===\n=== end  ===\n") - 1 + 2 * mark_digits;
        const size_t room = packet_bytes_max - frame;
        const size_t told = most_telling(report, &evidence);
        size_t fits;

        append_head(report, packet, &body);
        append_whole(report, json_array_get(report->findings, told), &evidence, &body);
        append_others(report, told, &body);
        append_unmarked(text_view(&body), mark, &safe);
        fits = safe.length;
        if (fits > room) {
                fits = room - (sizeof(cut) - 1);
                while (fits && text_view(&safe)[fits - 1] != '\n')
                        fits--;
        }
        text_printf(&packet->text, "=== data %s ===\n", mark);
        text_append_bytes(&packet->text, text_view(&safe), fits);
        text_append(&packet->text, fits < safe.length ? cut : "");
        text_printf(&packet->text, "=== end %s ===\n", mark);
        append_line(report, json_array_get(report->findings, 0), &packet->headline);
        if (evidence.error || body.error == -ENOMEM || safe.error == -ENOMEM)
                return -ENOMEM;
        return packet->text.error ? packet->text.error : packet->headline.error;
}

/* A sentence of the stage that could not find out, or what is wrong with the contract. */
static int say_why(const struct report *report, struct packet *packet)
{
        const char *said = word_of(report->stage, "why");
        const json_t *finding = json_array_get(report->findings, 0);

        if (*packet->stage)
                text_printf(&packet->why, "stage %s: ", packet->stage);
        if (said)
                append_steady(report, said, message_bytes_max, &packet->why);
        else if (finding)
                append_line(report, finding, &packet->why);
        else
                text_append(&packet->why, "the gate could not find out");
        text_append(&packet->headline, text_view(&packet->why));
        return packet->why.error ? packet->why.error : packet->headline.error;
}

static int make(struct report *report, const char *mark, struct packet *packet, struct text *why)
{
        int outcome = read_word(report, packet, why);

        if (!outcome)
                outcome = read_stages(report, packet, why);
        if (!outcome)
                outcome = evidence_filter_new(&report->filter);
        if (!outcome)
                outcome = add_keys(report, packet);
        if (outcome)
                return outcome;
        switch (packet->verdict) {
        case PACKET_REJECTED:
                return write_text(report, mark, packet);
        case PACKET_UNKNOWN:
                return say_why(report, packet);
        default:
                text_append(&packet->headline, "every stage passed");
                return packet->headline.error;
        }
}

static void take_digest(const json_t *root, const char *key, char into[65])
{
        const char *hex = word_of(json_object_get(root, key), "sha256");

        if (hex && strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64)
                memcpy(into, hex, 65);
}

int packet_read(const char *folder, const struct contract *contract,
                const struct candidate *candidate, const char *mark, struct packet *ret_packet,
                struct text *why)
{
        BASE_SCOPE(report_fini)
        struct report report = { .dir_fd = -1, .excerpt = { contract, candidate } };
        BASE_SCOPE(packet_fini)
        struct packet packet = { .keys = json_array(),
                                 .headline = TEXT_INIT(8 * why_bytes_max),
                                 .text = TEXT_INIT(packet_bytes_max),
                                 .why = TEXT_INIT(8 * why_bytes_max) };
        int outcome;

        if (strlen(mark) != mark_digits || mark[strspn(mark, "0123456789abcdef")])
                return -EINVAL;
        outcome = load(&report, folder, why);
        if (!outcome)
                outcome = make(&report, mark, &packet, why);
        if (outcome)
                return outcome;
        take_digest(report.root, "contract", packet.contract);
        take_digest(report.root, "candidate", packet.candidate);
        *ret_packet = packet;
        packet = (struct packet){ .keys = NULL };
        return 0;
}

void packet_fini(struct packet *packet)
{
        json_decref(packet->keys);
        packet->keys = NULL;
        text_fini(&packet->headline);
        text_fini(&packet->text);
        text_fini(&packet->why);
}
