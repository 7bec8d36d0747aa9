/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to put one job together and to say how it ended: limits, descriptors, cgroup, bubblewrap
 * and the thread that watches; then what each of them knows.
 */
#include "base/error.h"
#include "base/file.h"
#include "gate/jail.h"
#include "gate/job.h"
#include "watch/seccomp.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WALL_NS            (60 * CLOCK_S_NS)
#define MEMORY_BYTES       ((uint64_t)1 << 30)
#define FILE_BYTES         ((uint64_t)256 << 20)
#define OUTPUT_BYTES       ((uint64_t)1 << 20)
#define PROCESSES          64
#define PROCESSES_TOGETHER 16384
#define STACK_BYTES        ((uint64_t)8 << 20)
/* How long bubblewrap may take to set up. */
#define BIRTH_NS      (10 * CLOCK_S_NS)
#define GROUP_WAIT_NS (5 * CLOCK_S_NS) /* for what was killed to be gone */

enum { descriptors_max = 256 };

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

/* Threads that a user runs already: the kernel counts them with the job's. */
static uint64_t threads_of(uid_t uid)
{
        DIR *dir = opendir("/proc");
        struct dirent *entry;
        uint64_t count = 0;

        while (dir && (entry = readdir(dir))) {
                struct stat status;
                uint64_t pid;

                if (text_parse_u64(entry->d_name, 1, INT_MAX, &pid) ||
                    fstatat(dirfd(dir), entry->d_name, &status, 0) || status.st_uid != uid)
                        continue;
                count += (uint64_t)job_number_of((pid_t)pid, "Threads");
        }
        if (dir)
                (void)closedir(dir);
        return count;
}

/* Jobs side by side share a uid, and so this limit: one that forks for all it is worth must not
 * take the others' share. With a group, which counts each alone, it only bounds them together. */
static uint64_t most_processes(const struct sandbox *sandbox, uint64_t process_max)
{
        if (sandbox->has_home)
                return PROCESSES_TOGETHER;
        return threads_of(sandbox->uid ? sandbox->uid : geteuid()) + 4 * process_max + 64;
}

static void set_limits(const struct sandbox *sandbox, const struct sandbox_request *request,
                       struct jail_plan *plan)
{
        uint64_t wall_s = or_usual(request->wall_max_ns, WALL_NS) / CLOCK_S_NS + 1;
        uint64_t cpu_s = or_usual(request->cpu_max_s, 2 * wall_s);
        uint64_t file_max = or_usual(request->file_max_bytes, FILE_BYTES);
        uint64_t memory_max = or_usual(request->memory_max_bytes, MEMORY_BYTES);
        uint64_t processes = most_processes(sandbox, or_usual(request->process_max, PROCESSES));

        limit(plan, RLIMIT_CORE, 0, 0);
        limit(plan, RLIMIT_CPU, cpu_s, cpu_s + 1);
        limit(plan, RLIMIT_FSIZE, file_max, file_max);
        limit(plan, RLIMIT_NOFILE, or_usual(request->descriptor_max, descriptors_max),
              or_usual(request->descriptor_max, descriptors_max));
        limit(plan, RLIMIT_STACK, STACK_BYTES, 8 * STACK_BYTES);
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
        (void)fcntl(*ret_childs, F_SETPIPE_SZ, job_status_max); /* larger: then it is not held */
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", *ret_childs);
        job->filler = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        return job->filler < 0 ? error_last() : 0;
}

static int open_start(struct sandbox_job *job, int *ret_childs)
{
        int ends[2];

        if (pipe2(ends, O_CLOEXEC))
                return error_last();
        *ret_childs = ends[0];
        job->start = ends[1];
        return 0;
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
                failed = open_start(job, &plan->start);
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
        job_close(&plan->output);
        job_close(&plan->socket);
        job_close(&plan->seccomp);
        job_close(&plan->status);
        job_close(&plan->start);
}

static void job_free(struct sandbox_job **ret_job)
{
        struct sandbox_job *job = *ret_job;

        if (!job)
                return;
        job_close(&job->pidfd);
        job_close(&job->output);
        job_close(&job->socket);
        job_close(&job->wake);
        job_close(&job->status);
        job_close(&job->filler);
        job_close(&job->start);
        job_close(&job->program);
        job_close(&job->inner_pidfd);
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
        job->program = job->inner_pidfd = job->start = -1;
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
                .start = -1,
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
                const struct cgroup_limits limits = {
                        .memory_bytes = or_usual(request->memory_max_bytes, MEMORY_BYTES),
                        .processes = or_usual(request->process_max, PROCESSES) + extra_processes,
                        .cpu_permille = request->cpu_max_permille,
                };

                failed = cgroup_make(&sandbox->home, atomic_fetch_add(&sandbox->next_number, 1),
                                     &limits, &job->group);
                if (!failed && job->group.unset & ~(unsigned)CGROUP_CPU)
                        failed = -EOPNOTSUPP;
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
        if (job_is_asked_to_stop(sandbox))
                return sandbox_fail(-ECANCELED, "asked to stop");
        failed = begin(job, request);
        if (!failed) {
                failed = -pthread_create(&job->thread, NULL, job_watch, job);
                if (failed) {
                        job_end_all(job);
                        (void)waitpid(job->pid, NULL, 0);
                        (void)sandbox_fail(failed, "no thread: %s", error_text(failed));
                }
        }
        if (failed) {
                (void)cgroup_remove(&job->group, GROUP_WAIT_NS); /* what failed is the news */
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
        int root BASE_SCOPE(job_close) = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (root < 0 || fstat(root, &theirs) || stat("/", &ours))
                return error_last();
        if (job_is_gone(inner_pidfd)) /* then the number may already have been somebody else's */
                return -ESRCH;
        if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
                return -EAGAIN;
        fd = open_beneath(root, &JAIL_SEGMENTS[1]);
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

        if (job->reason == JOB_STOPPED)
                return sandbox_fail(-ECANCELED, "asked to stop");
        if (job->reason == JOB_BROKEN || !job->is_dead)
                return sandbox_fail(-EIO, "a job could not be watched or ended");
        if (job->reason == JOB_FLOODED) {
                end->how = SANDBOX_FLOODED;
        } else if (job->reason == JOB_LATE) {
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
        } else if (job->reason == JOB_ASKED || WIFSIGNALED(wait_status)) {
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
        if (job->inner && job->is_dead)
                (void)waitpid(job->inner, NULL, 0); /* unless bubblewrap did */
        if (cgroup_is_made(&job->group)) {
                struct cgroup_counts counts;

                cgroup_count(&job->group, &counts);
                end.memory_peak_bytes = counts.memory_peak_bytes;
                end.was_refused_processes = counts.was_refused_processes;
                if (counts.was_out_of_memory)
                        end.how = SANDBOX_OUT_OF_MEMORY;
                left = cgroup_remove(&job->group, GROUP_WAIT_NS);
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
                text_append_bytes(job->into, text_view(&job->kept), job->kept.length);
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
