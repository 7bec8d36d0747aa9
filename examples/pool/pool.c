/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a caller with work never waits for a thread to be made, and never makes so many
 * that the machine stands still: beyond the end of the queue it is told so.
 */
#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <tocsin.h>

TOC_MODULE(pool, "Threads that run tasks from a queue",
           TOC_LOGS(TOC_ALERT(per_minute, >, 0, TOC_WARN,
                              "no memory or threads for a pool: raise the limits")));
TOC_OPERATION(running, "Tasks that run",
              TOC_ALERT(oldest_ms, >=, 10000, TOC_PAGE,
                        "a task hangs: see what it waits for, and end that"));
/* One for each pool where tasks wait, begun anew when one leaves: a flow would hide one in many. */
TOC_OPERATION(standstills, "Queues with tasks, since one left last",
              TOC_ALERT(oldest_ms, >=, 10000, TOC_PAGE,
                        "no worker takes what waits: all hang or none woke; restart"));
TOC_COUNTER(refused, "Tasks refused as the queue was full",
            TOC_ALERT(per_minute, >, 490, TOC_WARN,
                      "workers are too slow: add some, or submit less"));
TOC_TIMER(waits, "Time from submission to a worker",
          TOC_ALERT(p99_us, >, 316000, TOC_WARN, "too few workers: add some, or make tasks shorter",
                    .volume_min = 20));
TOC_FLOW(queued, "Tasks through all queues",
         TOC_ALERT(lost, !=, 0, TOC_PAGE, "tasks vanish or run twice: a bug in pool.c; restart"));
TOC_COUNTER(runs, "Tasks that were run",
            TOC_ALERT(per_minute, ==, 0, TOC_NOTE,
                      "nobody submits tasks for a day: see if callers live", .hold_s = 86400));

struct task {
        void (*run)(void *argument);
        void *argument;
        uint64_t number;
        int64_t since_ns; /* waits */
};

struct pool {
        pthread_mutex_t lock;
        pthread_cond_t has_task;
        pthread_cond_t is_idle;
        bool has_to_stop;
        unsigned workers, busy;
        size_t first, count, size; /* of the ring */
        struct task *ring;
        uint64_t put, next;         /* numbers: of the next to be submitted, and to be taken */
        size_t told;                /* the count that the probes know */
        bool is_standing;           /* some wait: */
        struct toc_open standstill; /* since one left */
        pthread_t threads[POOL_WORKERS_MAX];
};

static int64_t now_ns(void)
{
        struct timespec now = { 0 };

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Tells the probes how the count has changed since. With the lock held. */
static void tell_count(struct pool *pool)
{
        bool has_left = pool->count < pool->told;

        toc_held(queued, (int64_t)pool->count - (int64_t)pool->told);
        pool->told = pool->count;
        if (pool->is_standing && has_left) {
                toc_end(standstills, pool->standstill);
                pool->is_standing = false;
        }
        if (!pool->is_standing && pool->count > 0) {
                pool->standstill = toc_begin(standstills);
                pool->is_standing = true;
        }
}

/* The next task; false when the pool ends. With the lock held. */
static bool take(struct pool *pool, struct task *ret_task)
{
        while (pool->count == 0 && !pool->has_to_stop)
                pthread_cond_wait(&pool->has_task, &pool->lock);
        if (pool->has_to_stop)
                return false;
        *ret_task = pool->ring[pool->first];
        pool->first = (pool->first + 1) % pool->size;
        pool->count--;
        pool->busy++;
        tell_count(pool);
        if (!TOC_EXPECT_CMP(ret_task->number, ==, pool->next, TOC_PAGE,
                            "a task is lost or runs twice: a bug in pool.c; restart"))
                pool->next = ret_task->number;
        pool->next++;
        return true;
}

static void *work(void *argument)
{
        struct pool *pool = argument;
        struct task task;

        pthread_mutex_lock(&pool->lock);
        while (take(pool, &task)) {
                pthread_mutex_unlock(&pool->lock);
                toc_out(queued, 1);
                toc_observe(waits, now_ns() - task.since_ns);
                toc_count(runs);
                {
                        TOC_OPERATION_SCOPE(running);
                        task.run(task.argument);
                }
                pthread_mutex_lock(&pool->lock);
                pool->busy--;
                if (pool->busy == 0 && pool->count == 0)
                        pthread_cond_broadcast(&pool->is_idle);
        }
        pthread_mutex_unlock(&pool->lock);
        return NULL;
}

int pool_new(struct pool **ret_pool, struct pool_options options)
{
        struct pool *pool = NULL;
        int error = 0;

        if (options.workers < 1 || options.workers > POOL_WORKERS_MAX || options.queue_size < 1 ||
            options.queue_size > POOL_QUEUE_MAX)
                return -EINVAL;
        pool = calloc(1, sizeof(*pool));
        if (pool)
                pool->ring = calloc(options.queue_size, sizeof(*pool->ring));
        if (!pool || !pool->ring) {
                free(pool);
                return TOC_ERROR(-ENOMEM, TOC_USUAL, "no memory for a queue of %zu tasks",
                                 options.queue_size);
        }
        pool->size = options.queue_size;
        pthread_mutex_init(&pool->lock, NULL);
        pthread_cond_init(&pool->has_task, NULL);
        pthread_cond_init(&pool->is_idle, NULL);
        while (!error && pool->workers < options.workers) {
                error = -pthread_create(&pool->threads[pool->workers], NULL, work, pool);
                pool->workers += !error;
        }
        if (error) {
                error = TOC_ERROR(error, TOC_USUAL, "only %u of %u threads could be made",
                                  pool->workers, options.workers);
                pool_free(&pool);
        } else {
                *ret_pool = pool;
        }
        return error;
}

void pool_free(struct pool **pool_at)
{
        struct pool *pool = *pool_at;

        if (!pool)
                return;
        (void)pool_drop(pool);
        pthread_mutex_lock(&pool->lock);
        pool->has_to_stop = true;
        pthread_cond_broadcast(&pool->has_task);
        pthread_mutex_unlock(&pool->lock);
        for (unsigned i = 0; i < pool->workers; i++)
                pthread_join(pool->threads[i], NULL);
        (void)pool_drop(pool);                  /* a task that still ran may have left some */
        toc_held(queued, -(int64_t)pool->told); /* what were still there would be lost now */
        if (pool->is_standing)
                toc_end(standstills, pool->standstill);
        pthread_cond_destroy(&pool->is_idle);
        pthread_cond_destroy(&pool->has_task);
        pthread_mutex_destroy(&pool->lock);
        free(pool->ring);
        free(pool);
        *pool_at = NULL;
}

int pool_submit(struct pool *pool, void (*run_task)(void *argument), void *argument)
{
        int error = 0;

        pthread_mutex_lock(&pool->lock);
        if (pool->count == pool->size) {
                error = -ENOSPC;
                toc_count(refused);
        } else {
                size_t last = (pool->first + pool->count) % pool->size;

                toc_in(queued, 1);
                pool->ring[last] = (struct task){ run_task, argument, pool->put++, now_ns() };
                pool->count++;
                tell_count(pool);
                pthread_cond_signal(&pool->has_task);
        }
        pthread_mutex_unlock(&pool->lock);
        return error;
}

void pool_wait_idle(struct pool *pool)
{
        pthread_mutex_lock(&pool->lock);
        while (pool->busy > 0 || pool->count > 0)
                pthread_cond_wait(&pool->is_idle, &pool->lock);
        pthread_mutex_unlock(&pool->lock);
}

size_t pool_drop(struct pool *pool)
{
        size_t dropped = 0;

        pthread_mutex_lock(&pool->lock);
        dropped = pool->count;
        pool->count = 0;
        pool->next += dropped;
        tell_count(pool);
        toc_dropped(queued, dropped);
        if (pool->busy == 0)
                pthread_cond_broadcast(&pool->is_idle);
        pthread_mutex_unlock(&pool->lock);
        return dropped;
}
