/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h - a few threads that run what others hand to them, through a queue with an end.
 *
 * Ownership: the pool is the caller's until pool_free(), which leaves NULL. Arguments stay the
 *            caller's.
 * Errors:    0 or a negative errno; a call that fails changes nothing.
 * Threads:   any number may use one pool at once, except for pool_free(), during which nobody
 *            else may. A task may submit tasks, and may not free its pool.
 * Limits:    POOL_WORKERS_MAX workers, POOL_QUEUE_MAX tasks that wait.
 * Heard of:  a page within 15 s when a task has been running for 10 s, and when none leaves the
 *            queue for 10 s although some wait. A warning within a minute when 20 or more a second
 *            are refused because the queue is full, nothing for up to 200 in a minute; and when
 *            one in fifty waits a second or longer for a worker, nothing for up to 100 ms. A page
 *            within 15 s when a task was lost, or was run twice. A warning when memory or threads
 *            run out. A note when no task has run within a day.
 */
#ifndef POOL_H
#define POOL_H

#include <stddef.h>

#define POOL_WORKERS_MAX 64
#define POOL_QUEUE_MAX   65536

struct pool;

struct pool_options {
        unsigned workers;  /* 1 to POOL_WORKERS_MAX */
        size_t queue_size; /* 1 to POOL_QUEUE_MAX: more tasks than that do not wait */
};

/* -EINVAL if the options are beyond the limits; -ENOMEM, -EAGAIN if there is nothing to be had. */
int pool_new(struct pool **ret_pool, struct pool_options options);

/* Ends the tasks that run, and drops those that wait. NULL in *pool is nothing to do. */
void pool_free(struct pool **pool);

/* Hands a task over. -ENOSPC: the queue is full. */
int pool_submit(struct pool *pool, void (*run)(void *argument), void *argument);

/* Returns when none waits and none runs. */
void pool_wait_idle(struct pool *pool);

/* Forgets what waits; how many that were. */
size_t pool_drop(struct pool *pool);

#endif
