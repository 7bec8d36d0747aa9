/* SPDX-License-Identifier: Apache-2.0 */
/* place.c - finds a directory on tmpfs and keeps one file there.
 *
 * Why so careful: a disk-backed segment stalls its writer for milliseconds; a tmpfs that is full
 * kills with SIGBUS at the first store unless the space was taken beforehand; a file-size limit
 * kills with SIGXFSZ; a cached descriptor may have become the application's own file after
 * close_range(). So: tmpfs only, limits asked first, fallocate, and the file is opened by name
 * each time and compared with what we made.
 *
 * System calls are made with syscall(2) where libc's wrapper is a cancellation point. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "probe/runtime.h"

static const uint64_t TMPFS = 0x01021994, RAMFS = 0x858458f6; /* statfs(2) */

static int open_raw(const char *path, int flags, unsigned mode)
{
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode);
}

static void close_raw(int fd)
{
        (void)syscall(SYS_close, fd); /* nothing was written through it */
}

/* Joins up to four parts; false if they do not fit. Not snprintf: this runs in signal handlers. */
static bool join(char out[PLACE_PATH_MAX], const char *a, const char *b, const char *c,
                 const char *d)
{
        const char *part[] = { a, b, c, d };
        size_t used = 0;

        for (size_t i = 0; i < 4; i++) {
                size_t bytes = strlen(part[i]);

                if (bytes >= PLACE_PATH_MAX - used) {
                        out[0] = '\0';
                        return false;
                }
                memcpy(out + used, part[i], bytes + 1);
                used += bytes;
        }
        return true;
}

static const char *digits(char out[24], uint64_t n, unsigned base)
{
        char *p = out + 23;

        *p = '\0';
        do {
                *--p = "0123456789abcdef"[n % base];
                n /= base;
        } while (n);
        return p;
}

/* Is it a directory on tmpfs, and nobody else can plant files under names of ours? */
static bool is_fit(const char *path, bool must_be_private)
{
        struct stat st;
        struct statfs fs;
        int fd = open_raw(path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
        bool fit;

        if (fd < 0)
                return false;
        fit = fstat(fd, &st) == 0 && fstatfs(fd, &fs) == 0 &&
              ((uint64_t)fs.f_type == TMPFS || (uint64_t)fs.f_type == RAMFS);
        if (fit && must_be_private)
                fit = st.st_uid == geteuid() && (st.st_mode & 077) == 0;
        else if (fit)
                fit = (st.st_mode & S_IWOTH) == 0 || (st.st_mode & S_ISVTX) != 0;
        close_raw(fd);
        return fit;
}

/* What TOCSIN_DIR says, made absolute; the program may change its directory later. */
static bool choose_asked(struct place *place, const char *asked)
{
        char here[PLACE_PATH_MAX];

        if (asked[0] == '/')
                return join(place->directory, asked, "", "", "") && is_fit(asked, false);
        return syscall(SYS_getcwd, here, sizeof here) > 0 && here[0] == '/' &&
               join(place->directory, here, "/", asked, "") && is_fit(place->directory, false);
}

static bool choose(struct place *place)
{
        const char *asked = secure_getenv("TOCSIN_DIR");
        const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
        char number[24];

        if (asked && asked[0])
                return choose_asked(place, asked);
        place->is_ours_to_remove = true;
        if (runtime && runtime[0] == '/' && join(place->directory, runtime, "/tocsin", "", "")) {
                (void)mkdir(place->directory, 0700); /* it may be there; is_fit decides */
                if (is_fit(place->directory, true))
                        return true;
        }
        if (join(place->directory, "/run/tocsin", "", "", "") && is_fit(place->directory, false) &&
            access(place->directory, W_OK) == 0)
                return true;
        if (!join(place->directory, "/dev/shm/tocsin-", digits(number, geteuid(), 10), "", ""))
                return false;
        (void)mkdir(place->directory, 0700); /* as above */
        return is_fit(place->directory, true);
}

static uint64_t monotonic_ns(clockid_t clock)
{
        struct timespec now = { 0 };

        (void)clock_gettime(clock, &now); /* cannot fail for these clocks */
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool name_file(struct place *place)
{
        uint64_t random = 0;
        char pid[24], unique[24], tail[PLACE_PATH_MAX];

        if (syscall(SYS_getrandom, &random, sizeof random, 1 /* GRND_NONBLOCK */) != sizeof random)
                random = monotonic_ns(CLOCK_MONOTONIC) ^ (uintptr_t)&random;
        return join(tail, "/", digits(pid, (uint64_t)getpid(), 10), "-",
                    digits(unique, random, 16)) &&
               join(place->path, place->directory, tail, ".seg", "");
}

/* Takes the space and maps it. The limit is asked first: past it comes SIGXFSZ. */
static void *take(int fd, uint64_t at, uint64_t bytes)
{
        struct rlimit limit;
        void *map;

        if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < at + bytes)
                return NULL;
        if (syscall(SYS_fallocate, fd, 0, at, bytes) != 0)
                return NULL;
        map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)at);
        return map == MAP_FAILED ? NULL : map;
}

void *toc_place_create_(struct place *place, uint64_t bytes)
{
        struct stat st;
        void *map = NULL;
        int fd;

        place->path[0] = '\0';
        if (!place->directory[0] && !choose(place)) {
                place->directory[0] = '\0';
                return NULL;
        }
        if (!name_file(place))
                return NULL;
        fd = open_raw(place->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        if (fd >= 0 && fstat(fd, &st) == 0) {
                place->device = st.st_dev;
                place->inode = st.st_ino;
                map = take(fd, 0, bytes);
        }
        if (fd >= 0)
                close_raw(fd);
        if (!map && fd >= 0)
                (void)unlink(place->path); /* best effort: it is empty */
        if (!map)
                place->path[0] = '\0';
        return map;
}

void *toc_place_grow_(struct place *place, uint64_t at, uint64_t more)
{
        struct stat st;
        void *map = NULL;
        int fd;

        if (!place->path[0])
                return NULL;
        fd = open_raw(place->path, O_RDWR | O_NOFOLLOW, 0);
        if (fd < 0)
                return NULL;
        if (fstat(fd, &st) == 0 && st.st_dev == place->device && st.st_ino == place->inode &&
            (uint64_t)st.st_size == at)
                map = take(fd, at, more);
        close_raw(fd);
        return map;
}

void toc_place_remove_(struct place *place)
{
        if (place->path[0])
                (void)unlink(place->path); /* gone already is as good */
}

static void read_text(const char *path, char *out, size_t max)
{
        int fd = open_raw(path, O_RDONLY, 0);
        long got = fd < 0 ? 0 : syscall(SYS_read, fd, out, max - 1);

        if (fd >= 0)
                close_raw(fd);
        if (got < 0)
                got = 0;
        out[got] = '\0';
        out[strcspn(out, "\n")] = '\0';
}

void toc_place_describe_(struct segment_header *header)
{
        char program[512];
        struct stat st;
        ssize_t bytes = readlink("/proc/self/exe", program, sizeof program);
        size_t max = sizeof header->program - 1;

        if (bytes > 0) {
                size_t from = (size_t)bytes > max ? (size_t)bytes - max : 0;

                memcpy(header->program, program + from, (size_t)bytes - from);
        }
        if (stat("/proc/self/ns/pid", &st) == 0)
                header->pid_namespace = st.st_ino;
        read_text("/proc/sys/kernel/random/boot_id", header->boot_id, sizeof header->boot_id);
        header->pid = (uint32_t)getpid();
        header->uid = geteuid();
        header->attached_ns = monotonic_ns(CLOCK_MONOTONIC);
        header->attached_wall_ns = monotonic_ns(CLOCK_REALTIME);
}
