/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because two writers of standard error tear each other's lines, and because the watcher's
 * loop may not block on a terminal that nobody reads.
 */
#include "watch/pump.h"
#include "watch/keeper.h"
#include "watch/ration.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { chunk_bytes = 65536, pipe_bytes = 1 << 20, boundary_max_ms = 200 };

struct pump {
        pthread_t thread;
        bool is_started;
        struct voice *voice;
        int wake_fd;
        atomic_int is_finishing;
        atomic_int is_finished;
        atomic_int is_stopping;
        atomic_uint_fast64_t errors;
        atomic_uint_fast64_t warnings;

        /* The thread's own. */
        int program_fd;         /* -1: at its end */
        int life_fd;            /* of the keeper */
        bool is_mute;           /* standard error is gone */
        bool is_within_line;    /* the program's last byte was no newline */
        uint64_t line_until_ns; /* a line of ours waits until then; 0: none waits */
        uint64_t left_bytes;    /* when finishing: more than the pipe held at that time */
        size_t line_length;     /* of the current line, so far */
        char line[pump_line_bytes];
        struct ration ration;
        char *chunk;

        pthread_mutex_t lock; /* for what follows */
        struct pump_line lines[pump_lines_max];
        unsigned first;
        unsigned count;
};

static void wake(const struct pump *pump)
{
        uint64_t one = 1;

        (void)!write(pump->wake_fd, &one, sizeof(one)); /* full: it is awake */
}

/* ---- Writing -------------------------------------------------------------- */

/* All of it, however long standard error takes. False: it is gone. */
static bool write_all(struct pump *pump, const char *bytes, size_t length)
{
        while (length && !pump->is_mute) {
                ssize_t written = write(STDERR_FILENO, bytes, length);
                struct pollfd polled = { .fd = STDERR_FILENO, .events = POLLOUT };

                if (written >= 0) {
                        bytes += written;
                        length -= (size_t)written;
                } else if (errno == EAGAIN) {
                        (void)poll(&polled, 1, 1000); /* and then once more, whatever it says */
                } else if (errno == EPIPE || errno == EBADF) {
                        pump->is_mute = true;
                } else if (errno != EINTR) {
                        break; /* ENOSPC, EIO: these bytes are lost, as they would be without us */
                }
        }
        return !pump->is_mute;
}

static void write_own_lines(struct pump *pump)
{
        for (;;) {
                char *line = voice_take(pump->voice);

                if (!line)
                        break;
                if (pump->is_within_line)
                        (void)write_all(pump, "\n", 1); /* nobody is left to hear of a failure */
                pump->is_within_line = false;
                (void)write_all(pump, line, strlen(line));
                free(line);
        }
        pump->line_until_ns = 0;
}

/* ---- Reading -------------------------------------------------------------- */

static void offer(struct pump *pump, enum classify_level level, const char *line, size_t length)
{
        if (!ration_admit(&pump->ration, clock_monotonic_ns()))
                return;
        (void)pthread_mutex_lock(&pump->lock); /* cannot fail */
        if (pump->count < pump_lines_max) {
                struct pump_line *into =
                        &pump->lines[(pump->first + pump->count++) % pump_lines_max];

                into->level = level;
                into->withheld = pump->ration.withheld;
                into->length = length < pump_line_bytes ? length : pump_line_bytes;
                memcpy(into->bytes, line, into->length);
                pump->ration.withheld = 0;
        } else {
                pump->ration.withheld++;
        }
        (void)pthread_mutex_unlock(&pump->lock);
}

static bool judge_line(struct pump *pump, const char *line, size_t length)
{
        enum classify_level level;

        if (length && line[length - 1] == '\r')
                length--;
        level = classify_line(line, length);
        if (level == CLASSIFY_NEITHER)
                return false;
        offer(pump, level, line, length);
        /* Counted last: whoever sees the count finds the line. */
        if (level == CLASSIFY_ERROR)
                atomic_fetch_add(&pump->errors, 1);
        else
                atomic_fetch_add(&pump->warnings, 1);
        return true;
}

static void keep_part(struct pump *pump, const char *bytes, size_t length)
{
        size_t room = sizeof(pump->line) - pump->line_length;

        if (length > room)
                length = room;
        memcpy(pump->line + pump->line_length, bytes, length);
        pump->line_length += length;
}

/* Lines are judged where they stand; only one that goes on in the next chunk is copied. */
static bool judge(struct pump *pump, const char *bytes, size_t length)
{
        const char *end = bytes + length;
        bool is_news = false;

        while (bytes < end) {
                const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
                size_t part = newline ? (size_t)(newline - bytes) : (size_t)(end - bytes);

                if (!newline || pump->line_length)
                        keep_part(pump, bytes, part);
                if (!newline)
                        break;
                if (pump->line_length)
                        is_news |= judge_line(pump, pump->line, pump->line_length);
                else
                        is_news |= judge_line(pump, bytes, part);
                pump->line_length = 0;
                bytes = newline + 1;
        }
        return is_news;
}

static void end_stream(struct pump *pump)
{
        if (pump->line_length)
                (void)judge_line(pump, pump->line, pump->line_length); /* wake() follows anyway */
        pump->line_length = 0;
        (void)close(pump->program_fd); /* read only */
        (void)close(pump->life_fd);    /* nothing was written; the keeper serves who is left */
        pump->program_fd = -1;
        atomic_store(&pump->is_finished, 1);
        wake(pump);
}

static void read_program(struct pump *pump)
{
        ssize_t length = read(pump->program_fd, pump->chunk, chunk_bytes);
        bool is_heard;

        if (length < 0 && errno == EINTR)
                return;
        if (length < 0 && errno == EAGAIN) {
                if (atomic_load(&pump->is_finishing))
                        end_stream(pump);
                return;
        }
        if (length <= 0) {
                end_stream(pump);
                return;
        }
        /* Judged first: who reads standard error may take his time, and an alert must not. */
        if (judge(pump, pump->chunk, (size_t)length))
                wake(pump);
        is_heard = write_all(pump, pump->chunk, (size_t)length);
        pump->is_within_line = pump->chunk[length - 1] != '\n';
        if (atomic_load(&pump->is_finishing))
                pump->left_bytes += (size_t)length;
        /* More than a pipe holds was written after the program had ended: by somebody else. */
        if (!is_heard || pump->left_bytes > pipe_bytes)
                end_stream(pump);
}

/* ---- The thread ----------------------------------------------------------- */

/* How long to wait at most: for the end of a line, if one of ours waits for it. Who asked for an
 * end before this is not waited for; who asks after it wakes us. */
static int wait_ms(const struct pump *pump)
{
        uint64_t now_ns = clock_monotonic_ns();

        if (atomic_load(&pump->is_stopping))
                return 0;
        if (atomic_load(&pump->is_finishing) && pump->program_fd >= 0)
                return 0;
        if (!pump->line_until_ns)
                return -1;
        if (now_ns >= pump->line_until_ns)
                return 0;
        return (int)((pump->line_until_ns - now_ns) / CLOCK_MS_NS) + 1;
}

static void write_when_due(struct pump *pump, bool has_lines)
{
        uint64_t now_ns = clock_monotonic_ns();

        if (!has_lines && !pump->line_until_ns)
                return;
        if (!pump->line_until_ns)
                pump->line_until_ns = now_ns + boundary_max_ms * CLOCK_MS_NS;
        if (!pump->is_within_line || now_ns >= pump->line_until_ns || pump->program_fd < 0)
                write_own_lines(pump);
}

static void *live(void *argument)
{
        struct pump *pump = argument;

        for (;;) {
                struct pollfd polled[] = {
                        { .fd = pump->program_fd, .events = POLLIN },
                        /* While a line waits, the voice has nothing new to tell us. */
                        { .fd = pump->line_until_ns ? -1 : voice_fd(pump->voice),
                          .events = POLLIN },
                };
                bool is_last = atomic_load(&pump->is_stopping);

                if (poll(polled, BASE_COUNT(polled), wait_ms(pump)) < 0)
                        polled[0].revents = polled[1].revents = POLLIN; /* look at both */
                if (pump->program_fd >= 0 &&
                    (polled[0].revents || atomic_load(&pump->is_finishing)))
                        read_program(pump);
                write_when_due(pump, polled[1].revents);
                if (is_last)
                        break;
        }
        write_own_lines(pump);
        return NULL;
}

int pump_new(int program_fd, struct voice *voice, int wake_fd, struct pump **ret_pump)
{
        struct pump *pump = calloc(1, sizeof(*pump));
        int failed = 0;

        if (pump)
                pump->chunk = malloc(chunk_bytes);
        if (!pump || !pump->chunk) {
                free(pump);
                return -ENOMEM;
        }
        pump->program_fd = program_fd;
        pump->voice = voice;
        pump->wake_fd = wake_fd;
        pump->ration = (struct ration)RATION_INIT(pump_lines_per_s);
        atomic_store(&pump->is_finished, program_fd < 0);
        if (program_fd >= 0 && fcntl(program_fd, F_SETFL, O_NONBLOCK))
                failed = error_last();
        if (program_fd >= 0)
                (void)fcntl(program_fd, F_SETPIPE_SZ, pipe_bytes); /* if it may: fewer switches */
        if (!failed && program_fd >= 0)
                failed = keeper_start(program_fd, &pump->life_fd);
        if (!failed)
                failed = -pthread_mutex_init(&pump->lock, NULL);
        if (!failed)
                failed = -pthread_create(&pump->thread, NULL, live, pump);
        pump->is_started = !failed;
        if (failed) {
                free(pump->chunk);
                free(pump);
                return failed;
        }
        *ret_pump = pump;
        return 0;
}

/* ---- For the watcher ------------------------------------------------------ */

uint64_t pump_errors(const struct pump *pump)
{
        return atomic_load(&pump->errors);
}

uint64_t pump_warnings(const struct pump *pump)
{
        return atomic_load(&pump->warnings);
}

bool pump_take(struct pump *pump, struct pump_line *ret_line)
{
        bool is_there;

        (void)pthread_mutex_lock(&pump->lock); /* cannot fail */
        is_there = pump->count > 0;
        if (is_there) {
                *ret_line = pump->lines[pump->first];
                pump->first = (pump->first + 1) % pump_lines_max;
                pump->count--;
        }
        (void)pthread_mutex_unlock(&pump->lock);
        return is_there;
}

/* Makes the thread look up; an empty line of the voice costs nothing. */
static void nudge(struct pump *pump)
{
        uint64_t one = 1;

        (void)!write(voice_fd(pump->voice), &one, sizeof(one)); /* full: it looks anyway */
}

void pump_finish(struct pump *pump)
{
        atomic_store(&pump->is_finishing, 1);
        nudge(pump);
}

bool pump_is_finished(const struct pump *pump)
{
        return atomic_load(&pump->is_finished);
}

int pump_stop(struct pump *pump, uint64_t time_max_ns)
{
        uint64_t until_ns = clock_monotonic_ns() + time_max_ns;
        struct timespec until = { .tv_sec = (time_t)(until_ns / CLOCK_S_NS),
                                  .tv_nsec = (long)(until_ns % CLOCK_S_NS) };
        int failed;

        atomic_store(&pump->is_stopping, 1);
        nudge(pump);
        failed = pthread_clockjoin_np(pump->thread, NULL, CLOCK_MONOTONIC, &until);
        if (!failed)
                pump->is_started = false;
        return -failed;
}

void pump_free(struct pump **address)
{
        struct pump *pump = *address;

        if (!pump)
                return;
        if (pump->program_fd >= 0) {
                (void)close(pump->program_fd); /* read only */
                (void)close(pump->life_fd);    /* nothing was written */
        }
        (void)pthread_mutex_destroy(&pump->lock); /* nobody holds it any more */
        free(pump->chunk);
        free(pump);
        *address = NULL;
}
