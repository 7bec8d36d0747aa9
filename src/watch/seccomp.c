/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because namespaces leave the whole of the kernel's interface to the program inside: here
 * goes what no compiler and no test of a module needs, and what kernels were broken with. Less for
 * programs of whoever runs them: there go the calls that undo a fence, as containers refuse them.
 *
 * A list of refusals, not of permissions: libc, two compilers, valgrind and three sanitizers run
 * under it, and what they need differs from release to release. What such a list must not forget:
 * calls of a foreign ABI (32 bit, x32) kill, as libseccomp has it; and calls younger than whoever
 * wrote the list are as if the kernel did not know them, as runc has it (patchbpf).
 */
#include "watch/seccomp.h"

#include "base/error.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/seccomp.h>

enum {
        call_numbers = 1024, /* of most architectures there are fewer than half as many */
        x32_bit = 1 << 30,   /* __X32_SYSCALL_BIT */
};

enum need { NEVER, PTRACE, PERF, SERVER };

struct refusal {
        const char *call;
        int error;
        enum need need; /* let through if wished */
};

static const struct refusal refusals[] = {
        { "ptrace", EPERM, PTRACE },
        { "process_vm_readv", EPERM, PTRACE },
        { "process_vm_writev", EPERM, SERVER },
        { "perf_event_open", EPERM, PERF },

        { "bpf", EPERM, NEVER },
        { "add_key", EPERM, NEVER },
        { "keyctl", EPERM, NEVER },
        { "request_key", EPERM, NEVER },
        { "userfaultfd", EPERM, NEVER },
        { "io_uring_setup", ENOSYS, SERVER },
        { "io_uring_enter", ENOSYS, SERVER },
        { "io_uring_register", ENOSYS, SERVER },

        { "mount", EPERM, NEVER },
        { "umount2", EPERM, NEVER },
        { "umount", EPERM, NEVER },
        { "pivot_root", EPERM, NEVER },
        { "chroot", EPERM, SERVER },
        { "move_mount", EPERM, NEVER },
        { "open_tree", EPERM, NEVER },
        { "fsopen", EPERM, NEVER },
        { "fsconfig", EPERM, NEVER },
        { "fsmount", EPERM, NEVER },
        { "fspick", EPERM, NEVER },
        { "mount_setattr", EPERM, NEVER },
        { "unshare", EPERM, NEVER },
        { "setns", EPERM, NEVER },
        /* Its flags lie in memory, where no filter can look; libc then uses clone. */
        { "clone3", ENOSYS, NEVER },

        { "open_by_handle_at", EPERM, NEVER },
        { "name_to_handle_at", EPERM, SERVER },
        { "pidfd_getfd", EPERM, SERVER },
        { "kcmp", EPERM, SERVER },
        { "process_madvise", EPERM, SERVER },
        { "migrate_pages", EPERM, SERVER },
        { "move_pages", EPERM, SERVER },
        { "modify_ldt", EPERM, SERVER },
        { "lookup_dcookie", EPERM, NEVER },
        { "fanotify_init", EPERM, NEVER },

        { "kexec_load", EPERM, NEVER },
        { "kexec_file_load", EPERM, NEVER },
        { "init_module", EPERM, NEVER },
        { "finit_module", EPERM, NEVER },
        { "delete_module", EPERM, NEVER },
        { "reboot", EPERM, NEVER },
        { "swapon", EPERM, NEVER },
        { "swapoff", EPERM, NEVER },
        { "acct", EPERM, NEVER },
        { "quotactl", EPERM, NEVER },
        { "quotactl_fd", EPERM, NEVER },
        { "syslog", EPERM, NEVER },
        { "vhangup", EPERM, NEVER },
        { "iopl", EPERM, NEVER },
        { "ioperm", EPERM, NEVER },
        { "settimeofday", EPERM, NEVER },
        { "stime", EPERM, NEVER },
        { "clock_settime", EPERM, NEVER },
        { "clock_settime64", EPERM, NEVER },
        { "adjtimex", EPERM, NEVER },
        { "clock_adjtime", EPERM, NEVER },
        { "clock_adjtime64", EPERM, NEVER },
        { "sethostname", EPERM, SERVER },
        { "setdomainname", EPERM, SERVER },
};

/* Which argument of clone() holds the flags. */
#ifdef __s390x__
enum { clone_flags = 1 };
#else
enum { clone_flags = 0 };
#endif

static void release(scmp_filter_ctx *filter)
{
        if (*filter)
                seccomp_release(*filter);
}

static bool is_wished(enum need need, const struct seccomp_wish *wish)
{
        return (need == PTRACE && (wish->lets_ptrace || wish->is_server)) ||
               (need == PERF && wish->lets_perf) || (need == SERVER && wish->is_server);
}

static int refuse(scmp_filter_ctx filter, const struct refusal *refusal)
{
        int number = seccomp_syscall_resolve_name(refusal->call);

        /* Not of this architecture, or younger than libseccomp, which could not refuse it. */
        if (number == __NR_SCMP_ERROR || number < 0)
                return 0;
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)refusal->error), number, 0);
}

static int refuse_family(scmp_filter_ctx filter, enum scmp_compare compare, uint64_t family)
{
        int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                                      SCMP_CMP(0, compare, family, 0));

        return failed ? failed
                      : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socketpair),
                                         1, SCMP_CMP(0, compare, family, 0));
}

/* All but local ones, the internet's in a namespace of its own, and netlink, by which it is seen.
 * Some of the others know no namespaces: AF_VSOCK reaches the host from within any. */
static int refuse_families(scmp_filter_ctx filter, const struct seccomp_wish *wish)
{
        int failed = 0;

        if (!wish->is_server)
                return refuse_family(filter, SCMP_CMP_NE, AF_UNIX);
        for (uint64_t family = AF_INET + 1; family < AF_NETLINK && !failed; family++)
                if (family != AF_INET6)
                        failed = refuse_family(filter, SCMP_CMP_EQ, family);
        return failed ? failed : refuse_family(filter, SCMP_CMP_GT, AF_NETLINK);
}

/* Calls that are refused for some arguments only. */
static int refuse_some(scmp_filter_ctx filter, const struct seccomp_wish *wish)
{
        static const int32_t namespaces[] = { CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWUTS,
                                              CLONE_NEWIPC, CLONE_NEWUSER,   CLONE_NEWPID,
                                              CLONE_NEWNET };
        static const uint32_t controls[] = { TIOCSTI, TIOCLINUX };
        int failed = 0;

        for (size_t i = 0; i < BASE_COUNT(namespaces) && !failed; i++) {
                uint64_t flag = (uint32_t)namespaces[i];

                failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                          SCMP_CMP(clone_flags, SCMP_CMP_MASKED_EQ, flag, flag));
        }
        for (size_t i = 0; i < BASE_COUNT(controls) && !failed; i++)
                failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                                          SCMP_CMP(1, SCMP_CMP_MASKED_EQ, UINT32_MAX, controls[i]));
        if (!failed && !wish->has_network)
                failed = refuse_families(filter, wish);
        return failed;
}

/* The last call that libseccomp knows of this architecture; -1: its numbers are not here. */
static int last_known(void)
{
        int number = call_numbers;
        char *name = NULL;

        while (!name && --number >= 0)
                name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
        free(name);
        return number;
}

/* In front of libseccomp's program, which can do nothing about calls that it does not know. Numbers
 * with a bit of their own are another ABI's: it sees to those. */
static int write_end(int fd)
{
        const int last = last_known();
        const struct sock_filter steps[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)last, 0, 2),
                BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, x32_bit, 1, 0),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        };

        if (last < 0)
                return 0;
        return write(fd, steps, sizeof(steps)) == (ssize_t)sizeof(steps) ? 0 : -EIO;
}

int seccomp_open(const struct seccomp_wish *wish, int *ret_fd)
{
        scmp_filter_ctx filter BASE_SCOPE(release) = seccomp_init(SCMP_ACT_ALLOW);
        int failed = filter ? 0 : -ENOMEM;
        int fd;

        for (size_t i = 0; i < BASE_COUNT(refusals) && !failed; i++) {
                if (!is_wished(refusals[i].need, wish))
                        failed = refuse(filter, &refusals[i]);
        }
        if (!failed)
                failed = refuse_some(filter, wish);
        if (failed)
                return failed;
        fd = memfd_create("seccomp", MFD_CLOEXEC);
        if (fd < 0)
                return error_last();
        failed = write_end(fd);
        if (!failed)
                failed = seccomp_export_bpf(filter, fd);
        if (!failed && lseek(fd, 0, SEEK_SET) < 0)
                failed = error_last();
        if (failed) {
                (void)close(fd); /* a memory file: nothing can be lost */
                return failed;
        }
        *ret_fd = fd;
        return 0;
}

static int read_code(int fd, struct seccomp_code *ret_code)
{
        struct stat status;
        size_t size;

        if (fstat(fd, &status))
                return error_last();
        size = (size_t)status.st_size;
        ret_code->steps = malloc(size);
        if (!ret_code->steps)
                return -ENOMEM;
        ret_code->count = (unsigned short)(size / sizeof(*ret_code->steps));
        if (read(fd, ret_code->steps, size) == (ssize_t)size)
                return 0;
        seccomp_code_free(ret_code);
        return -EIO;
}

int seccomp_compile(const struct seccomp_wish *wish, struct seccomp_code *ret_code)
{
        int fd = -1, failed;

        /* EINVAL without filters in the kernel; with them it is the address that is wrong. */
        if (!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) || errno != EFAULT)
                return -ENOSYS;
        failed = seccomp_open(wish, &fd);
        if (failed)
                return failed;
        failed = read_code(fd, ret_code);
        (void)close(fd); /* a memory file: nothing can be lost */
        return failed;
}

int seccomp_enter(const struct seccomp_code *code)
{
        const struct sock_fprog program = { .len = code->count, .filter = code->steps };

        if (!code->count)
                return 0;
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno : 0;
}

void seccomp_code_free(struct seccomp_code *code)
{
        free(code->steps);
        *code = (struct seccomp_code){ .steps = NULL };
}
