/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because where systemd keeps the groups, nobody else is to make any. */
#include "watch/fence_systemd.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

static const char systemd_run[] = "/usr/bin/systemd-run";

enum { own_words_max = 20 };

struct line {
        char **at;
        size_t count;
        bool is_short; /* of memory */
};

bool fence_systemd_is_there(void)
{
        return !access("/run/systemd/system", F_OK) && !access(systemd_run, X_OK);
}

static void add(struct line *line, const char *word)
{
        char *copy = strdup(word);

        if (copy)
                line->at[line->count++] = copy;
        else
                line->is_short = true;
}

static void add_property(struct line *line, const char *name, uint64_t number, const char *unit)
{
        char word[96];

        (void)snprintf(word, sizeof(word), "%s%" PRIu64 "%s", name, number, unit);
        add(line, "-p");
        add(line, word);
}

static void add_scope(struct line *line, const struct fence_limits *limits, bool is_user)
{
        add(line, systemd_run);
        if (is_user)
                add(line, "--user");
        add(line, "--scope");
        add(line, "--quiet");
        add(line, "--collect");
        if (limits->memory_bytes)
                add_property(line, "MemoryMax=", limits->memory_bytes, "");
        if (limits->cpu_permille)
                add_property(line, "CPUQuota=", (limits->cpu_permille + 9) / 10, "%");
        if (limits->processes)
                add_property(line, "TasksMax=", limits->processes, "");
        if (limits->io_bytes) {
                add_property(line, "IOReadBandwidthMax=/ ", limits->io_bytes, "");
                add_property(line, "IOWriteBandwidthMax=/ ", limits->io_bytes, "");
        }
        add(line, "--");
}

int fence_systemd_argv(const struct fence_limits *limits, bool is_user, char *const *argv,
                       char ***ret_argv)
{
        struct line line = { 0 };
        size_t count = 0;

        while (argv[count])
                count++;
        line.at = calloc(own_words_max + count + 1, sizeof(char *));
        if (!line.at)
                return -ENOMEM;
        add_scope(&line, limits, is_user);
        for (size_t i = 0; i < count; i++)
                add(&line, argv[i]);
        if (line.is_short) {
                fence_systemd_free(&line.at);
                return -ENOMEM;
        }
        *ret_argv = line.at;
        return 0;
}

void fence_systemd_free(char ***argv)
{
        for (size_t i = 0; *argv && (*argv)[i]; i++)
                free((*argv)[i]);
        free(*argv);
        *argv = NULL;
}
