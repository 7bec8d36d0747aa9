/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because rlimits count a process each: a hundred children with a gigabyte each are within
 * every one of them. Groups are found by their mounts, as both versions may lie anywhere.
 */
#include "watch/cgroup.h"
#include "watch/cgroup_read.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { small_file_max = 65536 };

static const uint64_t sweep_wait_ns = CLOCK_S_NS;

static void close_fd(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* folders and kernel files: nothing can be lost */
        *fd = -1;
}

static void end_mounts(FILE **file)
{
        if (*file)
                (void)endmntent(*file);
}

static int write_file(int dir_fd, const char *name, const char *value)
{
        int fd BASE_SCOPE(close_fd) = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0)
                return error_last();
        return write(fd, value, strlen(value)) < 0 ? error_last() : 0;
}

static int write_number(int dir_fd, const char *name, uint64_t value)
{
        char digits[24];

        (void)snprintf(digits, sizeof(digits), "%" PRIu64, value);
        return write_file(dir_fd, name, digits);
}

static void own_path(const char *controller, struct text *into)
{
        cgroup_path_of("self", controller, into);
}

/* Whether groups can be made here: by doing it. */
static bool is_ours(int fd)
{
        char name[cgroup_name_bytes];

        (void)snprintf(name, sizeof(name), "tocsin-try-%d", (int)getpid());
        return mkdirat(fd, name, 0755) == 0 && unlinkat(fd, name, AT_REMOVEDIR) == 0;
}

/* The folder PATH below a mount, or the mount itself where our path is not to be seen in it. */
static int open_own(const char *mount, const char *path)
{
        struct text whole BASE_SCOPE(text_fini) = TEXT_INIT(PATH_MAX);
        int fd;

        text_append(&whole, mount);
        text_append(&whole, path);
        fd = whole.error ? -1 : open(text_view(&whole), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd >= 0 ? fd : open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void add_tree(struct cgroup_home *home, int *fd, unsigned roles, bool is_v2)
{
        unsigned had = cgroup_roles(home);

        if (*fd < 0 || !roles || (had & roles) == roles || home->tree_count == cgroup_tree_max ||
            !is_ours(*fd)) {
                close_fd(fd);
                return;
        }
        home->trees[home->tree_count++] =
                (struct cgroup_tree){ .fd = *fd, .roles = roles, .is_v2 = is_v2 };
        *fd = -1;
}

/* Those that the children of a group get. */
static unsigned handed_on(int fd)
{
        return cgroup_roles_in(fd, "cgroup.subtree_control");
}

/* The nearest group from ours upwards whose children get what is needed. A group with processes of
 * its own cannot hand controllers on, so ours itself mostly does not. */
static int open_v2(const char *mount, unsigned needed, unsigned *ret_roles)
{
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(PATH_MAX);
        int root;

        own_path(NULL, &path);
        while (path.length > 1 && path.bytes) {
                int fd = open_own(mount, path.bytes);
                char *slash = strrchr(path.bytes, '/');

                *ret_roles = fd >= 0 ? handed_on(fd) : 0;
                if (*ret_roles && (*ret_roles & needed) == needed && is_ours(fd))
                        return fd;
                close_fd(&fd);
                if (!slash)
                        break;
                *slash = '\0';
                path.length = (size_t)(slash - path.bytes);
        }
        root = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *ret_roles = root >= 0 ? handed_on(root) : 0;
        if ((*ret_roles & needed) != needed || (*ret_roles && !is_ours(root)))
                *ret_roles = 0;
        return root;
}

/* ---- What the dead left ---------------------------------------------------- */

/* Processes in it, at most `max`. */
static size_t list(int folder_fd, pid_t *ret_pids, size_t max)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(small_file_max);
        size_t count = 0;
        char *rest, *line;

        if (file_read(folder_fd, "cgroup.procs", &text))
                return 0;
        rest = text.bytes;
        while (rest && count < max && (line = strsep(&rest, "\n"))) {
                uint64_t pid;

                if (!text_parse_u64(line, 1, INT_MAX, &pid))
                        ret_pids[count++] = (pid_t)pid;
        }
        return count;
}

/* Nothing in it can leave it, so a number read here is a member unless it died within the last
 * microseconds. */
static void kill_listed(int folder_fd)
{
        pid_t pids[256];
        size_t count = list(folder_fd, pids, BASE_COUNT(pids));

        for (size_t i = 0; i < count; i++)
                (void)kill(pids[i], SIGKILL); /* gone already is what we want */
}

/* A group whose last process has just died may be busy for some more milliseconds. */
static int remove_folder(int dir_fd, const char *name, uint64_t end_ns)
{
        while (unlinkat(dir_fd, name, AT_REMOVEDIR)) {
                if (errno == ENOENT)
                        return 0;
                if (errno != EBUSY || clock_monotonic_ns() > end_ns)
                        return error_last();
                (void)poll(NULL, 0, 1);
        }
        return 0;
}

/* The number of its maker may be another's in another pid namespace; who lives holds its lock. */
static void sweep_one(int dir_fd, const char *name, bool kills)
{
        int fd BASE_SCOPE(close_fd) =
                openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB))
                return;
        if (kills)
                kill_listed(fd);
        (void)remove_folder(dir_fd, name, kills ? clock_monotonic_ns() + sweep_wait_ns : 0);
}

/* Groups of processes that are no more. One that still has processes stays: rmdir says so. */
static void sweep(int folder_fd, const char *prefix, bool kills)
{
        size_t length = strlen(prefix);
        int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                int pid = 0;

                if (strncmp(entry->d_name, prefix, length) == 0 &&
                    sscanf(entry->d_name + length, "-%d-", &pid) == 1 && pid > 0 && kill(pid, 0) &&
                    errno == ESRCH)
                        sweep_one(fd, entry->d_name, kills);
        }
        if (dir)
                (void)closedir(dir);
        else
                close_fd(&fd);
}

/* ---- Finding ---------------------------------------------------------------- */

/* What a search is for. */
struct search {
        unsigned needed, wished;
        bool kills_left;
        struct cgroup_home v1, v2;
};

/* Sweeps in any case: the run that has left groups may have wanted other limits. */
static void look_at_mount(const struct mntent *mount, struct search *search)
{
        unsigned roles = 0, wanted = search->needed | search->wished;
        int fd;

        if (strcmp(mount->mnt_type, "cgroup2") == 0) {
                fd = open_v2(mount->mnt_dir, search->needed, &roles);
                sweep(fd, search->v2.prefix, search->kills_left);
                if (roles & wanted)
                        add_tree(&search->v2, &fd, (roles & wanted) | CGROUP_KILL, true);
                else
                        add_tree(&search->v1, &fd, CGROUP_KILL, true);
                return;
        }
        for (size_t i = 0; i < BASE_COUNT(cgroup_kinds) && strcmp(mount->mnt_type, "cgroup") == 0;
             i++) {
                struct text path BASE_SCOPE(text_fini) = TEXT_INIT(PATH_MAX);

                if (!hasmntopt(mount, cgroup_kinds[i].old_name))
                        continue;
                own_path(cgroup_kinds[i].old_name, &path);
                fd = open_own(mount->mnt_dir, text_view(&path));
                sweep(fd, search->v1.prefix, search->kills_left);
                if (wanted & cgroup_kinds[i].role)
                        add_tree(&search->v1, &fd, cgroup_kinds[i].role, false);
                else
                        close_fd(&fd);
        }
}

unsigned cgroup_roles(const struct cgroup_home *home)
{
        unsigned roles = 0;

        for (size_t i = 0; i < home->tree_count; i++)
                roles |= home->trees[i].roles;
        return roles;
}

int cgroup_find(const char *prefix, unsigned needed, unsigned wished, bool kills_left,
                struct cgroup_home *ret_home)
{
        struct search search = { .needed = needed,
                                 .wished = wished,
                                 .kills_left = kills_left,
                                 .v1 = { .name = "cgroup v1", .prefix = prefix },
                                 .v2 = { .name = "cgroup v2", .prefix = prefix } };
        FILE *mounts BASE_SCOPE(end_mounts) = setmntent("/proc/self/mounts", "re");
        struct mntent *mount, entry;
        char line[PATH_MAX];

        if (!mounts)
                return error_last();
        while ((mount = getmntent_r(mounts, &entry, line, sizeof(line))))
                look_at_mount(mount, &search);
        if (search.v2.tree_count) {
                cgroup_home_fini(&search.v1);
                *ret_home = search.v2;
        } else if ((cgroup_roles(&search.v1) & needed) == needed &&
                   cgroup_roles(&search.v1) & (needed | wished)) {
                *ret_home = search.v1;
        } else {
                cgroup_home_fini(&search.v1);
                return -ENOENT;
        }
        return 0;
}

void cgroup_home_fini(struct cgroup_home *home)
{
        for (size_t i = 0; i < home->tree_count; i++)
                close_fd(&home->trees[i].fd);
        home->tree_count = 0;
}

static int limit_memory(const struct cgroup_tree *tree, int fd, uint64_t bytes)
{
        int failed;

        if (!tree->is_v2) {
                failed = write_number(fd, "memory.limit_in_bytes", bytes);
                (void)write_number(fd, "memory.memsw.limit_in_bytes", bytes);
                return failed;
        }
        failed = write_number(fd, "memory.max", bytes);
        /* Both are missing on some kernels, and without swap nothing is lost. */
        (void)write_number(fd, "memory.swap.max", 0);
        (void)write_number(fd, "memory.oom.group", 1);
        return failed;
}

enum { cpu_period_us = 100000 };

static int limit_cpu(const struct cgroup_tree *tree, int fd, uint64_t permille)
{
        char both[64];

        if (!tree->is_v2)
                return write_number(fd, "cpu.cfs_quota_us", permille * (cpu_period_us / 1000));
        (void)snprintf(both, sizeof(both), "%" PRIu64 " %d", permille * (cpu_period_us / 1000),
                       (int)cpu_period_us);
        return write_file(fd, "cpu.max", both);
}

static int limit_io(const struct cgroup_tree *tree, int fd, dev_t device, uint64_t bytes)
{
        char text[128];
        int failed;

        if (tree->is_v2) {
                (void)snprintf(text, sizeof(text), "%u:%u rbps=%" PRIu64 " wbps=%" PRIu64,
                               major(device), minor(device), bytes, bytes);
                return write_file(fd, "io.max", text);
        }
        (void)snprintf(text, sizeof(text), "%u:%u %" PRIu64, major(device), minor(device), bytes);
        failed = write_file(fd, "blkio.throttle.read_bps_device", text);
        return failed ? failed : write_file(fd, "blkio.throttle.write_bps_device", text);
}

/* Which of the limits the kernel did not take. */
static unsigned limit(const struct cgroup_tree *tree, int fd, const struct cgroup_limits *limits)
{
        unsigned unset = 0;

        if (tree->roles & CGROUP_MEMORY && limits->memory_bytes &&
            limit_memory(tree, fd, limits->memory_bytes))
                unset |= CGROUP_MEMORY;
        if (tree->roles & CGROUP_PIDS && limits->processes &&
            write_number(fd, "pids.max", limits->processes))
                unset |= CGROUP_PIDS;
        if (tree->roles & CGROUP_CPU && limits->cpu_permille &&
            limit_cpu(tree, fd, limits->cpu_permille))
                unset |= CGROUP_CPU;
        if (tree->roles & CGROUP_IO && limits->io_bytes &&
            limit_io(tree, fd, limits->io_device, limits->io_bytes))
                unset |= CGROUP_IO;
        return unset;
}

int cgroup_make(const struct cgroup_home *home, unsigned number, const struct cgroup_limits *limits,
                struct cgroup *ret_group)
{
        struct cgroup group = { .home = home, .io_device = limits->io_device };
        int failed = 0;

        for (size_t i = 0; i < cgroup_tree_max; i++)
                group.folders[i] = group.joins[i] = -1;
        (void)snprintf(group.name, sizeof(group.name), "%s-%d-%u", home->prefix, (int)getpid(),
                       number);
        for (size_t i = 0; i < home->tree_count && !failed; i++) {
                int at = home->trees[i].fd;

                if (mkdirat(at, group.name, 0755)) {
                        failed = error_last();
                        break;
                }
                group.folders[i] = openat(at, group.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                group.joins[i] = group.folders[i] < 0 ? -1
                                                      : openat(group.folders[i], "cgroup.procs",
                                                               O_WRONLY | O_CLOEXEC);
                if (group.joins[i] < 0)
                        failed = error_last();
                if (failed)
                        break;
                (void)flock(group.folders[i], LOCK_EX | LOCK_NB); /* else whoever sweeps has it */
                group.unset |= limit(&home->trees[i], group.folders[i], limits);
        }
        if (failed)
                (void)cgroup_remove(&group, 0); /* empty; what failed is the news */
        else
                *ret_group = group;
        return failed;
}

bool cgroup_is_made(const struct cgroup *group)
{
        return group->home != NULL;
}

int cgroup_join(const struct cgroup *group)
{
        for (size_t i = 0; i < group->home->tree_count; i++)
                if (write(group->joins[i], "0", 1) < 0)
                        return -errno;
        return 0;
}

void cgroup_kill(const struct cgroup *group)
{
        for (size_t i = 0; i < group->home->tree_count; i++)
                if (group->home->trees[i].roles & CGROUP_KILL &&
                    !write_number(group->folders[i], "cgroup.kill", 1))
                        return;
        for (size_t i = 0; i < group->home->tree_count; i++)
                if (group->home->trees[i].roles & CGROUP_PIDS)
                        kill_listed(group->folders[i]);
}

static void count_memory(bool is_v2, int fd, struct cgroup_counts *counts)
{
        uint64_t cached =
                cgroup_keyed(fd, "memory.stat", is_v2 ? "inactive_file" : "total_inactive_file");
        uint64_t bytes = cgroup_number(fd, is_v2 ? "memory.current" : "memory.usage_in_bytes");

        counts->memory_bytes = bytes > cached ? bytes - cached : 0; /* what can go has gone */
        counts->memory_peak_bytes =
                cgroup_number(fd, is_v2 ? "memory.peak" : "memory.max_usage_in_bytes");
        counts->memory_refusals = is_v2 ? cgroup_keyed(fd, "memory.events", "max")
                                        : cgroup_number(fd, "memory.failcnt");
        counts->oom_kills =
                cgroup_keyed(fd, is_v2 ? "memory.events" : "memory.oom_control", "oom_kill");
        counts->was_out_of_memory = counts->oom_kills > 0;
}

void cgroup_count(const struct cgroup *group, struct cgroup_counts *ret_counts)
{
        struct cgroup_counts counts = { 0 };

        for (size_t i = 0; i < group->home->tree_count; i++) {
                const struct cgroup_tree *tree = &group->home->trees[i];
                int fd = group->folders[i];

                if (tree->roles & CGROUP_MEMORY)
                        count_memory(tree->is_v2, fd, &counts);
                if (tree->roles & CGROUP_PIDS) {
                        counts.processes = cgroup_number(fd, "pids.current");
                        counts.process_refusals = cgroup_keyed(fd, "pids.events", "max");
                        counts.was_refused_processes = counts.process_refusals > 0;
                }
                if (tree->is_v2) {
                        counts.memory_stalled = cgroup_stalled(fd, "memory.pressure");
                        counts.io_stalled = cgroup_stalled(fd, "io.pressure");
                }
                if (tree->roles & CGROUP_CPU) {
                        counts.cpu_periods = cgroup_keyed(fd, "cpu.stat", "nr_periods");
                        counts.cpu_throttled = cgroup_keyed(fd, "cpu.stat", "nr_throttled");
                }
                if (tree->roles & CGROUP_IO && group->io_device)
                        cgroup_transferred(fd, tree->is_v2, group->io_device, &counts);
        }
        *ret_counts = counts;
}

bool cgroup_has_pressure(const struct cgroup *group)
{
        for (size_t i = 0; i < group->home->tree_count; i++)
                if (group->home->trees[i].is_v2 &&
                    !faccessat(group->folders[i], "memory.pressure", R_OK, 0))
                        return true;
        return false;
}

int cgroup_remove(struct cgroup *group, uint64_t wait_ns)
{
        uint64_t end_ns = clock_monotonic_ns() + wait_ns;
        int failed = 0;

        if (!group->home)
                return 0;
        for (size_t i = 0; i < group->home->tree_count; i++) {
                int error;

                close_fd(&group->joins[i]);
                close_fd(&group->folders[i]);
                error = remove_folder(group->home->trees[i].fd, group->name, end_ns);
                if (!failed)
                        failed = error;
        }
        group->home = NULL;
        return failed;
}
