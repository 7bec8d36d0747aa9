/* SPDX-License-Identifier: Apache-2.0 */
/* lock_held.c - scenarios of holding and waiting: what the segment must say of it lock_test.py
 * knows. Threads that it looks at say their id. */
#include "locks.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
        deep = 24,
        depth = 40,
        storm_threads = 4,
        storm_locks = 4,
        storm_ms = 400,
        interrupts = 200000
};

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int stage;

static void say_me(void)
{
        locks_say("thread", (uint64_t)syscall(SYS_gettid));
}

static void nap(void)
{
        static const struct timespec moment = { 0, 1000000 };

        (void)nanosleep(&moment, NULL); /* sooner is as well */
}

static void reach(int wanted)
{
        while (__atomic_load_n(&stage, __ATOMIC_ACQUIRE) < wanted)
                nap();
}

static void go_to(int wanted)
{
        __atomic_store_n(&stage, wanted, __ATOMIC_RELEASE);
}

static void stay(void)
{
        reach(1000);
}

/* ---- Waiting --------------------------------------------------------------------------*/

static void *take_b_then_a(void *unused)
{
        say_me();
        locks_lock(&b);
        go_to(1);
        locks_lock(&a);
        locks_unlock(&a);
        locks_unlock(&b);
        go_to(2);
        stay();
        return unused;
}

static void *take_a_then_b(void *unused)
{
        locks_lock(&a);
        locks_lock(&b);
        locks_unlock(&b);
        locks_unlock(&a);
        return unused;
}

/* The order is told while the second one waits for the first, who holds a only. */
static void waits(void)
{
        (void)pthread_join(locks_start(take_a_then_b, NULL), NULL); /* it was started */
        locks_lock(&a);
        LOCKS_SAY(a);
        LOCKS_SAY(b);
        (void)locks_start(take_b_then_a, NULL); /* it stays */
        reach(1);
        locks_say("waiting", 0);
        locks_pause();
        locks_unlock(&a);
        reach(2);
}

static LOCKS_SITE void *lock_twice(void *lock)
{
        say_me();
        locks_lock(lock);
        go_to(1);
        locks_lock(lock);
        return NULL;
}

static void itself(void)
{
        LOCKS_SAY(a);
        (void)locks_start(lock_twice, &a); /* it stays */
        reach(1);
}

static void *read_then_write(void *unused)
{
        static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;

        say_me();
        LOCKS_SAY(table);
        (void)pthread_rwlock_rdlock(&table); /* it is free */
        go_to(1);
        (void)pthread_rwlock_wrlock(&table); /* never */
        return unused;
}

static void itself_for_writing(void)
{
        (void)locks_start(read_then_write, NULL); /* it stays */
        reach(1);
}

/* ---- Holding --------------------------------------------------------------------------*/

static void make_recursive(pthread_mutex_t *lock)
{
        pthread_mutexattr_t attributes;

        if (pthread_mutexattr_init(&attributes) ||
            pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE) ||
            pthread_mutex_init(lock, &attributes))
                exit(9);
}

static void *recurse(void *unused)
{
        static pthread_mutex_t again;

        say_me();
        LOCKS_SAY(again);
        make_recursive(&again);
        for (int i = 0; i < depth; i++)
                locks_lock(&again);
        locks_lock(&a);
        for (int i = 0; i < depth - 1; i++)
                locks_unlock(&again);
        locks_unlock(&a);
        go_to(1);
        reach(2);
        locks_unlock(&again);
        go_to(3);
        stay();
        return unused;
}

static void recursive(void)
{
        (void)locks_start(recurse, NULL); /* it stays */
        reach(1);
        locks_say("waiting", 0);
        locks_pause();
        go_to(2);
        reach(3);
}

/* Without a second thread there is another way. */
static void alone(void)
{
        static pthread_mutex_t again;

        LOCKS_SAY(a);
        LOCKS_SAY(again);
        make_recursive(&again);
        for (int i = 0; i < depth; i++)
                locks_lock(&again);
        locks_lock(&a);
        locks_lock(&again); /* the last one is another by now */
        locks_say("waiting", 0);
        locks_pause();
        locks_unlock(&again);
        locks_unlock(&a);
        for (int i = 0; i < depth; i++)
                locks_unlock(&again);
        locks_lock(&a);
}

static void leave(int number)
{
        (void)number;
        _exit(0);
}

static void itself_alone(void)
{
        if (signal(SIGTERM, leave) == SIG_ERR)
                exit(9);
        LOCKS_SAY(a);
        locks_lock(&a);
        locks_say("waiting", 0);
        locks_lock(&a);
}

static void *take_many(void *unused)
{
        static pthread_mutex_t many[deep];

        say_me();
        for (int i = 0; i < deep; i++) {
                locks_make(&many[i]);
                locks_lock(&many[i]);
        }
        for (int i = 0; i < deep; i++)
                locks_unlock(&many[i * 7 % deep]);
        locks_lock(&a);
        go_to(1);
        stay();
        return unused;
}

/* More than there is room for, and given back in another order; then one. */
static void sixteen_and_more(void)
{
        LOCKS_SAY(a);
        (void)locks_start(take_many, NULL); /* it stays */
        reach(1);
}

static void *take_and_hand_over(void *unused)
{
        say_me();
        for (int i = 1; i < 2 * deep; i++) {
                locks_lock(&a);
                go_to(2 * i - 1);
                reach(2 * i);
        }
        locks_lock(&b);
        go_to(900);
        stay();
        return unused;
}

/* What another thread gives back is not held any more; so often, that nothing may be left over. */
static void handed_over(void)
{
        LOCKS_SAY(b);
        (void)locks_start(take_and_hand_over, NULL); /* it stays */
        for (int i = 1; i < 2 * deep; i++) {
                reach(2 * i - 1);
                locks_unlock(&a);
                go_to(2 * i);
        }
        reach(900);
}

static void *unlock_not_mine(void *lock)
{
        if (pthread_mutex_unlock(lock) != EPERM)
                exit(9);
        return NULL;
}

/* Who is refused has given nothing back. */
static void refused(void)
{
        static pthread_mutex_t mine;

        LOCKS_SAY(mine);
        make_recursive(&mine);
        locks_lock(&mine);
        (void)pthread_join(locks_start(unlock_not_mine, &mine), NULL); /* it was started */
}

/* ---- Conditions -----------------------------------------------------------------------*/

static void clean_up(void *lock)
{
        locks_unlock(lock);
        go_to(2);
        stay();
}

static void *wait_in_vain(void *unused)
{
        (void)unused;
        say_me();
        locks_lock(&a);
        pthread_cleanup_push(clean_up, &a);
        go_to(1);
        for (;;)
                (void)pthread_cond_wait(&condition, &a);
        pthread_cleanup_pop(0);
        return NULL;
}

static void cancelled(void)
{
        pthread_t thread;

        LOCKS_SAY(condition);
        LOCKS_SAY(a);
        thread = locks_start(wait_in_vain, NULL);
        reach(1);
        locks_lock(&a); /* so it waits */
        locks_unlock(&a);
        locks_say("waiting", 0);
        locks_pause();
        (void)pthread_cancel(thread); /* it is there */
        reach(2);
}

static sem_t tickets;

static void *wait_for_ticket(void *unused)
{
        say_me();
        go_to(1);
        while (sem_wait(&tickets))
                ;
        go_to(2);
        stay();
        return unused;
}

static void semaphore(void)
{
        LOCKS_SAY(tickets);
        if (sem_init(&tickets, 0, 0))
                exit(9);
        (void)locks_start(wait_for_ticket, NULL); /* it stays */
        reach(1);
        locks_say("waiting", 0);
        locks_pause();
        (void)sem_post(&tickets); /* it is one */
        reach(2);
}

/* ---- Fork -----------------------------------------------------------------------------*/

static void *take_b_a(void *unused)
{
        locks_lock(&b);
        locks_lock(&a);
        locks_unlock(&a);
        locks_unlock(&b);
        return unused;
}

/* The child gives back what its parent held when it forked, and remembers the orders. */
static void forked(void)
{
        pid_t child;
        int status;

        (void)pthread_join(locks_start(take_a_then_b, NULL), NULL); /* it was started */
        locks_lock(&a);
        locks_lock(&b);
        child = fork();
        if (child == 0) {
                locks_unlock(&b);
                locks_unlock(&a);
                (void)pthread_join(locks_start(take_b_a, NULL), NULL); /* it was started */
                locks_say("child", (uint64_t)getpid());
                locks_pause();
                _exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status)
                exit(9);
        LOCKS_SAY(a);
        LOCKS_SAY(b);
}

/* ---- All at once ------------------------------------------------------------------------*/

static pthread_mutex_t storm_lock[storm_locks];
static long storm_sum[storm_locks], storm_count[storm_threads];
static int storm_is_over;

/* Some of the locks, the lower ones first, each in another way. */
static void storm_step(unsigned dice, long *count)
{
        bool has[storm_locks] = { false };
        static const struct timespec past = { 1, 0 };

        for (int i = 0; i < storm_locks; i++) {
                if (dice >> i & 1)
                        has[i] = dice >> 8 & 1 ? pthread_mutex_trylock(&storm_lock[i]) == 0
                                 : dice >> 9 & 1
                                         ? pthread_mutex_timedlock(&storm_lock[i], &past) == 0
                                         : pthread_mutex_lock(&storm_lock[i]) == 0;
                if (has[i])
                        storm_sum[i]++, ++*count;
        }
        if (has[storm_locks - 1] && dice >> 10 & 1)
                (void)pthread_cond_timedwait(&condition, &storm_lock[storm_locks - 1], &past);
        for (int i = 0; i < storm_locks; i++) {
                int at = dice >> 11 & 1 ? i : storm_locks - 1 - i;

                if (has[at])
                        locks_unlock(&storm_lock[at]);
        }
}

static void *storm_thread(void *count)
{
        unsigned dice = (unsigned)(uintptr_t)count;

        while (!__atomic_load_n(&storm_is_over, __ATOMIC_RELAXED)) {
                dice = dice * 1103515245 + 12345;
                storm_step(dice >> 12, count);
        }
        return NULL;
}

static void interrupt(int number)
{
        static pthread_mutex_t own[storm_threads];
        static int turn;
        int saved = errno;
        pthread_mutex_t *lock = &own[__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) % 4];

        (void)number;
        if (pthread_mutex_trylock(lock) == 0)
                (void)pthread_mutex_unlock(lock); /* it was taken here */
        errno = saved;
}

static void *take_always(void *unused)
{
        say_me();
        go_to(1);
        while (!__atomic_load_n(&storm_is_over, __ATOMIC_RELAXED)) {
                locks_lock(&a);
                locks_unlock(&a);
        }
        locks_lock(&b);
        go_to(2);
        stay();
        return unused;
}

/* Wherever it is when a handler comes that takes another lock, in the end it holds one. */
static void interrupted(void)
{
        struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_RESTART };
        pthread_t thread;

        (void)sigaction(SIGUSR1, &action, NULL); /* there is such a signal */
        LOCKS_SAY(b);
        thread = locks_start(take_always, NULL);
        reach(1);
        for (int i = 0; i < interrupts; i++)
                (void)pthread_kill(thread, SIGUSR1); /* it lives */
        __atomic_store_n(&storm_is_over, 1, __ATOMIC_RELAXED);
        reach(2);
}

static void storm(void)
{
        struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_RESTART };
        pthread_t threads[storm_threads];
        long sum = 0;

        (void)sigaction(SIGUSR1, &action, NULL); /* there is such a signal */
        for (int i = 0; i < storm_locks; i++)
                if (pthread_mutex_init(&storm_lock[i], NULL))
                        exit(9);
        for (int i = 0; i < storm_threads; i++)
                threads[i] = locks_start(storm_thread, &storm_count[i]);
        for (int i = 0; i < storm_ms; i++) {
                nap();
                (void)pthread_kill(threads[i % storm_threads], SIGUSR1); /* it lives */
        }
        __atomic_store_n(&storm_is_over, 1, __ATOMIC_RELAXED);
        for (int i = 0; i < storm_threads; i++)
                (void)pthread_join(threads[i], NULL); /* it was started */
        for (int i = 0; i < storm_locks; i++)
                sum += storm_sum[i] - storm_count[i];
        locks_say("difference", (uint64_t)sum);
}

static int under_lock;

static void *count(void *unused)
{
        for (int i = 0; i < 2 * deep; i++) {
                locks_lock(&a);
                under_lock++;
                locks_unlock(&a);
        }
        return unused;
}

/* For helgrind, which knows of locks what it is told by calls. */
static void counting(void)
{
        pthread_t one = locks_start(count, NULL), other = locks_start(count, NULL);

        (void)pthread_join(one, NULL); /* both were started */
        (void)pthread_join(other, NULL);
}

#define ROW(name)           \
        {                   \
#name, name \
        }
const struct locks_scenario locks_held[] = {
        ROW(waits),
        ROW(itself),
        ROW(itself_for_writing),
        ROW(recursive),
        ROW(alone),
        ROW(itself_alone),
        ROW(refused),
        ROW(sixteen_and_more),
        ROW(handed_over),
        ROW(cancelled),
        ROW(semaphore),
        ROW(forked),
        ROW(interrupted),
        ROW(storm),
        ROW(counting),
        { 0 },
};
