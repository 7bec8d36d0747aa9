/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote.h - where a thread of another process is. It is stopped for that, by ptrace, for as long
 * as its stack takes to be read: some milliseconds, and only when somebody is about to be woken.
 *
 * Its memory and the files that it maps may be served by somebody who does not answer. So that is
 * an errand, and no stack is taken while an older one has not come back, of whatever process.
 *
 * Units: addresses, innermost first. Ownership: none. Threads: one. Errors: 0 frames: it may not be
 * looked at, hangs in the kernel, or is gone. Limits: 64 frames; after 50 ms no further frame, and
 * after 200 ms none at all.
 */
#ifndef WATCH_REMOTE_H
#define WATCH_REMOTE_H

#include <stdint.h>
#include <sys/types.h>

uint32_t remote_stack(pid_t pid, pid_t thread, uint64_t *ret_stack, uint32_t max);

#endif
