/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to run one case in several threads for a while, and to look at the process meanwhile. */
#include "case/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { thread_max = 64, descriptor_max = 65536 };

static _Atomic bool is_over;
static _Atomic uint64_t iterations;
static _Atomic unsigned running_count;

static uint64_t now_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* always there on Linux */
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Takes no descriptor to look: who took every one left none. And no call of libc that a sanitizer
 * watches: TSan would call it a race with whoever had that number before. */
struct stress_left toc_stress_look_(void)
{
        struct stress_left left = { 0 };
        struct rlimit limit;
        struct stat tasks;

        if (getrlimit(RLIMIT_NOFILE, &limit))
                return left;
        for (rlim_t fd = 0; fd < limit.rlim_cur && fd < descriptor_max; fd++)
                left.descriptors += syscall(SYS_fcntl, (int)fd, F_GETFD) >= 0;
        if (!stat("/proc/self/task", &tasks) && tasks.st_nlink > 2)
                left.threads = tasks.st_nlink - 2;
        return left;
}

bool toc_case_running(void)
{
        toc_child_demand_(1U << TOC_CASE_STRESS_, "toc_case_running()");
        if (atomic_load_explicit(&is_over, memory_order_relaxed))
                return false;
        atomic_fetch_add_explicit(&iterations, 1, memory_order_relaxed);
        return true;
}

static void *work(void *index)
{
        toc_child_begin_thread_((unsigned)(uintptr_t)index);
        toc_harness_run_.test_case->run();
        atomic_fetch_sub(&running_count, 1);
        return NULL;
}

/* A sample after the end of a case would be talk of something else. */
static pthread_mutex_t may_talk = PTHREAD_MUTEX_INITIALIZER;

void toc_stress_hush_(void)
{
        (void)pthread_mutex_lock(&may_talk); /* for good: the process is about to end */
}

static void say_sample(uint64_t at_ms)
{
        struct stress_left left = toc_stress_look_();
        int64_t live = toc_heap_count_().live_bytes;

        (void)pthread_mutex_lock(&may_talk);
        (void)toc_wire_send_(toc_harness_run_.wire_fd,
                             "DATA %s at_ms=%llu live_bytes=%llu descriptors=%llu threads=%llu "
                             "iterations=%llu",
                             toc_harness_run_.nonce, (unsigned long long)at_ms,
                             (unsigned long long)(live > 0 ? live : 0),
                             (unsigned long long)left.descriptors, (unsigned long long)left.threads,
                             (unsigned long long)atomic_load(&iterations));
        (void)pthread_mutex_unlock(&may_talk);
}

/* All of them may have ended early, by a case that does not loop. */
static void sample_until_over(void)
{
        const uint64_t run_ms = toc_harness_run_.run_ms ? toc_harness_run_.run_ms : 1000;
        const uint64_t every_ms = toc_harness_run_.sample_ms ? toc_harness_run_.sample_ms : 100;
        const uint64_t began_ms = now_ms();
        uint64_t next_ms = every_ms, at_ms = 0;

        while (at_ms < run_ms && atomic_load(&running_count)) {
                struct timespec nap = { .tv_nsec = 2000000 };

                (void)nanosleep(&nap, NULL);
                at_ms = now_ms() - began_ms;
                if (at_ms >= next_ms) {
                        say_sample(at_ms);
                        next_ms = at_ms + every_ms;
                }
        }
        say_sample(at_ms);
        atomic_store(&is_over, true);
}

void toc_stress_run_(void)
{
        uint64_t wanted = toc_harness_run_.threads ? toc_harness_run_.threads : 1;
        pthread_t threads[thread_max];
        uint64_t begun = 0;

        if (wanted > thread_max)
                wanted = thread_max;
        say_sample(0); /* what was there before */
        atomic_store(&running_count, (unsigned)wanted);
        for (int failed = 0; begun < wanted && !failed; begun += !failed)
                failed = pthread_create(&threads[begun], NULL, work, (void *)(uintptr_t)begun);
        if (begun < wanted)
                toc_case_fail_(toc_harness_run_.test_case->file, toc_harness_run_.test_case->line,
                               "only %u of %u threads could be started", (unsigned)begun,
                               (unsigned)wanted);
        sample_until_over();
        for (uint64_t i = 0; i < begun; i++)
                (void)pthread_join(threads[i], NULL); /* ours, joinable */
}
