/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.h - what sandbox.c and job.c share: the sandbox itself. Nobody else includes this.
 *
 * sandbox.c finds out what the host gives and owns the folders; job.c runs one program.
 *
 * Threads: constant after sandbox_new(), next_number excepted.
 */
#ifndef GATE_JOB_H
#define GATE_JOB_H

#include "gate/cgroup.h"
#include "gate/sandbox.h"
#include "gate/scratch.h"

#include <stdatomic.h>

struct sandbox {
        struct sandbox_settings settings;
        struct sandbox_layers layers;
        const char *program; /* bubblewrap */
        bool binds_by_fd;
        bool has_home;
        uid_t uid; /* of jobs; 0: ours */
        struct cgroup_home home;
        struct scratch scratch;
        atomic_uint next_number; /* of jobs and folders */
};

/* Sets what sandbox_why() says; returns `error`. */
int sandbox_fail(int error, const char *format, ...) BASE_PRINTF(2, 3);

#endif
