/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a file of events is read by programs, and half a line in it stops them.
 */
#include "watch/eventlog.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct eventlog {
        char *path;
        int fd;
        size_t written;    /* of the line that is being delivered */
        bool is_open_line; /* the file ends within a line that is not ours to finish */
};

static void eventlog_free(void *self)
{
        struct eventlog *log = self;

        if (log->fd >= 0)
                (void)close(log->fd); /* every line was checked when it was written */
        free(log->path);
        free(log);
}

/* Whether somebody's last line lacks its end; only a regular file can tell. */
static bool has_open_line(int fd, const char *path)
{
        struct stat status;
        char last = '\n';
        int reader;

        if (fstat(fd, &status) || !S_ISREG(status.st_mode) || !status.st_size)
                return false;
        reader = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (reader < 0)
                return false;
        if (pread(reader, &last, 1, status.st_size - 1) != 1)
                last = '\n';
        (void)close(reader); /* read only */
        return last != '\n';
}

static int open_log(struct eventlog *log)
{
        /* O_NONBLOCK: a named pipe without reader is refused, not waited for. */
        int fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                      0600);

        if (fd < 0)
                return error_last();
        if (log->fd >= 0)
                (void)close(log->fd); /* as above */
        log->fd = fd;
        log->written = 0;
        log->is_open_line = has_open_line(fd, log->path);
        return 0;
}

/* The name leads to another file now, or to none. */
static bool was_moved(const struct eventlog *log)
{
        struct stat ours, named;

        if (fstat(log->fd, &ours))
                return false;
        if (stat(log->path, &named))
                return errno == ENOENT;
        return ours.st_ino != named.st_ino || ours.st_dev != named.st_dev;
}

static int write_some(struct eventlog *log, const char *bytes, size_t length, size_t *ret_written)
{
        ssize_t written;

        do
                written = write(log->fd, bytes, length);
        while (written < 0 && errno == EINTR);
        if (written < 0)
                return error_last();
        *ret_written = (size_t)written;
        return written ? 0 : -ENOSPC;
}

static int write_line(struct eventlog *log, const char *line, size_t length)
{
        size_t written = 0;
        int failed = 0;

        if (log->is_open_line)
                failed = write_some(log, "\n", 1, &written);
        if (failed)
                return failed;
        log->is_open_line = false;
        while (!failed && log->written < length) {
                failed = write_some(log, line + log->written, length - log->written, &written);
                if (!failed)
                        log->written += written;
        }
        if (!failed)
                log->written = 0;
        return failed;
}

static int deliver(void *self, struct outbox *outbox, const char *body, size_t length,
                   struct text *why)
{
        struct eventlog *log = self;
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(length + 1);
        int failed = 0;

        (void)outbox;
        if (!log->written && was_moved(log))
                failed = open_log(log);
        text_append_bytes(&line, body, length);
        text_append(&line, "\n");
        if (!failed)
                failed = line.error ? line.error : write_line(log, text_view(&line), line.length);
        if (failed)
                text_append(why, error_text(failed));
        return failed;
}

static const struct receiver_kind kind = {
        .noun = "event file",
        .types = OUTBOX_ALL,
        .deliver = deliver,
        .free = eventlog_free,
};

int eventlog_new(const char *path, struct receiver **ret_receiver)
{
        struct eventlog *log = calloc(1, sizeof(*log));
        int failed = -ENOMEM;

        if (!log)
                return -ENOMEM;
        log->fd = -1;
        log->path = strdup(path);
        if (log->path)
                failed = open_log(log);
        if (failed) {
                eventlog_free(log);
                return failed;
        }
        return receiver_new(&kind, path, log, ret_receiver);
}
