/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because every program writes its levels in its own way, and an alert on the word "error"
 * alone rings at "0 errors".
 *
 * A line passes three readers: stated levels at its start, stated levels anywhere (key and value),
 * words. The first one that has an opinion decides.
 */
#include "watch/classify.h"

#include "base/base.h"

#include <stdbool.h>

/* Positive: an opinion; 0 is CLASSIFY_NEITHER, which is one too. */
enum { no_opinion = -1 };

struct word {
        const char *text;
        unsigned char length;
        signed char level;
        bool needs_mark;
};

static const struct word words[] = {
#define WORD(text, level, needs_mark) { (text), sizeof(text) - 1, (level), (needs_mark) },
#include "watch/classify.def"
#undef WORD
};

/* The part of a line that is looked at. */
struct view {
        const char *at;
        size_t length;
};

static char at(const struct view *view, size_t i)
{
        return i < view->length ? view->at[i] : '\0';
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
        return c >= 'A' && c <= 'Z';
}

static char lower(char c)
{
        return is_upper(c) ? (char)(c + ('a' - 'A')) : c;
}

static bool is_letter(char c)
{
        return lower(c) >= 'a' && lower(c) <= 'z';
}

/* What holds a word together: error_count, error-free and errno are other words than error. */
static bool is_word(char c)
{
        return is_letter(c) || is_digit(c) || c == '_' || c == '-' || (c & 0x80);
}

static bool equals(const char *bytes, const char *small, size_t length)
{
        for (size_t i = 0; i < length; i++)
                if (lower(bytes[i]) != small[i])
                        return false;
        return true;
}

static bool starts(const struct view *view, size_t from, const char *small)
{
        size_t length = strlen(small);

        return from + length <= view->length && equals(view->at + from, small, length);
}

static const struct word *find_word(const char *bytes, size_t length)
{
        for (size_t i = 0; i < BASE_COUNT(words); i++)
                if (words[i].length == length && equals(bytes, words[i].text, length))
                        return &words[i];
        return NULL;
}

/* ---- Levels stated at the start ------------------------------------------ */

/* <N>, as the journal and the kernel take it: the lower three bits are the priority. */
static int read_priority(const struct view *view)
{
        unsigned priority = 0;
        size_t i = 1;

        if (at(view, 0) != '<')
                return no_opinion;
        for (; i < 4 && is_digit(at(view, i)); i++)
                priority = priority * 10 + (unsigned)(at(view, i) - '0');
        if (i == 1 || at(view, i) != '>')
                return no_opinion;
        priority &= 7;
        if (priority <= 3)
                return CLASSIFY_ERROR;
        return priority == 4 ? CLASSIFY_WARNING : CLASSIFY_NEITHER;
}

static int level_of_letter(char letter)
{
        switch (letter) {
        case 'F':
        case 'E':
                return CLASSIFY_ERROR;
        case 'W':
                return CLASSIFY_WARNING;
        case 'I':
        case 'D':
        case 'V':
                return CLASSIFY_NEITHER;
        default:
                return no_opinion;
        }
}

/* E0102 12:34:56 (glog), E/tag: (Android), E (12) tag: and E text. A capital I or D alone may
 * begin a sentence, so those need the date or the stroke. */
static int read_letter(const struct view *view)
{
        int level = level_of_letter(at(view, 0));
        char next = at(view, 2);
        size_t digits = 0;

        while (is_digit(at(view, 1 + digits)))
                digits++;
        if ((digits == 4 || digits == 8) && at(view, 1 + digits) == ' ')
                return level;
        if (at(view, 1) == '/' && is_letter(next))
                return level;
        if (at(view, 1) == ' ' && level > CLASSIFY_NEITHER &&
            (is_letter(next) || is_digit(next) || next == '(' || next == '['))
                return level;
        return no_opinion;
}

/* ---- Levels stated as key and value -------------------------------------- */

static const char *const level_keys[] = { "level",    "lvl",       "severity",
                                          "loglevel", "log.level", "levelname" };

/* Numbers as pino and bunyan write them: 40 is a warning, 50 and more errors. */
static int level_of_number(const struct view *view, size_t i)
{
        unsigned value = 0;

        for (size_t end = i + 3; i < end && is_digit(at(view, i)); i++)
                value = value * 10 + (unsigned)(at(view, i) - '0');
        if (value < 10 || is_letter(at(view, i)))
                return no_opinion;
        if (value >= 50)
                return CLASSIFY_ERROR;
        return value >= 40 ? CLASSIFY_WARNING : CLASSIFY_NEITHER;
}

static int read_value(const struct view *view, size_t i)
{
        const struct word *word;
        size_t length = 0;

        while (at(view, i) == ' ' || at(view, i) == '"')
                i++;
        if (is_digit(at(view, i)))
                return level_of_number(view, i);
        while (is_letter(at(view, i + length)))
                length++;
        word = find_word(view->at + i, length);
        return word ? word->level : no_opinion;
}

/* level=error, "level": "error"; a colon counts after a quoted key only: prose has colons too. */
static int read_key(const struct view *view, size_t i)
{
        for (size_t k = 0; k < BASE_COUNT(level_keys); k++) {
                size_t end = i + strlen(level_keys[k]);

                if (!starts(view, i, level_keys[k]))
                        continue;
                if (at(view, end) == '=')
                        return read_value(view, end + 1);
                if (at(view, end) == '"' && at(view, end + 1) == ':')
                        return read_value(view, end + 2);
                if (at(view, end) == '"' && at(view, end + 1) == ' ' && at(view, end + 2) == ':')
                        return read_value(view, end + 3);
        }
        return no_opinion;
}

/* ---- Words ---------------------------------------------------------------- */

/* The word that ends before i, and how long it is. */
static size_t word_before(const struct view *view, size_t i, size_t *ret_start)
{
        size_t end, start;

        while (i && (at(view, i - 1) == ' ' || at(view, i - 1) == '\t'))
                i--;
        end = i;
        while (i && is_word(at(view, i - 1)))
                i--;
        start = i;
        *ret_start = start;
        return end - start;
}

/* "no error", "0 errors", "without error". */
static bool is_denied_before(const struct view *view, size_t i)
{
        static const char *const denials[] = { "0", "no", "zero", "without", "not", "non", "any" };
        size_t start, length = word_before(view, i, &start);

        for (size_t d = 0; d < BASE_COUNT(denials); d++)
                if (strlen(denials[d]) == length && equals(view->at + start, denials[d], length))
                        return true;
        return false;
}

static bool is_counted_before(const struct view *view, size_t i)
{
        size_t start, length = word_before(view, i, &start);

        return length && is_digit(at(view, start)) && !is_denied_before(view, i);
}

/* What may follow the nothing in "error: none" and not in "error: none of the disks answers". */
static bool ends_statement(const struct view *view, size_t i, bool is_assigned)
{
        char c = at(view, i);

        return !c || strchr(",;)}]\"'", c) || (is_assigned && c == ' ');
}

/* "errors: 0", "error=nil", "error 0", `error=""`, "error": null. */
static bool is_denied_after(const struct view *view, size_t i)
{
        static const char *const nothings[] = { "nil",   "<nil>", "null", "none",   "(none)",
                                                "false", "\"\"",  "''",   "success" };
        bool is_assigned = false, has_sign = false;

        if (starts(view, i, "(s)"))
                i += 3;
        if (at(view, i) == '"')
                i++;
        while (at(view, i) == ' ' || at(view, i) == '=' || at(view, i) == ':') {
                has_sign |= at(view, i) != ' ';
                is_assigned |= at(view, i++) == '=';
        }
        if (at(view, i) == '0')
                return !is_word(at(view, i + 1)) && at(view, i + 1) != '.';
        for (size_t n = 0; has_sign && n < BASE_COUNT(nothings); n++)
                if (starts(view, i, nothings[n]) &&
                    ends_statement(view, i + strlen(nothings[n]), is_assigned))
                        return true;
        return false;
}

/* /var/log/error.log, error.c:12, foo.error: a name and no statement. */
static bool is_in_name(const struct view *view, size_t from, size_t to)
{
        char before = from ? at(view, from - 1) : ' ';
        char after = at(view, to);

        if (before == '/' || before == '.' || before == '\\' || before == '$' || after == '/')
                return true;
        return after == '(' && at(view, to + 1) != 's';
        /* error(...) is a call; error(s) is English */
}

static bool is_file_name(const struct view *view, size_t to)
{
        return at(view, to) == '.' && is_letter(at(view, to + 1));
}

/* In capitals, in brackets, or followed by a colon. */
static bool is_marked(const struct view *view, size_t from, size_t to)
{
        static const char open[] = "[(<|", close[] = "])>|";
        char before = from ? at(view, from - 1) : '\0';
        char after = at(view, to);
        bool is_capital = true;

        for (size_t i = from; i < to; i++)
                is_capital &= is_upper(at(view, i));
        if (is_capital || after == ':')
                return true;
        return before && after && strchr(open, before) && strchr(close, after);
}

/* ValueError: and RuntimeException: as Python, Java and JavaScript end their reports. */
static bool is_error_class(const struct view *view, size_t from, size_t to)
{
        static const char *const endings[] = { "Error", "Exception" };

        if (at(view, to) != ':' || !is_upper(at(view, from)))
                return false;
        for (size_t e = 0; e < BASE_COUNT(endings); e++) {
                size_t length = strlen(endings[e]);

                if (to - from > length && memcmp(view->at + to - length, endings[e], length) == 0)
                        return true;
        }
        return false;
}

static int judge_word(const struct view *view, size_t from, size_t to)
{
        const struct word *word = find_word(view->at + from, to - from);
        bool is_plural;

        if (!word)
                return is_error_class(view, from, to) ? CLASSIFY_ERROR : no_opinion;
        if (is_in_name(view, from, to) || is_file_name(view, to))
                return no_opinion;
        if (word->level == CLASSIFY_NEITHER)
                return is_marked(view, from, to) ? CLASSIFY_NEITHER : no_opinion;
        if (is_denied_before(view, from) || is_denied_after(view, to))
                return no_opinion;
        is_plural = word->text[word->length - 1] == 's' && word->length > 4;
        if (word->needs_mark && !is_marked(view, from, to) &&
            !(is_plural && (is_counted_before(view, from) || at(view, to) == '=')))
                return no_opinion;
        return word->level;
}

/* Letters that begin a word of classify.def, a level's key or, in capitals, anything at all. */
static bool may_begin(char c)
{
        return is_upper(c) || (is_letter(c) && strchr("efcpastlwnidv", c));
}

/* The first word that says something decides, unless a key says it anywhere in the line. */
static int read_words(const struct view *view)
{
        int first = no_opinion;
        size_t to = 0;

        for (size_t from = 0; from < view->length; from = to) {
                int level;

                to = from + 1;
                if (!is_word(view->at[from]))
                        continue;
                while (to < view->length && is_word(view->at[to]))
                        to++;
                if (!may_begin(view->at[from]))
                        continue;
                level = read_key(view, from);
                if (level != no_opinion)
                        return level;
                if (first == no_opinion)
                        first = judge_word(view, from, to);
        }
        return first;
}

enum classify_level classify_line(const char *line, size_t length)
{
        struct view view = { line, length < classify_bytes_max ? length : classify_bytes_max };
        int level = read_priority(&view);

        if (level == no_opinion)
                level = read_letter(&view);
        if (level == no_opinion)
                level = read_words(&view);
        return level == no_opinion ? CLASSIFY_NEITHER : (enum classify_level)level;
}
