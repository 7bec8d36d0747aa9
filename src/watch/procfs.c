/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a pid says nothing about who holds it: after exec it is another program, after
 * death another process. What is mapped tells.
 */
#include "watch/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        path_bytes = 64,
        chunk_bytes = 16384,
        line_bytes_max = 8192,
        environment_bytes_max = 1 << 20
};

static int open_proc(pid_t pid, const char *name)
{
        char path[path_bytes];

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name); /* ten digits fit */
        return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

ssize_t procfs_read(pid_t pid, const char *name, char *text, size_t size)
{
        int fd = open_proc(pid, name);
        ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

        if (fd >= 0)
                (void)close(fd); /* read only */
        text[length > 0 ? length : 0] = '\0';
        return length;
}

ssize_t procfs_read_all(pid_t pid, const char *name, char *text, size_t size)
{
        int fd = open_proc(pid, name);
        size_t used = 0;
        ssize_t length = fd < 0 ? -1 : 1;

        while (length > 0 && used < size - 1) {
                length = read(fd, text + used, size - 1 - used);
                used += length > 0 ? (size_t)length : 0;
        }
        if (fd >= 0)
                (void)close(fd); /* read only */
        text[used] = '\0';
        return length < 0 ? -1 : (ssize_t)used;
}

int procfs_open(pid_t pid, const char *name)
{
        return open_proc(pid, name);
}

uint64_t procfs_pid_namespace(void)
{
        struct stat status;

        return stat("/proc/self/ns/pid", &status) ? 0 : status.st_ino;
}

int procfs_file(pid_t pid, const char *name, struct statx *ret_status)
{
        char path[path_bytes];

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
        return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, ret_status)
                       ? -errno
                       : 0;
}

uint64_t procfs_exe(pid_t pid)
{
        struct statx status;
        int failed = procfs_file(pid, "exe", &status);

        if (!failed)
                return (status.stx_ino ^ (uint64_t)status.stx_dev_minor << 40 ^
                        (uint64_t)status.stx_dev_major << 52) |
                       1;
        return failed == -EACCES || failed == -EPERM ? 1 : 0; /* there, but not for us */
}

uid_t procfs_user(pid_t pid)
{
        char path[path_bytes];
        struct stat status;

        (void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
        return stat(path, &status) ? geteuid() : status.st_uid;
}

/* ---- Maps ----------------------------------------------------------------- */

struct maps {
        uint64_t inode;
        bool is_found;
        struct text *lines;
        uint64_t end;              /* of the last mapping that was kept */
        char tail[line_bytes_max]; /* of its line, behind the addresses */
        bool is_object;            /* it is data that follows code or the like of the same file */
};

static char *next_field(char *at)
{
        at += strcspn(at, " ");
        return at + strspn(at, " ");
}

static bool is_data(const char *permissions)
{
        return strncmp(permissions, "rw-p", 4) == 0;
}

/* What a file has no bytes for, its zeros (.bss), lies behind its data, and nobody says whose it
 * is: it is kept as if it were of that file. */
static void read_nameless(struct maps *maps, uint64_t from, uint64_t to, const char *permissions)
{
        if (maps->is_object && from == maps->end && is_data(permissions))
                text_printf(maps->lines, "%" PRIx64 "-%" PRIx64 " %s\n", from, to, maps->tail);
        maps->is_object = false;
}

static void remember(struct maps *maps, uint64_t from, uint64_t to, const char *permissions)
{
        const char *path = strchr(permissions, '/'), *last = strchr(maps->tail, '/');

        maps->is_object = is_data(permissions) && from == maps->end && last &&
                          strcmp(path, last) == 0 && strlen(permissions) < sizeof(maps->tail);
        (void)snprintf(maps->tail, sizeof(maps->tail), "%s", permissions); /* cut: no object */
        maps->end = to;
}

/* "55d0-55d1 r--p 00000000 08:01 1234    /usr/bin/kvd": five fields, then perhaps a name. */
static void read_map_line(struct maps *maps, char *line, size_t length)
{
        char *permissions = next_field(line);
        char *at = next_field(next_field(next_field(permissions)));
        uint64_t inode = strtoull(at, NULL, 10); /* of what maps no file it is 0 */
        uint64_t from, to;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) != 2)
                return;
        if (!inode && !*next_field(at))
                read_nameless(maps, from, to, permissions);
        if (!inode)
                return;
        maps->is_found |= inode == maps->inode;
        if (*next_field(at) != '/')
                return;
        text_append_bytes(maps->lines, line, length);
        text_append(maps->lines, "\n");
        remember(maps, from, to, permissions);
}

/* Whole lines of what has been read so far; returns how many bytes they took. */
static size_t read_map_lines(struct maps *maps, char *bytes, size_t length)
{
        size_t used = 0;

        for (;;) {
                char *end = memchr(bytes + used, '\n', length - used);

                if (!end)
                        return used;
                *end = '\0';
                read_map_line(maps, bytes + used, (size_t)(end - bytes) - used);
                used = (size_t)(end - bytes) + 1;
        }
}

static int read_maps(int fd, struct maps *maps)
{
        size_t kept = 0, total = 0;
        char *bytes = malloc(chunk_bytes);
        int status = bytes ? 0 : -ENOMEM;

        while (!status && total < procfs_maps_bytes_max) {
                ssize_t length = read(fd, bytes + kept, chunk_bytes - kept);
                size_t used;

                if (length < 0 && errno == EINTR)
                        continue;
                if (length < 0)
                        status = -errno;
                if (length <= 0)
                        break;
                total += (size_t)length;
                kept += (size_t)length;
                used = read_map_lines(maps, bytes, kept);
                if (!used && kept > line_bytes_max)
                        used = kept; /* no line of a map is that long */
                memmove(bytes, bytes + used, kept - used);
                kept -= used;
        }
        free(bytes);
        return status;
}

enum procfs_mapping procfs_maps(pid_t pid, uint64_t inode, struct text *snapshot)
{
        BASE_SCOPE(text_fini) struct text lines = TEXT_INIT(procfs_snapshot_bytes_max);
        struct maps maps = { .inode = inode, .lines = &lines };
        int fd = open_proc(pid, "maps");
        int status = fd < 0 ? -errno : read_maps(fd, &maps);

        if (fd >= 0)
                (void)close(fd); /* read only */
        /* Where /proc is mounted with hidepid, processes of others are not to be seen there. */
        if ((status == -ENOENT || status == -ESRCH) && kill(pid, 0) && errno == ESRCH)
                return PROCFS_NOT_MAPPED;
        if (status)
                return PROCFS_UNKNOWN;
        if (!maps.is_found)
                return PROCFS_NOT_MAPPED;
        text_clear(snapshot);
        text_append_bytes(snapshot, text_view(&lines), lines.length);
        return PROCFS_MAPPED;
}

/* ---- Relatives ------------------------------------------------------------ */

size_t procfs_children(pid_t thread, pid_t *ret_pids, size_t ret_max)
{
        char path[path_bytes];
        char word[16];
        size_t count = 0;
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)thread);
        file = fopen(path, "re");
        if (!file)
                return 0;
        while (count < ret_max && fscanf(file, "%15s", word) == 1) {
                uint64_t pid;

                if (!text_parse_u64(word, 1, INT32_MAX, &pid))
                        ret_pids[count++] = (pid_t)pid;
        }
        (void)fclose(file); /* read only */
        return count;
}

bool procfs_lives(pid_t pid)
{
        enum { exiting = 4 }; /* PF_EXITING */
        char text[1024];
        const char *at;
        unsigned long flags;
        char state;

        errno = 0;
        if (procfs_read(pid, "stat", text, sizeof(text)) <= 0)
                return errno != ENOENT && errno != ESRCH;
        at = strrchr(text, ')'); /* a program may have any name */
        if (!at || sscanf(at, ") %c %*d %*d %*d %*d %*d %lu", &state, &flags) != 2)
                return true;
        return state != 'Z' && state != 'X' && !(flags & exiting);
}

bool procfs_has_variable(pid_t pid, const char *name)
{
        size_t length = strlen(name);
        char *bytes = malloc(environment_bytes_max);
        int fd = bytes ? open_proc(pid, "environ") : -1;
        size_t size = 0;
        bool is_there = false;

        while (fd >= 0 && size < environment_bytes_max) {
                ssize_t more = read(fd, bytes + size, environment_bytes_max - size);

                if (more <= 0)
                        break;
                size += (size_t)more;
        }
        for (size_t i = 0; i + length < size && !is_there; i += strnlen(bytes + i, size - i) + 1)
                is_there = memcmp(bytes + i, name, length) == 0 && bytes[i + length] == '=';
        if (fd >= 0)
                (void)close(fd); /* read only */
        free(bytes);
        return is_there;
}
