/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h - groups of our own for memory, processes, processor and disk.
 *
 *         struct cgroup_home home;
 *         int outcome = cgroup_find("tocsin-gate", CGROUP_MEMORY, 0, true, &home);
 *         struct cgroup group = { .home = NULL };
 *         outcome = cgroup_make(&home, number, &limits, &group);
 *         ... in the child: cgroup_join(&group) ...
 *         cgroup_kill(&group); cgroup_remove(&group, wait_ns);
 *
 * Version 2 in our own or a higher group, where we may write and the controllers are handed on;
 * else version 1, with the unified tree, if there is one, only to kill. Groups are named
 * PREFIX-PID-NUMBER, and locked (flock) as long as they are open; those of processes that are no
 * more are removed by cgroup_find() if they are empty, or emptied.
 *
 * Units:     bytes, thousandths of one core. Ownership: the structs own their descriptors; the
 *            prefix is a constant.
 * Errors:    -errno; -ENOENT: this host lets us make none. Threads: one group, one thread,
 *            cgroup_kill() excepted. cgroup_join() is async-signal-safe.
 * Limits:    cgroup_tree_max trees.
 */
#ifndef WATCH_CGROUP_H
#define WATCH_CGROUP_H

#include "base/base.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { cgroup_tree_max = 6, cgroup_name_bytes = 64 };

enum cgroup_role {
        CGROUP_MEMORY = 1,
        CGROUP_PIDS = 2,
        CGROUP_KILL = 4,
        CGROUP_CPU = 8,
        CGROUP_IO = 16,
};

struct cgroup_tree {
        int fd; /* the folder in which our groups are made */
        unsigned roles;
        bool is_v2;
};

struct cgroup_home {
        struct cgroup_tree trees[cgroup_tree_max];
        size_t tree_count;
        const char *name; /* "cgroup v1" */
        const char *prefix;
};

struct cgroup {
        const struct cgroup_home *home;
        char name[cgroup_name_bytes];
        int folders[cgroup_tree_max];
        int joins[cgroup_tree_max]; /* cgroup.procs, open for writing */
        unsigned unset;             /* roles whose limit the kernel did not take */
        dev_t io_device;            /* of which bytes are counted; 0: of none */
};

/* 0: none. */
struct cgroup_limits {
        uint64_t memory_bytes;
        uint64_t processes;
        uint64_t cpu_permille; /* of one core */
        uint64_t io_bytes;     /* a second, read and as much written */
        dev_t io_device;       /* a whole disk: of parts the kernel takes none */
};

struct cgroup_counts {
        uint64_t memory_bytes;      /* without what is only cached */
        uint64_t memory_peak_bytes; /* 0: not known */
        uint64_t memory_refusals;   /* how often the limit was met */
        uint64_t oom_kills;
        uint64_t processes;
        uint64_t process_refusals;
        uint64_t cpu_periods, cpu_throttled;
        uint64_t io_read_bytes, io_written_bytes;
        /* Thousandths of the last ten seconds in which somebody in it waited; version 2 only. */
        uint64_t memory_stalled, io_stalled;
        bool was_out_of_memory;
        bool was_refused_processes;
};

/* needed: roles without which there is none; wished: those that are had where they can be. */
unsigned cgroup_roles(const struct cgroup_home *home);
/* kills_left: what a dead process of that prefix has left running in its groups is killed. */
int cgroup_find(const char *prefix, unsigned needed, unsigned wished, bool kills_left,
                struct cgroup_home *ret_home);
void cgroup_home_fini(struct cgroup_home *home);

int cgroup_make(const struct cgroup_home *home, unsigned number, const struct cgroup_limits *limits,
                struct cgroup *ret_group);
bool cgroup_is_made(const struct cgroup *group);
/* Moves the caller, which is one thread, into it. */
int cgroup_join(const struct cgroup *group);
/* All that is in it, at once where the kernel can. */
void cgroup_kill(const struct cgroup *group);
void cgroup_count(const struct cgroup *group, struct cgroup_counts *ret_counts);
/* Whether *_stalled of the counts are known. */
bool cgroup_has_pressure(const struct cgroup *group);
/* Somebody else's group of version 2, for counting alone: the one that a process is in. It may go
 * at any time. -ENOENT: there is none, or it is ours. */
int cgroup_visit(pid_t pid, struct cgroup_home *ret_home, struct cgroup *ret_group);
void cgroup_leave(struct cgroup_home *home, struct cgroup *group);
bool cgroup_is_there(const struct cgroup *group);
/* Kills for memory in the group above, with all groups below it: known when this one is gone. */
uint64_t cgroup_kills_around(const struct cgroup *group);
/* Roles that groups in a folder of the tree of version 2 can have; path: below its mount. */
unsigned cgroup_controllers(const char *path);

/* Waits for it to become empty. -EBUSY: it did not, and stays. */
int cgroup_remove(struct cgroup *group, uint64_t wait_ns);

#endif
