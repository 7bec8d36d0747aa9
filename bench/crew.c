/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that a figure is of the code and not of the scheduler: threads that live through the
 * whole run, stay on their CPU, start together, and know when they were disturbed. */
#include "crew.h"

#include "base/clock.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

enum {
        pulse_steps = 4000,        /* multiplications, each waits for the one before: some 3 us */
        pulse_slack_permille = 60, /* noise of reading the clock twice */
        warm_up_ns = 60000000,     /* until a CPU runs as fast as it will */
};

static uint64_t pulse(void)
{
        uint64_t start_ns = clock_monotonic_ns();
        uint64_t number = start_ns | 1;

        for (unsigned i = 0; i < pulse_steps; i++) {
                number *= number;
                __asm__ volatile("" : "+r"(number));
        }
        return clock_monotonic_ns() - start_ns;
}

static long switches(void)
{
        struct rusage usage = { 0 };

        (void)getrusage(RUSAGE_THREAD, &usage); /* cannot fail for this thread */
        return usage.ru_nivcsw;
}

/* All that work wait here, without leaving their CPU. */
static void line_up(struct crew *crew)
{
        (void)__atomic_fetch_add(&crew->arrived, 1, __ATOMIC_ACQ_REL);
        while (__atomic_load_n(&crew->arrived, __ATOMIC_ACQUIRE) < crew->at_work)
                ;
}

static void measure(struct crew_member *member, const struct crew_work *work)
{
        struct crew_sample *sample = &member->sample;
        uint64_t before_ns, after_ns, start_ns;
        long switches_before;

        *sample = (struct crew_sample){ 0 };
        if (work->once) {
                sample->error = work->once(&sample->ns);
                return;
        }
        before_ns = pulse();
        switches_before = switches();
        line_up(member->crew);
        start_ns = clock_monotonic_ns();
        work->loop(work->times);
        sample->ns = clock_monotonic_ns() - start_ns;
        sample->is_disturbed = switches() != switches_before;
        after_ns = pulse();
        member->pulse_ns = before_ns > after_ns ? before_ns : after_ns;
}

static void warm_up(void)
{
        uint64_t start_ns = clock_monotonic_ns();

        while (clock_monotonic_ns() - start_ns < warm_up_ns)
                (void)pulse();
}

static void wait_for(sem_t *semaphore)
{
        while (sem_wait(semaphore) && errno == EINTR)
                ;
}

static void *live(void *argument)
{
        struct crew_member *member = argument;
        struct crew *crew = member->crew;

        warm_up();
        for (;;) {
                wait_for(&member->go);
                if (!crew->work)
                        return NULL;
                measure(member, crew->work);
                (void)sem_post(&crew->done); /* cannot overflow: one post for each go */
        }
}

/* The first CPUs on which this process may run. */
static void choose_cpus(struct crew *crew)
{
        cpu_set_t allowed;

        for (unsigned i = 0; i < CREW_MAX; i++)
                crew->member[i].cpu = -1;
        if (sched_getaffinity(0, sizeof allowed, &allowed)) {
                crew->count = 1; /* more CPUs than a cpu_set_t holds; we ask for none then */
                return;
        }
        for (int cpu = 0; cpu < CPU_SETSIZE && crew->count < CREW_MAX; cpu++)
                if (CPU_ISSET((size_t)cpu, &allowed))
                        crew->member[crew->count++].cpu = cpu;
}

int crew_bind(pthread_t thread, int cpu)
{
        cpu_set_t own;

        CPU_ZERO(&own);
        CPU_SET((size_t)cpu, &own);
        return -pthread_setaffinity_np(thread, sizeof own, &own);
}

static int start(struct crew *crew, struct crew_member *member)
{
        int failed;

        member->crew = crew;
        (void)sem_init(&member->go, 0, 0); /* cannot fail: not shared between processes */
        failed = pthread_create(&member->thread, NULL, live, member);
        if (failed)
                return -failed;
        if (member->cpu >= 0 && crew_bind(member->thread, member->cpu))
                member->cpu = -1;
        return 0;
}

int crew_open(struct crew *crew)
{
        unsigned wanted;

        *crew = (struct crew){ 0 };
        choose_cpus(crew);
        (void)sem_init(&crew->done, 0, 0); /* as above */
        wanted = crew->count;
        crew->count = 0;
        crew->is_pinned = true;
        while (crew->count < wanted) {
                int failed = start(crew, &crew->member[crew->count]);

                if (failed) {
                        crew_close(crew);
                        return failed;
                }
                if (crew->member[crew->count].cpu < 0)
                        crew->is_pinned = false;
                crew->count++;
        }
        return 0;
}

void crew_close(struct crew *crew)
{
        crew->work = NULL;
        for (unsigned i = 0; i < crew->count; i++) {
                (void)sem_post(&crew->member[i].go);              /* cannot overflow */
                (void)pthread_join(crew->member[i].thread, NULL); /* it is ours, and joined once */
                (void)sem_destroy(&crew->member[i].go);           /* nobody waits */
        }
        (void)sem_destroy(&crew->done); /* nobody waits */
        crew->count = 0;
}

/* Compares with the best pulse so far. One that is better than all before is not trusted to be
 * reached again: the best rises slowly towards what is seen. */
static bool ran_slowly(struct crew *crew, unsigned threads, uint64_t pulse_ns)
{
        uint64_t *best_ns = &crew->best_pulse_ns[threads - 1];

        if (!*best_ns || pulse_ns < *best_ns)
                *best_ns = pulse_ns;
        else
                *best_ns += *best_ns / 4096 + 1;
        return pulse_ns * 1000 > *best_ns * (1000 + pulse_slack_permille);
}

void crew_run(struct crew *crew, unsigned threads, const struct crew_work *work,
              struct crew_sample *ret_sample)
{
        struct crew_sample all = { 0 };

        crew->work = work;
        crew->at_work = threads;
        __atomic_store_n(&crew->arrived, 0, __ATOMIC_RELEASE);
        for (unsigned i = 0; i < threads; i++)
                (void)sem_post(&crew->member[i].go); /* cannot overflow: one go at a time */
        for (unsigned i = 0; i < threads; i++)
                wait_for(&crew->done);
        for (unsigned i = 0; i < threads; i++) {
                const struct crew_member *member = &crew->member[i];

                all.ns += member->sample.ns / threads;
                all.is_disturbed = all.is_disturbed || member->sample.is_disturbed;
                if (!work->once && ran_slowly(crew, threads, member->pulse_ns))
                        all.is_disturbed = true;
                if (member->sample.error)
                        all.error = member->sample.error;
        }
        *ret_sample = all;
}
