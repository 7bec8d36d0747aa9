/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp.h - the filter of system calls for what runs in a sandbox, as bwrap wants it.
 *
 * What is refused is refused with an errno, never by killing: compilers and sanitizers probe for
 * calls and go on without them. EPERM says "not here", ENOSYS "use the older call".
 *
 * Ownership: the descriptor is the caller's, at its start, closed on exec. Threads: any.
 * Errors: -errno. Limits: none; the table is in seccomp.c.
 */
#ifndef GATE_SECCOMP_H
#define GATE_SECCOMP_H

#include "base/base.h"

#include <stdbool.h>

struct seccomp_wish {
        bool lets_ptrace;
        bool lets_perf;
};

/* The program for the kernel, in a memory file. */
int seccomp_open(const struct seccomp_wish *wish, int *ret_fd);

#endif
