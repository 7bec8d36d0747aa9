/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because gates get killed, and because the number of a dead one may look alive in another
 * container that shares the folder: only number and lock together tell.
 */
#include "gate/scratch.h"
#include "base/error.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "tocsin-gate-"

static bool is_dead(const char *name)
{
        int pid = 0;

        return sscanf(name, PREFIX "%d-", &pid) == 1 && pid > 0 && kill(pid, 0) && errno == ESRCH;
}

static void sweep_one(int dir_fd, const char *name)
{
        int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return;
        /* file_remove_tree() refuses what is not ours. */
        if (!flock(fd, LOCK_EX | LOCK_NB))
                (void)file_remove_tree(dir_fd, name);
        (void)close(fd);
}

static void sweep(const char *parent)
{
        DIR *dir = opendir(parent);
        struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                if (is_dead(entry->d_name))
                        sweep_one(dirfd(dir), entry->d_name);
        if (dir)
                (void)closedir(dir);
}

int scratch_make(struct scratch *ret_scratch)
{
        struct scratch scratch = { .path = TEXT_INIT(PATH_MAX), .fd = -1 };
        const char *parent = getenv("TMPDIR");
        int failed = 0;

        if (!parent || parent[0] != '/')
                parent = "/tmp";
        sweep(parent);
        text_printf(&scratch.path, "%s/" PREFIX "%d-XXXXXX", parent, (int)getpid());
        if (scratch.path.error || !mkdtemp(scratch.path.bytes)) {
                failed = scratch.path.error ? scratch.path.error : error_last();
                text_fini(&scratch.path);
                return failed;
        }
        scratch.fd = open(scratch.path.bytes, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (scratch.fd < 0 || flock(scratch.fd, LOCK_EX | LOCK_NB) || fchmod(scratch.fd, 0711)) {
                failed = error_last();
                scratch_remove(&scratch);
                return failed;
        }
        *ret_scratch = scratch;
        return 0;
}

void scratch_remove(struct scratch *scratch)
{
        if (scratch->path.length)
                (void)file_remove_tree(AT_FDCWD, text_view(&scratch->path)); /* next sweep */
        if (scratch->fd >= 0)
                (void)close(scratch->fd);
        scratch->fd = -1;
        text_fini(&scratch->path);
}
