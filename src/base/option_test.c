/* SPDX-License-Identifier: Apache-2.0 */
/* Shows every way of giving an option, every refusal word for word, and the help. */
#include "base/option.h"
#include "base/clock.h"
#include "base/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { argument_max = 16, list_max = 2 };

/* A command as it would stand in src/cli, and what a request left in it. */
struct command {
        bool json;
        bool fail;
        const char *directory;
        uint64_t port;
        uint64_t every_ns;
        uint64_t memory_bytes;
        struct option_list receivers;
        const char *receiver_values[list_max];
        char *argv[argument_max + 1];
        struct option_operands operands;
        struct text message;
};

/* Set by a test before it asks. */
static size_t operand_min, operand_max = 9;
static bool stops_at_operand;

static void make_table(struct command *command, struct option table[9])
{
        const struct option options[] = {
                OPTION_FLAG("json", 'j', "print results as JSON", &command->json),
                OPTION_FLAG("fail-on-alert", 'f', "exit with 1 if an alert fired", &command->fail),
                OPTION_TEXT("directory", 'd', "DIR", "look for segments here", &command->directory),
                OPTION_HEADING("Limits"),
                OPTION_NUMBER("port", 'p', "PORT", "serve the page here (9464)", &command->port, 1,
                              65535),
                OPTION_DURATION("every", 0, "TIME", "look this often (1s)", &command->every_ns,
                                100 * CLOCK_MS_NS, CLOCK_HOUR_NS),
                OPTION_SIZE("memory-of-the-program", 'm', "SIZE",
                            "the most memory it may have; what is beyond is refused by the system "
                            "and counted as a limit that was hit",
                            &command->memory_bytes, 4096, UINT64_C(1) << 40),
                OPTION_HEADING("Receivers"),
                OPTION_LIST("on-alert", 0, "CMD", "run this for each alert; may be repeated",
                            &command->receivers),
        };

        memcpy(table, options, sizeof(options));
}

static const char example_lines[] =
        "tocsin watch --every 5s\n\n# everything as JSON\ntocsin watch -j\n";

/* Parses words separated by single spaces; "''" stands for an empty one. */
static int ask(struct command *command, const char *words)
{
        static char copy[2000];
        static char empty[] = "";
        struct option table[9];
        struct option_page page = {
                .command = "tocsin watch",
                .operands = "[DIR]...",
                .summary = "Watch every program on this host.",
                .options = table,
                .option_count = BASE_COUNT(table),
                .operand_min = operand_min,
                .operand_max = operand_max,
                .stops_at_operand = stops_at_operand,
                .examples = example_lines,
        };
        char *rest = copy;
        char *word;
        int argc = 0;

        text_fini(&command->message);
        *command = (struct command){ .message = TEXT_INIT(5000) };
        command->receivers = (struct option_list){ command->receiver_values, 0, list_max };
        make_table(command, table);
        assert_true(strlen(words) < sizeof(copy));
        memcpy(copy, words, strlen(words) + 1);
        while ((word = strsep(&rest, " ")) && argc < argument_max)
                command->argv[argc++] = strcmp(word, "''") == 0 ? empty : word;
        return option_parse(&page, argc, command->argv, &command->operands, &command->message);
}

static void refused(const char *words, const char *sentence)
{
        struct command command = { .message = TEXT_INIT(0) };

        assert_int_equal(ask(&command, words), OPTION_WRONG);
        assert_string_equal(text_view(&command.message), sentence);
        text_fini(&command.message);
}

static void nothing_given_changes_nothing(void **state)
{
        struct command command = { .message = TEXT_INIT(0) };

        (void)state;
        assert_int_equal(ask(&command, "tocsin"), 0);
        assert_false(command.json);
        assert_null(command.directory);
        assert_int_equal(command.operands.count, 0);
        assert_null(command.operands.values[0]);
        text_fini(&command.message);
}

static void every_form_is_understood(void **state)
{
        struct command command = { .message = TEXT_INIT(0) };

        (void)state;
        assert_int_equal(
                ask(&command, "tocsin --json --directory a --port=80 --every 200ms -m 64M"), 0);
        assert_true(command.json);
        assert_string_equal(command.directory, "a");
        assert_int_equal(command.port, 80);
        assert_true(command.every_ns == 200 * CLOCK_MS_NS);
        assert_int_equal(command.memory_bytes, 64 << 20);

        assert_int_equal(ask(&command, "tocsin -jfd a -p80"), 0);
        assert_true(command.json);
        assert_true(command.fail);
        assert_string_equal(command.directory, "a");
        assert_int_equal(command.port, 80);

        assert_int_equal(ask(&command, "tocsin --directory= --directory -x"), 0);
        assert_string_equal(command.directory, "-x"); /* the last one counts, even so */
        assert_int_equal(ask(&command, "tocsin --directory=a=b"), 0);
        assert_string_equal(command.directory, "a=b");
        assert_int_equal(ask(&command, "tocsin -d ''"), 0);
        assert_string_equal(command.directory, "");
        text_fini(&command.message);
}

static void operands_may_stand_between_options(void **state)
{
        struct command command = { .message = TEXT_INIT(0) };

        (void)state;
        assert_int_equal(ask(&command, "tocsin a --json b - -p 1 -- -c --json"), 0);
        assert_true(command.json);
        assert_int_equal(command.operands.count, 5);
        assert_string_equal(command.operands.values[0], "a");
        assert_string_equal(command.operands.values[1], "b");
        assert_string_equal(command.operands.values[2], "-");
        assert_string_equal(command.operands.values[3], "-c");
        assert_string_equal(command.operands.values[4], "--json");
        assert_null(command.operands.values[5]);
        text_fini(&command.message);
}

static void operands_end_the_options_of_a_launcher(void **state)
{
        struct command command = { .message = TEXT_INIT(0) };

        (void)state;
        stops_at_operand = true;
        assert_int_equal(ask(&command, "tocsin --json -- prog --directory x -- y"), 0);
        assert_int_equal(command.operands.count, 5);
        assert_string_equal(command.operands.values[0], "prog");
        assert_string_equal(command.operands.values[3], "--");
        assert_null(command.operands.values[5]);
        assert_null(command.directory);

        assert_int_equal(ask(&command, "tocsin -j prog -f --nonsense"), 0);
        assert_int_equal(command.operands.count, 3);
        assert_string_equal(command.operands.values[1], "-f");
        assert_false(command.fail);
        stops_at_operand = false;
        text_fini(&command.message);
}

static void lists_collect_up_to_their_limit(void **state)
{
        struct command command = { .message = TEXT_INIT(0) };

        (void)state;
        assert_int_equal(ask(&command, "tocsin --on-alert a --on-alert=b"), 0);
        assert_int_equal(command.receivers.count, 2);
        assert_string_equal(command.receivers.values[0], "a");
        assert_string_equal(command.receivers.values[1], "b");
        text_fini(&command.message);
        refused("tocsin --on-alert a --on-alert b --on-alert c",
                "--on-alert can be given at most 2 times");
}

static void unknown_options_are_refused(void **state)
{
        (void)state;
        refused("tocsin --jsno", "there is no option --jsno; did you mean --json?");
        refused("tocsin --directry=x", "there is no option --directry; did you mean --directory?");
        refused("tocsin --hepl", "there is no option --hepl; did you mean --help?");
        refused("tocsin --zzzz", "there is no option --zzzz; see tocsin watch --help");
        refused("tocsin --=x", "there is no option --; see tocsin watch --help");
        refused("tocsin -x", "there is no option -x; see tocsin watch --help");
        refused("tocsin -jx", "there is no option -x; see tocsin watch --help");
        refused("tocsin -5", "there is no option -5; see tocsin watch --help");
        /* No abbreviations: a script that uses one breaks with the next option we add. */
        refused("tocsin --dir x", "there is no option --dir; see tocsin watch --help");
}

static void missing_and_needless_values_are_refused(void **state)
{
        (void)state;
        refused("tocsin --directory", "--directory needs a value: DIR");
        refused("tocsin -d", "-d needs a value: DIR");
        refused("tocsin --json=yes", "--json takes no value");
        refused("tocsin --help=yes", "--help takes no value");
}

static void values_are_checked(void **state)
{
        (void)state;
        refused("tocsin --port http", "--port takes a whole number, not 'http'");
        refused("tocsin --port ''", "--port takes a whole number, not ''");
        refused("tocsin -p 0", "--port must be from 1 to 65535, not 0");
        refused("tocsin -p 65536", "--port must be from 1 to 65535, not 65536");
        refused("tocsin --every 5", "--every takes a duration such as 200ms, 5s or 2m, not '5'");
        refused("tocsin --every 99ms", "--every must be from 100ms to 1h, not 99ms");
        refused("tocsin --every 61m", "--every must be from 100ms to 1h, not 61m");
        refused("tocsin -m 64MB",
                "--memory-of-the-program takes a size such as 4096, 64M or 2G, not '64MB'");
        refused("tocsin -m 4095", "--memory-of-the-program must be from 4K to 1T, not 4095");
}

static void operands_are_counted(void **state)
{
        struct command command = { .message = TEXT_INIT(0) };

        (void)state;
        operand_min = 1;
        operand_max = 2;
        refused("tocsin --json",
                "what to work on is missing; usage: tocsin watch [options] [DIR]...");
        assert_int_equal(ask(&command, "tocsin a"), 0);
        assert_int_equal(ask(&command, "tocsin a b"), 0);
        text_fini(&command.message);
        refused("tocsin a b c",
                "'c' is one operand too many; usage: tocsin watch [options] [DIR]...");
        operand_min = 0;
        operand_max = 0;
        refused("tocsin a", "'a' is not expected: tocsin watch takes options only");
        operand_min = 2;
        operand_max = 9;
        refused("tocsin a", "an operand is missing; usage: tocsin watch [options] [DIR]...");
        operand_min = 0;
}

static void help_shows_the_whole_page(void **state)
{
        static const char page[] =
                "Usage: tocsin watch [options] [DIR]...\n"
                "\n"
                "Watch every program on this host.\n"
                "\n"
                "Options:\n"
                "  -j, --json                print results as JSON\n"
                "  -f, --fail-on-alert       exit with 1 if an alert fired\n"
                "  -d, --directory DIR       look for segments here\n"
                "\n"
                "Limits:\n"
                "  -p, --port PORT           serve the page here (9464)\n"
                "      --every TIME          look this often (1s)\n"
                "  -m, --memory-of-the-program SIZE\n"
                "                            the most memory it may have; what is beyond is\n"
                "                            refused by the system and counted as a limit that\n"
                "                            was hit\n"
                "\n"
                "Receivers:\n"
                "      --on-alert CMD        run this for each alert; may be repeated\n"
                "  -h, --help                show this and exit\n"
                "\n"
                "Examples:\n"
                "  tocsin watch --every 5s\n"
                "\n"
                "  # everything as JSON\n"
                "  tocsin watch -j\n";
        struct command command = { .message = TEXT_INIT(0) };

        (void)state;
        assert_int_equal(ask(&command, "tocsin --help"), OPTION_HELP);
        assert_string_equal(text_view(&command.message), page);
        assert_int_equal(ask(&command, "tocsin -jh --nonsense"), OPTION_HELP);
        assert_string_equal(text_view(&command.message), page);
        text_fini(&command.message);
}

static void pages_without_options_have_help(void **state)
{
        struct option_page page = { .command = "tocsin top", .summary = "Show it live." };
        struct text help BASE_SCOPE(text_fini) = TEXT_INIT(1000);

        (void)state;
        option_append_help(&page, &help);
        assert_string_equal(text_view(&help), "Usage: tocsin top [options]\n\nShow it live.\n\n"
                                              "Options:\n  -h, --help  show this and exit\n");
}

static void nearest_needs_a_likeness(void **state)
{
        static const char *const commands[] = { "run", "watch", "rules", "diff" };
        static const char *const names[] = { "memory-of-the-program" };

        (void)state;
        assert_string_equal(option_nearest("rnu", commands, BASE_COUNT(commands)), "run");
        assert_string_equal(option_nearest("rule", commands, BASE_COUNT(commands)), "rules");
        assert_null(option_nearest("xyz", commands, BASE_COUNT(commands)));
        assert_null(option_nearest("r", commands, BASE_COUNT(commands)));
        assert_null(option_nearest("run", commands, 0));
        assert_string_equal(option_nearest("mamory-of-the-progran", names, 1), names[0]);
        assert_null(option_nearest("mamory-of-tha-progran", names, 1)); /* three slips */
}

/* What option_parse_or_say() writes to one of our descriptors. */
static int ask_aloud(const char *request, int fd, int to)
{
        struct option_page page = { .command = "tocsin top", .summary = "Show it live." };
        struct option_operands operands;
        char word[100];
        char *argv[] = { word, word, NULL };
        int kept = dup(fd);
        int outcome;

        (void)snprintf(word, sizeof(word), "%s", request);
        (void)fflush(stdout); /* what the test runner printed is not ours */
        (void)dup2(to, fd);
        outcome = option_parse_or_say(&page, 2, argv, &operands);
        (void)fflush(stdout);
        (void)dup2(kept, fd);
        (void)close(kept);
        return outcome;
}

static void programs_speak_and_exit(void **state)
{
        char bytes[1000] = "";
        int into = memfd_create("out", MFD_CLOEXEC);

        (void)state;
        assert_int_equal(ask_aloud("--help", STDOUT_FILENO, into), OPTION_HELP);
        assert_true(pread(into, bytes, sizeof(bytes) - 1, 0) > 0);
        assert_memory_equal(bytes, "Usage: tocsin top", 17);
        assert_int_equal(ftruncate(into, 0), 0);
        assert_int_equal(lseek(into, 0, SEEK_SET), 0);
        memset(bytes, 0, sizeof(bytes));
        assert_int_equal(ask_aloud("--x\033[2J", STDERR_FILENO, into), OPTION_WRONG);
        assert_true(pread(into, bytes, sizeof(bytes) - 1, 0) > 0);
        assert_string_equal(bytes, "tocsin: error: there is no option --x\\x1b[2J; "
                                   "see tocsin top --help\n");
        assert_int_equal(close(into), 0);
        assert_int_equal(option_exit(OPTION_HELP), ERROR_EXIT_YES);
        assert_int_equal(option_exit(OPTION_WRONG), ERROR_EXIT_USAGE);
        assert_int_equal(option_exit(OPTION_UNHEARD), ERROR_EXIT_UNKNOWN);
}

static void help_into_a_full_disk_is_no_success(void **state)
{
        int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        int kept = dup(STDERR_FILENO);
        int outcome;

        (void)state;
        (void)dup2(null, STDERR_FILENO);
        outcome = ask_aloud("--help", STDOUT_FILENO, full);
        (void)dup2(kept, STDERR_FILENO);
        clearerr(stdout);
        assert_int_equal(outcome, OPTION_UNHEARD);
        assert_int_equal(close(full) | close(null) | close(kept), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_given_changes_nothing),
                cmocka_unit_test(every_form_is_understood),
                cmocka_unit_test(operands_may_stand_between_options),
                cmocka_unit_test(operands_end_the_options_of_a_launcher),
                cmocka_unit_test(lists_collect_up_to_their_limit),
                cmocka_unit_test(unknown_options_are_refused),
                cmocka_unit_test(missing_and_needless_values_are_refused),
                cmocka_unit_test(values_are_checked),
                cmocka_unit_test(operands_are_counted),
                cmocka_unit_test(help_shows_the_whole_page),
                cmocka_unit_test(pages_without_options_have_help),
                cmocka_unit_test(nearest_needs_a_likeness),
                cmocka_unit_test(programs_speak_and_exit),
                cmocka_unit_test(help_into_a_full_disk_is_no_success),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
