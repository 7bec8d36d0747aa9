/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a job has to be watched while its owner talks to it: a thread of its own empties
 * its output, looks at the clock and at stop_fd, and kills it. The thread forks nothing, so the
 * death signal of bubblewrap stays bound to the owner of the job.
 *
 * How left_processes is known: bubblewrap says how the program ended through a pipe and then ends,
 * which kills the rest. We keep that pipe full, so that it has to wait for us, look at what still
 * runs when the program is gone, and only then empty the pipe. The program does not begin before
 * the pipe is full, or a quick one would be over first.
 */
#include "base/error.h"
#include "base/file.h"
#include "gate/job.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How long the kernel may take to end what was killed. */
#define DEATH_NS (10 * CLOCK_S_NS)
/* How long bubblewrap may take to say whom it started, before it is killed regardless. */
#define BIRTH_NS CLOCK_S_NS

enum { chunk_bytes = 65536, seek_ms = 2 };

void job_close(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* pipes, sockets and the kernel's: nothing can be lost */
        *fd = -1;
}

bool job_is_gone(int pidfd)
{
        struct pollfd polled = { .fd = pidfd, .events = POLLIN };

        return pidfd >= 0 && poll(&polled, 1, 0) == 1;
}

/* ---- Output ---- */

/* Takes what is there; with the lock held. At most `chunks`, so that one who keeps writing cannot
 * keep us. What is beyond the limit is counted and dropped. */
static void drain_locked(struct sandbox_job *job, int chunks)
{
        char chunk[chunk_bytes];

        while (job->output >= 0 && chunks-- > 0) {
                ssize_t length = read(job->output, chunk, sizeof(chunk));

                if (length < 0 && (errno == EINTR || errno == EAGAIN)) {
                        if (errno == EAGAIN)
                                return;
                        continue;
                }
                if (length <= 0) {
                        job_close(&job->output);
                        return;
                }
                job->seen_bytes += (uint64_t)length;
                if (job->seen_bytes > job->output_max && job->reason == JOB_BY_ITSELF)
                        job->reason = JOB_FLOODED;
                text_append_bytes(&job->kept, chunk, (size_t)length);
        }
}

/* ---- What bubblewrap says ---- */

/* The value of a line "KEY: a b c" of /proc/PID/status, its last number; 0: not to be had. */
pid_t job_number_of(pid_t pid, const char *key)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(16384);
        char path[64];
        char *rest, *line;

        (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
        if (file_read(AT_FDCWD, path, &text))
                return 0;
        rest = text.bytes;
        while (rest && (line = strsep(&rest, "\n"))) {
                char *name = strsep(&line, ":");
                char *last = line ? strrchr(line, '\t') : NULL;
                uint64_t value;

                if (last && strcmp(name, key) == 0)
                        return text_parse_u64(last + 1, 1, INT_MAX, &value) ? 0 : (pid_t)value;
        }
        return 0;
}

/* Its pid is kept by a descriptor, once we know that it is still bubblewrap's child, or, if that is
 * no more, ours: its number may have been given to somebody else otherwise. */
static void meet_inner(struct sandbox_job *job, pid_t inner)
{
        int pidfd = inner > 0 ? pidfd_open(inner, 0) : -1;

        pid_t parent = pidfd >= 0 ? job_number_of(inner, "PPid") : 0;

        if (parent != job->pid && parent != getpid())
                job_close(&pidfd);
        if (pidfd < 0)
                return;
        (void)pthread_mutex_lock(&job->lock);
        job->inner = inner;
        job->inner_pidfd = pidfd;
        (void)pthread_mutex_unlock(&job->lock);
}

static void hear(struct sandbox_job *job, const json_t *said)
{
        const json_t *inner = json_object_get(said, "child-pid");
        const json_t *status = json_object_get(said, "exit-code");

        job->has_child |= json_is_integer(inner);
        if (json_is_integer(inner) && !job->inner)
                meet_inner(job, (pid_t)json_integer_value(inner));
        if (json_is_integer(status)) {
                job->has_exit = true;
                job->exit_status = (int)json_integer_value(status);
        }
}

static void read_status(struct sandbox_job *job)
{
        char chunk[job_status_max];
        ssize_t length = read(job->status, chunk, sizeof(chunk));
        json_error_t error;
        json_t *said;

        for (ssize_t i = 0; i < length && job->word_length < sizeof(job->words); i++)
                if (!isspace((unsigned char)chunk[i])) /* our filler */
                        job->words[job->word_length++] = chunk[i];
        while (job->word_length &&
               (said = json_loadb(job->words, job->word_length, JSON_DISABLE_EOF_CHECK, &error))) {
                size_t used = (size_t)error.position;

                hear(job, said);
                json_decref(said);
                job->word_length -= used;
                memmove(job->words, job->words + used, job->word_length);
        }
}

/* ---- What the program leaves behind ---- */

/* Children of the first process inside that are alive; and a pidfd of the program, which has the
 * number 2 there. Fewer than 0: this kernel does not tell. */
static int look_at_children(struct sandbox_job *job, int *ret_program)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        char path[64];
        char *rest, *word;
        int count = 0;

        (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)job->inner,
                       (int)job->inner);
        if (file_read(AT_FDCWD, path, &text))
                return job_is_gone(job->inner_pidfd) ? 0 : -1;
        rest = text.bytes;
        while (rest && (word = strsep(&rest, " "))) {
                uint64_t pid;
                int pidfd;

                if (text_parse_u64(word, 1, INT_MAX, &pid))
                        continue;
                pidfd = pidfd_open((pid_t)pid, 0);
                if (pidfd < 0 || job_is_gone(pidfd)) {
                        job_close(&pidfd);
                        continue;
                }
                count++;
                if (*ret_program < 0 && job_number_of((pid_t)pid, "NSpid") == 2)
                        *ret_program = pidfd;
                else
                        job_close(&pidfd);
        }
        return count;
}

/* Once bubblewrap has said what is inside: fills the pipe, see the top. */
static void hold(struct sandbox_job *job)
{
        char filler[job_status_max];
        ssize_t written;

        memset(filler, ' ', sizeof(filler));
        written = write(job->filler, filler, sizeof(filler));
        job->is_held = written == (ssize_t)sizeof(filler);
}

static void let_go(struct sandbox_job *job)
{
        job->is_held = false;
        job_close(&job->program);
        read_status(job);
}

/* Whether the program itself has ended; then the rest is looked at and bubblewrap let go. */
static void look_for_its_end(struct sandbox_job *job)
{
        int count;

        if (job->program >= 0 && !job_is_gone(job->program))
                return;
        if (job->program < 0) {
                count = look_at_children(job, &job->program);
                if (job->program >= 0 || (count == 0 && !job_is_gone(job->inner_pidfd)))
                        return;
        } else {
                int other = -1;

                count = look_at_children(job, &other);
                job_close(&other);
        }
        job->left_processes = count > 0;
        let_go(job);
}

/* ---- The thread ---- */

bool job_is_asked_to_stop(const struct sandbox *sandbox)
{
        struct pollfd polled = { .fd = sandbox->settings.stop_fd, .events = POLLIN };

        return polled.fd >= 0 && poll(&polled, 1, 0) == 1;
}

static void set_reason(struct sandbox_job *job, enum job_reason reason)
{
        (void)pthread_mutex_lock(&job->lock);
        if (job->reason == JOB_BY_ITSELF)
                job->reason = reason;
        (void)pthread_mutex_unlock(&job->lock);
}

/* One wait, and what came of it. True: it is over, by itself or by us. */
static bool watch_once(struct sandbox_job *job)
{
        uint64_t now_ns = clock_monotonic_ns();
        uint64_t left_ns = now_ns < job->deadline_ns ? job->deadline_ns - now_ns : 0;
        bool seeks = job->is_held && job->program < 0;
        struct timespec wait = { .tv_sec = (time_t)(left_ns / CLOCK_S_NS),
                                 .tv_nsec = (long)(left_ns % CLOCK_S_NS) };
        struct pollfd polled[] = {
                { .fd = job->pidfd, .events = POLLIN },
                { .fd = job->wake, .events = POLLIN },
                { .fd = job->sandbox->settings.stop_fd, .events = POLLIN },
                { .fd = job->is_held ? job->program : job->status, .events = POLLIN },
                { .fd = job->is_held ? job->inner_pidfd : -1, .events = POLLIN },
                { .fd = job->output, .events = POLLIN },
        };

        if (seeks && left_ns > seek_ms * CLOCK_MS_NS)
                wait = (struct timespec){ .tv_nsec = (long)(seek_ms * CLOCK_MS_NS) };
        if (ppoll(polled, BASE_COUNT(polled), &wait, NULL) < 0 && errno != EINTR) {
                set_reason(job, JOB_BROKEN);
                return true;
        }
        if (polled[5].revents) {
                (void)pthread_mutex_lock(&job->lock);
                drain_locked(job, 1);
                (void)pthread_mutex_unlock(&job->lock);
        }
        if (job->is_held) {
                look_for_its_end(job);
        } else if (polled[3].revents) {
                read_status(job);
                if (job->start >= 0 && job->has_child) {
                        if (job->inner && !job->has_exit)
                                hold(job);
                        job_close(&job->start);
                }
        }
        if (polled[2].revents)
                set_reason(job, JOB_STOPPED);
        if (polled[1].revents)
                set_reason(job, JOB_ASKED);
        if (polled[0].revents)
                return true;
        if (!left_ns)
                set_reason(job, JOB_LATE);
        return job->reason != JOB_BY_ITSELF;
}

static bool wait_gone(int pidfd, uint64_t time_ns)
{
        struct pollfd polled = { .fd = pidfd, .events = POLLIN };
        struct timespec wait = { .tv_sec = (time_t)(time_ns / CLOCK_S_NS) };

        return pidfd < 0 || ppoll(&polled, 1, &wait, NULL) == 1;
}

/* Reads what bubblewrap has said; not for ever, as it says two things. */
static void read_all_status(struct sandbox_job *job)
{
        struct pollfd polled = { .fd = job->status, .events = POLLIN };

        while (poll(&polled, 1, 0) == 1)
                read_status(job);
}

static void kill_by_number(const struct sandbox_job *job)
{
        if (job->inner_pidfd >= 0)
                (void)syscall(SYS_pidfd_send_signal, job->inner_pidfd, SIGKILL, NULL, 0);
        (void)syscall(SYS_pidfd_send_signal, job->pidfd, SIGKILL, NULL, 0);
}

/* Bubblewrap outside, dying young, might not have tied the first process inside to itself yet: so
 * that one is waited for, and killed by number. The kernel then ends all others of the namespace,
 * and a pidfd of it answers only when they are gone. */
void job_end_all(struct sandbox_job *job)
{
        uint64_t start_ns = clock_monotonic_ns();
        bool is_outer_gone;

        /* It is said in pieces. */
        while (!job->inner && !job->is_held && !job_is_gone(job->pidfd) &&
               clock_monotonic_ns() - start_ns < BIRTH_NS) {
                struct pollfd polled[] = { { .fd = job->status, .events = POLLIN },
                                           { .fd = job->pidfd, .events = POLLIN } };

                if (poll(polled, BASE_COUNT(polled), 100) > 0 && polled[0].revents)
                        read_status(job);
        }
        if (cgroup_is_made(&job->group))
                cgroup_kill(&job->group);
        kill_by_number(job);
        is_outer_gone = wait_gone(job->pidfd, DEATH_NS);
        read_all_status(job);
        kill_by_number(job);
        job->is_dead = is_outer_gone && wait_gone(job->inner_pidfd, DEATH_NS);
}

void *job_watch(void *context)
{
        enum { chunks_max = 64 };
        struct sandbox_job *job = context;

        while (!watch_once(job))
                ;
        job->end_ns = clock_monotonic_ns();
        job_close(&job->program);
        job->is_held = false;
        job_end_all(job);
        (void)pthread_mutex_lock(&job->lock);
        drain_locked(job, chunks_max);
        job->is_over = true;
        (void)pthread_mutex_unlock(&job->lock);
        return NULL;
}
