/* SPDX-License-Identifier: Apache-2.0 */
/* join.c - who waits for the end of a thread, and for whose end nobody has waited.
 *
 * libc gives a pthread_t to the next thread as soon as the last one is joined, before we know that
 * it is: so an entry that somebody joins is found by nobody else. Nor do we know a thread before it
 * runs; and it may be joined or detached before: then its entry comes first, without a site. */
#include "inside/join.h"

#include <pthread.h>
#include <threads.h>

#include "inside/inside.h"
#include "inside/real.h"
#include "probe/guard.h"

static struct {
        int (*pthread_join)(pthread_t, void **);
        int (*pthread_tryjoin_np)(pthread_t, void **);
        int (*pthread_timedjoin_np)(pthread_t, void **, const struct timespec *);
        int (*pthread_clockjoin_np)(pthread_t, void **, clockid_t, const struct timespec *);
        int (*pthread_detach)(pthread_t);
        int (*thrd_join)(thrd_t, int *);
        int (*thrd_detach)(thrd_t);
} real;

struct join {
        struct inside_thread *page; /* NULL: it shares the crowd's, where no wait stands */
        pthread_t thread;
        bool is_done;
};

/* Under the guard. */
static struct joinable {
        pthread_t thread;
        const struct join *joined_by;
        uint32_t site; /* where it was made; 0: it has not begun; detached, if nobody joins it */
        bool has_ended;
} joinable[inside_joinable_max];
static uint32_t joinable_count;

void inside_join_start(void)
{
        INSIDE_REAL(real.pthread_join, "pthread_join");
        INSIDE_REAL(real.pthread_tryjoin_np, "pthread_tryjoin_np");
        INSIDE_REAL(real.pthread_timedjoin_np, "pthread_timedjoin_np");
        INSIDE_REAL(real.pthread_clockjoin_np, "pthread_clockjoin_np");
        INSIDE_REAL(real.pthread_detach, "pthread_detach");
        INSIDE_REAL(real.thrd_join, "thrd_join");
        INSIDE_REAL(real.thrd_detach, "thrd_detach");
}

void inside_join_forked(void)
{
        joinable_count = 0;
}

static bool is_free(const struct joinable *entry)
{
        return !entry->joined_by;
}

static bool is_unborn(const struct joinable *entry)
{
        return !entry->site;
}

static bool goes_on(const struct joinable *entry)
{
        return entry->site && !entry->has_ended;
}

static struct joinable *find(pthread_t thread, bool (*is_it)(const struct joinable *entry))
{
        for (uint32_t i = joinable_count; i-- > 0;)
                if (joinable[i].thread == thread && is_it(&joinable[i]))
                        return &joinable[i];
        return NULL;
}

static struct joinable *find_joined_by(const struct join *join)
{
        for (uint32_t i = joinable_count; i-- > 0;)
                if (joinable[i].joined_by == join)
                        return &joinable[i];
        return NULL;
}

static struct joinable *add(pthread_t thread, uint32_t site)
{
        if (joinable_count == inside_joinable_max)
                return NULL;
        joinable[joinable_count] = (struct joinable){ .thread = thread, .site = site };
        return &joinable[joinable_count++];
}

static void take_out(struct joinable *entry)
{
        *entry = joinable[--joinable_count];
}

void inside_join_born(uint32_t site)
{
        struct guard guard = toc_guard_enter_();
        struct joinable *entry = find(pthread_self(), is_unborn);

        if (!entry)
                (void)add(pthread_self(), site); /* or it counts until it ends */
        else if (entry->joined_by)
                entry->site = site;
        else
                take_out(entry);
        toc_guard_leave_(guard);
}

bool inside_join_ended(void)
{
        struct guard guard = toc_guard_enter_();
        struct joinable *entry = find(pthread_self(), goes_on);

        if (entry)
                entry->has_ended = true;
        toc_guard_leave_(guard);
        return !entry;
}

/* ---- Joins ----------------------------------------------------------------------------*/

static void begin_join(struct join *join, const void *at)
{
        struct guard guard = toc_guard_enter_();
        struct joinable *entry = find(join->thread, is_free);

        if (!entry)
                entry = add(join->thread, 0);
        if (entry)
                entry->joined_by = join;
        toc_guard_leave_(guard);
        /* Who it is stands on a page of its own, as soon as it runs: the watcher finds it. */
        if (join->page)
                inside_wait_begin(join->page, INSIDE_JOIN, (const void *)join->thread, at);
}

static void end_join(struct join *join)
{
        struct joinable *entry;
        struct guard guard;
        uint32_t site = 0;

        if (join->page)
                inside_wait_end(join->page);
        guard = toc_guard_enter_();
        entry = find_joined_by(join);
        if (entry && (join->is_done || !entry->site)) {
                site = join->is_done ? entry->site : 0;
                take_out(entry);
        } else if (entry) {
                entry->joined_by = NULL; /* it took too long, or was cancelled */
        }
        toc_guard_leave_(guard);
        if (site)
                inside_ended(inside_page(), site, 0);
}

#define JOIN(other, call)                                                                     \
        if (!inside_is_awake())                                                               \
                return call;                                                                  \
        __attribute__((cleanup(end_join))) struct join join = { .page = inside_local_.own,    \
                                                                .thread = (pthread_t)other }; \
        int outcome;                                                                          \
                                                                                              \
        begin_join(&join, __builtin_return_address(0));                                       \
        outcome = call;                                                                       \
        join.is_done = outcome == 0; /* thrd_success, too */                                  \
        return outcome

INSIDE_PUBLIC int pthread_join(pthread_t thread, void **result)
{
        JOIN(thread, real.pthread_join(thread, result));
}

INSIDE_PUBLIC int pthread_tryjoin_np(pthread_t thread, void **result)
{
        JOIN(thread, real.pthread_tryjoin_np(thread, result));
}

INSIDE_PUBLIC int pthread_timedjoin_np(pthread_t thread, void **result,
                                       const struct timespec *until)
{
        JOIN(thread, real.pthread_timedjoin_np(thread, result, until));
}

INSIDE_PUBLIC int pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock,
                                       const struct timespec *until)
{
        JOIN(thread, real.pthread_clockjoin_np(thread, result, clock, until));
}

INSIDE_PUBLIC int thrd_join(thrd_t thread, int *result)
{
        JOIN(thread, real.thrd_join(thread, result));
}

/* ---- Who is detached is joined by nobody ----------------------------------------------- */

/* Before it is done: after it, another thread may have the same pthread_t. */
static void detach(pthread_t thread)
{
        struct guard guard = toc_guard_enter_();
        struct joinable *entry = find(thread, is_free);
        uint32_t site = 0;

        if (!entry) {
                (void)add(thread, 0);
        } else if (entry->site) {
                site = entry->has_ended ? entry->site : 0;
                take_out(entry);
        }
        toc_guard_leave_(guard);
        if (site)
                inside_ended(inside_page(), site, 0);
}

INSIDE_PUBLIC int pthread_detach(pthread_t thread)
{
        if (inside_is_awake())
                detach(thread);
        return real.pthread_detach(thread);
}

INSIDE_PUBLIC int thrd_detach(thrd_t thread)
{
        if (inside_is_awake())
                detach((pthread_t)thread);
        return real.thrd_detach(thread);
}
