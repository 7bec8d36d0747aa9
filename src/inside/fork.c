/* SPDX-License-Identifier: Apache-2.0 */
/* fork.c - the child of a fork gets memory of its own before anything in it counts.
 *
 * Handlers run in the child in the order in which they came, and libraries are initialised before
 * us: so whoever registers one makes us register ours first. _Fork() runs none. */
#include <sys/types.h>

#include "inside/inside.h"
#include "inside/real.h"

extern void *__dso_handle;

static struct {
        int (*register_atfork)(void (*)(void), void (*)(void), void (*)(void), void *);
        pid_t (*fork)(void);
} real;

void inside_fork_start(void)
{
        INSIDE_REAL(real.register_atfork, "__register_atfork");
        INSIDE_REAL(real.fork, "_Fork");
}

void inside_fork_watch(void)
{
        if (real.register_atfork) /* without memory: nothing to be done */
                (void)real.register_atfork(NULL, NULL, inside_region_forked, __dso_handle);
}

INSIDE_PUBLIC int __register_atfork(void (*before)(void), void (*parent)(void), void (*child)(void),
                                    void *object);
INSIDE_PUBLIC pid_t _Fork(void);

/* pthread_atfork() is a part of each program and calls this. */
int __register_atfork(void (*before)(void), void (*parent)(void), void (*child)(void), void *object)
{
        if (inside_.state == INSIDE_ASLEEP)
                inside_start();
        return real.register_atfork(before, parent, child, object);
}

pid_t _Fork(void)
{
        pid_t child;

        if (inside_.state == INSIDE_ASLEEP)
                inside_start();
        child = real.fork();
        if (child == 0 && inside_is_ready())
                inside_region_forked();
        return child;
}
