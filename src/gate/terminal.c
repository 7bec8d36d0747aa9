/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever comes from a candidate has been escaped when it was found, and is so again here: nothing
 * that it says may move the cursor.
 */
#include "gate/terminal.h"
#include "base/error.h"
#include "base/say.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { line_bytes_max = 32 << 10, redraw_ms = 200, columns_usual = 80 };

static const char plain[] = "\033[0m";
static const char dim[] = "\033[2m";
static const char bold[] = "\033[1m";
static const char green[] = "\033[32m";
static const char red[] = "\033[31m";
static const char yellow[] = "\033[33m";

struct terminal {
        FILE *out;
        bool has_colour;
        bool has_progress;
        int error; /* of writing, the first */
        bool is_brief;
        struct text title; /* not shown yet */
        /* The line that is replaced, with its own thread to count the seconds. */
        pthread_t drawer;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool is_over;
        char stage[48];
        char text[400];
        uint64_t since_ns; /* 0: none runs */
        bool is_drawn;
};

/* ---- The line that is replaced ----------------------------------------------------------- */

static size_t columns(void)
{
        struct winsize size;

        if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 20)
                return size.ws_col;
        return columns_usual;
}

/* With the lock held. */
static void erase(struct terminal *terminal)
{
        if (terminal->is_drawn)
                (void)fputs("\r\033[K", stderr); /* an ornament */
        (void)fflush(stderr);
        terminal->is_drawn = false;
}

static void draw(struct terminal *terminal)
{
        uint64_t ns = clock_monotonic_ns() - terminal->since_ns;
        char line[600];
        size_t length;
        size_t width = columns() - 1;

        (void)snprintf(line, sizeof(line), "  %-10s  %5.1f s  %s", terminal->stage,
                       (double)ns / (double)CLOCK_S_NS, terminal->text);
        length = strlen(line);
        if (length > width) {
                length = width;
                while (length && ((unsigned char)line[length] & 0xC0U) == 0x80)
                        length--; /* not within a character */
        }
        (void)fprintf(stderr, "\r\033[K%.*s", (int)length, line);
        (void)fflush(stderr);
        terminal->is_drawn = true;
}

static void *keep_drawing(void *argument)
{
        struct terminal *terminal = argument;

        (void)pthread_mutex_lock(&terminal->lock);
        while (!terminal->is_over) {
                struct timespec until;

                if (terminal->since_ns)
                        draw(terminal);
                (void)clock_gettime(CLOCK_REALTIME, &until); /* the clock exists */
                until.tv_nsec += redraw_ms * (long)CLOCK_MS_NS;
                if (until.tv_nsec >= (long)CLOCK_S_NS) {
                        until.tv_nsec -= (long)CLOCK_S_NS;
                        until.tv_sec++;
                }
                (void)pthread_cond_timedwait(&terminal->changed, &terminal->lock, &until);
        }
        (void)pthread_mutex_unlock(&terminal->lock);
        return NULL;
}

void terminal_begin(struct terminal *terminal, const char *stage)
{
        (void)pthread_mutex_lock(&terminal->lock);
        (void)snprintf(terminal->stage, sizeof(terminal->stage), "%s", stage);
        terminal->text[0] = '\0';
        terminal->since_ns = clock_monotonic_ns();
        (void)pthread_mutex_unlock(&terminal->lock);
}

void terminal_progress(void *context, const char *text)
{
        struct terminal *terminal = context;

        (void)pthread_mutex_lock(&terminal->lock);
        (void)snprintf(terminal->text, sizeof(terminal->text), "%s", text);
        (void)pthread_mutex_unlock(&terminal->lock);
}

static void rest(struct terminal *terminal)
{
        (void)pthread_mutex_lock(&terminal->lock);
        terminal->since_ns = 0;
        erase(terminal);
        (void)pthread_mutex_unlock(&terminal->lock);
}

/* ---- Life -------------------------------------------------------------------------------- */

int terminal_open(bool is_json, struct terminal **ret_terminal)
{
        struct terminal *terminal = calloc(1, sizeof(*terminal));

        if (!terminal)
                return -ENOMEM;
        terminal->out = is_json ? stderr : stdout;
        text_init(&terminal->title, line_bytes_max);
        terminal->has_colour = say_wants_colour(is_json ? STDERR_FILENO : STDOUT_FILENO);
        (void)pthread_mutex_init(&terminal->lock, NULL);
        (void)pthread_cond_init(&terminal->changed, NULL);
        if (isatty(STDERR_FILENO))
                terminal->has_progress =
                        !pthread_create(&terminal->drawer, NULL, keep_drawing, terminal);
        *ret_terminal = terminal;
        return 0;
}

int terminal_close(struct terminal **address)
{
        struct terminal *terminal = *address;
        int error;

        if (!terminal)
                return 0;
        rest(terminal);
        (void)pthread_mutex_lock(&terminal->lock);
        terminal->is_over = true;
        (void)pthread_cond_signal(&terminal->changed);
        (void)pthread_mutex_unlock(&terminal->lock);
        if (terminal->has_progress)
                (void)pthread_join(terminal->drawer, NULL);
        (void)pthread_mutex_destroy(&terminal->lock);
        (void)pthread_cond_destroy(&terminal->changed);
        error = terminal->error;
        text_fini(&terminal->title);
        free(terminal);
        *address = NULL;
        return error;
}

/* ---- Lines ------------------------------------------------------------------------------- */

static const char *colour(const struct terminal *terminal, const char *code)
{
        return terminal->has_colour ? code : "";
}

static void put(struct terminal *terminal, FILE *to, const struct text *lines)
{
        if (fwrite(text_view(lines), 1, lines->length, to) != lines->length || fflush(to)) {
                if (!terminal->error)
                        terminal->error = error_last();
        }
}

static void append_foreign(struct text *into, const char *foreign)
{
        text_append_escaped(into, foreign, strlen(foreign));
}

void terminal_brief(struct terminal *terminal, bool is_brief)
{
        terminal->is_brief = is_brief;
        text_clear(&terminal->title);
}

void terminal_title(struct terminal *terminal, const char *module, const char *what)
{
        struct text *line = &terminal->title;

        text_clear(line);
        text_append(line, colour(terminal, bold));
        append_foreign(line, module);
        text_append(line, ": ");
        append_foreign(line, what);
        text_printf(line, "%s\n", colour(terminal, plain));
        if (terminal->is_brief)
                return;
        put(terminal, terminal->out, line);
        text_clear(line);
}

static const char *colour_of(enum stage_verdict verdict)
{
        static const char *const colours[] = {
                [STAGE_PASS] = green,
                [STAGE_FAIL] = red,
                [STAGE_SKIP] = dim,
                [STAGE_UNKNOWN] = yellow,
        };

        return colours[verdict];
}

static void append_finding(const struct terminal *terminal, const struct verdict *verdict,
                           size_t stage, const struct finding *finding, struct text *into)
{
        BASE_SCOPE(text_fini) struct text repeat = TEXT_INIT(line_bytes_max);

        text_append(into, "    ");
        if (finding->file) {
                append_foreign(into, finding->file);
                if (finding->line)
                        text_printf(into, ":%u", finding->line);
                text_append(into, ": ");
        }
        append_foreign(into, finding->message ? finding->message : "?");
        text_printf(into, " %s[%s]", colour(terminal, dim), finding->rule);
        if (finding->test_case) {
                text_append(into, " case ");
                append_foreign(into, finding->test_case);
        }
        if (finding->build)
                text_printf(into, " build %s", finding->build);
        verdict_append_repeat(verdict, stage, finding, &repeat);
        text_printf(into, "\n      repeat: %s%s\n", text_view(&repeat), colour(terminal, plain));
}

static void append_findings(const struct terminal *terminal, const struct verdict *verdict,
                            size_t stage, struct text *into)
{
        const struct stage_result *result = verdict->results[stage];
        size_t count = result->finding_count;

        for (size_t i = 0; i < count && i < terminal_findings_max; i++)
                append_finding(terminal, verdict, stage, &result->findings[i], into);
        if (count > terminal_findings_max)
                text_printf(into, "    and %zu more, in the report\n",
                            count - terminal_findings_max);
}

void terminal_stage(struct terminal *terminal, const struct verdict *verdict, size_t stage)
{
        BASE_SCOPE(text_fini) struct text lines = TEXT_INIT(64 * line_bytes_max);
        const struct stage_result *result = verdict->results[stage];
        enum stage_verdict is = result ? result->verdict : STAGE_SKIP;

        rest(terminal);
        if (terminal->is_brief && is == STAGE_PASS && result->was_cached)
                return;
        text_append(&lines, text_view(&terminal->title));
        text_clear(&terminal->title);
        text_printf(&lines, "  %-10s  %s%-7s%s", stages[stage].name,
                    colour(terminal, colour_of(is)), stage_verdict_name(is),
                    colour(terminal, plain));
        if (result && is != STAGE_SKIP)
                text_printf(&lines, "  %6.1f s", result->seconds);
        if (result && result->finding_count)
                text_printf(&lines, "  %zu finding%s",
                            result->finding_count + result->findings_dropped,
                            result->finding_count == 1 ? "" : "s");
        if (result && result->was_cached)
                text_printf(&lines, "  %scached%s", colour(terminal, dim), colour(terminal, plain));
        text_append(&lines, "\n");
        if (result && result->why.length) {
                text_append(&lines, "    ");
                append_foreign(&lines, text_view(&result->why));
                text_append(&lines, "\n");
        }
        if (result)
                append_findings(terminal, verdict, stage, &lines);
        put(terminal, terminal->out, &lines);
}

static bool is_about_contract(const struct verdict *verdict)
{
        const char *stage = verdict->request->options.stage;

        return stage && strcmp(stage, stages[STAGE_ID_contract].name) == 0;
}

/* "unit found 2 things" */
static void append_reason(const struct verdict *verdict, struct text *into)
{
        size_t stopped = verdict_stopped_at(verdict);
        const struct stage_result *result;
        size_t count;

        if (stopped == STAGE_COUNT) {
                text_append(into, is_about_contract(verdict) ? "the contract is sound"
                                                             : "all that was asked passed");
                return;
        }
        result = verdict->results[stopped];
        count = result->finding_count + result->findings_dropped;
        if (result->verdict == STAGE_FAIL)
                text_printf(into, "%s found %zu thing%s", stages[stopped].name, count,
                            count == 1 ? "" : "s");
        else
                text_printf(into, "%s could not find out", stages[stopped].name);
}

void terminal_verdict(struct terminal *terminal, const struct verdict *verdict, const char *report)
{
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(line_bytes_max);
        enum verdict_word word = verdict_word(verdict);

        text_append(&line, colour(terminal, bold));
        if (word == VERDICT_UNSOUND) {
                text_append(&line, "the contract is unsound: ");
                append_reason(verdict, &line);
                text_append(&line, "; mend the contract, no candidate can be judged");
        } else if (verdict->is_partial) {
                text_append(&line, "not a verdict, only a part was run: ");
                append_reason(verdict, &line);
        } else if (word == VERDICT_ACCEPTED) {
                text_append(&line, "accepted: every stage passed");
        } else {
                text_printf(&line, "%s: ", verdict_word_name(word));
                append_reason(verdict, &line);
        }
        text_append(&line, colour(terminal, plain));
        if (report) {
                text_append(&line, "; report: ");
                append_foreign(&line, report);
        }
        text_append(&line, "\n");
        rest(terminal);
        put(terminal, terminal->out, &line);
}

void terminal_json(struct terminal *terminal, const struct verdict *verdict)
{
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(TEXT_LENGTH_LIMIT);
        json_t *json = verdict_json(verdict, false);
        char *dump = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

        if (dump) {
                text_append(&line, dump);
                text_append(&line, "\n");
                put(terminal, stdout, &line);
        } else if (!terminal->error) {
                terminal->error = -ENOMEM;
        }
        free(dump);
        json_decref(json);
}
