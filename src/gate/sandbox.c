/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to find out, once, what this host gives for a sandbox, and to say what it does not. The
 * proof is a trial: a program is run in it.
 */
#include "gate/sandbox.h"
#include "base/child.h"
#include "base/error.h"
#include "base/file.h"
#include "gate/job.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Belongs to nobody on usual systems: above users and dynamic services, below nobody. */
enum { uid_first = 61184, uid_count = 4000 };
enum { why_max = 1024 };

static _Thread_local char why_of_thread[why_max];

const char *sandbox_why(void)
{
        return why_of_thread;
}

int sandbox_fail(int error, const char *format, ...)
{
        struct text text BASE_SCOPE(text_fini) = TEXT_INIT(why_max - 1);
        va_list arguments;

        va_start(arguments, format);
        text_append(&text, "sandbox: ");
        text_vprintf(&text, format, arguments);
        va_end(arguments);
        (void)snprintf(why_of_thread, sizeof(why_of_thread), "%s", text_view(&text));
        return error;
}

static const char *find_program(void)
{
        static const char *const places[] = { "/usr/bin/bwrap", "/usr/local/bin/bwrap",
                                              "/bin/bwrap" };

        for (size_t i = 0; i < BASE_COUNT(places); i++)
                if (!access(places[i], X_OK))
                        return places[i];
        return NULL;
}

/* What this bubblewrap can do, from its own list of options. */
static int learn_program(struct sandbox *sandbox, struct text *why)
{
        struct text help BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        const char *const argv[] = { sandbox->program, "--help", NULL };
        struct child_request request = { .argv = argv,
                                         .output = &help,
                                         .time_max_ns = 10 * CLOCK_S_NS };
        struct child_result result;
        int failed = child_run(&request, &result);

        if (failed) {
                text_printf(why, "%s cannot be run: %s", sandbox->program, error_text(failed));
                return failed;
        }
        if (!strstr(text_view(&help), "--disable-userns") ||
            !strstr(text_view(&help), "--json-status-fd")) {
                text_printf(why,
                            "%s is too old: install version 0.8 or newer of package "
                            "bubblewrap",
                            sandbox->program);
                return -ENOSYS;
        }
        sandbox->binds_by_fd = strstr(text_view(&help), "--ro-bind-fd") != NULL;
        return 0;
}

static void miss(struct sandbox *sandbox, const char *sentence)
{
        text_append(&sandbox->layers.missing, sandbox->layers.missing.length ? "; " : "");
        text_append(&sandbox->layers.missing, sentence);
}

static void miss_cgroup(struct sandbox *sandbox)
{
        sandbox->layers.cgroup = NULL;
        miss(sandbox, "no cgroup for memory and processes could be made, so only limits of each "
                      "process hold: run as root, or in a delegated group (systemd-run --user "
                      "--scope -p Delegate=yes tocsin gate ...)");
}

static int try_it(struct sandbox *sandbox, struct text *why)
{
        static const char *const argv[] = { "/usr/bin/true", NULL };
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        struct sandbox_request request = { .argv = argv,
                                           .wall_max_ns = 20 * CLOCK_S_NS,
                                           .output = &output };
        struct sandbox_end end;
        int failed = sandbox_run(sandbox, &request, &end);

        if (!failed && end.how == SANDBOX_EXITED && end.code == 0)
                return 0;
        if (failed) {
                text_append(why, sandbox_why());
        } else {
                text_append(why, "sandbox: /usr/bin/true in it: ");
                sandbox_append_end(&end, why);
        }
        if (failed == -ECANCELED)
                return failed;
        text_append(why, "; bubblewrap needs user namespaces (sysctl "
                         "kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0, "
                         "kernel.apparmor_restrict_unprivileged_userns=0), and in a container "
                         "the right to make them");
        return failed ? failed : -EPERM;
}

/* Members that only root can give are tried, and left out where even root cannot. */
static int find_layers(struct sandbox *sandbox, struct text *why)
{
        int failed;

        sandbox->layers.namespaces = "bubblewrap";
        sandbox->layers.seccomp = "seccomp";
        sandbox->layers.rlimits = "rlimits";
        sandbox->layers.uid = "the caller's";
        if (geteuid() == 0) {
                sandbox->uid = (uid_t)(uid_first + getpid() % uid_count);
                sandbox->layers.uid = "its own";
        }
        sandbox->has_home = cgroup_find("tocsin-gate", CGROUP_MEMORY | CGROUP_PIDS, CGROUP_CPU,
                                        true, &sandbox->home) == 0;
        if (sandbox->has_home)
                sandbox->layers.cgroup = sandbox->home.name;
        else
                miss_cgroup(sandbox);
        failed = try_it(sandbox, why);
        if (failed && failed != -ECANCELED && sandbox->has_home) {
                /* Groups may be made where processes may not be moved to: as in a container. */
                struct text again BASE_SCOPE(text_fini) = TEXT_INIT(4096);

                sandbox->has_home = false;
                if (!try_it(sandbox, &again)) {
                        text_clear(why);
                        cgroup_home_fini(&sandbox->home);
                        miss_cgroup(sandbox);
                        failed = 0;
                }
        }
        return failed;
}

int sandbox_new(const struct sandbox_settings *settings, struct sandbox **ret_sandbox,
                struct text *why)
{
        struct sandbox *sandbox BASE_SCOPE(sandbox_free) = calloc(1, sizeof(*sandbox));
        int failed;

        if (!sandbox)
                return -ENOMEM;
        sandbox->settings = *settings;
        sandbox->scratch.fd = -1;
        text_init(&sandbox->layers.missing, 4096);
        /* So that the first process of a namespace, whose parent ends before it, becomes our child
         * and can be reaped: not every container has a first process that does. */
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
        sandbox->program = find_program();
        if (!sandbox->program) {
                text_append(why, "bubblewrap is not installed: install package bubblewrap");
                return -ENOENT;
        }
        failed = learn_program(sandbox, why);
        if (failed)
                return failed;
        failed = scratch_make(&sandbox->scratch);
        if (failed) {
                text_printf(why, "no folder for temporary files in $TMPDIR or /tmp: %s",
                            error_text(failed));
                return failed;
        }
        failed = find_layers(sandbox, why);
        if (failed)
                return failed;
        if (settings->needs_layers && sandbox->layers.missing.length) {
                text_append(why, text_view(&sandbox->layers.missing));
                return -EPERM;
        }
        *ret_sandbox = sandbox;
        sandbox = NULL;
        return 0;
}

void sandbox_free(struct sandbox **ret_sandbox)
{
        struct sandbox *sandbox = *ret_sandbox;

        if (!sandbox)
                return;
        scratch_remove(&sandbox->scratch);
        if (sandbox->has_home)
                cgroup_home_fini(&sandbox->home);
        text_fini(&sandbox->layers.missing);
        free(sandbox);
        *ret_sandbox = NULL;
}

const struct sandbox_layers *sandbox_layers(const struct sandbox *sandbox)
{
        return &sandbox->layers;
}

int sandbox_folder(struct sandbox *sandbox, const char *stem, int *ret_fd, struct text *ret_path)
{
        struct text name BASE_SCOPE(text_fini) = TEXT_INIT(NAME_MAX);
        int at = sandbox->scratch.fd;
        int fd, failed = 0;

        text_printf(&name, "%s-%u", stem, atomic_fetch_add(&sandbox->next_number, 1));
        if (name.error || strchr(text_view(&name), '/'))
                return sandbox_fail(-EINVAL, "the name of a folder");
        if (mkdirat(at, text_view(&name), 0700)) {
                failed = error_last();
                return sandbox_fail(failed, "a folder: %s", error_text(failed));
        }
        fd = openat(at, text_view(&name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || (sandbox->uid && fchown(fd, sandbox->uid, sandbox->uid)))
                failed = error_last();
        text_printf(ret_path, "%s/%s", text_view(&sandbox->scratch.path), text_view(&name));
        if (!failed)
                failed = ret_path->error;
        if (failed) {
                if (fd >= 0)
                        (void)close(fd); /* empty: nothing can be lost */
                return sandbox_fail(failed, "a folder: %s", error_text(failed));
        }
        *ret_fd = fd;
        return 0;
}

/* Given to the uid and closed to the rest; of a folder, so that it can be entered too. Never
 * through a link: what lies there may come from a candidate. */
int sandbox_hand_over(struct sandbox *sandbox, int dir_fd, const char *name)
{
        int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat status;
        int failed = 0;

        if (fd < 0 || fstat(fd, &status)) {
                failed = error_last();
        } else if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
                failed = -EINVAL;
        } else {
                mode_t mode = S_ISDIR(status.st_mode) || status.st_mode & 0100 ? 0500 : 0400;

                if (S_ISREG(status.st_mode) && status.st_nlink != 1)
                        failed = -EMLINK; /* another name of it lies elsewhere */
                else if ((sandbox->uid && fchown(fd, sandbox->uid, sandbox->uid)) ||
                         fchmod(fd, mode))
                        failed = error_last();
        }
        if (fd >= 0)
                (void)close(fd); /* only read from */
        return failed ? sandbox_fail(failed, "handing over a file: %s", error_text(failed)) : 0;
}

void sandbox_append_end(const struct sandbox_end *end, struct text *into)
{
        const char *name = end->how == SANDBOX_KILLED ? sigabbrev_np(end->code) : NULL;

        switch (end->how) {
        case SANDBOX_EXITED:
                text_printf(into, "exit status %d", end->code);
                break;
        case SANDBOX_KILLED:
                if (name)
                        text_printf(into, "killed by SIG%s", name);
                else
                        text_printf(into, "killed by signal %d", end->code);
                break;
        case SANDBOX_LATE:
                text_append(into, "did not end within ");
                text_append_duration(into, end->wall_ns / CLOCK_MS_NS * CLOCK_MS_NS);
                break;
        case SANDBOX_FLOODED:
                text_append(into, "wrote more output than it may");
                break;
        case SANDBOX_OUT_OF_MEMORY:
                text_append(into, "used more memory than it may");
                break;
        }
}
