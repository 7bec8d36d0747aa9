/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to make the world around a candidate go wrong while it does what it always does: what it
 * frees is not freed, what it unlocks stays locked, what it closes stays open, and all takes long.
 * Whether anybody would notice is the gate's to judge.
 *
 * As in heap.c, only the candidate's object calls these (wrap.def).
 */
#include "case/harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static _Atomic uint64_t unlocks;

static bool strikes(bool is_asked_for)
{
        if (!is_asked_for || !toc_heap_is_armed_())
                return false;
        toc_heap_fired_();
        return true;
}

bool toc_fault_leaks_(void)
{
        return strikes(toc_harness_run_.leaks);
}

void toc_fault_delay_(void)
{
        const uint64_t us = toc_harness_run_.slow_us;
        struct timespec nap = { .tv_sec = (time_t)(us / 1000000),
                                .tv_nsec = (long)(us % 1000000) * 1000 };
        int error = errno;

        if (!strikes(us))
                return;
        (void)nanosleep(&nap, NULL); /* cut short by a signal is slow enough */
        errno = error;
}

static bool keeps_locked(void)
{
        const uint64_t at = toc_harness_run_.deadlocks_at;

        return at && toc_heap_is_armed_() && 1 + atomic_fetch_add(&unlocks, 1) >= at &&
               strikes(true);
}

#define WRAPPED(type, name, ...)         \
        type __wrap_##name(__VA_ARGS__); \
        type __wrap_##name(__VA_ARGS__)

#define DELAYED(type, name, arguments, ...) \
        WRAPPED(type, name, __VA_ARGS__)    \
        {                                   \
                toc_fault_delay_();         \
                return name arguments;      \
        }

DELAYED(int, pthread_mutex_lock, (lock), pthread_mutex_t *lock)
DELAYED(int, pthread_rwlock_rdlock, (lock), pthread_rwlock_t *lock)
DELAYED(int, pthread_rwlock_wrlock, (lock), pthread_rwlock_t *lock)
DELAYED(int, mtx_lock, (lock), mtx_t *lock)
DELAYED(ssize_t, read, (fd, bytes, size), int fd, void *bytes, size_t size)
DELAYED(ssize_t, write, (fd, bytes, size), int fd, const void *bytes, size_t size)
DELAYED(ssize_t, pread, (fd, bytes, size, at), int fd, void *bytes, size_t size, off_t at)
DELAYED(ssize_t, pwrite, (fd, bytes, size, at), int fd, const void *bytes, size_t size, off_t at)
DELAYED(ssize_t, pread64, (fd, bytes, size, at), int fd, void *bytes, size_t size, off64_t at)
DELAYED(ssize_t, pwrite64, (fd, bytes, size, at), int fd, const void *bytes, size_t size,
        off64_t at)
DELAYED(int, fsync, (fd), int fd)
DELAYED(int, fdatasync, (fd), int fd)

WRAPPED(int, pthread_mutex_unlock, pthread_mutex_t *lock)
{
        return keeps_locked() ? 0 : pthread_mutex_unlock(lock);
}

WRAPPED(int, pthread_rwlock_unlock, pthread_rwlock_t *lock)
{
        return keeps_locked() ? 0 : pthread_rwlock_unlock(lock);
}

WRAPPED(int, mtx_unlock, mtx_t *lock)
{
        return keeps_locked() ? thrd_success : mtx_unlock(lock);
}

WRAPPED(int, close, int fd)
{
        return strikes(toc_harness_run_.loses_descriptors) ? 0 : close(fd);
}
