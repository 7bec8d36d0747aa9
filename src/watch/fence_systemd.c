/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because where systemd keeps the groups, nobody else is to make any. */
#include "watch/fence_systemd.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <unistd.h>

static const char systemd_run[] = "/usr/bin/systemd-run";

enum { own_words_max = 24 };

struct line {
        char **at;
        size_t count;
        bool is_short; /* of memory */
};

/* systemd-run talks to it there, if anybody lets it: who came by su or cron has none of his own. */
static bool can_ask(void)
{
        const char *runtime = getenv("XDG_RUNTIME_DIR");
        char path[PATH_MAX];

        if (geteuid() == 0)
                return !access("/run/systemd/private", W_OK);
        if (!runtime)
                return false;
        (void)snprintf(path, sizeof(path), "%s/systemd/private", runtime);
        return !access(path, W_OK);
}

bool fence_systemd_is_there(void)
{
        return !access("/run/systemd/system", F_OK) && !access(systemd_run, X_OK) && can_ask();
}

unsigned fence_systemd_roles(void)
{
        char path[128] = ".";

        if (geteuid())
                (void)snprintf(path, sizeof(path), "user.slice/user-%u.slice/user@%u.service",
                               (unsigned)geteuid(), (unsigned)geteuid());
        return cgroup_controllers(path);
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

/* That of the working directory. systemd-run takes no path with a space in it. */
static void add_bandwidth(struct line *line, const char *name, uint64_t bytes)
{
        char here[PATH_MAX], word[PATH_MAX + 64];

        if (!getcwd(here, sizeof(here)) || strpbrk(here, " \t\n"))
                (void)snprintf(here, sizeof(here), "/");
        (void)snprintf(word, sizeof(word), "%s=%s %" PRIu64, name, here, bytes);
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
        if (limits->memory_bytes) {
                add_property(line, "MemoryMax=", limits->memory_bytes, "");
                add_property(line, "MemorySwapMax=", 0, "");
        }
        if (limits->cpu_permille)
                add_property(line, "CPUQuota=", (limits->cpu_permille + 9) / 10, "%");
        if (limits->processes)
                add_property(line, "TasksMax=", limits->processes, "");
        if (limits->io_bytes) {
                add_bandwidth(line, "IOReadBandwidthMax", limits->io_bytes);
                add_bandwidth(line, "IOWriteBandwidthMax", limits->io_bytes);
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
