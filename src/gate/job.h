/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.h - what sandbox.c, job.c and warden.c share. Nobody else includes this.
 *
 * sandbox.c finds out what the host gives and owns the folders; job.c begins and ends one program;
 * warden.c is the thread that watches it meanwhile.
 *
 * Threads: a sandbox is constant after sandbox_new(), next_number excepted; of a job as said there.
 */
#ifndef GATE_JOB_H
#define GATE_JOB_H

#include "watch/cgroup.h"
#include "gate/sandbox.h"
#include "gate/scratch.h"

#include <pthread.h>
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

enum { job_status_max = 4096 };

enum job_reason { JOB_BY_ITSELF, JOB_STOPPED, JOB_ASKED, JOB_LATE, JOB_FLOODED, JOB_BROKEN };

struct sandbox_job {
        struct sandbox *sandbox;
        struct cgroup group;
        pid_t pid;          /* bubblewrap outside; reaped by sandbox_finish() */
        int pidfd;          /* of it */
        int output, socket; /* our ends */
        int wake;           /* an eventfd: sandbox_kill() */
        int status, filler; /* both ends of the pipe from bubblewrap */
        int start;          /* our end of the one to it: the program begins; -1: it may */
        struct text *into;
        uint64_t output_max, start_ns, deadline_ns;
        pthread_t thread;

        /* Of the thread, until it is joined. */
        char words[job_status_max];
        size_t word_length;
        int program; /* a pidfd of the program itself, while we look for what it leaves */
        bool is_held;
        bool has_child; /* bubblewrap has said whom it started */
        bool has_exit;
        int exit_status;
        uint64_t end_ns;
        bool left_processes;
        bool is_dead; /* everything */

        pthread_mutex_t lock; /* guards: */
        struct text kept;
        uint64_t seen_bytes;
        enum job_reason reason;
        pid_t inner; /* the first process of the namespace, as we see it; 0: not yet known */
        int inner_pidfd;
        bool is_over;
};

/* Closes a descriptor at which nothing can be lost: pipes, sockets, the kernel's. */
void job_close(int *fd);
/* Whether the process of a pidfd has ended. */
bool job_is_gone(int pidfd);
bool job_is_asked_to_stop(const struct sandbox *sandbox);
/* The last number of a line "KEY: a b c" of /proc/PID/status; 0: not to be had. */
pid_t job_number_of(pid_t pid, const char *key);
/* Kills all of it and waits for that; sets is_dead. */
void job_end_all(struct sandbox_job *job);
/* The thread: returns once everything is dead. */
void *job_watch(void *job);

/* Sets what sandbox_why() says; returns `error`. */
int sandbox_fail(int error, const char *format, ...) BASE_PRINTF(2, 3);

#endif
