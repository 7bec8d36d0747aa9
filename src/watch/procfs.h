/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procfs.h - what /proc says about a process: is it there, what does it map, whom did it leave us.
 *
 * Units:     process ids of our own pid namespace. Ownership: texts are the caller's.
 * Errors:    where an answer cannot be had, the safe one is given, as each function says.
 * Threads:   any. Limits: of a process's map at most procfs_maps_bytes_max is read and
 *            procfs_snapshot_bytes_max kept.
 */
#ifndef WATCH_PROCFS_H
#define WATCH_PROCFS_H

#include "base/text.h"

#include <sys/stat.h>
#include <sys/types.h>

enum { procfs_maps_bytes_max = 16 << 20, procfs_snapshot_bytes_max = 1 << 20 };

/* Inode of the pid namespace we live in; 0 if not known. */
uint64_t procfs_pid_namespace(void);

/* What the kernel remembers of the file a link in /proc/PID leads to, "exe" or "fd/3": type and
 * inode. Who serves the file (NFS, FUSE) is not asked, and may not answer. 0 or -errno. */
int procfs_file(pid_t pid, const char *name, struct statx *ret_status);

/* The program's file as a number that changes with exec; 0: no such process, or a zombie. */
uint64_t procfs_exe(pid_t pid);

/* The user the process acts as; our own if it cannot be known. */
uid_t procfs_user(pid_t pid);

enum procfs_mapping {
        PROCFS_MAPPED = 1,
        PROCFS_NOT_MAPPED, /* the process is gone, or has become another program */
        PROCFS_UNKNOWN,    /* its map is not for us */
};

/* Does the process map the file of that inode? Lines of its map that name a file replace the
 * content of `snapshot`, as stack.h needs them; on any other answer than PROCFS_MAPPED it is left
 * as it was. */
enum procfs_mapping procfs_maps(pid_t pid, uint64_t inode, struct text *snapshot);

/* A small file of /proc/PID, as a text. How many bytes; 0 or less: it is not there, or not for
 * us. */
ssize_t procfs_read(pid_t pid, const char *name, char *text, size_t size);
ssize_t procfs_read_all(pid_t pid, const char *name, char *text, size_t size); /* a larger one */
int procfs_open(pid_t pid, const char *name); /* to read; -1: it may not */

/* Children of one of our own threads, at most ret_max; the count is returned, 0 if not known. */
size_t procfs_children(pid_t thread, pid_t *ret_pids, size_t ret_max);

/* False: it is a zombie, or on the way there: its threads end before it does. */
bool procfs_lives(pid_t pid);

/* Whether a variable of that name stood in the environment the process was started with. */
bool procfs_has_variable(pid_t pid, const char *name);

#endif
