/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to start a program so that it notices nothing of us, and to say what is wrong if it cannot
 * be started.
 *
 * Between fork() and exec() only async-signal-safe calls are made: receivers have threads by then.
 */
#include "watch/program.h"
#include "watch/command.h"
#include "watch/procfs.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- The environment ------------------------------------------------------ */

static bool is_variable(const char *entry, const char *name)
{
        size_t length = strlen(name);

        return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

/* Ours, with TOCSIN_DIR, LD_PRELOAD if it is not NULL, and without what only receivers get. The
 * entries are borrowed. */
static char **make_environment(char *directory_entry, char *preload_entry)
{
        size_t count = 0, kept = 0;
        char **copy;

        while (environ[count])
                count++;
        copy = calloc(count + 3, sizeof(*copy));
        if (!copy)
                return NULL;
        for (size_t i = 0; i < count; i++)
                if (!is_variable(environ[i], "TOCSIN_DIR") &&
                    !is_variable(environ[i], COMMAND_VARIABLE) &&
                    !(preload_entry && is_variable(environ[i], "LD_PRELOAD")))
                        copy[kept++] = environ[i];
        copy[kept++] = directory_entry;
        if (preload_entry)
                copy[kept] = preload_entry;
        return copy;
}

/* ---- Why not -------------------------------------------------------------- */

/* The first file of that name in PATH, executable or not; a name with a stroke is a path itself. */
static bool find_file(const char *name, struct text *ret_path)
{
        const char *path = getenv("PATH");

        text_append(ret_path, name);
        if (strchr(name, '/'))
                return true;
        for (const char *at = path; at; at = at[0] ? at + 1 : NULL) {
                size_t length = strcspn(at, ":");

                text_clear(ret_path);
                text_append_bytes(ret_path, at, length);
                text_printf(ret_path, "/%s", name);
                if (!access(text_view(ret_path), F_OK))
                        return true;
                at += length;
        }
        return false;
}

static void explain_missing(const char *name, struct text *why)
{
        if (strchr(name, '/') && !access(name, F_OK))
                text_printf(why,
                            "cannot run '%s': the interpreter that its first line names, or its "
                            "loader, is not there",
                            name);
        else if (strchr(name, '/'))
                text_printf(why, "cannot run '%s': there is no such file", name);
        else if (!access(name, X_OK))
                text_printf(why, "there is no program '%s' in PATH; did you mean ./%s?", name,
                            name);
        else
                text_printf(why,
                            "there is no program '%s' in PATH; check the name, or give its path",
                            name);
}

static void explain_denied(const char *name, int error, struct text *why)
{
        struct stat status;

        if (error == -EACCES && !stat(name, &status) && S_ISDIR(status.st_mode))
                text_printf(why, "cannot run '%s': it is a directory", name);
        else if (error == -EACCES && strchr(name, '/') && access(name, X_OK))
                text_printf(why, "cannot run '%s': it is not executable; chmod +x '%s'", name,
                            name);
        else if (error == -EACCES)
                text_printf(why,
                            "cannot run '%s': permission denied; is its file system mounted "
                            "noexec?",
                            name);
        else
                text_printf(why, "cannot run '%s': %s", name, error_text(error));
}

static int explain(const char *name, int error, struct text *why)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(4096);
        /* exec() says EACCES also if a directory in PATH is not for us. */
        bool is_there = find_file(name, &path);

        if (error == -ENOENT || error == -ENOTDIR || (error == -EACCES && !is_there)) {
                explain_missing(name, why);
                return PROGRAM_MISSING;
        }
        explain_denied(text_view(&path), error, why);
        return PROGRAM_DENIED;
}

static bool is_executable(const char *name)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(4096);

        errno = ENOENT;
        return find_file(name, &path) && !access(text_view(&path), X_OK);
}

/* ---- Starting ------------------------------------------------------------- */

/* Why there is no program: its own fault, or ours. */
struct refusal {
        int error;
        bool is_ours;
};

_Noreturn static void live_as_program(const struct program_order *order, char *const *environment,
                                      int refusal_fd)
{
        struct refusal refusal = { .is_ours = true };

        if (order->enter)
                refusal.error = order->enter(order->context);
        if (!refusal.error && order->error_fd >= 0 && dup2(order->error_fd, STDERR_FILENO) < 0)
                refusal.error = error_last();
        if (!refusal.error) {
                signals_restore(order->signals);
                (void)execvpe(order->argv[0], order->argv, environment);
                refusal = (struct refusal){ .error = error_last() };
        }
        /* Eight bytes into an empty pipe; if the parent is gone nobody wants them. */
        (void)!write(refusal_fd, &refusal, sizeof(refusal));
        _exit(ERROR_EXIT_RUN_MISSING);
}

/* Waits for exec, which closes the pipe, or for what went wrong. */
static struct refusal wait_for_exec(int fd)
{
        struct refusal refusal = { 0 };
        ssize_t length;

        do
                length = read(fd, &refusal, sizeof(refusal));
        while (length < 0 && errno == EINTR);
        if (length < 0)
                return (struct refusal){ .error = error_last(), .is_ours = true };
        return length == sizeof(refusal) ? refusal : (struct refusal){ 0 };
}

static int start(struct program *program, const struct program_order *order,
                 char *const *environment, struct text *why)
{
        struct refusal refusal = { 0 };
        int ends[2];

        if (pipe2(ends, O_CLOEXEC))
                return error_last();
        program->pid = fork();
        if (program->pid == 0)
                live_as_program(order, environment, ends[1]);
        if (program->pid < 0)
                refusal = (struct refusal){ .error = error_last(), .is_ours = true };
        (void)close(ends[1]); /* nothing was written on our side */
        if (!refusal.error)
                refusal = wait_for_exec(ends[0]);
        (void)close(ends[0]); /* read only */
        if (!refusal.error || program->pid < 0)
                return refusal.error;
        (void)waitpid(program->pid, NULL, 0); /* it is in _exit() */
        return refusal.is_ours ? refusal.error : explain(program->argv[0], refusal.error, why);
}

int program_start(struct program *program, const struct program_order *order, struct text *why)
{
        BASE_SCOPE(text_fini) struct text entry = TEXT_INIT(4096);
        BASE_SCOPE(text_fini) struct text preload = TEXT_INIT(64 << 10);
        const char *name = order->name ? order->name : order->argv[0];
        const char *slash = strrchr(name, '/');
        const char *before = getenv("LD_PRELOAD");
        char **environment;
        int outcome;

        *program = (struct program){ .argv = order->argv, .name = slash ? slash + 1 : name };
        if (prctl(PR_SET_CHILD_SUBREAPER, 1))
                return error_last();
        text_printf(&entry, "TOCSIN_DIR=%s", order->directory);
        if (order->preload)
                text_printf(&preload, "LD_PRELOAD=%s%s%s", order->preload, before ? ":" : "",
                            before ? before : "");
        environment =
                entry.error || preload.error
                        ? NULL
                        : make_environment(entry.bytes, order->preload ? preload.bytes : NULL);
        if (!environment)
                return -ENOMEM;
        if (order->name && strcmp(order->name, order->argv[0]) != 0 &&
            !is_executable(order->name)) {
                free(environment); /* what stands before it would say so in its own words */
                return explain(order->name, errno == EACCES ? -EACCES : -ENOENT, why);
        }
        outcome = start(program, order, environment, why);
        free(environment);
        return outcome;
}

/* ---- Ending --------------------------------------------------------------- */

static bool was_left(const struct program *program, pid_t pid)
{
        for (size_t i = 0; i < program->left_count; i++)
                if (program->left[i] == pid)
                        return true;
        return false;
}

static void note_loss(struct program *program, pid_t pid, int status)
{
        if (!WIFSIGNALED(status) || program->loss_count == program_loss_max)
                return;
        if (WTERMSIG(status) == SIGKILL && !was_left(program, pid))
                return;
        program->losses[program->loss_count++] = (struct program_loss){ pid, status };
}

void program_reap(struct program *program)
{
        int status;
        pid_t pid;

        /* Only children of this thread: those of receivers are waited for by their threads. */
        while ((pid = waitpid(-1, &status, WNOHANG | __WNOTHREAD)) > 0) {
                if (pid != program->pid || program->has_ended) {
                        note_loss(program, pid, status);
                        continue;
                }
                program->has_ended = true;
                program->wait_status = status;
        }
}

size_t program_find_left(struct program *program)
{
        pid_t pids[program_left_max];
        size_t count = procfs_children(getpid(), pids, program_left_max);

        program->left_count = 0;
        for (size_t i = 0; i < count; i++)
                if ((pids[i] != program->pid || program->has_ended) &&
                    !procfs_has_variable(pids[i], COMMAND_VARIABLE))
                        program->left[program->left_count++] = pids[i];
        return program->left_count;
}

int program_signal(const struct program *program)
{
        return WIFSIGNALED(program->wait_status) ? WTERMSIG(program->wait_status) : 0;
}

int program_status(const struct program *program)
{
        int number = program_signal(program);

        return number ? 128 + number : WEXITSTATUS(program->wait_status);
}
