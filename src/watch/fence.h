/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fence.h - limits around a program, with what the operating system offers.
 *
 *         struct fence fence = FENCE_NULL;
 *         int outcome = fence_open(&fence, &limits, argv, directory, &why);
 *         ... start fence.argv, and in the child fence_enter(&fence) ...
 *         fence_close(&fence);    // the group goes, when all in it has ended
 *
 * Memory, processor, disk and processes: a transient scope of systemd where that is process 1, else
 * a group of cgroup v2, else of v1, else rlimits. Descriptors: an rlimit. Network and files:
 * namespaces by bubblewrap, with the program's own user, directory, environment and pids
 * (fence_spaces.h). What cannot be had is said in `missing`, and refuses the run if it is required.
 *
 * Units:     bytes, thousandths of one core. Ownership: argv and texts are the fence's.
 * Errors:    0; -errno; FENCE_REFUSED with a sentence in why. Threads: one; fence_enter() is
 *            async-signal-safe.
 * Limits:    fence_writable_max writable folders.
 */
#ifndef WATCH_FENCE_H
#define WATCH_FENCE_H

#include "base/text.h"
#include "watch/cgroup.h"
#include "watch/seccomp.h"

#include <jansson.h>

enum { fence_writable_max = 16 };

enum fence_outcome { FENCE_REFUSED = 1 };

/* 0 and false: no limit. */
struct fence_limits {
        uint64_t memory_bytes;
        uint64_t cpu_permille;
        uint64_t io_bytes; /* a second */
        uint64_t processes;
        uint64_t files;
        bool has_no_network;
        bool is_read_only;
        const char *writable[fence_writable_max]; /* folders, with is_read_only */
        size_t writable_count;
        bool is_required;
};

/* Of the program, made by bubblewrap; fence_spaces.h. -1: as ours. */
struct fence_spaces {
        int user_fd, net_fd, mount_fd;
        char *directory; /* where the program starts */
        struct seccomp_code calls;
};

struct fence {
        struct fence_limits limits;
        struct fence_spaces spaces;
        struct cgroup_home home;
        struct cgroup group; /* .home NULL: none */
        const char *name;    /* "cgroup v1"; NULL: none is needed */
        unsigned counted;    /* cgroup_role of limits that a group keeps, and counts */
        dev_t io_device;     /* of the program's folder, as a whole */
        char *const *argv;   /* what is to be run; NULL-terminated */
        char **launch;       /* what argv points to, if a launcher is needed */
        struct text kept;    /* "memory 256 MiB, pids 64": what holds */
        bool is_left; /* processes still run in the group, which stays; the next run sweeps it */
        struct text missing; /* "io (no controller)": what does not */
};

#define FENCE_NULL                                                         \
        {                                                                  \
                .spaces = { .user_fd = -1, .net_fd = -1, .mount_fd = -1 }, \
                .kept = TEXT_INIT(2000), .missing = TEXT_INIT(2000)        \
        }

/* directory: the run's, which stays writable. */
int fence_open(struct fence *fence, const struct fence_limits *limits, char *const *argv,
               const char *directory, struct text *why);
void fence_close(struct fence *fence);

/* Of systemd: its group is not ours, and is to be found by its process. */
bool fence_is_scope(const struct fence *fence);

bool fence_is_wanted(const struct fence_limits *limits);

/* In the child: joins the group, sets rlimits. A program_order's enter(). */
int fence_enter(void *fence);

/* {"by": "cgroup v1", "limits": "...", "missing": "..."} for the start event; a new reference. */
json_t *fence_json(const struct fence *fence);

#endif
