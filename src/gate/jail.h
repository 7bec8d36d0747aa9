/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail.h - one bubblewrap process: what it is told, and its birth with nothing of ours.
 *
 * jail_describe() makes the arguments for a request; jail_spawn() forks, gives away what we are
 * (uid, group, limits, descriptors, environment) and becomes bubblewrap, which does the rest.
 *
 * Ownership: the plan owns its arguments and, once opened, the descriptors of binds; the other
 *            descriptors are the caller's. Units: bytes, seconds.
 * Errors:    -errno; of jail_spawn() with a constant word for what was being done.
 * Threads:   any; the process dies with the thread that called jail_spawn().
 * Limits:    jail_argument_max arguments.
 */
#ifndef GATE_JAIL_H
#define GATE_JAIL_H

#include "watch/cgroup.h"
#include "gate/sandbox.h"

#include <sys/resource.h>

enum {
        jail_argument_max = 512,
        jail_socket_fd = 3,
        jail_seccomp_fd = 4,
        jail_status_fd = 5,
        jail_refusal_fd = 6,
        jail_start_fd = 7, /* the program begins when the other end is closed */
        jail_first_bind_fd = 8,
};

#define JAIL_SEGMENTS       "/run/tocsin"
#define JAIL_SEGMENTS_BYTES ((uint64_t)64 << 20)

struct jail_limit {
        __rlimit_resource_t resource;
        struct rlimit value;
};

struct jail_plan {
        const char *program; /* bubblewrap */
        bool binds_by_fd;    /* it knows --bind-fd */
        char *arguments[jail_argument_max];
        size_t argument_count;
        int binds[sandbox_bind_max];
        size_t bind_count;
        int output, socket, seccomp, status, start; /* socket -1: none */
        uid_t uid;                                  /* 0: stays who it is */
        const struct cgroup *group;                 /* NULL: none */
        struct jail_limit limits[8];
        size_t limit_count;
        bool fixes_addresses;
};

int jail_describe(struct jail_plan *plan, const struct sandbox_request *request);
void jail_fini(struct jail_plan *plan);

int jail_spawn(struct jail_plan *plan, pid_t *ret_pid, int *ret_pidfd, const char **ret_step);

#endif
