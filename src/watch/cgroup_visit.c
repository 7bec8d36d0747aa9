/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a scope of systemd is a group that we did not make, and want to hear of. */
#include "watch/cgroup_read.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <unistd.h>

static void close_fd(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* folders: nothing can be lost */
        *fd = -1;
}

static void end_mounts(FILE **file)
{
        if (*file)
                (void)endmntent(*file);
}

static int open_mount(void)
{
        FILE *mounts BASE_SCOPE(end_mounts) = setmntent("/proc/self/mounts", "re");
        struct mntent *mount, entry;
        char line[PATH_MAX];

        while (mounts && (mount = getmntent_r(mounts, &entry, line, sizeof(line))))
                if (strcmp(mount->mnt_type, "cgroup2") == 0)
                        return open(mount->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return -1;
}

unsigned cgroup_controllers(const char *path)
{
        int mount BASE_SCOPE(close_fd) = open_mount();
        int fd BASE_SCOPE(close_fd) =
                mount < 0 ? -1 : openat(mount, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? 0 : cgroup_roles_in(fd, "cgroup.controllers");
}

int cgroup_visit(pid_t pid, struct cgroup_home *ret_home, struct cgroup *ret_group)
{
        struct text ours BASE_SCOPE(text_fini) = TEXT_INIT(PATH_MAX);
        struct text theirs BASE_SCOPE(text_fini) = TEXT_INIT(PATH_MAX);
        int mount BASE_SCOPE(close_fd) = open_mount();
        char digits[16];
        int fd, above;

        (void)snprintf(digits, sizeof(digits), "%d", (int)pid);
        cgroup_path_of("self", NULL, &ours);
        cgroup_path_of(digits, NULL, &theirs);
        if (mount < 0 || theirs.length < 2 || strcmp(text_view(&ours), text_view(&theirs)) == 0)
                return -ENOENT;
        /* "/../x": it lies outside of what this namespace shows, and so outside of the mount. */
        if (strncmp(text_view(&theirs), "/..", 3) == 0)
                return -ENOENT;
        fd = openat(mount, text_view(&theirs) + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_last();
        above = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *ret_home = (struct cgroup_home){ .name = "cgroup v2", .tree_count = 1 };
        ret_home->trees[0] = (struct cgroup_tree){
                .fd = above, .roles = cgroup_roles_in(fd, "cgroup.controllers"), .is_v2 = true
        };
        *ret_group = (struct cgroup){ .home = ret_home };
        ret_group->folders[0] = fd;
        return 0;
}

void cgroup_leave(struct cgroup_home *home, struct cgroup *group)
{
        if (group->home)
                close_fd(&group->folders[0]);
        group->home = NULL;
        cgroup_home_fini(home);
}

bool cgroup_is_there(const struct cgroup *group)
{
        return !faccessat(group->folders[0], "cgroup.procs", F_OK, 0);
}

uint64_t cgroup_kills_around(const struct cgroup *group)
{
        return cgroup_keyed(group->home->trees[0].fd, "memory.events", "oom_kill");
}
