/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option.h - options of a command as a table: parsed, checked and explained from one place.
 *
 *         bool json = false;
 *         uint64_t every_ns = CLOCK_S_NS;
 *         const struct option options[] = {
 *                 OPTION_FLAG("json", 'j', "print results as JSON", &json),
 *                 OPTION_DURATION("every", 0, "TIME", "look this often (1s)", &every_ns,
 *                                 100 * CLOCK_MS_NS, CLOCK_HOUR_NS),
 *         };
 *         const struct option_page page = {
 *                 .command = "tocsin watch", .operands = "[DIR]",
 *                 .summary = "Watch every program on this host.",
 *                 .options = options, .option_count = BASE_COUNT(options), .operand_max = 1,
 *                 .examples = "tocsin watch --every 5s\n" };
 *         struct option_operands operands;
 *         int outcome = option_parse_or_say(&page, argc, argv, &operands);
 *
 *         if (outcome)
 *                 return option_exit(outcome);
 *
 * Understood: --name value, --name=value, -n value, -nvalue, -ab for flags, and -- before operands
 * that look like options. --help and -h are added to every page. Of an option given twice the last
 * one counts, unless it is a list. Operands may stand between options, or end them
 * (stops_at_operand) when they are somebody else's command line.
 *
 * To add a kind: a line in enum option_kind, in union option_target, a macro below, a case in
 * option.c's store(), and option_test.c.
 *
 * Units:     durations are nanoseconds, sizes bytes. Ownership: texts, lists and operands are views
 *            of argv, which is reordered and must outlive them. Threads: one page, one thread.
 * Errors:    a wrong request is the outcome OPTION_WRONG with a sentence; nothing else can fail.
 * Limits:    each list and each number has its own, in the table; option_name_max.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/text.h"

enum { option_name_max = 24 };

enum option_kind {
        OPTION_KIND_FLAG,
        OPTION_KIND_TEXT,
        OPTION_KIND_LIST,
        OPTION_KIND_NUMBER,
        OPTION_KIND_DURATION,
        OPTION_KIND_SIZE,
        OPTION_KIND_HEADING, /* no option: a line in the help */
};

/* Texts of an option that may be repeated. The caller gives the array. */
struct option_list {
        const char **values;
        size_t count;
        size_t count_max;
};

union option_target {
        bool *flag;
        const char **text;
        struct option_list *list;
        uint64_t *number;
};

struct option {
        const char *name;     /* without dashes */
        char letter;          /* 0: none */
        const char *argument; /* its name in the help; NULL: a flag */
        const char *help;     /* starts small, no full stop; wrapped; may say the default */
        enum option_kind kind;
        union option_target target;
        uint64_t min;
        uint64_t max;
};

#define OPTION_FLAG(name, letter, help, to)                                              \
        {                                                                                \
                (name), (letter), NULL, (help), OPTION_KIND_FLAG, { .flag = (to) }, 0, 0 \
        }
#define OPTION_TEXT(name, letter, argument, help, to)                                          \
        {                                                                                      \
                (name), (letter), (argument), (help), OPTION_KIND_TEXT, { .text = (to) }, 0, 0 \
        }
#define OPTION_LIST(name, letter, argument, help, to)                                          \
        {                                                                                      \
                (name), (letter), (argument), (help), OPTION_KIND_LIST, { .list = (to) }, 0, 0 \
        }
#define OPTION_NUMBER(name, letter, argument, help, to, min, max)                             \
        {                                                                                     \
                (name), (letter), (argument), (help), OPTION_KIND_NUMBER, { .number = (to) }, \
                        (min), (max)                                                          \
        }
#define OPTION_DURATION(name, letter, argument, help, to, min, max)                             \
        {                                                                                       \
                (name), (letter), (argument), (help), OPTION_KIND_DURATION, { .number = (to) }, \
                        (min), (max)                                                            \
        }
#define OPTION_SIZE(name, letter, argument, help, to, min, max)                                    \
        {                                                                                          \
                (name), (letter), (argument), (help), OPTION_KIND_SIZE, { .number = (to) }, (min), \
                        (max)                                                                      \
        }
#define OPTION_HEADING(text)                                               \
        {                                                                  \
                NULL, 0, NULL, (text), OPTION_KIND_HEADING, { NULL }, 0, 0 \
        }

struct option_page {
        const char *command;  /* "tocsin run" */
        const char *operands; /* as shown in the usage: "-- PROGRAM [ARG]..."; NULL: none */
        const char *summary;  /* one or more sentences */
        const struct option *options;
        size_t option_count;
        size_t operand_min;
        size_t operand_max;    /* 0: takes no operands */
        bool stops_at_operand; /* what follows the first operand is not looked at */
        const char *examples;  /* lines; NULL: none */
};

/* What is left of argv; ends with NULL, so that it can be executed. */
struct option_operands {
        char **values;
        size_t count;
};

enum option_outcome {
        OPTION_HELP = 1, /* the message is the help */
        OPTION_WRONG,    /* the message is one sentence about the request */
        OPTION_UNHEARD,  /* of option_parse_or_say() only: the help could not be written */
};

/* argv[0] is the command's own name and is not looked at. Prints nothing. */
int option_parse(const struct option_page *page, int argc, char **argv,
                 struct option_operands *ret_operands, struct text *message);

/* The same for programs: help goes to standard output, the sentence to standard error. */
int option_parse_or_say(const struct option_page *page, int argc, char **argv,
                        struct option_operands *ret_operands);

/* The exit status that belongs to an outcome of option_parse_or_say(). */
int option_exit(int outcome);

void option_append_help(const struct option_page *page, struct text *into);

/* The word that was probably meant, NULL when none is near. For commands as well as options. */
const char *option_nearest(const char *word, const char *const *known, size_t known_count);

#endif
