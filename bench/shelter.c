/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because every run rings an alarm bell a few hundred times, and nobody should come. */
#include "shelter.h"

#include "base/error.h"
#include "base/file.h"
#include "base/say.h"
#include "inside.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char marker[] = "TOCSIN_BENCH_SHELTER";

/* tmpfs, and ours: where libtocsin would keep a segment. */
static int make_directory(struct text *ret_path)
{
        const char *parent[] = { getenv("XDG_RUNTIME_DIR"), "/dev/shm", "/run" };
        int failed = -ENOENT;

        for (size_t i = 0; i < BASE_COUNT(parent); i++) {
                char path[64]; /* the bell's address has to fit into 108 bytes */
                int length;

                if (!parent[i])
                        continue;
                length = snprintf(path, sizeof path, "%s/tocsin-bench-XXXXXX", parent[i]);
                if (length < 0 || (size_t)length >= sizeof path)
                        continue;
                if (mkdtemp(path)) {
                        text_append(ret_path, path);
                        return ret_path->error;
                }
                failed = error_last();
        }
        return failed;
}

static void remove_directory(const char *path)
{
        int failed = file_remove_tree(AT_FDCWD, path);

        if (failed && failed != -ENOENT)
                say_warning("cannot remove '%s': %s", path, error_text(failed));
}

/* Signals that ask us to end, and the one that tells that the child has. */
static sigset_t of_interest(void)
{
        sigset_t set;

        (void)sigemptyset(&set); /* these cannot fail for signals that exist */
        (void)sigaddset(&set, SIGINT);
        (void)sigaddset(&set, SIGTERM);
        (void)sigaddset(&set, SIGHUP);
        (void)sigaddset(&set, SIGCHLD);
        return set;
}

static void run_inside(char **argv, const char *directory, const sigset_t *signals, pid_t parent)
{
        (void)sigprocmask(SIG_SETMASK, signals, NULL); /* cannot fail for SIG_SETMASK */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
                _exit(ERROR_EXIT_UNKNOWN);
        if (setenv("TOCSIN_DIR", directory, 1) || setenv(marker, directory, 1) || inside_prepare())
                _exit(ERROR_EXIT_UNKNOWN);
        (void)execv("/proc/self/exe", argv); /* comes back only when it failed */
        say_error("cannot run itself: %s", error_text(error_last()));
        _exit(ERROR_EXIT_UNKNOWN);
}

/* The child's exit status; 128 + n if signal n killed it. */
static int wait_for(pid_t child, const sigset_t *set)
{
        int status;

        for (;;) {
                pid_t ended = waitpid(child, &status, WNOHANG);
                int signal;

                if (ended == child)
                        break;
                if (ended < 0)
                        return ERROR_EXIT_UNKNOWN;
                signal = sigwaitinfo(set, NULL);
                if (signal > 0 && signal != SIGCHLD)
                        (void)kill(child, signal); /* it may have ended: then we see it next */
        }
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int leave_it_to_a_child(char **argv, int *ret_status)
{
        struct text directory BASE_SCOPE(text_fini) = TEXT_INIT(64);
        sigset_t set = of_interest(), before;
        pid_t parent = getpid(), child;
        int failed = make_directory(&directory);

        if (failed)
                return failed;
        (void)sigprocmask(SIG_BLOCK, &set, &before); /* cannot fail for SIG_BLOCK */
        child = fork();
        if (child == 0)
                run_inside(argv, text_view(&directory), &before, parent);
        failed = child < 0 ? error_last() : 0;
        if (child > 0)
                *ret_status = wait_for(child, &set);
        remove_directory(text_view(&directory));
        return failed ? failed : SHELTER_LEFT;
}

int shelter_enter(char **argv, const char **ret_directory, int *ret_status)
{
        const char *directory = getenv(marker);
        const char *asked = getenv("TOCSIN_DIR");

        if (!directory || !asked || strcmp(directory, asked) != 0)
                return leave_it_to_a_child(argv, ret_status);
        *ret_directory = directory;
        return 0;
}
