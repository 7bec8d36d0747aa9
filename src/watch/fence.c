/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because without limits around it nobody can tell a program that needs more from one that
 * takes more. All that limits is the kernel's; here is only the choice.
 */
#include "watch/fence.h"
#include "watch/fence_spaces.h"
#include "watch/fence_systemd.h"

#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The program has ended: its group is empty within milliseconds, or it has left something. */
#define REMOVE_WAIT_NS (200 * CLOCK_MS_NS)

static const char scope_name[] = "systemd scope";

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

/* The disk that we stand on. Of a part of one the kernel refuses limits; in /sys it lies in the
 * folder of the whole. */
static dev_t disk_of_here(void)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(64);
        unsigned number[2];
        struct stat status;
        char path[64];

        if (stat(".", &status))
                return 0;
        (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major(status.st_dev),
                       minor(status.st_dev));
        if (access(path, F_OK))
                return status.st_dev;
        (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", major(status.st_dev),
                       minor(status.st_dev));
        if (file_read(AT_FDCWD, path, &text) ||
            sscanf(text_view(&text), "%u:%u", &number[0], &number[1]) != 2)
                return status.st_dev;
        return makedev(number[0], number[1]);
}

static int make_group(struct fence *fence, unsigned wanted)
{
        const struct cgroup_limits limits = {
                .memory_bytes = fence->limits.memory_bytes,
                .processes = fence->limits.processes,
                .cpu_permille = fence->limits.cpu_permille,
                .io_bytes = fence->limits.io_bytes,
                .io_device = fence->limits.io_bytes ? fence->io_device : 0,
        };
        int failed = cgroup_find("tocsin-run", 0, wanted, false, &fence->home);

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
        fence->io_device = disk_of_here();
        if (fence_systemd_is_there()) {
                fence->name = scope_name;
                kept = wanted & fence_systemd_roles();
        } else if (!make_group(fence, wanted)) {
                fence->name = fence->home.name;
                kept = cgroup_roles(&fence->home) & wanted & ~fence->group.unset;
        }
        fence->counted = kept;
        if (!kept && rlimits_keep(wanted)) {
                fence->name = "rlimits";
                kept = rlimits_keep(wanted);
        }
        say_limits(fence, kept);
        say_missing(fence, wanted & ~kept);
}

/* ---- Namespaces ----------------------------------------------------------- */

static int check_writable(const struct fence_limits *limits, struct text *why)
{
        for (size_t i = 0; i < limits->writable_count; i++) {
                struct stat status;

                if (limits->writable[i][0] == '/' && !stat(limits->writable[i], &status) &&
                    S_ISDIR(status.st_mode))
                        continue;
                text_printf(why, "--writable '%s' is no folder; give the whole path of one",
                            limits->writable[i]);
                return FENCE_REFUSED;
        }
        return 0;
}

static int make_spaces(struct fence *fence, const char *directory, struct text *why)
{
        const struct fence_limits *limits = &fence->limits;
        int outcome;

        if (!limits->has_no_network && !limits->is_read_only)
                return 0;
        outcome = check_writable(limits, why);
        if (!outcome)
                outcome = fence_spaces_open(&fence->spaces, limits, directory, why);
        if (outcome)
                return outcome;
        if (limits->has_no_network) {
                join(&fence->kept);
                text_append(&fence->kept, "no network");
        }
        if (limits->is_read_only) {
                join(&fence->kept);
                text_append(&fence->kept, "read-only files");
        }
        if (fence->spaces.calls.count) {
                join(&fence->kept);
                text_append(&fence->kept, "seccomp");
        } else {
                join(&fence->missing);
                text_append(&fence->missing, "seccomp (the kernel has no filters)");
        }
        return 0;
}

/* Nobody but root gets more descriptors than the hard limit; fewer are what was wanted, too. */
static void limit_files(struct fence *fence)
{
        struct rlimit limit;

        if (!fence->limits.files)
                return;
        join(&fence->kept);
        if (is_root() || getrlimit(RLIMIT_NOFILE, &limit) ||
            limit.rlim_max >= fence->limits.files) {
                text_printf(&fence->kept, "files %" PRIu64, fence->limits.files);
                return;
        }
        fence->limits.files = limit.rlim_max;
        text_printf(&fence->kept, "files %" PRIu64 " (the hard limit here)", fence->limits.files);
}

/* ---- Life ----------------------------------------------------------------- */

int fence_open(struct fence *fence, const struct fence_limits *limits, char *const *argv,
               const char *directory, struct text *why)
{
        int outcome;

        fence->limits = *limits;
        fence->argv = argv;
        choose_group(fence);
        limit_files(fence);
        outcome = make_spaces(fence, directory, why);
        if (!outcome && limits->is_required && fence->missing.length) {
                text_printf(why, "--require-fence: not enforced here: %s",
                            text_view(&fence->missing));
                outcome = FENCE_REFUSED;
        }
        if (!outcome && fence->name == scope_name) {
                outcome = fence_systemd_argv(limits, !is_root(), argv, &fence->launch);
                fence->argv = fence->launch;
        }
        if (outcome)
                fence_close(fence);
        return outcome;
}

/* What still runs in the group keeps it; the next run sweeps. */
void fence_close(struct fence *fence)
{
        if (cgroup_remove(&fence->group, REMOVE_WAIT_NS) == -EBUSY)
                fence->is_left = true;
        cgroup_home_fini(&fence->home);
        fence_spaces_close(&fence->spaces);
        fence_systemd_free(&fence->launch);
        fence->argv = NULL;
        text_fini(&fence->kept);
        text_fini(&fence->missing);
}

static int set(__rlimit_resource_t resource, uint64_t value)
{
        const struct rlimit limit = { value, value };
        struct rlimit old;

        if (!setrlimit(resource, &limit))
                return 0;
        if (errno != EPERM || getrlimit(resource, &old) || old.rlim_max > value)
                return -EPERM;
        old.rlim_cur = old.rlim_max; /* a tighter one holds already, and cannot be raised */
        return setrlimit(resource, &old) ? -errno : 0;
}

int fence_enter(void *context)
{
        const struct fence *fence = context;
        int failed = fence->group.home ? cgroup_join(&fence->group) : 0;

        if (!failed)
                failed = fence_spaces_enter(&fence->spaces);
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

bool fence_is_scope(const struct fence *fence)
{
        return fence->name == scope_name;
}

json_t *fence_json(const struct fence *fence)
{
        return json_pack("{s:s, s:s, s:s}", "by", fence->name ? fence->name : "rlimits", "limits",
                         text_view(&fence->kept), "missing", text_view(&fence->missing));
}
