/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because an answer is paid before it is kept: room for it is taken on the disk before the
 * question is asked, as a file of that size, and the answer is written into that very file.
 */
#include "forge/blobs.h"
#include "base/error.h"
#include "base/file.h"
#include "forge/ledger.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        shelf_name_length = 2, /* "ab" of "abcdef..." */
        folder_room_bytes = 64 << 10,
};

static const char spool_name[] = ".spool";

static void close_fd(const int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* what was written is synced first */
}

static bool is_name(const char *hex)
{
        return strspn(hex, "0123456789abcdef") == digest_hex_size - 1 && !hex[digest_hex_size - 1];
}

/* ---- The folder a blob lies in ----------------------------------------------------------- */

/* Returns a descriptor or -errno. A new folder is on the disk before anything is put into it. */
static int enter(int dir_fd, const char *name)
{
        int fd;

        if (!mkdirat(dir_fd, name, 0700)) {
                if (fsync(dir_fd))
                        return error_last();
        } else if (errno != EEXIST) {
                return error_last();
        }
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? error_last() : fd;
}

static int open_shelf(int folder_fd, const char *hex)
{
        char name[shelf_name_length + 1] = { hex[0], hex[1], '\0' };
        BASE_SCOPE(close_fd) int blobs_fd = enter(folder_fd, "blobs");

        return blobs_fd < 0 ? blobs_fd : enter(blobs_fd, name);
}

/* ---- Room -------------------------------------------------------------------------------- */

static void give_back(struct blobs *blobs)
{
        if (blobs->spool_fd < 0)
                return;
        close_fd(&blobs->spool_fd);
        (void)unlinkat(blobs->folder_fd, spool_name, 0); /* it holds nothing */
        blobs->spool_fd = -1;
        blobs->room = 0;
}

void blobs_fini(struct blobs *blobs)
{
        give_back(blobs);
}

/*
 * posix_fallocate() writes the file where the file system cannot set blocks aside. One that copies
 * on write may still want new blocks for what is written into old ones: there the room is a good
 * guess and no promise. What is taken beyond the blob is set free before the blob's folder has to
 * be made.
 */
int blobs_reserve(struct blobs *blobs, size_t bytes)
{
        int failed;

        if (bytes > ledger_blob_bytes_max)
                return -EFBIG;
        if (blobs->spool_fd >= 0 && blobs->room >= bytes)
                return 0;
        give_back(blobs);
        if (unlinkat(blobs->folder_fd, spool_name, 0) && errno != ENOENT) /* of a crash */
                return error_last();
        blobs->spool_fd = openat(blobs->folder_fd, spool_name,
                                 O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (blobs->spool_fd < 0)
                return error_last();
        failed = posix_fallocate(blobs->spool_fd, 0, (off_t)bytes + folder_room_bytes);
        if (failed) {
                give_back(blobs);
                return -failed;
        }
        blobs->room = bytes;
        return 0;
}

static int write_into_room(int fd, const char *bytes, size_t length)
{
        size_t done = 0;

        while (done < length) {
                ssize_t written = pwrite(fd, bytes + done, length - done, (off_t)done);

                if (written < 0 && errno == EINTR)
                        continue;
                if (written <= 0)
                        return error_last();
                done += (size_t)written;
        }
        return ftruncate(fd, (off_t)length) || fsync(fd) ? error_last() : 0;
}

/* The spool becomes the blob. */
static int move_room(struct blobs *blobs, const char *hex)
{
        BASE_SCOPE(close_fd) int shelf_fd = open_shelf(blobs->folder_fd, hex);

        if (shelf_fd < 0)
                return shelf_fd;
        if (renameat(blobs->folder_fd, spool_name, shelf_fd, hex + shelf_name_length))
                return error_last();
        close_fd(&blobs->spool_fd);
        blobs->spool_fd = -1;
        return fsync(shelf_fd) || fsync(blobs->folder_fd) ? error_last() : 0;
}

/* ---- Blobs ------------------------------------------------------------------------------- */

static void name_blob(const char *hex, struct text *into)
{
        text_printf(into, "blobs/%.*s/%s", shelf_name_length, hex, hex + shelf_name_length);
}

static int read_blob(int folder_fd, const char *hex, struct text *into)
{
        BASE_SCOPE(text_fini) struct text name = TEXT_INIT(128);
        char found[digest_hex_size];
        int failed;

        if (!is_name(hex))
                return -EINVAL;
        name_blob(hex, &name);
        failed = name.error ? name.error : file_read(folder_fd, text_view(&name), into);
        if (failed)
                return failed == -EFBIG ? -EBADMSG : failed; /* we never keep one that is larger */
        failed = digest_of(text_view(into), into->length, found);
        if (failed)
                return failed;
        return strcmp(found, hex) == 0 ? 0 : -EBADMSG;
}

int blobs_fetch(int folder_fd, const char *hex, struct text *into)
{
        BASE_SCOPE(text_fini) struct text blob = TEXT_INIT(ledger_blob_bytes_max);
        int failed = read_blob(folder_fd, hex, &blob);

        if (failed)
                return failed;
        text_append_bytes(into, text_view(&blob), blob.length);
        return into->error;
}

static int write_blob(const struct blobs *blobs, const void *bytes, size_t length, const char *hex)
{
        BASE_SCOPE(close_fd) int shelf_fd = open_shelf(blobs->folder_fd, hex);

        if (shelf_fd < 0)
                return shelf_fd;
        return file_replace(shelf_fd, hex + shelf_name_length, bytes, length, 0600);
}

int blobs_keep(struct blobs *blobs, const void *bytes, size_t length, char ret_hex[digest_hex_size])
{
        BASE_SCOPE(text_fini) struct text there = TEXT_INIT(ledger_blob_bytes_max);
        char hex[digest_hex_size];
        int failed;

        if (length > ledger_blob_bytes_max)
                return -EFBIG;
        failed = digest_of(bytes, length, hex);
        if (failed)
                return failed;
        if (read_blob(blobs->folder_fd, hex, &there) == 0) {
                failed = 0;
        } else if (blobs->spool_fd >= 0 && length <= blobs->room) {
                failed = write_into_room(blobs->spool_fd, bytes, length);
                if (!failed)
                        failed = move_room(blobs, hex);
        } else {
                failed = write_blob(blobs, bytes, length, hex);
        }
        give_back(blobs);
        if (!failed)
                memcpy(ret_hex, hex, sizeof(hex));
        return failed;
}
