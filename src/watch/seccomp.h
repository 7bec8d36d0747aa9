/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp.h - a filter of system calls, for what runs in a sandbox or behind a fence.
 *
 * What is refused is refused with an errno, never by killing: compilers and sanitizers probe for
 * calls and go on without them. EPERM says "not here", ENOSYS "use the older call".
 *
 * Ownership: a descriptor is the caller's, at its start, closed on exec; code is freed by
 * seccomp_code_free(). Threads: any; seccomp_enter() is async-signal-safe.
 * Errors: -errno; -ENOSYS if the kernel knows no filters. Limits: none; the table is in seccomp.c.
 */
#ifndef WATCH_SECCOMP_H
#define WATCH_SECCOMP_H

#include "base/base.h"

#include <linux/filter.h>
#include <stdbool.h>

/* All false: for an untrusted program, whose sockets are local. */
struct seccomp_wish {
        bool lets_ptrace;
        bool lets_perf;
        bool is_server;   /* of somebody who trusts it: only what undoes a fence is refused, and
                             families of sockets that no namespace holds */
        bool has_network; /* any socket */
};

struct seccomp_code {
        struct sock_filter *steps;
        unsigned short count; /* 0: none */
};

/* The program for the kernel, in a memory file, as bwrap wants it. */
int seccomp_open(const struct seccomp_wish *wish, int *ret_fd);

/* The same for seccomp_enter(), which puts the calling thread under it for good; it may gain no
 * privileges (PR_SET_NO_NEW_PRIVS), or the kernel says -EACCES. Does nothing without code. */
int seccomp_compile(const struct seccomp_wish *wish, struct seccomp_code *ret_code);
int seccomp_enter(const struct seccomp_code *code);
void seccomp_code_free(struct seccomp_code *code);

#endif
