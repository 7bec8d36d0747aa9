/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a caller with work never waits for a thread to be made, and never makes so many
 * that the machine stands still: beyond the end of the queue it is told so.
 */
#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <tocsin.h>

TOC_MODULE(pool, "Worker threads behind a bounded queue",
           TOC_LOGS(TOC_ALERT(per_minute, >, 0, TOC_WARN, "no memory or no threads for a pool")));
TOC_FLOW(queued, "Tasks through the queues of all pools",
         TOC_ALERT(lost, !=, 0, TOC_PAGE, "a task was lost or run twice: a bug in pool.c"),
         TOC_ALERT(stalled_ms, >, 12000, TOC_PAGE,
                   "tasks wait and none starts: see what the workers run"));
TOC_OPERATION(running, "Tasks that run",
              TOC_ALERT(oldest_ms, >, 12000, TOC_PAGE, "a task hangs and keeps its worker busy"));
TOC_COUNTER(refused, "Tasks refused because the queue was full",
            TOC_ALERT(per_minute, >, 500, TOC_WARN, "workers are too slow: add some"));
TOC_TIMER(waited, "From the queue's end to its head",
          TOC_ALERT(p99_us, >, 300000, TOC_WARN, "tasks wait for workers: add some"));

struct task {
        void (*run)(void *argument);
        void *argument;
        int64_t queued_ns;
};

struct pool {
        pthread_mutex_t lock;
        pthread_cond_t has_task;
        pthread_cond_t is_idle;
        bool has_to_stop;
        unsigned workers, busy;
        size_t first, count, size; /* of the ring */
        size_t told;               /* the count that the flow knows of */
        struct task *ring;
        pthread_t threads[POOL_WORKERS_MAX];
};

static int64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* What is held is what the ring says, lest a slip in its arithmetic goes unseen. */
static void tell_held(struct pool *pool)
{
        toc_held(queued, (int64_t)pool->count - (int64_t)pool->told);
        pool->told = pool->count;
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
        tell_held(pool);
        toc_out(queued, 1);
        pool->busy++;
        (void)TOC_EXPECT_CMP(pool->busy, <=, pool->workers, TOC_PAGE,
                             "more workers are busy than there are: memory is broken");
        return true;
}

static void run(const struct task *task)
{
        TOC_OPERATION_SCOPE(running);

        TOC_REACHED(TOC_NOTE, "no task has ever run: who should submit them?", TOC_UPTIME_S(86400));
        toc_observe(waited, now_ns() - task->queued_ns);
        task->run(task->argument);
}

static void *work(void *argument)
{
        struct pool *pool = argument;
        struct task task;

        pthread_mutex_lock(&pool->lock);
        while (take(pool, &task)) {
                pthread_mutex_unlock(&pool->lock);
                run(&task);
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
                return TOC_ERROR(-ENOMEM, TOC_USUAL, "no memory for a queue of %zu",
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
                (void)TOC_ERROR(error, TOC_USUAL, "no thread after %u of %u: error %d",
                                pool->workers, options.workers, -error);
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
        (void)pool_drop(pool); /* a task that still ran may have left some */
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

                pool->ring[last] = (struct task){ run_task, argument, now_ns() };
                toc_in(queued, 1);
                pool->count++;
                tell_held(pool);
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
        tell_held(pool);
        toc_dropped(queued, dropped);
        if (pool->busy == 0)
                pthread_cond_broadcast(&pool->is_idle);
        pthread_mutex_unlock(&pool->lock);
        return dropped;
}
