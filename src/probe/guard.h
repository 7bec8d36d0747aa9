/* SPDX-License-Identifier: Apache-2.0 */
/* guard.h - the one lock of the runtime, held with every signal blocked, so that a handler which
 * meets its first probe cannot deadlock with the code it interrupted. Nothing under it waits for
 * anything but the kernel.
 *
 * Threads and signal handlers: any. Errors: none. errno is as before after leaving. */
#ifndef TOCSIN_GUARD_H
#define TOCSIN_GUARD_H

#include <stdint.h>

#pragma GCC visibility push(hidden)

struct guard {
        uint64_t signals;
        int saved_errno;
};

struct guard toc_guard_enter_(void);

/* In the child of a fork: there is no other thread, whoever held the lock. */
struct guard toc_guard_seize_(void);

void toc_guard_leave_(struct guard guard);

#pragma GCC visibility pop

#endif
