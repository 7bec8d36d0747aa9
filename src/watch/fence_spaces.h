/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fence_spaces.h - namespaces without network or with read-only files, made by bubblewrap.
 *
 * Bubblewrap makes them around a shell that only waits; the program's process then joins them. So
 * it stays our own child: its pid, signals, status and what is said when it cannot be started are
 * as without. Pids are not unshared.
 *
 * What has joined gains no privileges by exec, and loses for good capabilities and, where the
 * kernel has filters, calls by which root would undo both (doc/decisions/0027).
 *
 * Ownership: the struct owns descriptors, closed on exec, and the directory.
 * Errors:    0; -errno; FENCE_REFUSED with a sentence in why. Threads: one; fence_spaces_enter()
 *            is async-signal-safe, and its caller has one thread.
 * Limits:    bubblewrap gets FENCE_SPACES_WAIT_NS.
 */
#ifndef WATCH_FENCE_SPACES_H
#define WATCH_FENCE_SPACES_H

#include "base/clock.h"
#include "watch/fence.h"

#define FENCE_SPACES_WAIT_NS (10 * CLOCK_S_NS)

/* directory: the run's, which stays writable. */
int fence_spaces_open(struct fence_spaces *spaces, const struct fence_limits *limits,
                      const char *directory, struct text *why);
void fence_spaces_close(struct fence_spaces *spaces);

/* 0 or -errno. Does nothing if they were not opened. */
int fence_spaces_enter(const struct fence_spaces *spaces);

#endif
