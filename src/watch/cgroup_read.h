/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_read.h - what the kernel's files of groups say; for cgroup.c and cgroup_visit.c.
 *
 * Units: as the files. Ownership: the caller's. Errors: what cannot be read is 0, false or empty.
 * Threads: any. Limits: 64 KiB a file.
 */
#ifndef WATCH_CGROUP_READ_H
#define WATCH_CGROUP_READ_H

#include "base/text.h"
#include "watch/cgroup.h"

enum { CGROUP_KINDS = 4 };

struct cgroup_kind {
        const char *name;
        const char *old_name; /* in version 1 */
        unsigned role;
};
extern const struct cgroup_kind cgroup_kinds[CGROUP_KINDS];

/* The place of a process ("self", "123") below the mount of a version 2 tree (controller NULL) or
 * of a controller of version 1, from /proc/PID/cgroup: "4:memory:/a/b", "0::/a/b". */
void cgroup_path_of(const char *pid, const char *controller, struct text *into);

/* Of the controllers that a file names. */
unsigned cgroup_roles_in(int dir_fd, const char *file);

/* The number after `key` and a space at the start of a line. */
uint64_t cgroup_keyed(int dir_fd, const char *file, const char *key);

/* Thousandths of the last ten seconds in which somebody waited, from a file of pressure (PSI). */
uint64_t cgroup_stalled(int dir_fd, const char *file);

/* What went from and to a device. */
void cgroup_transferred(int dir_fd, bool is_v2, dev_t device, struct cgroup_counts *counts);

/* All that is in the file. */
uint64_t cgroup_number(int dir_fd, const char *file);

#endif
