/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a job has to be watched while its owner talks to it: a thread of its own empties
 * its output, looks at the clock and at stop_fd, and kills it. The thread forks nothing, so the
 * death signal of bubblewrap stays bound to the owner of the job.
 *
 * How left_processes is known: bubblewrap says how the program ended through a pipe and then ends,
 * which kills the rest. We keep that pipe full, so that it has to wait for us, look at what still
 * runs when the program is gone, and only then empty the pipe.
 */
#include "gate/job.h"
#include "base/error.h"
#include "base/file.h"
#include "gate/jail.h"
#include "gate/seccomp.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WALL_NS      (60 * CLOCK_S_NS)
#define MEMORY_BYTES ((uint64_t)1 << 30)
#define FILE_BYTES   ((uint64_t)256 << 20)
#define OUTPUT_BYTES ((uint64_t)1 << 20)
#define PROCESSES    64
#define STACK_BYTES  ((uint64_t)8 << 20)
/* How long the kernel may take to end what was killed, and bubblewrap to set up. */
#define DEATH_NS (10 * CLOCK_S_NS)
#define BIRTH_NS (10 * CLOCK_S_NS)

enum { chunk_bytes = 65536, status_max = 4096, descriptors_max = 256, seek_ms = 2 };

enum reason { BY_ITSELF, STOPPED, ASKED, LATE, FLOODED, BROKEN };

struct sandbox_job {
        struct sandbox *sandbox;
        struct cgroup group;
        pid_t pid;          /* bubblewrap outside; reaped by sandbox_finish() */
        int pidfd;          /* of it */
        int output, socket; /* our ends */
        int wake;           /* an eventfd: sandbox_kill() */
        int status, filler; /* both ends of the pipe from bubblewrap */
        struct text *into;
        uint64_t output_max, start_ns, deadline_ns;
        pthread_t thread;

        /* Of the thread, until it is joined. */
        char words[status_max];
        size_t word_length;
        int program; /* a pidfd of the program itself, while we look for what it leaves */
        bool is_held;
        bool has_exit;
        int exit_status;
        uint64_t end_ns;
        bool left_processes;
        bool is_dead; /* everything */

        pthread_mutex_t lock; /* guards: */
        struct text kept;
        uint64_t seen_bytes;
        enum reason reason;
        pid_t inner; /* the first process of the namespace, as we see it; 0: not yet known */
        int inner_pidfd;
        bool is_over;
};

static void close_fd(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* pipes, sockets and the kernel's: nothing can be lost */
        *fd = -1;
}

static bool is_gone(int pidfd)
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
                        close_fd(&job->output);
                        return;
                }
                job->seen_bytes += (uint64_t)length;
                if (job->seen_bytes > job->output_max && job->reason == BY_ITSELF)
                        job->reason = FLOODED;
                text_append_bytes(&job->kept, chunk, (size_t)length);
        }
}

static void give_locked(struct sandbox_job *job, struct text *into)
{
        text_append_bytes(into, text_view(&job->kept), job->kept.length);
        text_clear(&job->kept);
}

void sandbox_take_output(struct sandbox_job *job, struct text *into)
{
        enum { chunks_max = 64 };

        (void)pthread_mutex_lock(&job->lock);
        drain_locked(job, chunks_max);
        give_locked(job, into);
        (void)pthread_mutex_unlock(&job->lock);
}

/* ---- What bubblewrap says ---- */

/* The value of a line "KEY: a b c" of /proc/PID/status, its last number; 0: not to be had. */
static pid_t proc_number(pid_t pid, const char *key)
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

/* Its pid is kept by a descriptor, once we know that it is still bubblewrap's child. */
static void meet_inner(struct sandbox_job *job, pid_t inner)
{
        int pidfd = inner > 0 ? pidfd_open(inner, 0) : -1;

        if (pidfd >= 0 && proc_number(inner, "PPid") != job->pid)
                close_fd(&pidfd);
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

        if (json_is_integer(inner) && !job->inner)
                meet_inner(job, (pid_t)json_integer_value(inner));
        if (json_is_integer(status)) {
                job->has_exit = true;
                job->exit_status = (int)json_integer_value(status);
        }
}

static void read_status(struct sandbox_job *job)
{
        char chunk[status_max];
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
                return is_gone(job->inner_pidfd) ? 0 : -1;
        rest = text.bytes;
        while (rest && (word = strsep(&rest, " "))) {
                uint64_t pid;
                int pidfd;

                if (text_parse_u64(word, 1, INT_MAX, &pid))
                        continue;
                pidfd = pidfd_open((pid_t)pid, 0);
                if (pidfd < 0 || is_gone(pidfd)) {
                        close_fd(&pidfd);
                        continue;
                }
                count++;
                if (*ret_program < 0 && proc_number((pid_t)pid, "NSpid") == 2)
                        *ret_program = pidfd;
                else
                        close_fd(&pidfd);
        }
        return count;
}

/* Once bubblewrap has said what is inside: fills the pipe, see the top. */
static void hold(struct sandbox_job *job)
{
        char filler[status_max];
        ssize_t written;

        memset(filler, ' ', sizeof(filler));
        written = write(job->filler, filler, sizeof(filler));
        job->is_held = written == (ssize_t)sizeof(filler);
}

static void let_go(struct sandbox_job *job)
{
        job->is_held = false;
        close_fd(&job->program);
        read_status(job);
}

/* Whether the program itself has ended; then the rest is looked at and bubblewrap let go. */
static void look_for_its_end(struct sandbox_job *job)
{
        int count;

        if (job->program >= 0 && !is_gone(job->program))
                return;
        if (job->program < 0) {
                count = look_at_children(job, &job->program);
                if (job->program >= 0 || (count == 0 && !is_gone(job->inner_pidfd)))
                        return;
        } else {
                int other = -1;

                count = look_at_children(job, &other);
                close_fd(&other);
        }
        job->left_processes = count > 0;
        let_go(job);
}

/* ---- The thread ---- */

static bool is_asked_to_stop(const struct sandbox *sandbox)
{
        struct pollfd polled = { .fd = sandbox->settings.stop_fd, .events = POLLIN };

        return polled.fd >= 0 && poll(&polled, 1, 0) == 1;
}

static void set_reason(struct sandbox_job *job, enum reason reason)
{
        (void)pthread_mutex_lock(&job->lock);
        if (job->reason == BY_ITSELF)
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
                set_reason(job, BROKEN);
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
                pid_t before = job->inner;

                read_status(job);
                if (!before && job->inner && !job->has_exit)
                        hold(job);
        }
        if (polled[2].revents)
                set_reason(job, STOPPED);
        if (polled[1].revents)
                set_reason(job, ASKED);
        if (polled[0].revents)
                return true;
        if (!left_ns)
                set_reason(job, LATE);
        return job->reason != BY_ITSELF;
}

static bool wait_gone(int pidfd, uint64_t time_ns)
{
        struct pollfd polled = { .fd = pidfd, .events = POLLIN };
        struct timespec wait = { .tv_sec = (time_t)(time_ns / CLOCK_S_NS) };

        return pidfd < 0 || ppoll(&polled, 1, &wait, NULL) == 1;
}

/* The first process inside is killed by number: bubblewrap outside, dying young, might not have
 * tied it to itself yet. The kernel then ends all others of the namespace. */
static void end_all(struct sandbox_job *job)
{
        if (cgroup_is_made(&job->group))
                cgroup_kill(&job->group);
        if (!job->inner && !job->is_held) {
                struct pollfd polled[] = { { .fd = job->status, .events = POLLIN },
                                           { .fd = job->pidfd, .events = POLLIN } };

                if (poll(polled, BASE_COUNT(polled), 1000) > 0 && polled[0].revents)
                        read_status(job);
        }
        if (job->inner_pidfd >= 0)
                (void)syscall(SYS_pidfd_send_signal, job->inner_pidfd, SIGKILL, NULL, 0);
        (void)syscall(SYS_pidfd_send_signal, job->pidfd, SIGKILL, NULL, 0);
        /* A pidfd of the first process answers only when its namespace is empty. */
        job->is_dead = wait_gone(job->pidfd, DEATH_NS) && wait_gone(job->inner_pidfd, DEATH_NS);
}

static void *watch(void *context)
{
        enum { chunks_max = 64 };
        struct sandbox_job *job = context;
        struct pollfd status = { .fd = job->status, .events = POLLIN };

        while (!watch_once(job))
                ;
        job->end_ns = clock_monotonic_ns();
        close_fd(&job->program);
        job->is_held = false;
        end_all(job);
        while (poll(&status, 1, 0) == 1) /* not for ever: all who wrote are dead */
                read_status(job);
        (void)pthread_mutex_lock(&job->lock);
        drain_locked(job, chunks_max);
        job->is_over = true;
        (void)pthread_mutex_unlock(&job->lock);
        return NULL;
}

/* ---- Start ---- */

static uint64_t or_usual(uint64_t wished, uint64_t usual)
{
        return wished ? wished : usual;
}

static void limit(struct jail_plan *plan, __rlimit_resource_t resource, uint64_t soft,
                  uint64_t hard)
{
        struct rlimit ours;

        /* A user cannot raise what he was given. */
        if (!getrlimit(resource, &ours) && hard > ours.rlim_max)
                hard = ours.rlim_max;
        assert(plan->limit_count < BASE_COUNT(plan->limits));
        plan->limits[plan->limit_count++] = (struct jail_limit){
                .resource = resource,
                .value = { .rlim_cur = soft < hard ? soft : hard, .rlim_max = hard },
        };
}

/* Threads that our user runs already: the kernel counts them with the job's when it is not root. */
static uint64_t threads_of_user(void)
{
        DIR *dir = opendir("/proc");
        struct dirent *entry;
        uint64_t count = 0;

        while (dir && (entry = readdir(dir))) {
                struct stat status;
                uint64_t pid;

                if (text_parse_u64(entry->d_name, 1, INT_MAX, &pid) ||
                    fstatat(dirfd(dir), entry->d_name, &status, 0) || status.st_uid != geteuid())
                        continue;
                count += (uint64_t)proc_number((pid_t)pid, "Threads");
        }
        if (dir)
                (void)closedir(dir);
        return count;
}

static void set_limits(const struct sandbox *sandbox, const struct sandbox_request *request,
                       struct jail_plan *plan)
{
        uint64_t wall_s = or_usual(request->wall_max_ns, WALL_NS) / CLOCK_S_NS + 1;
        uint64_t cpu_s = or_usual(request->cpu_max_s, 2 * wall_s);
        uint64_t file_max = or_usual(request->file_max_bytes, FILE_BYTES);
        uint64_t memory_max = or_usual(request->memory_max_bytes, MEMORY_BYTES);
        /* Jobs that run side by side share a uid: the group counts exactly, this one bounds. */
        uint64_t processes = 4 * or_usual(request->process_max, PROCESSES) + 64;

        limit(plan, RLIMIT_CORE, 0, 0);
        limit(plan, RLIMIT_CPU, cpu_s, cpu_s + 1);
        limit(plan, RLIMIT_FSIZE, file_max, file_max);
        limit(plan, RLIMIT_NOFILE, descriptors_max, descriptors_max);
        limit(plan, RLIMIT_STACK, STACK_BYTES, 8 * STACK_BYTES);
        if (!sandbox->uid)
                processes += threads_of_user();
        limit(plan, RLIMIT_NPROC, processes, processes);
        if (!sandbox->has_home && !request->is_sanitized)
                limit(plan, RLIMIT_AS, memory_max, memory_max);
}

static int open_pipe(int *ret_read, int *ret_write)
{
        int ends[2];

        if (pipe2(ends, O_CLOEXEC))
                return error_last();
        *ret_read = ends[0];
        *ret_write = ends[1];
        return fcntl(ends[0], F_SETFL, O_NONBLOCK) ? error_last() : 0;
}

/* One page, and a second way in that never blocks: what fills it must not wait as bubblewrap
 * does. */
static int open_status(struct sandbox_job *job, int *ret_childs)
{
        char path[64];
        int failed = open_pipe(&job->status, ret_childs);

        if (failed)
                return failed;
        (void)fcntl(*ret_childs, F_SETPIPE_SZ, status_max); /* larger: then it is not held */
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", *ret_childs);
        job->filler = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        return job->filler < 0 ? error_last() : 0;
}

static int open_ends(struct sandbox_job *job, const struct sandbox_request *request,
                     struct jail_plan *plan)
{
        struct seccomp_wish wish = { .lets_ptrace = request->lets_ptrace,
                                     .lets_perf = request->lets_perf };
        int pair[2];
        int failed = open_pipe(&job->output, &plan->output);

        if (!failed)
                failed = open_status(job, &plan->status);
        if (!failed)
                failed = seccomp_open(&wish, &plan->seccomp);
        if (!failed && request->has_socket) {
                failed = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) ? error_last()
                                                                                     : 0;
                if (!failed) {
                        job->socket = pair[0];
                        plan->socket = pair[1];
                }
        }
        job->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return !failed && job->wake < 0 ? error_last() : failed;
}

static void plan_fini(struct jail_plan *plan)
{
        jail_fini(plan);
        close_fd(&plan->output);
        close_fd(&plan->socket);
        close_fd(&plan->seccomp);
        close_fd(&plan->status);
}

static void job_free(struct sandbox_job **ret_job)
{
        struct sandbox_job *job = *ret_job;

        if (!job)
                return;
        close_fd(&job->pidfd);
        close_fd(&job->output);
        close_fd(&job->socket);
        close_fd(&job->wake);
        close_fd(&job->status);
        close_fd(&job->filler);
        close_fd(&job->program);
        close_fd(&job->inner_pidfd);
        text_fini(&job->kept);
        (void)pthread_mutex_destroy(&job->lock);
        free(job);
        *ret_job = NULL;
}

static struct sandbox_job *job_new(struct sandbox *sandbox, const struct sandbox_request *request)
{
        struct sandbox_job *job = calloc(1, sizeof(*job));

        if (!job)
                return NULL;
        job->sandbox = sandbox;
        job->pidfd = job->output = job->socket = job->wake = job->status = job->filler = -1;
        job->program = job->inner_pidfd = -1;
        job->into = request->output;
        job->output_max = or_usual(request->output_max_bytes, OUTPUT_BYTES);
        text_init(&job->kept, job->output_max);
        (void)pthread_mutex_init(&job->lock, NULL); /* cannot fail without attributes */
        return job;
}

static int spawn(struct sandbox_job *job, struct jail_plan *plan)
{
        const char *step = NULL;
        int failed = jail_spawn(plan, &job->pid, &job->pidfd, &step);

        return failed ? sandbox_fail(failed, "%s: %s", step, error_text(failed)) : 0;
}

static int begin(struct sandbox_job *job, const struct sandbox_request *request)
{
        enum { extra_processes = 3 }; /* bubblewrap's own */
        struct sandbox *sandbox = job->sandbox;
        struct jail_plan plan BASE_SCOPE(plan_fini) = {
                .program = sandbox->program,
                .binds_by_fd = sandbox->binds_by_fd,
                .output = -1,
                .socket = -1,
                .seccomp = -1,
                .status = -1,
                .uid = sandbox->uid,
                .fixes_addresses = request->fixes_addresses,
        };
        int failed = jail_describe(&plan, request);

        if (failed)
                return sandbox_fail(failed, "its arguments or binds: %s", error_text(failed));
        set_limits(sandbox, request, &plan);
        failed = open_ends(job, request, &plan);
        if (failed)
                return sandbox_fail(failed, "its descriptors: %s", error_text(failed));
        if (sandbox->has_home) {
                failed = cgroup_make(&sandbox->home, atomic_fetch_add(&sandbox->next_number, 1),
                                     or_usual(request->memory_max_bytes, MEMORY_BYTES),
                                     or_usual(request->process_max, PROCESSES) + extra_processes,
                                     &job->group);
                if (failed)
                        return sandbox_fail(failed, "its cgroup: %s", error_text(failed));
                plan.group = &job->group;
        }
        job->start_ns = clock_monotonic_ns();
        job->deadline_ns = job->start_ns + or_usual(request->wall_max_ns, WALL_NS);
        return spawn(job, &plan);
}

int sandbox_start(struct sandbox *sandbox, const struct sandbox_request *request,
                  struct sandbox_job **ret_job)
{
        struct sandbox_job *job BASE_SCOPE(job_free) = job_new(sandbox, request);
        int failed;

        if (!job)
                return sandbox_fail(-ENOMEM, "no memory for a job");
        if (is_asked_to_stop(sandbox))
                return sandbox_fail(-ECANCELED, "asked to stop");
        failed = begin(job, request);
        if (!failed) {
                failed = -pthread_create(&job->thread, NULL, watch, job);
                if (failed) {
                        end_all(job);
                        (void)waitpid(job->pid, NULL, 0);
                        (void)sandbox_fail(failed, "no thread: %s", error_text(failed));
                }
        }
        if (failed) {
                (void)cgroup_remove(&job->group); /* what failed is the news */
                return failed;
        }
        *ret_job = job;
        job = NULL;
        return 0;
}

int sandbox_socket(const struct sandbox_job *job)
{
        return job->socket;
}

void sandbox_kill(struct sandbox_job *job)
{
        uint64_t one = 1;

        (void)!write(job->wake, &one, sizeof(one)); /* full is as good */
}

/* ---- Segments ---- */

static int open_beneath(int dir_fd, const char *path)
{
        struct open_how how = {
                .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };

        return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
}

/* -EAGAIN: bubblewrap has not finished, and the root is still ours or half made. */
static int open_segments(pid_t inner, int inner_pidfd, int *ret_fd)
{
        struct stat ours, theirs;
        char path[64];
        int fd;

        (void)snprintf(path, sizeof(path), "/proc/%d/root", (int)inner);
        int root BASE_SCOPE(close_fd) = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (root < 0 || fstat(root, &theirs) || stat("/", &ours))
                return error_last();
        if (is_gone(inner_pidfd)) /* then the number may already have been somebody else's */
                return -ESRCH;
        if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
                return -EAGAIN;
        fd = open_beneath(root, JAIL_SEGMENTS + 1);
        if (fd < 0)
                return errno == ENOENT ? -EAGAIN : error_last();
        *ret_fd = fd;
        return 0;
}

int sandbox_segments(struct sandbox_job *job, int *ret_dir_fd, uid_t *ret_owner)
{
        uint64_t start_ns = clock_monotonic_ns();
        int failed = -EAGAIN;

        while (failed == -EAGAIN) {
                bool is_over;
                pid_t inner;

                (void)pthread_mutex_lock(&job->lock);
                inner = job->inner;
                is_over = job->is_over;
                (void)pthread_mutex_unlock(&job->lock);
                if (is_over)
                        failed = -ESRCH;
                else if (inner)
                        failed = open_segments(inner, job->inner_pidfd, ret_dir_fd);
                if (failed == -EAGAIN && clock_monotonic_ns() - start_ns > BIRTH_NS)
                        failed = -ETIMEDOUT;
                if (failed == -EAGAIN)
                        (void)poll(NULL, 0, 1);
        }
        if (failed)
                return sandbox_fail(failed, "its segments: %s", error_text(failed));
        *ret_owner = job->sandbox->uid ? job->sandbox->uid : geteuid();
        return 0;
}

/* ---- End ---- */

/* It never began: what bubblewrap said about that. */
static int not_begun(struct sandbox_job *job)
{
        struct text words BASE_SCOPE(text_fini) = TEXT_INIT(512);
        const char *said = text_view(&job->kept);
        bool is_missing = strstr(said, "execvp") && strstr(said, error_text(ENOENT));

        text_append_escaped(&words, said, strcspn(said, "\n"));
        if (!words.length)
                text_append(&words, "bubblewrap ended without a word");
        return sandbox_fail(is_missing ? -ENOENT : -EIO, "%s", text_view(&words));
}

static int judge(struct sandbox_job *job, int wait_status, struct sandbox_end *end)
{
        enum { signal_base = 128 };

        if (job->reason == STOPPED)
                return sandbox_fail(-ECANCELED, "asked to stop");
        if (job->reason == BROKEN || !job->is_dead)
                return sandbox_fail(-EIO, "a job could not be watched or ended");
        if (job->reason == FLOODED) {
                end->how = SANDBOX_FLOODED;
        } else if (job->reason == LATE) {
                end->how = SANDBOX_LATE;
        } else if (job->has_exit && !job->exit_status) {
                end->how = SANDBOX_EXITED;
        } else if (end->how == SANDBOX_OUT_OF_MEMORY) {
                return 0;
        } else if (job->has_exit) {
                bool is_signal =
                        job->exit_status > signal_base && job->exit_status < signal_base + NSIG;

                end->how = is_signal ? SANDBOX_KILLED : SANDBOX_EXITED;
                end->code = job->exit_status - (is_signal ? signal_base : 0);
        } else if (job->reason == ASKED || WIFSIGNALED(wait_status)) {
                end->how = SANDBOX_KILLED;
                end->code = SIGKILL;
        } else {
                return not_begun(job);
        }
        return 0;
}

int sandbox_finish(struct sandbox_job **ret_job, struct sandbox_end *ret_end)
{
        struct sandbox_job *job BASE_SCOPE(job_free) = *ret_job;
        struct sandbox_end end = { .how = SANDBOX_EXITED };
        int wait_status = 0, failed, left = 0;

        *ret_job = NULL;
        (void)pthread_join(job->thread, NULL); /* ours, joinable, not ourselves */
        if (waitpid(job->pid, &wait_status, job->is_dead ? 0 : WNOHANG) < 0)
                wait_status = 0;
        if (cgroup_is_made(&job->group)) {
                struct cgroup_counts counts;

                cgroup_count(&job->group, &counts);
                end.memory_peak_bytes = counts.memory_peak_bytes;
                end.was_refused_processes = counts.was_refused_processes;
                if (counts.was_out_of_memory)
                        end.how = SANDBOX_OUT_OF_MEMORY;
                left = cgroup_remove(&job->group);
        }
        end.wall_ns = job->end_ns - job->start_ns;
        end.left_processes = job->left_processes;
        failed = judge(job, wait_status, &end);
        if (!failed && left)
                failed =
                        sandbox_fail(left, "its cgroup did not become empty: %s", error_text(left));
        if (failed)
                return failed;
        if (job->into)
                give_locked(job, job->into); /* nobody else is left */
        *ret_end = end;
        return 0;
}

int sandbox_run(struct sandbox *sandbox, const struct sandbox_request *request,
                struct sandbox_end *ret_end)
{
        struct sandbox_job *job = NULL;
        int failed = sandbox_start(sandbox, request, &job);

        return failed ? failed : sandbox_finish(&job, ret_end);
}
