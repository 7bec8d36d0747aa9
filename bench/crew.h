/* SPDX-License-Identifier: Apache-2.0 */
/* crew.h - one or two threads, each on a CPU of its own, that run a piece of work and time it.
 *
 *         struct crew crew;
 *         int failed = crew_open(&crew);
 *         ...
 *         crew_run(&crew, 2, &work, &ret_sample);
 *         crew_close(&crew);
 *
 * A sample is disturbed, and should be taken again, when the kernel took a thread off its CPU
 * meanwhile, or when the CPU itself ran slower just before or after than it can: a chain of
 * multiplications of known length, the pulse, tells. (A hypervisor's other guests are seen by
 * nothing else, and make a figure twice what it is.)
 *
 * Units:     nanoseconds. Ownership: the work is the caller's, used during the call only.
 * Threads:   one caller at a time.
 * Errors:    -errno from crew_open(); a CPU to which a thread cannot be bound is not one, it is
 *            told by is_pinned.
 * Limits:    CREW_MAX threads.
 */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

enum { CREW_MAX = 2 };

/* What a thread does: a loop, which the crew times, or something that times itself. */
struct crew_work {
        void (*loop)(uint64_t times);
        uint64_t times;
        int (*once)(uint64_t *ret_ns); /* 0, or -errno */
};

struct crew_sample {
        uint64_t ns; /* mean over the threads */
        bool is_disturbed;
        int error; /* of once() */
};

struct crew_member {
        struct crew *crew;
        pthread_t thread;
        sem_t go;
        int cpu; /* -1: anywhere */
        struct crew_sample sample;
        uint64_t pulse_ns; /* the slower of the two pulses of the last sample */
};

struct crew {
        struct crew_member member[CREW_MAX];
        unsigned count; /* as many as there are CPUs for them */
        bool is_pinned;
        sem_t done;
        const struct crew_work *work; /* NULL: go home */
        unsigned at_work;
        unsigned arrived;                 /* at the line from which they start together */
        uint64_t best_pulse_ns[CREW_MAX]; /* with one thread at work, with two */
};

/* Any thread to any CPU; -errno if that is refused. */
int crew_bind(pthread_t thread, int cpu);

int crew_open(struct crew *crew);
void crew_close(struct crew *crew);

/* The first `threads` of the crew do the work at the same time. */
void crew_run(struct crew *crew, unsigned threads, const struct crew_work *work,
              struct crew_sample *ret_sample);

#endif
