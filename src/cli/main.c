/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tocsin - an alarm bell for C modules: which command is meant, and what there is.
 */
#include "base/error.h"
#include "base/option.h"
#include "base/say.h"
#include "cli/command.h"

#include <fcntl.h>
#include <unistd.h>

struct command {
        const char *name;
        int (*function)(int argc, char **argv);
        const char *help;
};

static const struct command commands[] = {
        { "diff", cmd_diff, "say which alert rules differ between two binaries" },
        { "forge", cmd_forge, "drive models until the gate accepts what one of them wrote" },
        { "gate", cmd_gate, "judge candidates against a contract, in a sandbox" },
        { "ledger", cmd_ledger, "show runs of the forge: what was tried, what it cost" },
        { "new", cmd_new, "begin a contract: a folder with all that one needs" },
        { "run", cmd_run, "start a program and watch it" },
        { "rules", cmd_rules, "list the alert rules that stand in a program or library" },
};

static int print_help(void)
{
        int failed = printf("Usage: tocsin COMMAND [options]\n\n"
                            "Alert rules live in the code; tocsin watches them from outside.\n\n"
                            "Commands:\n") < 0;

        for (size_t i = 0; i < BASE_COUNT(commands); i++)
                failed |= printf("  %-8s  %s\n", commands[i].name, commands[i].help) < 0;
        failed |= printf("\n\"tocsin COMMAND --help\" says more. Try:\n"
                         "  tocsin run -- ./your-program\n") < 0;
        if (!failed && !fflush(stdout))
                return ERROR_EXIT_YES;
        say_error("cannot write the help: %s", error_text(error_last()));
        return ERROR_EXIT_UNKNOWN;
}

static int complain(const char *word)
{
        const char *names[BASE_COUNT(commands)];
        const char *nearest;

        for (size_t i = 0; i < BASE_COUNT(commands); i++)
                names[i] = commands[i].name;
        nearest = option_nearest(word, names, BASE_COUNT(names));
        if (nearest)
                say_error("there is no command '%s'; did you mean %s?", word, nearest);
        else
                say_error("there is no command '%s'; see tocsin --help", word);
        return ERROR_EXIT_USAGE;
}

/* Descriptors 0 to 2 that are closed would be taken by the next files we open, and written to. What
 * fills them is closed again for whoever we start. */
static int fill_standard(void)
{
        int fd;

        do
                fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        while (fd >= 0 && fd <= STDERR_FILENO);
        if (fd < 0)
                return error_last();
        (void)close(fd); /* nothing was written */
        return 0;
}

int main(int argc, char **argv)
{
        int failed = fill_standard();

        if (failed) {
                say_error("cannot open /dev/null: %s", error_text(failed));
                return ERROR_EXIT_UNKNOWN;
        }
        if (argc < 2) {
                say_error("a command is missing; see tocsin --help");
                return ERROR_EXIT_USAGE;
        }
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
            strcmp(argv[1], "help") == 0)
                return print_help();
        if (strcmp(argv[1], "--version") == 0) {
                failed = printf("tocsin %s\n", TOCSIN_VERSION) < 0 || fflush(stdout);
                return failed ? ERROR_EXIT_UNKNOWN : ERROR_EXIT_YES;
        }
        for (size_t i = 0; i < BASE_COUNT(commands); i++)
                if (strcmp(argv[1], commands[i].name) == 0)
                        return commands[i].function(argc - 1, argv + 1);
        return complain(argv[1]);
}
