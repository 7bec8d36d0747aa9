/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because namespaces leave the whole of the kernel's interface to the program inside: here
 * goes what no compiler and no test of a module needs, and what kernels were broken with.
 *
 * A list of refusals, not of permissions: libc, two compilers, valgrind and three sanitizers run
 * under it, and what they need differs from release to release. libseccomp adds the one thing a
 * list of refusals must not forget: calls of a foreign ABI (32 bit, x32) kill.
 */
#include "gate/seccomp.h"
#include "base/error.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdint.h>

enum need { NEVER, PTRACE, PERF };

struct refusal {
        const char *call;
        int error;
        enum need need; /* let through if wished */
};

static const struct refusal refusals[] = {
        { "ptrace", EPERM, PTRACE },
        { "process_vm_readv", EPERM, PTRACE },
        { "process_vm_writev", EPERM, NEVER },
        { "perf_event_open", EPERM, PERF },

        { "bpf", EPERM, NEVER },
        { "add_key", EPERM, NEVER },
        { "keyctl", EPERM, NEVER },
        { "request_key", EPERM, NEVER },
        { "userfaultfd", EPERM, NEVER },
        { "io_uring_setup", ENOSYS, NEVER },
        { "io_uring_enter", ENOSYS, NEVER },
        { "io_uring_register", ENOSYS, NEVER },

        { "mount", EPERM, NEVER },
        { "umount2", EPERM, NEVER },
        { "pivot_root", EPERM, NEVER },
        { "chroot", EPERM, NEVER },
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
        { "name_to_handle_at", EPERM, NEVER },
        { "pidfd_getfd", EPERM, NEVER },
        { "kcmp", EPERM, NEVER },
        { "process_madvise", EPERM, NEVER },
        { "migrate_pages", EPERM, NEVER },
        { "move_pages", EPERM, NEVER },
        { "modify_ldt", EPERM, NEVER },
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
        { "syslog", EPERM, NEVER },
        { "vhangup", EPERM, NEVER },
        { "iopl", EPERM, NEVER },
        { "ioperm", EPERM, NEVER },
        { "settimeofday", EPERM, NEVER },
        { "clock_settime", EPERM, NEVER },
        { "adjtimex", EPERM, NEVER },
        { "clock_adjtime", EPERM, NEVER },
        { "sethostname", EPERM, NEVER },
        { "setdomainname", EPERM, NEVER },
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
        return (need == PTRACE && wish->lets_ptrace) || (need == PERF && wish->lets_perf);
}

static int refuse(scmp_filter_ctx filter, const struct refusal *refusal)
{
        int number = seccomp_syscall_resolve_name(refusal->call);

        /* Not of this architecture, or younger than libseccomp, which could not refuse it. */
        if (number == __NR_SCMP_ERROR || number < 0)
                return 0;
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)refusal->error), number, 0);
}

/* Calls that are refused for some arguments only. */
static int refuse_some(scmp_filter_ctx filter)
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
        if (!failed)
                failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                                          SCMP_CMP(0, SCMP_CMP_NE, AF_UNIX, 0));
        if (!failed)
                failed =
                        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socketpair),
                                         1, SCMP_CMP(0, SCMP_CMP_NE, AF_UNIX, 0));
        return failed;
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
                failed = refuse_some(filter);
        if (failed)
                return failed;
        fd = memfd_create("seccomp", MFD_CLOEXEC);
        if (fd < 0)
                return error_last();
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
