/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because each of these three is easily written so that it blocks on a pipe, leaves half a
 * file, or removes what a link points to.
 */
#include "base/file.h"
#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { chunk_bytes = 16384 };

static void close_fd(const int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* written files are synced first: nothing is left to learn */
}

static void close_dir(DIR **dir)
{
        if (*dir)
                (void)closedir(*dir); /* only read from */
}

static int kind_error(const struct stat *status)
{
        if (S_ISREG(status->st_mode))
                return 0;
        return S_ISDIR(status->st_mode) ? -EISDIR : -EINVAL;
}

static int read_all(int fd, struct text *into)
{
        char chunk[chunk_bytes];

        for (;;) {
                ssize_t length = read(fd, chunk, sizeof(chunk));

                if (length < 0 && errno == EINTR)
                        continue;
                if (length < 0)
                        return error_last();
                if (length == 0)
                        return 0;
                text_append_bytes(into, chunk, (size_t)length);
                if (into->error)
                        return into->error == -EOVERFLOW ? -EFBIG : into->error;
        }
}

int file_read_open(int fd, struct text *into)
{
        size_t before = into->length;
        struct stat status;
        int failed;

        if (fstat(fd, &status))
                return error_last();
        failed = into->error ? into->error : kind_error(&status);
        if (failed)
                return failed;
        failed = read_all(fd, into);
        if (failed) {
                into->length = before;
                into->error = 0;
                if (into->bytes)
                        into->bytes[before] = '\0';
        }
        return failed;
}

int file_read(int dir_fd, const char *path, struct text *into)
{
        /* O_NONBLOCK: opening a named pipe must not wait for its writer. */
        int fd BASE_SCOPE(close_fd) =
                openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        return fd < 0 ? error_last() : file_read_open(fd, into);
}

int file_open_beneath(int dir_fd, const char *path, int *ret_fd)
{
        const struct open_how how = {
                .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                           RESOLVE_NO_XDEV,
        };
        const long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

        if (fd < 0)
                return error_last();
        *ret_fd = (int)fd;
        return 0;
}

static int write_all(int fd, const char *bytes, size_t length)
{
        while (length) {
                ssize_t written = write(fd, bytes, length);

                if (written < 0 && errno == EINTR)
                        continue;
                if (written <= 0)
                        return error_last();
                bytes += written;
                length -= (size_t)written;
        }
        return fsync(fd) ? error_last() : 0;
}

/* The directory part of a path, ready to have a name appended: "", "/" or "a/b/". */
static size_t parent_length(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? (size_t)(slash - path) + 1 : 0;
}

static bool is_name(const char *name)
{
        return name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Makes the rename itself survive a power cut. */
static int sync_parent(int dir_fd, const char *path)
{
        struct text parent BASE_SCOPE(text_fini) = TEXT_INIT(PATH_MAX);
        size_t length = parent_length(path);

        text_append_bytes(&parent, length ? path : ".", length ? length : 1);
        if (parent.error)
                return parent.error;
        int fd BASE_SCOPE(close_fd) =
                openat(dir_fd, text_view(&parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 || fsync(fd) ? error_last() : 0;
}

static int draft_name(const char *path, struct text *into)
{
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return error_last();
        text_append_bytes(into, path, parent_length(path));
        text_printf(into, ".tocsin-%016" PRIx64 ".tmp", random);
        return into->error ? -ENAMETOOLONG : 0;
}

int file_replace(int dir_fd, const char *path, const void *bytes, size_t length, mode_t mode)
{
        struct text draft BASE_SCOPE(text_fini) = TEXT_INIT(PATH_MAX);
        struct stat status;
        int failed;

        if (!is_name(path + parent_length(path)))
                return -EINVAL;
        if (!fstatat(dir_fd, path, &status, AT_SYMLINK_NOFOLLOW)) {
                if (!S_ISREG(status.st_mode))
                        return -EINVAL;
        } else if (errno != ENOENT) {
                return error_last();
        }
        failed = draft_name(path, &draft);
        if (failed)
                return failed;
        int fd BASE_SCOPE(close_fd) =
                openat(dir_fd, text_view(&draft),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0)
                return error_last();
        failed = write_all(fd, bytes, length);
        if (!failed && renameat(dir_fd, text_view(&draft), dir_fd, path))
                failed = error_last();
        if (failed) {
                (void)unlinkat(dir_fd, text_view(&draft), 0); /* the first failure is the news */
                return failed;
        }
        return sync_parent(dir_fd, path);
}

/* Bind mounts keep the device number, so the kernel is asked; old kernels leave the bit unset. */
static bool is_mounted(int fd, dev_t device)
{
        struct statx status;

        if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &status))
                return true; /* not known to be safe */
        return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) ||
               makedev(status.stx_dev_major, status.stx_dev_minor) != device;
}

static int remove_content(DIR *dir, dev_t device, int depth_left);

static int remove_directory(int dir_fd, const char *name, dev_t device, int depth_left)
{
        int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *dir BASE_SCOPE(close_dir) = fd < 0 ? NULL : fdopendir(fd);
        int failed;

        if (!dir) {
                failed = error_last();
                close_fd(&fd);
                return failed;
        }
        if (depth_left < file_depth_max - 1 && is_mounted(fd, device))
                return -EXDEV;
        failed = remove_content(dir, device, depth_left);
        if (failed)
                return failed;
        return unlinkat(dir_fd, name, AT_REMOVEDIR) ? error_last() : 0;
}

static int remove_content(DIR *dir, dev_t device, int depth_left)
{
        for (;;) {
                struct dirent *entry;
                int failed;

                errno = 0;
                entry = readdir(dir);
                if (!entry)
                        return errno ? error_last() : 0;
                if (!is_name(entry->d_name))
                        continue;
                if (!unlinkat(dirfd(dir), entry->d_name, 0))
                        continue;
                if (errno != EISDIR)
                        return error_last();
                if (!depth_left)
                        return -EOVERFLOW;
                failed = remove_directory(dirfd(dir), entry->d_name, device, depth_left - 1);
                if (failed)
                        return failed;
        }
}

int file_remove_tree(int dir_fd, const char *path)
{
        struct stat status;

        if (!is_name(path + parent_length(path)))
                return -EINVAL;
        if (fstatat(dir_fd, path, &status, AT_SYMLINK_NOFOLLOW))
                return error_last();
        if (!S_ISDIR(status.st_mode))
                return -ENOTDIR;
        if (status.st_uid != geteuid())
                return -EPERM;
        return remove_directory(dir_fd, path, status.st_dev, file_depth_max - 1);
}
