/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c - exists because pthread_mutex_lock is not for signal handlers. The lock is the second
 * one of Ulrich Drepper, "Futexes Are Tricky": 0 free, 1 held, 2 held and somebody waits. */
#include "probe/guard.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

static int word;

static struct guard block_signals(void)
{
        struct guard guard = { .saved_errno = errno };
        uint64_t all = ~UINT64_C(0); /* libc would leave out the signals it uses itself */

        (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &guard.signals, sizeof all);
        return guard;
}

struct guard toc_guard_enter_(void)
{
        struct guard guard = block_signals();
        int seen = 0;

        if (__atomic_compare_exchange_n(&word, &seen, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                return guard;
        if (seen != 2)
                seen = __atomic_exchange_n(&word, 2, __ATOMIC_ACQUIRE);
        while (seen != 0) {
                (void)syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 2, NULL);
                seen = __atomic_exchange_n(&word, 2, __ATOMIC_ACQUIRE);
        }
        return guard;
}

struct guard toc_guard_seize_(void)
{
        struct guard guard = block_signals();

        __atomic_store_n(&word, 1, __ATOMIC_RELAXED);
        return guard;
}

void toc_guard_leave_(struct guard guard)
{
        if (__atomic_exchange_n(&word, 0, __ATOMIC_RELEASE) == 2)
                (void)syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
        (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &guard.signals, NULL, sizeof guard.signals);
        errno = guard.saved_errno;
}
