/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that the session can be tested where no sandbox is: a fork and an exec, no walls. Paths
 * inside are replaced by those on the host. */
#include "base/error.h"
#include "base/file.h"
#include "gate/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct sandbox {
        char scratch[64];
        unsigned folders;
};

struct sandbox_job {
        pid_t pid;
        int socket;
        char segments[128];
        struct text *output;
        int output_fd;
};

int sandbox_new(const struct sandbox_settings *settings, struct sandbox **ret_sandbox,
                struct text *why)
{
        struct sandbox *sandbox = calloc(1, sizeof(*sandbox));

        (void)settings;
        (void)why;
        (void)snprintf(sandbox->scratch, sizeof(sandbox->scratch), "/tmp/tocsin-stub-XXXXXX");
        *ret_sandbox = sandbox;
        return mkdtemp(sandbox->scratch) ? 0 : error_last();
}

void sandbox_free(struct sandbox **sandbox)
{
        (void)file_remove_tree(AT_FDCWD, (*sandbox)->scratch); /* a test's leavings */
        free(*sandbox);
        *sandbox = NULL;
}

int sandbox_folder(struct sandbox *sandbox, const char *stem, int *ret_fd, struct text *ret_path)
{
        text_printf(ret_path, "%s/%s-%u", sandbox->scratch, stem, sandbox->folders++);
        if (mkdir(text_view(ret_path), 0700))
                return error_last();
        *ret_fd = open(text_view(ret_path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *ret_fd < 0 ? error_last() : 0;
}

static char *outside(const struct sandbox_job *job, const struct sandbox_request *request,
                     const char *word)
{
        struct text text = TEXT_INIT(4096);

        while (*word) {
                const char *inside = NULL, *host = NULL;

                for (size_t i = 0; i < request->bind_count; i++)
                        if (!strncmp(word, request->binds[i].inside,
                                     strlen(request->binds[i].inside))) {
                                inside = request->binds[i].inside;
                                host = request->binds[i].host;
                        }
                if (!strncmp(word, "/run/tocsin", 11)) {
                        inside = "/run/tocsin";
                        host = job->segments;
                }
                text_append_bytes(&text, host ? host : word, host ? strlen(host) : 1);
                word += host ? strlen(inside) : 1;
        }
        return text.bytes;
}

int sandbox_start(struct sandbox *sandbox, const struct sandbox_request *request,
                  struct sandbox_job **ret_job)
{
        struct sandbox_job *job = calloc(1, sizeof(*job));
        char *argv[32] = { NULL }, *environment[32] = { NULL };
        int pair[2];

        (void)snprintf(job->segments, sizeof(job->segments), "%s/segments-%u", sandbox->scratch,
                       sandbox->folders++);
        (void)mkdir(job->segments, 0700);
        job->output = request->output;
        job->output_fd = open(sandbox->scratch, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
                return error_last();
        for (size_t i = 0; request->argv[i]; i++)
                argv[i] = outside(job, request, request->argv[i]);
        for (size_t i = 0; request->environment[i]; i++)
                environment[i] = outside(job, request, request->environment[i]);
        job->pid = fork();
        if (job->pid == 0) {
                if (request->fixes_addresses)
                        (void)personality(ADDR_NO_RANDOMIZE);
                (void)dup2(job->output_fd, 1);
                (void)dup2(job->output_fd, 2);
                if (pair[1] == 3)
                        (void)fcntl(3, F_SETFD, 0);
                else
                        (void)dup2(pair[1], 3);
                (void)execve(argv[0], argv, environment);
                _exit(127);
        }
        for (size_t i = 0; i < BASE_COUNT(argv); i++) {
                free(argv[i]);
                free(environment[i]);
        }
        (void)close(pair[1]);
        job->socket = pair[0];
        *ret_job = job;
        return 0;
}

int sandbox_socket(const struct sandbox_job *job)
{
        return job->socket;
}

int sandbox_segments(struct sandbox_job *job, int *ret_dir_fd, uid_t *ret_owner)
{
        *ret_owner = geteuid();
        *ret_dir_fd = open(job->segments, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *ret_dir_fd < 0 ? error_last() : 0;
}

void sandbox_kill(struct sandbox_job *job)
{
        (void)kill(job->pid, SIGKILL);
}

int sandbox_finish(struct sandbox_job **job, struct sandbox_end *ret_end)
{
        char bytes[65536];
        ssize_t length;
        int status = 0;

        (void)waitpid((*job)->pid, &status, 0);
        *ret_end =
                (struct sandbox_end){ .how = WIFSIGNALED(status) ? SANDBOX_KILLED : SANDBOX_EXITED,
                                      .code = WIFSIGNALED(status) ? WTERMSIG(status)
                                                                  : WEXITSTATUS(status) };
        length = pread((*job)->output_fd, bytes, sizeof(bytes), 0);
        if (length > 0 && (*job)->output)
                text_append_bytes((*job)->output, bytes, (size_t)length);
        (void)close((*job)->output_fd);
        (void)close((*job)->socket);
        free(*job);
        *job = NULL;
        return 0;
}

const char *sandbox_why(void)
{
        return "";
}

void sandbox_append_end(const struct sandbox_end *end, struct text *into)
{
        text_printf(into, end->how == SANDBOX_KILLED ? "signal %d" : "exit status %d", end->code);
}
