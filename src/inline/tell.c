/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because standard error belongs to the program: a line is written at once and whole, in the
 * form that `tocsin run` gives it, and a reader who has stopped to read must not stop us. */
#include "inline/tell.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

void tell_fini(struct tell *tell)
{
        free(tell->rang_ns);
        *tell = (struct tell){ .rang_ns = NULL };
}

/* ---- Lines ----------------------------------------------------------------------------*/

/* Who did not read the last line is not waited for again: many rules may ring at once. */
static bool can_write(const struct tell *tell)
{
        struct pollfd errors = { .fd = STDERR_FILENO, .events = POLLOUT };

        return poll(&errors, 1, tell->withheld ? 0 : tell_wait_ms) == 1 &&
               (errors.revents & POLLOUT);
}

/* Whole, or not at all: a pipe that is ready has room for more than this. */
static void put_line(struct tell *tell, const char *line, size_t bytes)
{
        char more[64];

        if (tell->options.is_silent)
                return;
        if (!can_write(tell)) {
                tell->withheld++;
                return;
        }
        if (tell->withheld) {
                int length = snprintf(more, sizeof(more), "tocsin: %" PRIu64 " more lines\n",
                                      tell->withheld);

                (void)!write(STDERR_FILENO, more, (size_t)length); /* who cannot be told ... */
                tell->withheld = 0;
        }
        (void)!write(STDERR_FILENO, line, bytes); /* ... cannot be told that either */
}

void tell_say(struct tell *tell, const char *format, ...)
{
        char line[tell_line_max] = "tocsin: ";
        size_t length = sizeof("tocsin: ") - 1;
        va_list arguments;
        int written;

        va_start(arguments, format);
        written = vsnprintf(line + length, sizeof(line) - length - 1, format, arguments);
        va_end(arguments);
        if (written < 0)
                return;
        length += (size_t)written;
        if (length > sizeof(line) - 2)
                length = sizeof(line) - 2; /* what a line has at most, and it was cut there */
        /* Texts of records have been checked; the program's name was chosen by anybody. */
        for (size_t i = 0; i < length; i++)
                if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
                        line[i] = '?';
        line[length++] = '\n';
        put_line(tell, line, length);
}

/* ", who" of a line: "kvd[7] store.requests{failed}". */
struct who {
        char text[256];
};

static const char *who_of(struct who *who, const struct toc_record *record)
{
        const char *label = rule_label(record);

        (void)snprintf(who->text, sizeof(who->text), "%.63s[%d] %s.%s%s%s%s",
                       program_invocation_short_name, (int)getpid(), record->module, record->name,
                       label[0] ? "{" : "", label, label[0] ? "}" : ""); /* cut if too long */
        return who->text;
}

/* As `tocsin run` says it, but for values and stacks, which only a watcher has. */
static void say_firing(struct tell *tell, const struct rule_set *rules,
                       const struct rule_view *rule)
{
        static const char *const words[] = { "note", "note", "WARN", "PAGE" };
        const struct toc_record *record = rule->record;
        const char *runbook = rule_runbook(rules, record);
        bool is_expectation = record->kind == toc_kind_expectation;
        char place[64] = "", value[192] = "", where[96] = ""; /* all that is written there fits */
        const char *reason;
        struct who who;

        if (record->file[0])
                (void)snprintf(place, sizeof(place), "; %s:%" PRIu32, record->file, record->line);
        if (is_expectation && record->help[0])
                (void)snprintf(value, sizeof(value), "; expected %s", record->help);
        else if (rule->has_value && !is_expectation)
                (void)snprintf(value, sizeof(value), "; %s %" PRId64 " %s %" PRId64,
                               rule_signal_name(rule->rule->signal), rule->value,
                               rule_op_name(rule->rule->op), rule->rule->limit);
        if (runbook[0])
                (void)snprintf(where, sizeof(where), "; see %s", runbook);
        reason = place[0] ? place : value[0] ? value : where;
        tell_say(tell, "%s %s: %s%s%s%s%s%s", words[rule->rule->severity], who_of(&who, record),
                 rule->rule->meaning, reason[0] ? " (" : "", reason[0] ? reason + 2 : "",
                 place[0] ? value : "", place[0] || value[0] ? where : "", reason[0] ? ")" : "");
}

static void say_resolved(struct tell *tell, const struct rule_view *rule, uint64_t lasted_ns)
{
        const char *meaning = rule->rule->meaning;
        uint64_t s = lasted_ns / SECOND_NS;
        struct who who;

        (void)who_of(&who, rule->record);
        if (!lasted_ns)
                tell_say(tell, "ok   %s: resolved (%s)", who.text, meaning);
        else if (s < 1)
                tell_say(tell, "ok   %s: resolved after %" PRIu64 " ms (%s)", who.text,
                         lasted_ns / 1000000, meaning);
        else if (s < 120)
                tell_say(tell, "ok   %s: resolved after %" PRIu64 " s (%s)", who.text, s, meaning);
        else if (s < 7200)
                tell_say(tell, "ok   %s: resolved after %" PRIu64 " min (%s)", who.text, s / 60,
                         meaning);
        else
                tell_say(tell, "ok   %s: resolved after %" PRIu64 " h (%s)", who.text, s / 3600,
                         meaning);
}

/* ---- The callback ---------------------------------------------------------------------*/

static void call(const struct tell *tell, enum tocsin_inline_state state,
                 const struct rule_set *rules, const struct rule_view *rule)
{
        const struct toc_record *record = rule->record;
        const struct tocsin_inline_alert alert = {
                .state = state,
                .severity = rule->rule->severity,
                .module = record->module,
                .probe = record->name,
                .label = rule_label(record),
                .kind = rule_kind_name(record->kind),
                .signal = rule_signal_name(rule->rule->signal),
                .op = rule_op_name(rule->rule->op),
                .limit = rule->rule->limit,
                .value = rule->value,
                .has_value = rule->has_value,
                .meaning = rule->rule->meaning,
                .runbook = rule_runbook(rules, record),
                .file = record->file,
                .line = record->line,
        };

        if (tell->options.on_alert)
                tell->options.on_alert(&alert, tell->options.context);
}

/* ---- Changes --------------------------------------------------------------------------*/

/* Since when a rule rings; NULL without memory. */
static uint64_t *rang_at(struct tell *tell, const struct rule_view *rule)
{
        size_t at = 2 * (size_t)rule->row + rule->slot;
        uint64_t *more;

        if (at < tell->rang_count)
                return &tell->rang_ns[at];
        more = reallocarray(tell->rang_ns, at + 64, sizeof(*more));
        if (!more)
                return NULL;
        for (size_t i = tell->rang_count; i < at + 64; i++)
                more[i] = 0;
        tell->rang_ns = more;
        tell->rang_count = at + 64;
        return &more[at];
}

static void tell_one(struct tell *tell, const struct rule_set *rules, uint64_t now_ns,
                     const struct rule_change *change)
{
        bool rings = change->now.state == RULE_FIRING;
        uint64_t *rang_ns;

        if (rings == (change->from == RULE_FIRING))
                return;
        rang_ns = rang_at(tell, &change->now);
        if (rings)
                say_firing(tell, rules, &change->now);
        else
                say_resolved(tell, &change->now, rang_ns && *rang_ns ? now_ns - *rang_ns : 0);
        if (rang_ns && rings)
                *rang_ns = now_ns;
        call(tell, rings ? TOCSIN_INLINE_FIRING : TOCSIN_INLINE_RESOLVED, rules, &change->now);
}

void tell_changes(struct tell *tell, const struct rule_set *rules, uint64_t now_ns,
                  const struct rule_change *changes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                tell_one(tell, rules, now_ns, &changes[i]);
}

void tell_ended(struct tell *tell, const struct rule_set *rules)
{
        struct rule_view rule;

        for (size_t i = 0; rules && !rule_set_view(rules, i, &rule); i++)
                if (rule.state == RULE_FIRING)
                        call(tell, TOCSIN_INLINE_ENDED, rules, &rule);
}
