/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because nothing that watches may be able to harm what it watches by dying.
 */
#include "watch/keeper.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

enum { high_fd = 64, chunk_bytes = 4096 };

static bool pass_on(void)
{
        char chunk[chunk_bytes];
        ssize_t length = read(STDOUT_FILENO, chunk, sizeof(chunk));

        for (ssize_t done = 0, now; done < length; done += now) {
                now = write(STDERR_FILENO, chunk + done, (size_t)(length - done));
                if (now < 0)
                        return false;
        }
        return length > 0;
}

/* Life on 0, the program on 1, standard error on 2; only async-signal-safe calls, as after any fork
 * of a process with threads. No signal but SIGKILL ends it, so Ctrl-C does not. */
_Noreturn static void keep(int program_fd, int life_fd)
{
        sigset_t all;
        char byte;
        int program = fcntl(program_fd, F_DUPFD, high_fd);
        int life = fcntl(life_fd, F_DUPFD, high_fd);

        (void)sigfillset(&all);
        (void)sigprocmask(SIG_SETMASK, &all, NULL); /* cannot fail */
        if (program < 0 || life < 0 || dup2(life, STDIN_FILENO) < 0 ||
            dup2(program, STDOUT_FILENO) < 0 || close_range(STDERR_FILENO + 1, ~0u, 0))
                _exit(ERROR_EXIT_RUN);
        (void)!chdir("/"); /* else it might keep a file system from being unmounted */
        (void)!read(STDIN_FILENO, &byte, 1); /* nobody writes: the end comes with the watcher's */
        (void)fcntl(STDOUT_FILENO, F_SETFL,
                    0); /* the watcher did not want to wait; this one does */
        while (pass_on())
                ;
        _exit(ERROR_EXIT_YES);
}

int keeper_start(int program_fd, int *ret_life_fd)
{
        int life[2], status = 0;
        pid_t between;

        if (pipe2(life, O_CLOEXEC))
                return error_last();
        between = fork();
        if (between == 0) {
                pid_t keeper = fork();

                if (keeper == 0)
                        keep(program_fd, life[0]);
                _exit(keeper < 0);
        }
        if (between < 0)
                status = error_last();
        (void)close(life[0]); /* read only */
        while (between > 0 && waitpid(between, &status, 0) < 0 && errno == EINTR)
                ;
        if (status) {
                (void)close(life[1]); /* nothing was written */
                return status < 0 ? status : -EAGAIN;
        }
        *ret_life_fd = life[1];
        return 0;
}
