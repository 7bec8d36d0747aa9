/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h - groups of our own for memory and processes, one a job.
 *
 *         struct cgroup_home home;
 *         int outcome = cgroup_find(&home);      // -ENOENT: this host lets us make none
 *         struct cgroup group = { .home = NULL };
 *         outcome = cgroup_make(&home, number, memory_max, process_max, &group);
 *         ... in the child: cgroup_join(&group) ...
 *         cgroup_kill(&group); cgroup_remove(&group);
 *
 * Version 2 with memory and pids in our own or a higher group, where we may write; else version 1
 * of both, with the unified tree, if there is one, only to kill. Groups are named
 * tocsin-gate-PID-NUMBER; those of dead gates are removed by cgroup_find() if they are empty.
 *
 * Units:     bytes. Ownership: the structs own their descriptors.
 * Errors:    -errno. Threads: one group, one thread, cgroup_kill() excepted. cgroup_join() is
 *            async-signal-safe.
 * Limits:    cgroup_tree_max trees.
 */
#ifndef GATE_CGROUP_H
#define GATE_CGROUP_H

#include "base/base.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { cgroup_tree_max = 3, cgroup_name_bytes = 64 };

enum cgroup_role { CGROUP_MEMORY = 1, CGROUP_PIDS = 2, CGROUP_KILL = 4 };

struct cgroup_tree {
        int fd; /* the folder in which our groups are made */
        unsigned roles;
        bool is_v2;
};

struct cgroup_home {
        struct cgroup_tree trees[cgroup_tree_max];
        size_t tree_count;
        const char *name; /* "cgroup v1" */
};

struct cgroup {
        const struct cgroup_home *home;
        char name[cgroup_name_bytes];
        int folders[cgroup_tree_max];
        int joins[cgroup_tree_max]; /* cgroup.procs, open for writing */
};

struct cgroup_counts {
        uint64_t memory_peak_bytes; /* 0: not known */
        bool was_out_of_memory;
        bool was_refused_processes;
};

int cgroup_find(struct cgroup_home *ret_home);
void cgroup_home_fini(struct cgroup_home *home);

int cgroup_make(const struct cgroup_home *home, unsigned number, uint64_t memory_max_bytes,
                uint64_t process_max, struct cgroup *ret_group);
bool cgroup_is_made(const struct cgroup *group);
/* Moves the caller, which is one thread, into it. */
int cgroup_join(const struct cgroup *group);
/* All that is in it, at once where the kernel can. */
void cgroup_kill(const struct cgroup *group);
void cgroup_count(const struct cgroup *group, struct cgroup_counts *ret_counts);
/* Waits for it to become empty. -EBUSY: it did not, and stays. */
int cgroup_remove(struct cgroup *group);

#endif
