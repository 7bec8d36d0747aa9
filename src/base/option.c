/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because getopt_long() keeps global state, knows neither durations nor limits, and leaves
 * the help to be written a second time by hand.
 */
#include "base/option.h"
#include "base/error.h"
#include "base/say.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

enum {
        help_max = 65536,
        help_columns = 80,
        help_indent_max = 28, /* longer options have their help on the next line */
        option_count_max = 100,
};

static const struct option help_option = {
        .name = "help",
        .letter = 'h',
        .help = "show this and exit",
        .kind = OPTION_KIND_FLAG,
};

/* A walk along argv. */
struct walk {
        const struct option_page *page;
        char **argv;
        int argc;
        int at;       /* the next argument to read */
        int kept;     /* operands found so far stand in argv[1 .. kept] */
        bool is_over; /* after "--": the rest are operands */
        struct text *message;
};

static int wrong(struct walk *walk, const char *format, ...) BASE_PRINTF(2, 3);

static int wrong(struct walk *walk, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        text_vprintf(walk->message, format, arguments);
        va_end(arguments);
        return OPTION_WRONG;
}

/* ---- Values ------------------------------------------------------------- */

static void append_value(struct text *into, enum option_kind kind, uint64_t value)
{
        if (kind == OPTION_KIND_DURATION)
                text_append_duration(into, value);
        else if (kind == OPTION_KIND_SIZE)
                text_append_size(into, value);
        else
                text_printf(into, "%" PRIu64, value);
}

static int store_number(struct walk *walk, const struct option *option, const char *value)
{
        static int (*const parse[])(const char *, uint64_t, uint64_t, uint64_t *) = {
                [OPTION_KIND_NUMBER] = text_parse_u64,
                [OPTION_KIND_DURATION] = text_parse_duration,
                [OPTION_KIND_SIZE] = text_parse_size,
        };
        static const char *const form[] = {
                [OPTION_KIND_NUMBER] = "a whole number",
                [OPTION_KIND_DURATION] = "a duration such as 200ms, 5s or 2m",
                [OPTION_KIND_SIZE] = "a size such as 4096, 64M or 2G",
        };
        int failed = parse[option->kind](value, option->min, option->max, option->target.number);

        if (!failed)
                return 0;
        if (failed == -EINVAL)
                return wrong(walk, "--%s takes %s, not '%s'", option->name, form[option->kind],
                             value);
        text_printf(walk->message, "--%s must be from ", option->name);
        append_value(walk->message, option->kind, option->min);
        text_append(walk->message, " to ");
        append_value(walk->message, option->kind, option->max);
        return wrong(walk, ", not %s", value);
}

static int store(struct walk *walk, const struct option *option, const char *value)
{
        struct option_list *list;

        switch (option->kind) {
        case OPTION_KIND_FLAG:
                *option->target.flag = true;
                return 0;
        case OPTION_KIND_TEXT:
                *option->target.text = value;
                return 0;
        case OPTION_KIND_LIST:
                list = option->target.list;
                if (list->count == list->count_max)
                        return wrong(walk, "--%s can be given at most %zu times", option->name,
                                     list->count_max);
                list->values[list->count++] = value;
                return 0;
        case OPTION_KIND_NUMBER:
        case OPTION_KIND_DURATION:
        case OPTION_KIND_SIZE:
                return store_number(walk, option, value);
        case OPTION_KIND_HEADING:
                break;
        }
        abort(); /* a heading has no name to be found by */
}

/* ---- Parsing ------------------------------------------------------------ */

static const struct option *find_name(const struct option_page *page, const char *name,
                                      size_t length)
{
        for (size_t i = 0; i < page->option_count; i++) {
                const char *known = page->options[i].name;

                if (known && strlen(known) == length && memcmp(known, name, length) == 0)
                        return &page->options[i];
        }
        return length == 4 && memcmp(name, "help", 4) == 0 ? &help_option : NULL;
}

static const struct option *find_letter(const struct option_page *page, char letter)
{
        for (size_t i = 0; i < page->option_count; i++)
                if (page->options[i].letter && page->options[i].letter == letter)
                        return &page->options[i];
        return letter == 'h' ? &help_option : NULL;
}

const char *option_nearest(const char *word, const char *const *known, size_t known_count)
{
        const char *nearest = NULL;
        unsigned best = 3; /* two slips; beyond that a guess is noise */

        for (size_t i = 0; i < known_count; i++) {
                unsigned distance = text_distance(word, known[i]);

                /* Not when half of the word would have to change. */
                if (distance < best && 2 * distance < strlen(known[i])) {
                        best = distance;
                        nearest = known[i];
                }
        }
        return nearest;
}

static int unknown_name(struct walk *walk, const char *name, size_t length)
{
        const struct option_page *page = walk->page;
        struct text word BASE_SCOPE(text_fini) = TEXT_INIT(option_name_max + 2);
        const char *known[option_count_max + 1];
        const char *nearest;
        size_t count = 0;

        for (size_t i = 0; i < page->option_count && count < option_count_max; i++)
                if (page->options[i].name)
                        known[count++] = page->options[i].name;
        known[count++] = help_option.name;
        text_append_bytes(&word, name, length);
        nearest = option_nearest(text_view(&word), known, count);
        text_printf(walk->message, "there is no option --%s", text_view(&word));
        if (nearest)
                return wrong(walk, "; did you mean --%s?", nearest);
        return wrong(walk, "; see %s --help", page->command);
}

static int give_help(struct walk *walk)
{
        option_append_help(walk->page, walk->message);
        return OPTION_HELP;
}

static int parse_long(struct walk *walk, const char *argument)
{
        const char *equals = strchr(argument, '=');
        size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
        const struct option *option = find_name(walk->page, argument, length);

        if (!option)
                return unknown_name(walk, argument, length);
        if (!option->argument && equals)
                return wrong(walk, "--%s takes no value", option->name);
        if (option == &help_option)
                return give_help(walk);
        if (!option->argument)
                return store(walk, option, NULL);
        if (equals)
                return store(walk, option, equals + 1);
        if (walk->at == walk->argc)
                return wrong(walk, "--%s needs a value: %s", option->name, option->argument);
        return store(walk, option, walk->argv[walk->at++]);
}

static int parse_letters(struct walk *walk, const char *letters)
{
        for (; *letters; letters++) {
                const struct option *option = find_letter(walk->page, *letters);
                int outcome;

                if (!option)
                        return wrong(walk, "there is no option -%c; see %s --help", *letters,
                                     walk->page->command);
                if (option == &help_option)
                        return give_help(walk);
                if (option->argument && letters[1])
                        return store(walk, option, letters + 1);
                if (option->argument && walk->at == walk->argc)
                        return wrong(walk, "-%c needs a value: %s", *letters, option->argument);
                if (option->argument)
                        return store(walk, option, walk->argv[walk->at++]);
                outcome = store(walk, option, NULL);
                if (outcome)
                        return outcome;
        }
        return 0;
}

static int parse_next(struct walk *walk)
{
        char *argument = walk->argv[walk->at++];

        if (walk->is_over || argument[0] != '-' || !argument[1]) {
                walk->argv[++walk->kept] = argument; /* never beyond what has been read */
                walk->is_over |= walk->page->stops_at_operand;
                return 0;
        }
        if (argument[1] != '-')
                return parse_letters(walk, argument + 1);
        if (argument[2])
                return parse_long(walk, argument + 2);
        walk->is_over = true;
        return 0;
}

static int check_operands(struct walk *walk)
{
        const struct option_page *page = walk->page;
        size_t count = (size_t)walk->kept;

        if (count < page->operand_min)
                return wrong(walk, "%s is missing; usage: %s %s%s",
                             count ? "an operand" : "what to work on", page->command,
                             page->option_count ? "[options] " : "",
                             page->operands ? page->operands : "");
        if (count <= page->operand_max)
                return 0;
        if (!page->operand_max)
                return wrong(walk, "'%s' is not expected: %s takes options only", walk->argv[1],
                             page->command);
        return wrong(walk, "'%s' is one operand too many; usage: %s %s%s",
                     walk->argv[page->operand_max + 1], page->command,
                     page->option_count ? "[options] " : "", page->operands ? page->operands : "");
}

int option_parse(const struct option_page *page, int argc, char **argv,
                 struct option_operands *ret_operands, struct text *message)
{
        struct walk walk = {
                .page = page, .argv = argv, .argc = argc, .at = 1, .message = message
        };
        int outcome = 0;

        assert(page->option_count <= option_count_max);
        while (!outcome && walk.at < argc)
                outcome = parse_next(&walk);
        if (!outcome)
                outcome = check_operands(&walk);
        if (outcome)
                return outcome;
        if (argc > 0)
                argv[walk.kept + 1] = NULL; /* argv ends with NULL itself, so there is room */
        *ret_operands = (struct option_operands){ argc > 0 ? argv + 1 : argv, (size_t)walk.kept };
        return 0;
}

/* ---- Help --------------------------------------------------------------- */

static size_t label_length(const struct option *option)
{
        size_t length = strlen("  -x, --") + strlen(option->name);

        return option->argument ? length + 1 + strlen(option->argument) : length;
}

/* Words of one paragraph, broken at help_columns; the first line starts at `column`. */
static void append_wrapped(struct text *into, const char *words, size_t column, size_t indent)
{
        while (*words) {
                size_t length = strcspn(words, " ");

                if (column > indent && column + 1 + length > help_columns) {
                        text_printf(into, "\n%*s", (int)indent, "");
                        column = indent;
                } else if (column > indent) {
                        text_append(into, " ");
                        column++;
                }
                text_append_bytes(into, words, length);
                column += length;
                words += length + strspn(words + length, " ");
        }
        text_append(into, "\n");
}

static void append_option(struct text *into, const struct option *option, size_t indent)
{
        size_t length = label_length(option);

        if (option->letter)
                text_printf(into, "  -%c, --%s", option->letter, option->name);
        else
                text_printf(into, "      --%s", option->name);
        if (option->argument)
                text_printf(into, " %s", option->argument);
        if (length + 2 > indent) {
                text_append(into, "\n");
                length = 0;
        }
        text_printf(into, "%*s", (int)(indent - length), "");
        append_wrapped(into, option->help, indent, indent);
}

static void append_options(struct text *into, const struct option_page *page)
{
        size_t indent = label_length(&help_option) + 2;

        for (size_t i = 0; i < page->option_count; i++)
                if (page->options[i].name && label_length(&page->options[i]) + 2 > indent)
                        indent = label_length(&page->options[i]) + 2;
        if (indent > help_indent_max)
                indent = help_indent_max;
        if (!page->option_count || page->options[0].kind != OPTION_KIND_HEADING)
                text_append(into, "\nOptions:\n");
        for (size_t i = 0; i < page->option_count; i++) {
                if (page->options[i].kind == OPTION_KIND_HEADING)
                        text_printf(into, "\n%s:\n", page->options[i].help);
                else
                        append_option(into, &page->options[i], indent);
        }
        append_option(into, &help_option, indent);
}

void option_append_help(const struct option_page *page, struct text *into)
{
        const char *line = page->examples ? page->examples : "";

        text_printf(into, "Usage: %s [options]%s%s\n\n", page->command, page->operands ? " " : "",
                    page->operands ? page->operands : "");
        append_wrapped(into, page->summary, 0, 0);
        append_options(into, page);
        if (*line)
                text_append(into, "\nExamples:\n");
        while (*line) {
                size_t length = strcspn(line, "\n");

                text_append(into, length ? "  " : "");
                text_append_bytes(into, line, length);
                text_append(into, "\n");
                line += length + (line[length] == '\n');
        }
}

/* ---- For programs ------------------------------------------------------- */

int option_parse_or_say(const struct option_page *page, int argc, char **argv,
                        struct option_operands *ret_operands)
{
        struct text message BASE_SCOPE(text_fini) = TEXT_INIT(help_max);
        int outcome = option_parse(page, argc, argv, ret_operands, &message);

        if (outcome == OPTION_WRONG)
                say_error("%s", text_view(&message));
        if (outcome != OPTION_HELP)
                return outcome;
        if (fputs(text_view(&message), stdout) < 0 || fflush(stdout)) {
                say_error("cannot write the help: %s", error_text(error_last()));
                return OPTION_UNHEARD;
        }
        return OPTION_HELP;
}

int option_exit(int outcome)
{
        if (outcome == OPTION_WRONG)
                return ERROR_EXIT_USAGE;
        return outcome == OPTION_UNHEARD ? ERROR_EXIT_UNKNOWN : ERROR_EXIT_YES;
}
