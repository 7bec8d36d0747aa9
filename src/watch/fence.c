/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because without limits around it nobody can tell a program that needs more from one that
 * takes more. All that limits is the kernel's; here is only the choice.
 */
#include "watch/fence.h"

#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char bubblewrap[] = "/usr/bin/bwrap";
static const char systemd_run[] = "/usr/bin/systemd-run";

bool fence_is_wanted(const struct fence_limits *limits)
{
        return limits->memory_bytes || limits->cpu_permille || limits->io_bytes ||
               limits->processes || limits->files || limits->has_no_network || limits->is_read_only;
}

/* ---- What is said --------------------------------------------------------- */

static void join(struct text *list)
{
        if (list->length)
                text_append(list, ", ");
}

static void say_bytes(struct text *list, const char *what, uint64_t bytes, const char *unit)
{
        join(list);
        if (bytes % (1 << 20) == 0)
                text_printf(list, "%s %" PRIu64 " MiB%s", what, bytes >> 20, unit);
        else
                text_printf(list, "%s %" PRIu64 " bytes%s", what, bytes, unit);
}

static void say_limits(struct fence *fence, unsigned roles)
{
        const struct fence_limits *limits = &fence->limits;

        if (limits->memory_bytes && roles & CGROUP_MEMORY)
                say_bytes(&fence->kept, "memory", limits->memory_bytes, "");
        if (limits->cpu_permille && roles & CGROUP_CPU) {
                join(&fence->kept);
                text_printf(&fence->kept, "cpu %" PRIu64 "%% of a core", limits->cpu_permille / 10);
        }
        if (limits->io_bytes && roles & CGROUP_IO)
                say_bytes(&fence->kept, "io", limits->io_bytes, " a second");
        if (limits->processes && roles & CGROUP_PIDS) {
                join(&fence->kept);
                text_printf(&fence->kept, "pids %" PRIu64, limits->processes);
        }
}

static unsigned wanted_roles(const struct fence_limits *limits)
{
        return (limits->memory_bytes ? CGROUP_MEMORY : 0u) |
               (limits->cpu_permille ? CGROUP_CPU : 0u) | (limits->io_bytes ? CGROUP_IO : 0u) |
               (limits->processes ? CGROUP_PIDS : 0u);
}

static void say_missing(struct fence *fence, unsigned roles)
{
        static const struct {
                unsigned role;
                const char *what;
        } names[] = {
                { CGROUP_MEMORY, "memory" },
                { CGROUP_CPU, "cpu" },
                { CGROUP_IO, "io" },
                { CGROUP_PIDS, "pids" },
        };

        for (size_t i = 0; i < BASE_COUNT(names); i++) {
                if (!(roles & names[i].role))
                        continue;
                join(&fence->missing);
                text_printf(&fence->missing, "%s (%s)", names[i].what,
                            fence->group.unset & names[i].role
                                    ? "the kernel refuses it for this device or group"
                                    : "no group with that controller can be made here");
        }
}

/* ---- Groups --------------------------------------------------------------- */

static bool has_systemd(void)
{
        return !access("/run/systemd/system", F_OK) && !access(systemd_run, X_OK);
}

static dev_t device_of_here(void)
{
        struct stat status;

        return stat(".", &status) ? 0 : status.st_dev;
}

static int make_group(struct fence *fence, unsigned wanted)
{
        const struct cgroup_limits limits = {
                .memory_bytes = fence->limits.memory_bytes,
                .processes = fence->limits.processes,
                .cpu_permille = fence->limits.cpu_permille,
                .io_bytes = fence->limits.io_bytes,
                .io_device = device_of_here(),
        };
        int failed = cgroup_find("tocsin-run", 0, wanted, &fence->home);

        if (failed)
                return failed;
        failed = cgroup_make(&fence->home, 1, &limits, &fence->group);
        if (failed)
                cgroup_home_fini(&fence->home);
        return failed;
}

static bool is_root(void)
{
        return geteuid() == 0;
}

/* A process can only be kept from some of it by its own limits. */
static unsigned rlimits_keep(unsigned roles)
{
        return (roles & CGROUP_MEMORY) | (is_root() ? 0 : roles & CGROUP_PIDS);
}

static void choose_group(struct fence *fence)
{
        unsigned wanted = wanted_roles(&fence->limits), kept = 0;

        if (!wanted)
                return;
        if (has_systemd()) {
                fence->name = "systemd scope";
                kept = wanted;
        } else if (!make_group(fence, wanted)) {
                fence->name = fence->home.name;
                kept = cgroup_roles(&fence->home) & wanted & ~fence->group.unset;
        }
        if (!kept && rlimits_keep(wanted)) {
                fence->name = "rlimits";
                kept = rlimits_keep(wanted);
        }
        say_limits(fence, kept);
        say_missing(fence, wanted & ~kept);
}

/* ---- Arguments ------------------------------------------------------------ */

struct line {
        char **at;
        size_t count;
        bool is_full;
};

static void add(struct line *line, const char *word)
{
        char *copy = line->count + 1 < fence_argument_max ? strdup(word) : NULL;

        if (copy)
                line->at[line->count++] = copy;
        else
                line->is_full = true;
}

static void add_property(struct line *line, const char *name, uint64_t number, const char *unit)
{
        char word[96];

        (void)snprintf(word, sizeof(word), "%s%" PRIu64 "%s", name, number, unit);
        add(line, "-p");
        add(line, word);
}

/* The scope is the program's own process: its pid and its exit are as without. */
static void add_systemd(struct line *line, const struct fence_limits *limits)
{
        add(line, systemd_run);
        if (!is_root())
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

/* Everything as it is, but for what was asked for. */
static void add_bubblewrap(struct line *line, const struct fence_limits *limits,
                           const char *directory)
{
        add(line, bubblewrap);
        add(line, limits->is_read_only ? "--ro-bind" : "--dev-bind");
        add(line, "/");
        add(line, "/");
        if (limits->is_read_only) {
                add(line, "--dev-bind");
                add(line, "/dev");
                add(line, "/dev");
                add(line, "--bind");
                add(line, directory);
                add(line, directory);
        }
        for (size_t i = 0; i < limits->writable_count; i++) {
                add(line, "--bind");
                add(line, limits->writable[i]);
                add(line, limits->writable[i]);
        }
        if (limits->has_no_network)
                add(line, "--unshare-net");
        add(line, "--");
}

static int make_arguments(struct fence *fence, char *const *argv, const char *directory)
{
        const struct fence_limits *limits = &fence->limits;
        struct line line = { .at = calloc(fence_argument_max + 1, sizeof(char *)) };

        if (!line.at)
                return -ENOMEM;
        fence->argv = line.at;
        if (fence->name && strcmp(fence->name, "systemd scope") == 0)
                add_systemd(&line, limits);
        if (limits->has_no_network || limits->is_read_only)
                add_bubblewrap(&line, limits, directory);
        for (size_t i = 0; argv[i]; i++)
                add(&line, argv[i]);
        return line.is_full ? -E2BIG : 0;
}

static int check_namespaces(struct fence *fence, struct text *why)
{
        const struct fence_limits *limits = &fence->limits;

        if (!limits->has_no_network && !limits->is_read_only)
                return 0;
        if (access(bubblewrap, X_OK)) {
                text_printf(why, "--no-network and --read-only need bubblewrap; apt-get install "
                                 "bubblewrap, or leave them out");
                return FENCE_REFUSED;
        }
        for (size_t i = 0; i < limits->writable_count; i++) {
                struct stat status;

                if (!stat(limits->writable[i], &status) && S_ISDIR(status.st_mode) &&
                    limits->writable[i][0] == '/')
                        continue;
                text_printf(why, "--writable '%s' is no folder; give the whole path of one",
                            limits->writable[i]);
                return FENCE_REFUSED;
        }
        if (limits->has_no_network) {
                join(&fence->kept);
                text_append(&fence->kept, "no network");
        }
        if (limits->is_read_only) {
                join(&fence->kept);
                text_append(&fence->kept, "read-only files");
        }
        return 0;
}

/* ---- Life ----------------------------------------------------------------- */

int fence_open(struct fence *fence, const struct fence_limits *limits, char *const *argv,
               const char *directory, struct text *why)
{
        int outcome;

        fence->limits = *limits;
        choose_group(fence);
        if (limits->files) {
                join(&fence->kept);
                text_printf(&fence->kept, "files %" PRIu64, limits->files);
        }
        outcome = check_namespaces(fence, why);
        if (!outcome && limits->is_required && fence->missing.length) {
                text_printf(why, "--require-fence: not enforced here: %s",
                            text_view(&fence->missing));
                outcome = FENCE_REFUSED;
        }
        if (!outcome)
                outcome = make_arguments(fence, argv, directory);
        if (outcome)
                fence_close(fence);
        return outcome;
}

void fence_close(struct fence *fence)
{
        (void)cgroup_remove(
                &fence->group); /* what still runs in it keeps it; the next run sweeps */
        cgroup_home_fini(&fence->home);
        for (size_t i = 0; fence->argv && fence->argv[i]; i++)
                free(fence->argv[i]);
        free(fence->argv);
        fence->argv = NULL;
        text_fini(&fence->kept);
        text_fini(&fence->missing);
}

static int set(__rlimit_resource_t resource, uint64_t value)
{
        const struct rlimit limit = { value, value };

        return setrlimit(resource, &limit) ? -errno : 0;
}

int fence_enter(void *context)
{
        const struct fence *fence = context;
        int failed = fence->group.home ? cgroup_join(&fence->group) : 0;

        if (!failed && fence->limits.files)
                failed = set(RLIMIT_NOFILE, fence->limits.files);
        if (failed || !fence->name || strcmp(fence->name, "rlimits") != 0)
                return failed;
        if (fence->limits.memory_bytes)
                failed = set(RLIMIT_DATA, fence->limits.memory_bytes);
        if (!failed && fence->limits.processes && !is_root())
                failed = set(RLIMIT_NPROC, fence->limits.processes);
        return failed;
}

json_t *fence_json(const struct fence *fence)
{
        return json_pack("{s:s, s:s, s:s}", "by", fence->name ? fence->name : "rlimits", "limits",
                         text_view(&fence->kept), "missing", text_view(&fence->missing));
}
