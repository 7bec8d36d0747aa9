/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because who looks into another process can be held there, and the watcher may not be. */
#include "watch/errand.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct errand {
        pthread_mutex_t lock;
        pthread_cond_t done;
        bool is_done;
        bool is_left;
        void (*work)(void *state);
        void (*state_free)(void *state);
        void *state;
};

static atomic_uint running;

static void destroy(struct errand *errand)
{
        errand->state_free(errand->state);
        (void)pthread_cond_destroy(&errand->done); /* nobody waits */
        (void)pthread_mutex_destroy(&errand->lock);
        free(errand);
}

static void *live(void *argument)
{
        struct errand *errand = argument;
        bool is_left;

        errand->work(errand->state);
        (void)pthread_mutex_lock(&errand->lock); /* none of these can fail */
        errand->is_done = true;
        is_left = errand->is_left;
        (void)pthread_cond_signal(&errand->done);
        (void)pthread_mutex_unlock(&errand->lock);
        if (is_left)
                destroy(errand);
        atomic_fetch_sub(&running, 1);
        return NULL;
}

static int init_waiting(struct errand *errand)
{
        pthread_condattr_t attributes;
        int failed = pthread_condattr_init(&attributes);

        if (!failed)
                failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (!failed)
                failed = pthread_cond_init(&errand->done, &attributes);
        return failed ? failed : pthread_mutex_init(&errand->lock, NULL);
}

static int start(struct errand *errand)
{
        pthread_attr_t attributes;
        pthread_t thread;
        int failed = pthread_attr_init(&attributes);

        if (!failed)
                failed = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        if (!failed)
                failed = pthread_create(&thread, &attributes, live, errand);
        return failed;
}

int errand_new(void (*work)(void *state), void *state, void (*state_free)(void *state),
               struct errand **ret_errand)
{
        struct errand *errand = NULL;
        int failed;

        if (atomic_load(&running) >= errand_max)
                return -EBUSY;
        errand = calloc(1, sizeof(*errand));
        if (!errand)
                return -ENOMEM;
        errand->work = work;
        errand->state = state;
        errand->state_free = state_free;
        failed = init_waiting(errand);
        if (!failed) {
                atomic_fetch_add(&running, 1);
                failed = start(errand);
                if (failed)
                        atomic_fetch_sub(&running, 1);
        }
        if (failed) {
                free(errand);
                return -failed;
        }
        *ret_errand = errand;
        return 0;
}

bool errand_wait(struct errand *errand, uint64_t time_max_ns)
{
        uint64_t until_ns = clock_monotonic_ns() + time_max_ns;
        const struct timespec until = { .tv_sec = (time_t)(until_ns / CLOCK_S_NS),
                                        .tv_nsec = (long)(until_ns % CLOCK_S_NS) };
        bool is_done;
        int status = 0;

        (void)pthread_mutex_lock(&errand->lock); /* cannot fail */
        while (!errand->is_done && !status && time_max_ns)
                status = pthread_cond_timedwait(&errand->done, &errand->lock, &until);
        is_done = errand->is_done;
        (void)pthread_mutex_unlock(&errand->lock);
        return is_done;
}

void errand_leave(struct errand **address)
{
        struct errand *errand = *address;
        bool is_done;

        if (!errand)
                return;
        *address = NULL;
        (void)pthread_mutex_lock(&errand->lock); /* cannot fail */
        is_done = errand->is_done;
        errand->is_left = true;
        (void)pthread_mutex_unlock(&errand->lock);
        if (is_done)
                destroy(errand);
}

unsigned errand_running(void)
{
        return atomic_load(&running);
}
