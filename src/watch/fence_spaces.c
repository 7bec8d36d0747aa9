/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because bubblewrap around a program stands between it and whoever watches: it passes no
 * signal on, turns a crash into a status, and has the pid that is seen. It makes the rooms; the
 * program walks in by itself.
 */
#include "watch/fence_spaces.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

static const char bubblewrap[] = "/usr/bin/bwrap";

enum { disk_max = 1000, word_max = 24 + 3 * (fence_writable_max + disk_max), answer_max = 1000 };

struct words {
        const char *at[word_max];
        size_t count;
        char *disks[disk_max]; /* ours; among the words */
        size_t disk_count;
};

/* Its standard input and output are ours: it says its pid once all is made, and waits. */
struct keeper {
        pid_t pid;
        int input, output;
};

static void close_fd(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* pipes, read or empty, and namespaces: nothing can be lost */
        *fd = -1;
}

static void add(struct words *words, const char *option, const char *from, const char *to)
{
        words->at[words->count++] = option;
        if (from)
                words->at[words->count++] = from;
        if (to)
                words->at[words->count++] = to;
}

/* ---- Disks -----------------------------------------------------------------
 *
 * A mount that is read-only does not keep root from what a device in it leads to. Empty ones in
 * their places do; new ones cannot be made without CAP_MKNOD. */

static void words_fini(struct words *words)
{
        for (size_t i = 0; i < words->disk_count; i++)
                free(words->disks[i]);
}

/* Block devices, and what leads to a disk or to the memory past them. */
static bool is_disk(const FTSENT *entry)
{
        static const char *const characters[] = {
                "/dev/sg[0-9]*", "/dev/bsg/*", "/dev/nvme[0-9]*", "/dev/ng[0-9]*", "/dev/mtd[0-9]*",
                "/dev/raw/*",    "/dev/mem",   "/dev/kmem",       "/dev/port",
        };

        if (entry->fts_info != FTS_DEFAULT)
                return false;
        if (S_ISBLK(entry->fts_statp->st_mode))
                return true;
        for (size_t i = 0; i < BASE_COUNT(characters); i++)
                if (S_ISCHR(entry->fts_statp->st_mode) &&
                    fnmatch(characters[i], entry->fts_path, 0) == 0)
                        return true;
        return false;
}

static int hide_disk(struct words *words, const char *path)
{
        char *copy;

        if (words->disk_count == disk_max)
                return -E2BIG;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        words->disks[words->disk_count++] = copy;
        add(words, "--dev-bind", "/dev/null", copy);
        return 0;
}

static int hide_disks(struct words *words)
{
        char root[] = "/dev", *const roots[] = { root, NULL };
        FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
        FTSENT *entry;
        int failed = 0;

        if (!tree)
                return error_last();
        while (!failed && (entry = fts_read(tree)) != NULL)
                if (is_disk(entry))
                        failed = hide_disk(words, entry->fts_path);
        (void)fts_close(tree); /* it was read, nothing else */
        return failed;
}

/* Everything as it is, but for what was asked for. */
static int make_words(struct words *words, const struct fence_limits *limits, const char *directory)
{
        int failed = 0;

        add(words, bubblewrap, "--die-with-parent", NULL);
        add(words, limits->is_read_only ? "--ro-bind" : "--dev-bind", "/", "/");
        if (limits->is_read_only) {
                add(words, "--dev-bind", "/dev", "/dev");
                failed = hide_disks(words);
                add(words, "--bind", directory, directory);
        }
        for (size_t i = 0; i < limits->writable_count; i++)
                add(words, "--bind", limits->writable[i], limits->writable[i]);
        if (limits->has_no_network)
                add(words, "--unshare-net", NULL, NULL);
        add(words, "--", "/bin/sh", "-c");
        add(words, "echo $$; read -r line", NULL, NULL);
        return failed;
}

/* ---- The keeper ----------------------------------------------------------- */

static int spawn_with(const struct words *words, const posix_spawnattr_t *how, int input,
                      int output, pid_t *ret_pid)
{
        const char *const environment[] = { "PATH=/usr/bin:/bin", "LC_ALL=C", NULL };
        posix_spawn_file_actions_t files;
        int failed = posix_spawn_file_actions_init(&files);

        if (failed)
                return -failed;
        failed = posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
        if (!failed)
                failed = posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
        if (!failed)
                failed = posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
        if (!failed)
                failed = posix_spawn(ret_pid, bubblewrap, &files, how, (char *const *)words->at,
                                     (char *const *)environment);
        (void)posix_spawn_file_actions_destroy(&files); /* cannot fail */
        return -failed;
}

/* With signals as at a login, in a group of its own: Ctrl-C is not for it. */
static int spawn(const struct words *words, int input, int output, pid_t *ret_pid)
{
        posix_spawnattr_t how;
        sigset_t none, all;
        int failed = posix_spawnattr_init(&how);

        if (failed)
                return -failed;
        (void)sigemptyset(&none); /* none of these four can fail */
        (void)sigfillset(&all);
        (void)posix_spawnattr_setsigmask(&how, &none);
        (void)posix_spawnattr_setsigdefault(&how, &all);
        failed = -posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                         POSIX_SPAWN_SETPGROUP);
        if (!failed)
                failed = spawn_with(words, &how, input, output, ret_pid);
        (void)posix_spawnattr_destroy(&how); /* cannot fail */
        return failed;
}

static int start_keeper(struct keeper *keeper, const struct words *words)
{
        int input[2] = { -1, -1 }, output[2] = { -1, -1 };
        int failed = pipe2(input, O_CLOEXEC) ? error_last() : 0;

        if (!failed)
                failed = pipe2(output, O_CLOEXEC) ? error_last() : 0;
        if (!failed)
                failed = spawn(words, input[0], output[1], &keeper->pid);
        close_fd(&input[0]);
        close_fd(&output[1]);
        keeper->input = input[1];
        keeper->output = output[0];
        return failed;
}

/* Its end is of no interest: what it made is held by our descriptors. */
static void stop_keeper(struct keeper *keeper)
{
        close_fd(&keeper->input);
        close_fd(&keeper->output);
        if (keeper->pid <= 0)
                return;
        (void)kill(keeper->pid, SIGKILL); /* --die-with-parent takes the shell along */
        while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        keeper->pid = 0;
}

/* A line: the shell's pid, or what bubblewrap has to say. */
static void read_answer(const struct keeper *keeper, struct text *answer)
{
        uint64_t end_ns = clock_monotonic_ns() + FENCE_SPACES_WAIT_NS;
        struct pollfd polled = { .fd = keeper->output, .events = POLLIN };
        char bytes[answer_max];
        ssize_t length = 1;

        while (length > 0 && !strchr(text_view(answer), '\n') && clock_monotonic_ns() < end_ns) {
                if (poll(&polled, 1, 100) <= 0)
                        continue; /* the time is looked at again */
                length = read(keeper->output, bytes, sizeof(bytes));
                if (length > 0)
                        text_append_bytes(answer, bytes, (size_t)length);
        }
        if (answer->bytes)
                answer->bytes[strcspn(answer->bytes, "\n")] = '\0';
}

/* ---- The rooms ------------------------------------------------------------ */

static int open_space(pid_t pid, const char *name, int *ret_fd)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
        *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
        return *ret_fd < 0 ? error_last() : 0;
}

/* -1 for our own, which cannot be joined again. */
static int open_other(pid_t pid, const char *name, int *ret_fd)
{
        int own BASE_SCOPE(close_fd) = -1;
        struct stat theirs, ours;
        int failed = open_space(pid, name, ret_fd);

        if (!failed)
                failed = open_space(getpid(), name, &own);
        if (failed)
                return failed;
        if (fstat(*ret_fd, &theirs) || fstat(own, &ours))
                return error_last();
        if (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
                close_fd(ret_fd);
        return 0;
}

static int open_spaces(struct fence_spaces *spaces, pid_t pid)
{
        int failed = open_other(pid, "user", &spaces->user_fd);

        if (!failed)
                failed = open_other(pid, "net", &spaces->net_fd);
        return failed ? failed : open_space(pid, "mnt", &spaces->mount_fd);
}

/* Without filters in the kernel the rooms stand all the same. */
static int refuse_calls(struct fence_spaces *spaces, const struct fence_limits *limits)
{
        const struct seccomp_wish wish = { .is_server = true,
                                           .has_network = !limits->has_no_network };
        int failed = seccomp_compile(&wish, &spaces->calls);

        return failed == -ENOSYS ? 0 : failed;
}

static int refuse(const struct text *answer, struct text *why)
{
        const char *words = text_view(answer);

        text_append(why, "--no-network and --read-only: bubblewrap makes no namespaces here: ");
        text_append_escaped(why, words, strlen(words));
        text_append(why, words[0] ? "; leave them out" : "it says nothing; leave them out");
        return FENCE_REFUSED;
}

int fence_spaces_open(struct fence_spaces *spaces, const struct fence_limits *limits,
                      const char *directory, struct text *why)
{
        struct text answer BASE_SCOPE(text_fini) = TEXT_INIT(answer_max);
        struct keeper keeper BASE_SCOPE(stop_keeper) = { .input = -1, .output = -1 };
        struct words words BASE_SCOPE(words_fini) = { .count = 0 };
        uint64_t pid = 0;
        int failed;

        spaces->directory = getcwd(NULL, 0);
        if (!spaces->directory)
                return error_last();
        failed = make_words(&words, limits, directory);
        if (failed == -E2BIG) {
                text_printf(why, "--read-only: /dev has more than %d disks to hide; leave it out",
                            disk_max);
                return FENCE_REFUSED;
        }
        if (!failed)
                failed = start_keeper(&keeper, &words);
        if (failed == -ENOENT) {
                text_append(why, "--no-network and --read-only need bubblewrap; apt-get install "
                                 "bubblewrap, or leave them out");
                return FENCE_REFUSED;
        }
        if (failed)
                return failed;
        read_answer(&keeper, &answer);
        if (text_parse_u64(text_view(&answer), 1, INT32_MAX, &pid))
                return refuse(&answer, why);
        failed = open_spaces(spaces, (pid_t)pid);
        return failed ? failed : refuse_calls(spaces, limits);
}

void fence_spaces_close(struct fence_spaces *spaces)
{
        close_fd(&spaces->user_fd);
        close_fd(&spaces->net_fd);
        close_fd(&spaces->mount_fd);
        free(spaces->directory);
        spaces->directory = NULL;
        seccomp_code_free(&spaces->calls);
}

/* What root would undo the rooms with, by a mount, another's /proc/PID/root, a module or a device.
 * The exec that follows takes from those it may inherit, and from the bounding set. */
static int drop_capabilities(void)
{
        static const unsigned dropped[] = { CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_SYS_MODULE,
                                            CAP_SYS_RAWIO, CAP_SYS_BOOT,   CAP_MKNOD };
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, sets))
                return -errno;
        for (size_t i = 0; i < BASE_COUNT(dropped); i++) {
                sets[CAP_TO_INDEX(dropped[i])].inheritable &= ~CAP_TO_MASK(dropped[i]);
                if (prctl(PR_CAPBSET_DROP, dropped[i]))
                        return -errno;
        }
        return syscall(SYS_capset, &header, sets) ? -errno : 0;
}

int fence_spaces_enter(const struct fence_spaces *spaces)
{
        int failed;

        if (spaces->mount_fd < 0)
                return 0;
        if (spaces->user_fd >= 0 && setns(spaces->user_fd, CLONE_NEWUSER))
                return -errno;
        if (spaces->net_fd >= 0 && setns(spaces->net_fd, CLONE_NEWNET))
                return -errno;
        if (setns(spaces->mount_fd, CLONE_NEWNS) || chdir(spaces->directory))
                return -errno;
        failed = drop_capabilities();
        if (failed || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
                return failed ? failed : -errno;
        return seccomp_enter(&spaces->calls);
}
