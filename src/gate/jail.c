/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to keep in one place the order on which everything depends: group and uid are left before
 * bubblewrap starts (from root, bubblewrap's own --uid still reads root's files), limits after the
 * descriptors are in place, the filter last of all, by bubblewrap itself.
 *
 * Between fork() and execve() only system calls: the gate has threads. setresuid() and setgroups()
 * are called as such, because libc's wrappers would talk to threads that do not exist here.
 */
#include "gate/jail.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/personality.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_FILE_BYTES ((uint64_t)256 << 20)
#define SHM_BYTES          ((uint64_t)64 << 20)

enum { lifted_fd = 64 };

/* What the child was doing when it could not go on. */
struct refusal {
        int error;
        int step;
};

enum step { IN_GROUP, AS_USER, WITH_FDS, WITH_LIMITS, AT_EXEC };

static const char *const step_names[] = {
        [IN_GROUP] = "joining its cgroup", [AS_USER] = "leaving our uid",
        [WITH_FDS] = "its descriptors",    [WITH_LIMITS] = "its limits",
        [AT_EXEC] = "starting bubblewrap",
};

/* ---- Arguments ---- */

static int add_one(struct jail_plan *plan, const char *argument)
{
        /* One place stays empty: the end. */
        if (plan->argument_count + 1 >= jail_argument_max)
                return -E2BIG;
        plan->arguments[plan->argument_count] = strdup(argument);
        if (!plan->arguments[plan->argument_count])
                return -ENOMEM;
        plan->argument_count++;
        return 0;
}

/* All arguments up to a NULL. */
static int add(struct jail_plan *plan, ...) __attribute__((sentinel));
static int add(struct jail_plan *plan, ...)
{
        const char *argument;
        va_list arguments;
        int failed = 0;

        va_start(arguments, plan);
        while (!failed && (argument = va_arg(arguments, const char *)))
                failed = add_one(plan, argument);
        va_end(arguments);
        return failed;
}

static int add_tmpfs(struct jail_plan *plan, uint64_t bytes, const char *perms, const char *where)
{
        char digits[24];

        (void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)bytes);
        return add(plan, "--perms", perms, "--size", digits, "--tmpfs", where, NULL);
}

/* /lib, /bin and the like: links into /usr on merged systems, folders on others. */
static int add_system_folders(struct jail_plan *plan)
{
        static const char *const folders[] = { "/bin",   "/sbin",  "/lib",
                                               "/lib32", "/lib64", "/libx32" };
        int failed = add(plan, "--ro-bind", "/usr", "/usr", NULL);

        for (size_t i = 0; i < BASE_COUNT(folders) && !failed; i++) {
                char target[PATH_MAX];
                ssize_t length = readlink(folders[i], target, sizeof(target) - 1);

                if (length > 0) {
                        target[length] = '\0';
                        failed = add(plan, "--symlink", target, folders[i], NULL);
                } else if (errno == EINVAL) {
                        failed = add(plan, "--ro-bind", folders[i], folders[i], NULL);
                }
        }
        if (failed)
                return failed;
        /* What the loader and compilers look up; nothing else of /etc. */
        return add(plan, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--ro-bind-try",
                   "/etc/alternatives", "/etc/alternatives", NULL);
}

static int add_environment(struct jail_plan *plan, const struct sandbox_request *request)
{
        int failed = add(plan, "--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin",
                         "--setenv", "HOME", "/tmp", "--setenv", "LC_ALL", "C.UTF-8", NULL);

        if (request->has_segments && !failed)
                failed = add(plan, "--setenv", "TOCSIN_DIR", JAIL_SEGMENTS, NULL);
        for (size_t i = 0; request->environment && request->environment[i] && !failed; i++) {
                const char *equals = strchr(request->environment[i], '=');
                struct text name BASE_SCOPE(text_fini) = TEXT_INIT(4096);

                if (!equals || equals == request->environment[i])
                        return -EINVAL;
                text_append_bytes(&name, request->environment[i],
                                  (size_t)(equals - request->environment[i]));
                failed = name.error ? name.error
                                    : add(plan, "--setenv", text_view(&name), equals + 1, NULL);
        }
        return failed;
}

/* Opened by us and handed over where bubblewrap can take that: the new uid need not be able to
 * reach the folders above, and nobody can exchange what a path means in between. */
static int add_bind(struct jail_plan *plan, const struct sandbox_bind *bind)
{
        char digits[16];
        int fd;

        if (!plan->binds_by_fd)
                return add(plan, bind->is_writable ? "--bind" : "--ro-bind", bind->host,
                           bind->inside, NULL);
        fd = open(bind->host, O_PATH | O_CLOEXEC);
        if (fd < 0)
                return error_last();
        (void)snprintf(digits, sizeof(digits), "%zu", jail_first_bind_fd + plan->bind_count);
        plan->binds[plan->bind_count++] = fd;
        return add(plan, bind->is_writable ? "--bind-fd" : "--ro-bind-fd", digits, bind->inside,
                   NULL);
}

static int add_files(struct jail_plan *plan, const struct sandbox_request *request)
{
        uint64_t file_max = request->file_max_bytes ? request->file_max_bytes : DEFAULT_FILE_BYTES;
        int failed = add_system_folders(plan);

        if (!failed)
                failed = add(plan, "--proc", "/proc", "--dev", "/dev", NULL);
        if (!failed)
                failed = add_tmpfs(plan, file_max < SHM_BYTES ? file_max : SHM_BYTES, "1777",
                                   "/dev/shm");
        if (!failed)
                failed = add_tmpfs(plan, file_max, "1777", "/tmp");
        if (!failed && request->has_segments)
                failed = add_tmpfs(plan, JAIL_SEGMENTS_BYTES, "0700", JAIL_SEGMENTS);
        for (size_t i = 0; i < request->bind_count && !failed; i++)
                failed = add_bind(plan, &request->binds[i]);
        /* Last: what has no limit of size must not be written to. */
        return failed ? failed : add(plan, "--remount-ro", "/dev", "--remount-ro", "/", NULL);
}

int jail_describe(struct jail_plan *plan, const struct sandbox_request *request)
{
        int failed;

        if (request->bind_count > sandbox_bind_max || !request->argv || !request->argv[0])
                return -EINVAL;
        failed = add(plan, "bwrap", "--unshare-all", "--unshare-user", "--disable-userns",
                     "--die-with-parent", "--new-session", "--hostname", "gate", "--seccomp", "4",
                     "--json-status-fd", "5", "--block-fd", "7", NULL);
        if (!failed)
                failed = add_environment(plan, request);
        if (!failed)
                failed = add_files(plan, request);
        if (!failed)
                failed = add(plan, "--chdir", request->directory ? request->directory : "/tmp",
                             "--", NULL);
        for (size_t i = 0; request->argv[i] && !failed; i++)
                failed = add_one(plan, request->argv[i]);
        return failed;
}

void jail_fini(struct jail_plan *plan)
{
        for (size_t i = 0; i < plan->argument_count; i++)
                free(plan->arguments[i]);
        for (size_t i = 0; i < plan->bind_count; i++)
                (void)close(plan->binds[i]); /* O_PATH: nothing can be lost */
        plan->argument_count = 0;
        plan->bind_count = 0;
}

/* ---- The child ---- */

static int leave_user(uid_t uid)
{
        gid_t gid = uid;

        if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, gid, gid, gid) ||
            syscall(SYS_setresuid, uid, uid, uid))
                return -errno;
        return 0;
}

/* If the kernel has to kill somebody for memory, then us rather than the host's work. */
static void volunteer(void)
{
        int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

        (void)!write(fd, "1000", 4); /* a courtesy */
}

static int lift(int *fd)
{
        if (*fd >= 0)
                *fd = fcntl(*fd, F_DUPFD_CLOEXEC, lifted_fd);
        return *fd < 0 ? -errno : 0;
}

/* All above their places first, so that moving one cannot overwrite another. */
static int arrange(struct jail_plan *plan, int *refusal)
{
        int null = open("/dev/null", O_RDONLY);
        size_t end = jail_first_bind_fd + plan->bind_count;

        if (null < 0 || lift(&null) || lift(&plan->output) || lift(&plan->seccomp) ||
            lift(&plan->status) || lift(&plan->start) || lift(refusal) ||
            (plan->socket >= 0 && lift(&plan->socket)))
                return -errno;
        for (size_t i = 0; i < plan->bind_count; i++)
                if (lift(&plan->binds[i]))
                        return -errno;
        if (dup2(null, 0) < 0 || dup2(plan->output, 1) < 0 || dup2(plan->output, 2) < 0 ||
            dup2(plan->seccomp, jail_seccomp_fd) < 0 || dup2(plan->status, jail_status_fd) < 0 ||
            dup2(plan->start, jail_start_fd) < 0 || dup3(*refusal, jail_refusal_fd, O_CLOEXEC) < 0)
                return -errno;
        *refusal = jail_refusal_fd;
        if (plan->socket < 0)
                (void)close(jail_socket_fd); /* whatever it was */
        else if (dup2(plan->socket, jail_socket_fd) < 0)
                return -errno;
        for (size_t i = 0; i < plan->bind_count; i++)
                if (dup2(plan->binds[i], jail_first_bind_fd + (int)i) < 0)
                        return -errno;
        return syscall(SYS_close_range, (unsigned)end, UINT_MAX, 0) ? -errno : 0;
}

static int set_limits(const struct jail_plan *plan)
{
        for (size_t i = 0; i < plan->limit_count; i++)
                if (setrlimit(plan->limits[i].resource, &plan->limits[i].value))
                        return -errno;
        return 0;
}

static void reset_signals(void)
{
        struct sigaction usual = { .sa_handler = SIG_DFL };
        sigset_t none;

        for (int number = 1; number < NSIG; number++)
                (void)sigaction(number, &usual, NULL); /* fails for KILL and STOP, rightly */
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with valid arguments */
}

_Noreturn static void refuse(int fd, enum step step, int error)
{
        struct refusal refusal = { error, (int)step };

        (void)!write(fd, &refusal, sizeof(refusal)); /* if nobody reads, nobody wants it */
        _exit(ERROR_EXIT_RUN);
}

_Noreturn static void live_as_child(struct jail_plan *plan, int refusal)
{
        static char *const no_environment[] = { NULL };
        int failed;

        /* Its own session: a terminal's interrupt is for the gate, which then stops its jobs. */
        (void)setsid();
        (void)umask(022);
        volunteer();
        failed = plan->group ? cgroup_join(plan->group) : 0;
        if (failed)
                refuse(refusal, IN_GROUP, failed);
        failed = plan->uid ? leave_user(plan->uid) : 0;
        if (failed)
                refuse(refusal, AS_USER, failed);
        failed = arrange(plan, &refusal);
        if (!failed && chdir("/"))
                failed = -errno;
        if (failed)
                refuse(refusal, WITH_FDS, failed);
        failed = set_limits(plan);
        if (!failed && plan->fixes_addresses && personality(ADDR_NO_RANDOMIZE) < 0)
                failed = -errno;
        /* After the uid, whose change would clear it; bubblewrap repeats it for what is inside. */
        if (!failed && prctl(PR_SET_PDEATHSIG, SIGKILL))
                failed = -errno;
        if (failed)
                refuse(refusal, WITH_LIMITS, failed);
        reset_signals();
        (void)execve(plan->program, plan->arguments, no_environment);
        refuse(refusal, AT_EXEC, -errno);
}

/* Its life up to bubblewrap: an end of file says that it got there. */
static int hear(int fd, const char **ret_step)
{
        struct refusal refusal;
        ssize_t length;

        do
                length = read(fd, &refusal, sizeof(refusal));
        while (length < 0 && errno == EINTR);
        if (length == 0)
                return 0;
        if (length != sizeof(refusal))
                return -EIO;
        *ret_step = step_names[refusal.step];
        return refusal.error;
}

int jail_spawn(struct jail_plan *plan, pid_t *ret_pid, int *ret_pidfd, const char **ret_step)
{
        sigset_t all, kept;
        int refusal[2], failed, pidfd = -1;
        pid_t pid;

        *ret_step = "starting a process";
        if (pipe2(refusal, O_CLOEXEC))
                return error_last();
        plan->arguments[plan->argument_count] = NULL;
        /* Blocked until exec, so that no handler of ours runs in the child. */
        sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &kept); /* cannot fail with valid arguments */
        pid = fork();
        if (pid == 0)
                live_as_child(plan, refusal[1]);
        failed = pid < 0 ? error_last() : 0;
        (void)pthread_sigmask(SIG_SETMASK, &kept, NULL); /* was valid a moment ago */
        (void)close(refusal[1]);
        if (!failed)
                failed = hear(refusal[0], ret_step);
        (void)close(refusal[0]);
        if (!failed) {
                pidfd = pidfd_open(pid, 0);
                failed = pidfd < 0 ? error_last() : 0;
        }
        if (failed && pid > 0) {
                (void)kill(pid, SIGKILL); /* nothing runs in it yet */
                (void)waitpid(pid, NULL, 0);
        }
        if (failed)
                return failed;
        *ret_pid = pid;
        *ret_pidfd = pidfd;
        return 0;
}
