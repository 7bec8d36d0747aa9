/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a run can be killed at any instruction: what is on the disk is always a chain of
 * whole records, perhaps with one torn line behind it, and who reads it finds out whether somebody
 * else wrote into it.
 */
#include "forge/ledger.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "forge/blobs.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        append_room_bytes = 64 << 10, /* of records after a paid answer */
        chunk_bytes = 16 << 10,
        locks_bytes_max = 1 << 20,
};

static const char file_name[] = "ledger.jsonl";

struct ledger {
        char *folder;
        json_t *records; /* an array of objects */
        struct blobs blobs;
        int folder_fd;
        int fd;        /* -1 once read, if only read */
        int failed;    /* what is on the disk is not known: nothing is added any more */
        size_t length; /* of whole lines */
        bool is_writable;
        bool was_torn;
        char head[digest_hex_size];
};

/* ---- Reading ----------------------------------------------------------------------------- */

enum line_outcome {
        LINE_UNREADABLE = 1, /* no JSON object: torn if it is the last, else changed */
        LINE_STRANGE,        /* does not follow from the line before */
};

static int read_whole(int fd, struct text *into)
{
        char bytes[chunk_bytes];

        for (;;) {
                ssize_t length = read(fd, bytes, sizeof(bytes));

                if (length < 0 && errno == EINTR)
                        continue;
                if (length <= 0)
                        return length < 0 ? error_last() : 0;
                text_append_bytes(into, bytes, (size_t)length);
                if (into->error)
                        return into->error == -EOVERFLOW ? -EFBIG : into->error;
        }
}

static int parse(const char *line, size_t length, json_t **ret_record)
{
        json_error_t error;
        json_t *record = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);

        if (!record)
                return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM
                                                                           : LINE_UNREADABLE;
        if (!json_is_object(record)) {
                json_decref(record);
                return LINE_UNREADABLE;
        }
        *ret_record = record;
        return 0;
}

static bool follows(const struct ledger *ledger, const json_t *record)
{
        const json_t *number = json_object_get(record, "n");
        const char *previous = json_string_value(json_object_get(record, "prev"));

        return json_is_integer(number) &&
               json_integer_value(number) == (json_int_t)ledger_count(ledger) && previous &&
               strcmp(previous, ledger->head) == 0 &&
               json_is_string(json_object_get(record, "type"));
}

/* Takes the record, which stands on a line of so many bytes. */
static int add_record(struct ledger *ledger, json_t *record, const char *line, size_t length)
{
        char head[digest_hex_size];
        int failed = digest_of(line, length, head);

        if (failed) {
                json_decref(record);
                return failed;
        }
        if (json_array_append_new(ledger->records, record))
                return -ENOMEM;
        memcpy(ledger->head, head, sizeof(head));
        ledger->length += length + 1;
        return 0;
}

static int say_broken(const struct ledger *ledger, bool is_record, struct text *why)
{
        size_t line = ledger_count(ledger) + 1;

        text_printf(why, "%s:%zu: this line%s was changed%s; ", file_name, line,
                    is_record && line > 1 ? " or the one before" : "",
                    is_record ? "" : ": it is no record");
        if (line > 2)
                text_printf(why, "what stands before line %zu still holds", line - is_record);
        else
                text_append(why, "nothing of it can be relied on");
        return LEDGER_BROKEN;
}

static int take_line(struct ledger *ledger, const char *line, size_t length)
{
        json_t *record = NULL;
        int outcome =
                length > ledger_line_bytes_max ? LINE_UNREADABLE : parse(line, length, &record);

        if (outcome)
                return outcome;
        if (!follows(ledger, record)) {
                json_decref(record);
                return LINE_STRANGE;
        }
        return add_record(ledger, record, line, length);
}

/*
 * What a crash leaves is the beginning of one record, or all of it without its newline. A whole
 * record with more behind it are two lines that somebody made one of.
 */
static bool is_torn(const char *line, size_t length)
{
        json_error_t error;
        json_t *first;

        if (length > ledger_line_bytes_max)
                return false;
        first = json_loadb(line, length, JSON_DISABLE_EOF_CHECK, &error);
        json_decref(first);
        return !first || (size_t)error.position + 1 >= length;
}

static int load_lines(struct ledger *ledger, const char *bytes, size_t length, struct text *why)
{
        for (size_t at = 0; at < length;) {
                const char *line = bytes + at;
                const char *end = memchr(line, '\n', length - at);
                size_t line_length = end ? (size_t)(end - line) : length - at;
                bool is_last = !end || at + line_length + 1 == length;
                int outcome = end ? take_line(ledger, line, line_length) : LINE_UNREADABLE;

                if (outcome == LINE_UNREADABLE && is_last && is_torn(line, line_length)) {
                        ledger->was_torn = true;
                        return 0;
                }
                if (outcome < 0)
                        return outcome;
                if (outcome)
                        return say_broken(ledger, outcome == LINE_STRANGE, why);
                at += line_length + 1;
        }
        return 0;
}

static int load(struct ledger *ledger, struct text *why)
{
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(ledger_bytes_max);
        int failed = read_whole(ledger->fd, &bytes);

        return failed ? failed : load_lines(ledger, text_view(&bytes), bytes.length, why);
}

/* ---- One writer -------------------------------------------------------------------------- */

/* The process that holds the lock, 0 if the kernel does not tell: a line of /proc/locks is
 * "1: FLOCK  ADVISORY  WRITE 4711 fe:00:123456 0 EOF". */
static unsigned holder_of(int folder_fd)
{
        BASE_SCOPE(text_fini) struct text locks = TEXT_INIT(locks_bytes_max);
        struct stat is;

        if (fstatat(folder_fd, file_name, &is, AT_SYMLINK_NOFOLLOW) ||
            file_read(AT_FDCWD, "/proc/locks", &locks))
                return 0;
        for (char *rest = locks.bytes, *line; (line = strsep(&rest, "\n"));) {
                unsigned process = 0;
                uint64_t inode = 0;

                if (sscanf(line, "%*u: FLOCK %*s WRITE %u %*x:%*x:%" SCNu64, &process, &inode) ==
                            2 &&
                    inode == is.st_ino)
                        return process;
        }
        return 0;
}

static int lock(const struct ledger *ledger, struct text *why)
{
        unsigned process;

        while (flock(ledger->fd, LOCK_EX | LOCK_NB)) {
                if (errno == EINTR)
                        continue;
                if (errno != EWOULDBLOCK)
                        return error_last();
                process = holder_of(ledger->folder_fd);
                text_append(why, "another tocsin writes to this run");
                if (process)
                        text_printf(why, " (process %u)", process);
                text_append(why, "; wait until it has ended");
                return LEDGER_BUSY;
        }
        return 0;
}

/* ---- Opening ----------------------------------------------------------------------------- */

void ledger_close(struct ledger **ledger)
{
        struct ledger *old = *ledger;

        *ledger = NULL;
        if (!old)
                return;
        blobs_fini(&old->blobs);
        if (old->is_writable && !old->failed)
                (void)!ftruncate(old->fd,
                                 (off_t)old->length); /* gives back room; nothing is lost */
        if (old->fd >= 0)
                (void)close(old->fd); /* each record was synced */
        if (old->folder_fd >= 0)
                (void)close(old->folder_fd); /* of a folder */
        json_decref(old->records);
        free(old->folder);
        free(old);
}

static int open_folder(const char *folder, struct ledger **ret_ledger)
{
        BASE_SCOPE(ledger_close) struct ledger *ledger = calloc(1, sizeof(*ledger));
        int failed;

        if (!ledger)
                return -ENOMEM;
        ledger->fd = -1;
        ledger->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ledger->blobs = (struct blobs)BLOBS_INIT(ledger->folder_fd);
        if (ledger->folder_fd < 0)
                return error_last();
        ledger->folder = strdup(folder);
        ledger->records = json_array();
        if (!ledger->folder || !ledger->records)
                return -ENOMEM;
        failed = digest_of("", 0, ledger->head);
        if (failed)
                return failed;
        *ret_ledger = ledger;
        ledger = NULL;
        return 0;
}

int ledger_create(const char *folder, struct ledger **ret_ledger, struct text *why)
{
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        int failed = open_folder(folder, &ledger);

        if (failed)
                return failed;
        ledger->fd = openat(ledger->folder_fd, file_name,
                            O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (ledger->fd < 0) {
                failed = error_last();
                if (failed == -EEXIST)
                        text_printf(why, "there is a run in '%s' already", folder);
                return failed;
        }
        failed = lock(ledger, why);
        if (!failed && (fsync(ledger->fd) || fsync(ledger->folder_fd)))
                failed = error_last();
        if (failed)
                return failed;
        ledger->is_writable = true;
        *ret_ledger = ledger;
        ledger = NULL;
        return 0;
}

static int open_file(struct ledger *ledger, enum ledger_mode mode)
{
        int flags = mode == LEDGER_WRITE ? O_RDWR | O_APPEND : O_RDONLY;
        struct stat is;

        /* O_NONBLOCK: a named pipe of that name must not make us wait for its writer. */
        ledger->fd = openat(ledger->folder_fd, file_name,
                            flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (ledger->fd < 0 || fstat(ledger->fd, &is))
                return error_last();
        return S_ISREG(is.st_mode) ? 0 : -EINVAL;
}

static int cut_torn_line(struct ledger *ledger)
{
        if (!ledger->was_torn)
                return 0;
        if (ftruncate(ledger->fd, (off_t)ledger->length) || fsync(ledger->fd))
                return error_last();
        return 0;
}

int ledger_open(const char *folder, enum ledger_mode mode, struct ledger **ret_ledger,
                struct text *why)
{
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        int outcome = open_folder(folder, &ledger);

        if (!outcome)
                outcome = open_file(ledger, mode);
        if (outcome == -ENOENT || outcome == -ENOTDIR) {
                text_printf(why, "'%s' is no run: there is no %s in it", folder, file_name);
                return LEDGER_NONE;
        }
        if (!outcome && mode == LEDGER_WRITE)
                outcome = lock(ledger, why);
        if (!outcome)
                outcome = load(ledger, why);
        if (!outcome && mode == LEDGER_WRITE)
                outcome = cut_torn_line(ledger);
        if (outcome)
                return outcome;
        ledger->is_writable = mode == LEDGER_WRITE;
        if (!ledger->is_writable) {
                (void)close(ledger->fd); /* only read from */
                ledger->fd = -1;
        }
        *ret_ledger = ledger;
        ledger = NULL;
        return 0;
}

/* ---- What is in it ----------------------------------------------------------------------- */

const char *ledger_folder(const struct ledger *ledger)
{
        return ledger->folder;
}

int ledger_folder_fd(const struct ledger *ledger)
{
        return ledger->folder_fd;
}

size_t ledger_count(const struct ledger *ledger)
{
        return json_array_size(ledger->records);
}

const json_t *ledger_record(const struct ledger *ledger, size_t index)
{
        return json_array_get(ledger->records, index);
}

bool ledger_was_torn(const struct ledger *ledger)
{
        return ledger->was_torn;
}

bool ledger_is_busy(const struct ledger *ledger)
{
        return !ledger->is_writable && holder_of(ledger->folder_fd);
}

const char *ledger_head(const struct ledger *ledger)
{
        return ledger->head;
}

/* ---- Adding ------------------------------------------------------------------------------ */

static json_t *make_record(const struct ledger *ledger, const char *type, const json_t *fields)
{
        char t[clock_text_bytes];

        clock_text(clock_wall_ns(), t);
        json_t *record = json_pack("{s:I, s:s, s:s, s:s}", "n", (json_int_t)ledger_count(ledger),
                                   "prev", ledger->head, "t", t, "type", type);
        const char *key;
        json_t *value;

        if (!record)
                return NULL;
        json_object_foreach((json_t *)fields, key, value)
        {
                if (json_object_get(record, key) || json_object_set(record, key, value)) {
                        json_decref(record);
                        return NULL;
                }
        }
        return record;
}

/* Read back, so that no line is written that could not be read: with a NUL in a string, or so deep
 * that a parser gives up. */
static int make_line(const struct ledger *ledger, const char *type, const json_t *fields,
                     struct text *line, json_t **ret_record)
{
        json_t *record = make_record(ledger, type, fields);
        char *dump = record ? json_dumps(record, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
        int outcome;

        json_decref(record);
        if (!dump)
                return -EINVAL;
        text_append(line, dump);
        free(dump);
        if (line->error || line->length > ledger_line_bytes_max)
                return line->error == -ENOMEM ? -ENOMEM : -EMSGSIZE;
        if (ledger->length + line->length + 1 > ledger_bytes_max)
                return -EFBIG;
        outcome = parse(text_view(line), line->length, ret_record);
        return outcome > 0 ? -EINVAL : outcome;
}

/* Of a record that could not be written whole. */
static int take_back(struct ledger *ledger, int failed)
{
        /* If the sync fails, a crash may bring the record back: it was announced, not yet true. */
        if (ftruncate(ledger->fd, (off_t)ledger->length) || fdatasync(ledger->fd))
                ledger->failed = failed;
        return failed;
}

static int write_line(struct ledger *ledger, const char *line, size_t length)
{
        ssize_t written;

        do
                written = write(ledger->fd, line, length);
        while (written < 0 && errno == EINTR);
        if (written < 0)
                return take_back(ledger, error_last());
        if ((size_t)written < length) /* a file takes less only if there is no room for more */
                return take_back(ledger, -ENOSPC);
        return fdatasync(ledger->fd) ? take_back(ledger, error_last()) : 0;
}

int ledger_append(struct ledger *ledger, const char *type, json_t *fields)
{
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(ledger_line_bytes_max + 1);
        json_t *record = NULL;
        size_t length;
        int failed = ledger->is_writable ? ledger->failed : -EBADF;

        if (!failed)
                failed = json_is_object(fields) ? make_line(ledger, type, fields, &line, &record)
                                                : -EINVAL;
        json_decref(fields);
        if (failed)
                return failed;
        length = line.length;
        text_append(&line, "\n");
        failed = line.error ? line.error : write_line(ledger, text_view(&line), line.length);
        if (failed) {
                json_decref(record);
                return failed;
        }
        failed = add_record(ledger, record, text_view(&line), length);
        if (failed)
                ledger->failed = failed; /* it stands in the file and not in memory */
        return failed;
}

int ledger_reserve(struct ledger *ledger, size_t bytes)
{
        int failed = ledger->is_writable ? ledger->failed : -EBADF;

        if (!failed)
                failed = blobs_reserve(&ledger->blobs, bytes);
        if (failed)
                return failed;
        /* Behind the end, so that the file does not grow. Where a file system has no such thing,
         * records take their chance: what was paid lies in the blob by then. */
        if (fallocate(ledger->fd, FALLOC_FL_KEEP_SIZE, (off_t)ledger->length, append_room_bytes) &&
            errno != EOPNOTSUPP && errno != ENOSYS)
                return error_last();
        return 0;
}

int ledger_keep(struct ledger *ledger, const void *bytes, size_t length, char ret_hex[65])
{
        if (!ledger->is_writable)
                return -EBADF;
        return blobs_keep(&ledger->blobs, bytes, length, ret_hex);
}

int ledger_fetch(const struct ledger *ledger, const char *hex, struct text *into)
{
        return blobs_fetch(ledger->folder_fd, hex, into);
}
