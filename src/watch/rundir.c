/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because whoever can write into the directory can speak for the program, and because a
 * segment on a disk stalls the program that writes it.
 */
#include "watch/rundir.h"

#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

struct place {
        const char *start; /* of the path */
        const char *end;
        bool must_be_fast;
        bool must_be_private; /* nobody else may even look */
};

const char *rundir_name(const struct rundir *dir)
{
        const char *slash = strrchr(text_view(&dir->path), '/');

        return slash ? slash + 1 : text_view(&dir->path);
}

/* A directory that was opened: may we use it? */
static int check(const struct rundir *dir, const char *path, const struct place *place,
                 bool *ret_is_fast, struct text *why)
{
        mode_t others = place->must_be_private ? 077 : 022;
        struct stat status;
        struct statfs system;

        if (fstat(dir->base_fd, &status) || fstatfs(dir->base_fd, &system)) {
                int failed = error_last();

                text_printf(why, "cannot look at '%s': %s", path, error_text(failed));
                return failed;
        }
        *ret_is_fast = system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC;
        if (status.st_uid != geteuid()) {
                text_printf(why, "'%s' belongs to user %u; give one of your own with --dir", path,
                            (unsigned)status.st_uid);
                return -EPERM;
        }
        if (status.st_mode & others) {
                text_printf(why, "others may use '%s': chmod 700 '%s', or give another with --dir",
                            path, path);
                return -EPERM;
        }
        if (place->must_be_fast && !*ret_is_fast) {
                text_printf(why,
                            "'%s' is not on tmpfs, which probes need; a directory under /dev/shm "
                            "is",
                            path);
                return -ENOTSUP;
        }
        return 0;
}

static int open_base(struct rundir *dir, const char *path, const struct place *place,
                     struct text *why)
{
        bool is_fast = false;
        int failed;

        if (path[0] != '/') {
                text_printf(why, "'%s' is no absolute path", path);
                return -EINVAL;
        }
        if (mkdir(path, 0700) && errno != EEXIST) {
                failed = error_last();
                text_printf(why, "cannot make '%s': %s; give another directory with --dir", path,
                            error_text(failed));
                return failed;
        }
        dir->base_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir->base_fd < 0) {
                failed = error_last();
                text_printf(why,
                            "'%s' is no directory that can be used: %s; give another with "
                            "--dir",
                            path, error_text(failed));
                return failed;
        }
        failed = check(dir, path, place, &is_fast, why);
        if (failed) {
                (void)close(dir->base_fd); /* read only */
                dir->base_fd = -1;
        }
        dir->is_slow = !is_fast;
        return failed;
}

static int try_place(struct rundir *dir, const struct place *place, struct text *ret_path,
                     struct text *why)
{
        text_clear(ret_path);
        text_clear(why);
        text_printf(ret_path, "%s%s", place->start, place->end);
        if (ret_path->error)
                return ret_path->error;
        return open_base(dir, text_view(ret_path), place, why);
}

/* /run/user/1000/tocsin must not be made by another user than 1000, and so for the others. */
static bool may_make(const char *parent)
{
        struct stat status;

        return parent[0] == '/' && !stat(parent, &status) && status.st_uid == geteuid();
}

/* What --dir names: made if it is not there, and never a link, which others may turn elsewhere. */
static int take_asked(struct rundir *dir, const char *asked, struct text *ret_path,
                      struct text *why)
{
        struct stat status;
        char *whole;
        int failed;

        (void)mkdir(asked, 0700); /* it may be there; what matters is checked below */
        whole = realpath(asked, NULL);
        if (!whole || lstat(asked, &status)) {
                failed = error_last();
                text_printf(why, "cannot use --dir '%s': %s", asked, error_text(failed));
        } else if (S_ISLNK(status.st_mode)) {
                failed = -ELOOP;
                text_printf(why, "--dir '%s' is a symbolic link; name the directory '%s' itself",
                            asked, whole);
        } else {
                failed = try_place(dir, &(struct place){ whole, "", false, false }, ret_path, why);
        }
        free(whole);
        return failed;
}

static int choose_base(struct rundir *dir, const char *asked, struct text *ret_path,
                       struct text *why)
{
        const char *set = getenv("TOCSIN_DIR");
        const char *session = getenv("XDG_RUNTIME_DIR");
        char user[16];

        if (asked)
                return take_asked(dir, asked, ret_path, why);
        if (set && set[0])
                return try_place(dir, &(struct place){ set, "", true, false }, ret_path, why);
        if (session && may_make(session) &&
            !try_place(dir, &(struct place){ session, "/tocsin", true, true }, ret_path, why))
                return 0;
        if (may_make("/run") &&
            !try_place(dir, &(struct place){ "/run", "/tocsin", true, true }, ret_path, why))
                return 0;
        (void)snprintf(user, sizeof(user), "%u", (unsigned)geteuid());
        return try_place(dir, &(struct place){ "/dev/shm/tocsin-", user, true, true }, ret_path,
                         why);
}

static int open_bell(const struct rundir *dir)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int length, failed;

        if (fd < 0)
                return error_last();
        length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/bell",
                          text_view(&dir->path));
        if (length < 0 || (size_t)length >= sizeof(address.sun_path))
                failed = -ENAMETOOLONG;
        else if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&address, sizeof(address)))
                failed = error_last();
        else
                return fd;
        (void)close(fd); /* nothing was sent */
        return failed;
}

static int fill(struct rundir *dir, struct text *why)
{
        int failed = 0;

        dir->fd = openat(dir->base_fd, rundir_name(dir),
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir->fd < 0)
                failed = error_last();
        if (!failed)
                dir->bell = open_bell(dir);
        if (!failed && dir->bell < 0)
                failed = dir->bell;
        if (failed)
                text_printf(why, "cannot use '%s': %s; give another directory with --dir",
                            text_view(&dir->path), error_text(failed));
        return failed;
}

int rundir_open(struct rundir *dir, const char *asked, struct text *why)
{
        BASE_SCOPE(text_fini) struct text base = TEXT_INIT(4096);
        int failed = choose_base(dir, asked, &base, why);

        if (failed)
                return failed;
        text_clear(why);
        text_printf(&dir->path, "%s/run-XXXXXX", text_view(&base));
        if (dir->path.error || dir->path.length > rundir_path_max) {
                text_printf(why,
                            "the path '%s' is too long for a socket; give a shorter one with "
                            "--dir",
                            text_view(&base));
                failed = -ENAMETOOLONG;
        } else if (!mkdtemp(dir->path.bytes)) {
                failed = error_last();
                text_printf(why, "cannot make a directory in '%s': %s; give another with --dir",
                            text_view(&base), error_text(failed));
        }
        if (failed)
                text_clear(&dir->path);
        else
                failed = fill(dir, why);
        if (failed)
                (void)rundir_close(dir, false); /* the first failure is the news */
        return failed;
}

static void close_end(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* directories and a socket: nothing can be lost */
        *fd = -1;
}

int rundir_close(struct rundir *dir, bool is_kept)
{
        int failed = 0;

        close_end(&dir->bell);
        close_end(&dir->fd);
        if (!is_kept && dir->path.length)
                failed = file_remove_tree(dir->base_fd, rundir_name(dir));
        close_end(&dir->base_fd);
        text_fini(&dir->path);
        return failed;
}
