/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because records come out of files that anybody may have written. What passes here can be
 * judged without another check: each function returns what is wrong, or NULL. */
#include "rule/flow.h"
#include "rule/rule.h"
#include "rule/signal.h"
#include "rule/trend.h"

#include <errno.h>
#include <string.h>

enum { rule_window_min_s = 4, rule_label_max = 23 };

/* Bytes of the character at `text`; 0 if it is not valid UTF-8, or a control character. The text is
 * ended by a NUL, which is no continuation: nothing behind it is read. */
static size_t character(const unsigned char *text)
{
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t length = text[0] < 0x80                      ? 1
                        : text[0] >= 0xc0 && text[0] < 0xe0 ? 2
                        : text[0] >= 0xe0 && text[0] < 0xf0 ? 3
                        : text[0] >= 0xf0 && text[0] < 0xf8 ? 4
                                                            : 0;
        uint32_t code;

        if (!length)
                return 0;
        if (length == 1)
                return text[0] < 0x20 || text[0] == 0x7f ? 0 : 1;
        code = text[0] & (0x7fu >> length);
        for (size_t i = 1; i < length; i++) {
                if ((text[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (text[i] & 0x3fu);
        }
        if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
                return 0;
        return code < 0xa0 ? 0 : length; /* U+0080 to U+009F are control characters too */
}

/* Whether the field is ended by a NUL and printable up to there. */
static bool is_text(const char *field, size_t size, bool may_break_lines)
{
        const char *end = memchr(field, '\0', size);

        if (!end)
                return false;
        while (field < end) {
                size_t length = character((const unsigned char *)field);

                if (!length && may_break_lines && (*field == '\n' || *field == '\t'))
                        length = 1;
                if (!length)
                        return false;
                field += length;
        }
        return true;
}

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A name in C. The field is known to be ended. */
static bool is_identifier(const char *name)
{
        if (!is_letter(*name))
                return false;
        while (is_letter(*name) || (*name >= '0' && *name <= '9'))
                name++;
        return !*name;
}

static const char *check_texts(const struct toc_record *record)
{
        /* A site's help is its format, which people like to end with a line end. */
        bool is_format = record->kind == toc_kind_error || record->kind == toc_kind_warning;

        if (!is_text(record->module, sizeof(record->module), false))
                return "module is not a printable text that ends within its field";
        if (!is_text(record->name, sizeof(record->name), false))
                return "name is not a printable text that ends within its field";
        if (!is_text(record->help, sizeof(record->help), is_format))
                return "help is not a printable text that ends within its field";
        if (!is_text(record->file, sizeof(record->file), false))
                return "file is not a printable text that ends within its field";
        if (!is_text(record->labels, sizeof(record->labels), false))
                return "labels is not a printable text that ends within its field";
        if (!is_text(record->runbook, sizeof(record->runbook), false))
                return "runbook is not a printable text that ends within its field";
        if (!is_identifier(record->module))
                return "module is not a name in C";
        if (!is_identifier(record->name))
                return "name is not a name in C";
        return NULL;
}

static bool has_labels(unsigned kind)
{
        return kind >= toc_kind_counter && kind <= toc_kind_heartbeat;
}

static const char *check_labels(const struct toc_record *record)
{
        if (!*record->labels)
                return NULL;
        if (!has_labels(record->kind) && record->kind != toc_kind_must_hit)
                return "labels is not empty, and probes of this kind have none";
        if (!is_identifier(record->labels))
                return "labels is not a name in C";
        if (strlen(record->labels) > rule_label_max)
                return "labels is longer than 23 characters";
        return NULL;
}

static const char *check_kind(const struct toc_record *record)
{
        bool is_site = record->kind == toc_kind_error || record->kind == toc_kind_warning;

        if (strcmp(rule_kind_name(record->kind), "?") == 0)
                return "this kind of probe is not known";
        if (record->flags & ~(TOC_IS_USUAL_ | TOC_STOPS_ | TOC_MAY_STOP_))
                return "a flag is set that is not known";
        if ((record->flags & TOC_IS_USUAL_) && !is_site)
                return "TOC_USUAL stands at something that is neither an error nor a warning";
        if ((record->flags & (TOC_STOPS_ | TOC_MAY_STOP_)) && record->kind != toc_kind_expectation)
                return "a flag says that it stops the program, and it is no expectation";
        if (record->kind == toc_kind_logs && strcmp(record->name, "log_errors") != 0 &&
            strcmp(record->name, "log_warnings") != 0)
                return "logs are named neither log_errors nor log_warnings";
        return NULL;
}

/* Options that only some signals have. Rules without a severity, of labels that do not ring, keep
 * what stands in the source. */
static const char *check_options(const struct toc_rule *rule, const struct signal *signal)
{
        bool is_exhaustion = signal->how == SIGNAL_EXHAUSTS;
        bool is_burn = signal->how == SIGNAL_BURN;

        if (!is_exhaustion && rule->capacity)
                return "capacity is for exhausts_s";
        if (is_exhaustion && rule->capacity <= 0)
                return "exhausts_s needs a capacity, above 0";
        if (!is_burn && rule->objective_permille)
                return "objective_permille is for burn_fast and burn_slow";
        if (is_burn && (rule->objective_permille < 1 || rule->objective_permille > 999))
                return "burn_fast and burn_slow need an objective_permille from 1 to 999";
        if (!signal->volume && rule->volume_min)
                return "volume_min is for quantiles, permille, burn_fast and burn_slow";
        if (signal->how == SIGNAL_QUANTILE && rule->clear_at != TOC_NO_CLEAR_LEVEL_)
                return "a quantile has no clear level: only what is above the limit is counted";
        return NULL;
}

static const char *check_window(const struct toc_rule *rule, const struct signal *signal)
{
        if (rule->window_s &&
            (rule->window_s < rule_window_min_s || rule->window_s > RULE_WINDOW_MAX_S))
                return "the window is shorter than 4 s or longer than a day";
        if ((signal->how == SIGNAL_GROWTH || signal->how == SIGNAL_EXHAUSTS) &&
            rule->window_s > TREND_WINDOW_MAX_S)
                return "the window of growth or exhausts_s is longer than 600 s";
        if (signal->how == SIGNAL_LOST && rule->window_s > FLOW_WINDOW_MAX_S)
                return "the window of lost is longer than 600 s";
        return NULL;
}

static const char *check_levels(const struct toc_record *record, const struct toc_rule *rule)
{
        bool is_signed = record->kind == toc_kind_gauge || record->kind == toc_kind_level ||
                         record->kind == toc_kind_flow;
        unsigned side = rule->op & (TOC_ABOVE_ | TOC_BELOW_);
        struct reading clear = reading_of(rule->clear_at);

        if (!is_signed && rule->limit < 0)
                return "the limit is negative, which the signal never is";
        if (rule->clear_at == TOC_NO_CLEAR_LEVEL_)
                return NULL;
        if (!is_signed && rule->clear_at < 0)
                return "the clear level is negative, which the signal never is";
        if (side != TOC_ABOVE_ && side != TOC_BELOW_)
                return NULL; /* == and != do not look at it */
        if (reading_holds(&clear, rule->op, rule->limit))
                return "the clear level is on the side that rings";
        return NULL;
}

static const char *check_rule(const struct toc_record *record, const struct toc_rule *rule)
{
        const struct signal *signal;
        const char *why;

        if (rule->reserved[0] || rule->reserved[1] || rule->reserved[2])
                return "a reserved byte of a rule is not 0";
        if (!is_text(rule->meaning, sizeof(rule->meaning), false))
                return "meaning is not a printable text that ends within its field";
        if (!rule->severity)
                return rule->signal || rule->op ? "a rule has no severity" : NULL;
        if (rule->severity > TOC_PAGE)
                return "the severity is not known";
        if (strcmp(rule_signal_name(rule->signal), "?") == 0)
                return "the signal is not known";
        signal = signal_find(record->kind, rule->signal);
        if (!signal)
                return "probes of this kind have no such signal";
        if (strcmp(rule_op_name(rule->op), "?") == 0)
                return "the comparison is none of > >= < <= == !=";
        if (signal->side && (rule->op & ~(unsigned)TOC_EQUAL_) != signal->side)
                return signal->side == TOC_ABOVE_ ? "the signal is compared with > or >= only"
                                                  : "the signal is compared with < or <= only";
        if (rule->hold_s > RULE_DELAY_MAX_S)
                return "hold_s is more than 30 days";
        if (rule->keep_s > RULE_DELAY_MAX_S)
                return "keep_s is more than 30 days";
        why = check_window(rule, signal);
        if (!why)
                why = check_options(rule, signal);
        return why ? why : check_levels(record, rule);
}

int rule_check(const struct toc_record *record, const char **ret_why)
{
        const char *why = NULL;

        if (record->version != 1)
                why = "the record is not of version 1";
        if (!why)
                why = check_texts(record);
        if (!why)
                why = check_kind(record);
        if (!why)
                why = check_labels(record);
        for (size_t i = 0; i < 2 && !why; i++)
                why = check_rule(record, &record->rule[i]);
        if (why)
                *ret_why = why;
        return why ? -EINVAL : 0;
}
