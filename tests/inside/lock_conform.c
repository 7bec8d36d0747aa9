/* SPDX-License-Identifier: Apache-2.0 */
/* lock_conform.c - asks locks of every kind for what they do, and says what they did. Whether
 * libtocsin-inside stands in front of libc or not, it must say the same. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const struct timespec never = { 0, 1000000000 }; /* no time at all */

static void say(const char *what, int value)
{
        printf("%s %d\n", what, value);
}

#define SAY(call) say(#call, call)

static struct timespec soon(clockid_t clock)
{
        struct timespec time;

        (void)clock_gettime(clock, &time); /* cannot fail for these clocks */
        time.tv_nsec += 2000000;
        if (time.tv_nsec >= 1000000000) {
                time.tv_nsec -= 1000000000;
                time.tv_sec++;
        }
        return time;
}

/* What it says comes before what the thread says that made it. */
static void elsewhere(void *(*work)(void *), void *argument)
{
        pthread_t thread;
        int made = pthread_create(&thread, NULL, work, argument);

        say("join", pthread_join(thread, NULL));
        say("create", made);
}

/* ---- Mutexes --------------------------------------------------------------------------*/

static void *try_mutex(void *lock)
{
        struct timespec real = soon(CLOCK_REALTIME), mono = soon(CLOCK_MONOTONIC);

        SAY(pthread_mutex_trylock(lock));
        SAY(pthread_mutex_timedlock(lock, &real));
        SAY(pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, &mono));
        SAY(pthread_mutex_timedlock(lock, &never));
        return NULL;
}

static void *unlock_mutex(void *lock)
{
        SAY(pthread_mutex_unlock(lock));
        return NULL;
}

static void *lock_and_leave(void *lock)
{
        SAY(pthread_mutex_lock(lock));
        return NULL;
}

static void mutex_of(const char *name, int type, int robust, int protocol)
{
        struct timespec real = soon(CLOCK_REALTIME);
        pthread_mutexattr_t attributes;
        pthread_mutex_t lock;

        printf("mutex %s\n", name);
        SAY(pthread_mutexattr_init(&attributes));
        SAY(pthread_mutexattr_settype(&attributes, type));
        SAY(pthread_mutexattr_setrobust(&attributes, robust));
        SAY(pthread_mutexattr_setprotocol(&attributes, protocol));
        SAY(pthread_mutex_init(&lock, &attributes));
        SAY(pthread_mutex_lock(&lock));
        SAY(pthread_mutex_trylock(&lock));
        if (type != PTHREAD_MUTEX_NORMAL)
                SAY(pthread_mutex_lock(&lock));
        SAY(pthread_mutex_timedlock(&lock, &real));
        elsewhere(try_mutex, &lock);
        if (type != PTHREAD_MUTEX_NORMAL || robust == PTHREAD_MUTEX_ROBUST)
                elsewhere(unlock_mutex, &lock);
        if (robust != PTHREAD_MUTEX_ROBUST) /* that libc would destroy, and stumble later */
                SAY(pthread_mutex_destroy(&lock));
        for (int i = 0; i < (type == PTHREAD_MUTEX_RECURSIVE ? 3 : 1); i++)
                SAY(pthread_mutex_unlock(&lock));
        if (type != PTHREAD_MUTEX_NORMAL || robust == PTHREAD_MUTEX_ROBUST)
                SAY(pthread_mutex_unlock(&lock));
        SAY(pthread_mutex_clocklock(&lock, CLOCK_PROCESS_CPUTIME_ID, &real));
        SAY(pthread_mutex_clocklock(&lock, CLOCK_REALTIME, &never));
        (void)pthread_mutex_unlock(&lock); /* of a kind that takes no time to be refused */
        SAY(pthread_mutex_destroy(&lock));
}

static void robust_mutex(void)
{
        pthread_mutexattr_t attributes;
        pthread_mutex_t lock;

        puts("robust");
        SAY(pthread_mutexattr_init(&attributes));
        SAY(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
        SAY(pthread_mutex_init(&lock, &attributes));
        elsewhere(lock_and_leave, &lock);
        SAY(pthread_mutex_lock(&lock)); /* its owner is dead */
        SAY(pthread_mutex_consistent(&lock));
        SAY(pthread_mutex_unlock(&lock));
        elsewhere(lock_and_leave, &lock);
        SAY(pthread_mutex_trylock(&lock));
        SAY(pthread_mutex_unlock(&lock)); /* not made consistent: never again */
        SAY(pthread_mutex_lock(&lock));
        SAY(pthread_mutex_trylock(&lock));
        SAY(pthread_mutex_destroy(&lock));
}

/* ---- Locks for readers and writers, and those that spin ---------------------------------*/

static void *try_rwlock(void *lock)
{
        struct timespec real = soon(CLOCK_REALTIME), mono = soon(CLOCK_MONOTONIC);
        int outcome;

        SAY(outcome = pthread_rwlock_tryrdlock(lock));
        if (!outcome)
                SAY(pthread_rwlock_unlock(lock));
        SAY(outcome = pthread_rwlock_timedrdlock(lock, &real));
        if (!outcome)
                SAY(pthread_rwlock_unlock(lock));
        SAY(outcome = pthread_rwlock_clockrdlock(lock, CLOCK_MONOTONIC, &mono));
        if (!outcome)
                SAY(pthread_rwlock_unlock(lock));
        SAY(pthread_rwlock_trywrlock(lock));
        SAY(pthread_rwlock_timedwrlock(lock, &real));
        SAY(pthread_rwlock_clockwrlock(lock, CLOCK_MONOTONIC, &mono));
        SAY(pthread_rwlock_clockwrlock(lock, CLOCK_PROCESS_CPUTIME_ID, &mono));
        SAY(pthread_rwlock_timedrdlock(lock, &never));
        return NULL;
}

static void rwlock_of(int kind)
{
        struct timespec real = soon(CLOCK_REALTIME);
        pthread_rwlockattr_t attributes;
        pthread_rwlock_t lock;

        printf("rwlock %d\n", kind);
        SAY(pthread_rwlockattr_init(&attributes));
        SAY(pthread_rwlockattr_setkind_np(&attributes, kind));
        SAY(pthread_rwlock_init(&lock, &attributes));
        SAY(pthread_rwlock_timedwrlock(&lock, &never)); /* refused though it is free */
        SAY(pthread_rwlock_clockrdlock(&lock, CLOCK_PROCESS_CPUTIME_ID, &real));
        SAY(pthread_rwlock_wrlock(&lock));
        SAY(pthread_rwlock_wrlock(&lock));
        SAY(pthread_rwlock_rdlock(&lock));
        SAY(pthread_rwlock_timedwrlock(&lock, &real));
        elsewhere(try_rwlock, &lock);
        SAY(pthread_rwlock_unlock(&lock));
        SAY(pthread_rwlock_rdlock(&lock));
        SAY(pthread_rwlock_rdlock(&lock));
        elsewhere(try_rwlock, &lock);
        SAY(pthread_rwlock_unlock(&lock));
        SAY(pthread_rwlock_unlock(&lock));
        SAY(pthread_rwlock_trywrlock(&lock));
        SAY(pthread_rwlock_unlock(&lock));
        SAY(pthread_rwlock_destroy(&lock));
}

static void *try_spin(void *lock)
{
        SAY(pthread_spin_trylock(lock));
        return NULL;
}

static void spin(void)
{
        pthread_spinlock_t lock;

        puts("spin");
        SAY(pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE));
        SAY(pthread_spin_lock(&lock));
        elsewhere(try_spin, (void *)&lock);
        SAY(pthread_spin_unlock(&lock));
        SAY(pthread_spin_trylock(&lock));
        SAY(pthread_spin_unlock(&lock));
        SAY(pthread_spin_destroy(&lock));
}

/* ---- C11 ------------------------------------------------------------------------------*/

static void *try_mtx(void *lock)
{
        struct timespec real = soon(CLOCK_REALTIME);

        SAY(mtx_trylock(lock));
        SAY(mtx_timedlock(lock, &real));
        return NULL;
}

static void mtx_of(int type)
{
        struct timespec real = soon(CLOCK_REALTIME);
        cnd_t condition;
        mtx_t lock;

        printf("mtx %d\n", type);
        SAY(mtx_init(&lock, type));
        SAY(cnd_init(&condition));
        SAY(mtx_lock(&lock));
        SAY(mtx_trylock(&lock));
        if (type & mtx_recursive)
                SAY(mtx_unlock(&lock));
        elsewhere(try_mtx, &lock);
        SAY(cnd_timedwait(&condition, &lock, &real));
        elsewhere(try_mtx, &lock);
        SAY(mtx_unlock(&lock));
        cnd_destroy(&condition);
        mtx_destroy(&lock);
}

/* ---- Conditions and semaphores ----------------------------------------------------------*/

static pthread_mutex_t meeting = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrival = PTHREAD_COND_INITIALIZER;
static sem_t tickets;
static int came;

static void leave(void *lock)
{
        came = 100 + pthread_mutex_unlock(lock); /* it had it */
}

static void *await(void *unused)
{
        (void)unused;
        (void)pthread_mutex_lock(&meeting);
        pthread_cleanup_push(leave, &meeting);
        came = 1;
        (void)pthread_cond_signal(&arrival);
        for (;;)
                (void)pthread_cond_wait(&arrival, &meeting);
        pthread_cleanup_pop(0);
        return NULL;
}

static void *queue(void *unused)
{
        (void)unused;
        for (;;)
                (void)sem_wait(&tickets);
        return NULL;
}

static void cancelled(void *(*work)(void *))
{
        pthread_t thread;
        void *result;

        say("create", pthread_create(&thread, NULL, work, NULL));
        if (work == await) {
                (void)pthread_mutex_lock(&meeting);
                while (!came)
                        (void)pthread_cond_wait(&arrival, &meeting);
                (void)pthread_mutex_unlock(&meeting);
        }
        say("cancel", pthread_cancel(thread));
        say("join", pthread_join(thread, &result));
        say("is cancelled", result == PTHREAD_CANCELED);
        say("its cleanup", came);
}

static void *wake(void *unused)
{
        (void)pthread_mutex_lock(&meeting);
        came = 2;
        (void)pthread_cond_broadcast(&arrival);
        (void)pthread_mutex_unlock(&meeting);
        return unused;
}

static void conditions(void)
{
        struct timespec real = soon(CLOCK_REALTIME), mono = soon(CLOCK_MONOTONIC);
        pthread_condattr_t attributes;
        pthread_cond_t other;
        pthread_t thread;

        puts("conditions");
        SAY(pthread_mutex_lock(&meeting));
        SAY(pthread_cond_timedwait(&arrival, &meeting, &real));
        SAY(pthread_cond_timedwait(&arrival, &meeting, &never));
        SAY(pthread_cond_clockwait(&arrival, &meeting, CLOCK_MONOTONIC, &mono));
        SAY(pthread_cond_clockwait(&arrival, &meeting, CLOCK_PROCESS_CPUTIME_ID, &mono));
        /* The old kind of condition knows no clocks: it would take this for another time. */
        SAY(pthread_condattr_init(&attributes));
        SAY(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
        SAY(pthread_cond_init(&other, &attributes));
        mono = soon(CLOCK_MONOTONIC);
        SAY(pthread_cond_timedwait(&other, &meeting, &mono));
        SAY(pthread_cond_destroy(&other));
        SAY(pthread_create(&thread, NULL, wake, NULL));
        while (came != 2)
                (void)pthread_cond_wait(&arrival, &meeting);
        SAY(pthread_mutex_unlock(&meeting));
        SAY(pthread_join(thread, NULL));
        came = 0;
        cancelled(await);
        SAY(pthread_mutex_trylock(&meeting));
        SAY(pthread_mutex_unlock(&meeting));
}

static void semaphores(void)
{
        struct timespec real = soon(CLOCK_REALTIME), mono = soon(CLOCK_MONOTONIC);

        puts("semaphores");
        SAY(sem_init(&tickets, 0, 1));
        SAY(sem_wait(&tickets));
        SAY(sem_timedwait(&tickets, &real));
        say("errno", errno);
        SAY(sem_clockwait(&tickets, CLOCK_MONOTONIC, &mono));
        say("errno", errno);
        SAY(sem_timedwait(&tickets, &never));
        say("errno", errno);
        SAY(sem_post(&tickets));
        SAY(sem_clockwait(&tickets, CLOCK_MONOTONIC, &mono));
        cancelled(queue);
        SAY(sem_destroy(&tickets));
}

static void *give_back(void *what)
{
        return what;
}

static int seven(void *unused)
{
        (void)unused;
        return 7;
}

/* One that cannot end: it wants a lock that is held here. */
static void *want(void *unused)
{
        (void)pthread_mutex_lock(&meeting);
        (void)pthread_mutex_unlock(&meeting);
        return unused;
}

static void joins(void)
{
        struct timespec real = soon(CLOCK_REALTIME), mono = soon(CLOCK_MONOTONIC);
        pthread_t thread;
        thrd_t c11;
        void *result = NULL;
        int number = 0;

        puts("joins");
        SAY(pthread_mutex_lock(&meeting));
        SAY(pthread_create(&thread, NULL, want, &real));
        SAY(pthread_timedjoin_np(thread, &result, &real));
        SAY(pthread_clockjoin_np(thread, &result, CLOCK_MONOTONIC, &mono));
        SAY(pthread_clockjoin_np(thread, &result, CLOCK_PROCESS_CPUTIME_ID, &mono));
        SAY(pthread_mutex_unlock(&meeting));
        SAY(pthread_timedjoin_np(thread, &result, NULL));
        say("gave it back", result == &real);
        SAY(pthread_create(&thread, NULL, give_back, &number));
        SAY(pthread_clockjoin_np(thread, &result, CLOCK_MONOTONIC, NULL));
        say("gave it back", result == &number);
        SAY(pthread_join(pthread_self(), NULL));
        SAY(thrd_create(&c11, seven, NULL));
        SAY(thrd_join(c11, &number));
        say("is seven", number == 7);
}

int main(void)
{
        static const struct {
                const char *name;
                int type;
        } types[] = { { "normal", PTHREAD_MUTEX_NORMAL },
                      { "recursive", PTHREAD_MUTEX_RECURSIVE },
                      { "errorcheck", PTHREAD_MUTEX_ERRORCHECK } };

        (void)setvbuf(stdout, NULL, _IOLBF, 0);
        alarm(30); /* whoever is stuck shall end */
        for (int round = 0; round < 2; round++) {
                for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
                        for (int kind = 0; kind < 4; kind++)
                                mutex_of(types[i].name, types[i].type,
                                         kind & 1 ? PTHREAD_MUTEX_ROBUST : PTHREAD_MUTEX_STALLED,
                                         kind & 2 ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE);
                robust_mutex();
                rwlock_of(PTHREAD_RWLOCK_PREFER_READER_NP);
                rwlock_of(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
                spin();
                mtx_of(mtx_timed);
                mtx_of(mtx_timed | mtx_recursive);
                conditions();
                semaphores();
                joins();
        }
        return 0;
}
