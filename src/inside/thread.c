/* SPDX-License-Identifier: Apache-2.0 */
/* thread.c - every thread of the program, with the place where it was made.
 *
 * A thread has ended when its destructors run: however it came to that. Then join.c says whether it
 * still counts. One that was made by clone(2) is not seen. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/types.h>
#include <threads.h>
#include <unistd.h>

#include "inside/inside.h"
#include "inside/join.h"
#include "inside/real.h"

static struct {
        int (*pthread_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
        int (*thrd_create)(thrd_t *, thrd_start_t, void *);
} real;

static pthread_key_t key;
static bool has_key;

static void on_end(void *site)
{
        struct inside_thread *page = inside_page();

        if (inside_join_ended())
                inside_ended(page, (uint32_t)(uintptr_t)site, 0);
        if (!inside_is_crowd(page))
                page->self = 0; /* the next thread may be given the same one */
        inside_heap_thread_end();
}

void inside_thread_start(void)
{
        INSIDE_REAL(real.pthread_create, "pthread_create");
        INSIDE_REAL(real.thrd_create, "thrd_create");
        has_key = pthread_key_create(&key, on_end) == 0;
        if (has_key)
                inside_.flags |= INSIDE_HAS_THREADS;
}

/* In the child of a fork there is one thread: the others have ended. */
void inside_thread_forked(void)
{
        struct inside_thread *mine = inside_local_.own;
        uint64_t live[INSIDE_SITES] = { 0 };

        inside_join_forked();
        for (uint32_t i = 0; i < inside_region_pages(); i++)
                for (uint32_t k = 0; k < inside_.head->sites; k++)
                        if (inside_.sites[k].kind == INSIDE_THREAD_KIND)
                                live[k] += inside_region_page_at(i)->cells[k].live;
        for (uint32_t k = 0; k < INSIDE_SITES; k++)
                if (live[k])
                        inside_.crowd->cells[k].live -= live[k];
        if (mine && mine->made_site)
                mine->cells[mine->made_site].live += INSIDE_ONE;
}

/* What a thread is told when it begins. */
struct birth {
        union {
                void *(*posix)(void *);
                thrd_start_t c11;
        } run;
        void *argument;
        uint32_t site;
        bool is_joinable;
};

static struct birth be_born(void *memory)
{
        struct birth birth = *(struct birth *)memory;
        struct inside_thread *page = inside_page();

        free(memory);
        if (!inside_is_crowd(page))
                page->made_site = birth.site;
        if (pthread_setspecific(key, (void *)(uintptr_t)birth.site))
                inside_ended(page, birth.site, 0); /* nobody will say when it ends */
        else if (birth.is_joinable)
                inside_join_born(birth.site);
        return birth;
}

static void *live(void *memory)
{
        struct birth birth = be_born(memory);

        return birth.run.posix(birth.argument);
}

static int live_c11(void *memory)
{
        struct birth birth = be_born(memory);

        return birth.run.c11(birth.argument);
}

/* NULL: it has to be made without us. */
static struct birth *conceive(void *argument, const void *at, const void *sp)
{
        struct inside_thread *page;
        struct birth *birth;

        if (!inside_is_awake() || !has_key)
                return NULL;
        inside_region_publish(); /* while there are few who could count meanwhile */
        page = inside_page();
        birth = malloc(sizeof *birth);
        if (!birth)
                return NULL;
        birth->argument = argument;
        birth->site = inside_site(page, INSIDE_THREAD_KIND, at, sp);
        inside_made(page, birth->site, 0);
        return birth;
}

static void miscarry(struct birth *birth)
{
        inside_ended(inside_page(), birth->site, 0);
        free(birth);
}

static bool is_joinable(const pthread_attr_t *attributes)
{
        int state;

        return !attributes || pthread_attr_getdetachstate(attributes, &state) ||
               state == PTHREAD_CREATE_JOINABLE;
}

INSIDE_PUBLIC int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                 void *(*run)(void *), void *argument)
{
        struct birth *birth = conceive(argument, __builtin_return_address(0), inside_sp());
        int error;

        if (!birth)
                return real.pthread_create(thread, attributes, run, argument);
        birth->run.posix = run;
        birth->is_joinable = is_joinable(attributes);
        error = real.pthread_create(thread, attributes, live, birth);
        if (error)
                miscarry(birth);
        return error;
}

INSIDE_PUBLIC int thrd_create(thrd_t *thread, thrd_start_t run, void *argument)
{
        struct birth *birth = conceive(argument, __builtin_return_address(0), inside_sp());
        int outcome;

        if (!birth)
                return real.thrd_create(thread, run, argument);
        birth->run.c11 = run;
        birth->is_joinable = true;
        outcome = real.thrd_create(thread, live_c11, birth);
        if (outcome != thrd_success)
                miscarry(birth);
        return outcome;
}

/* The child of a vfork may call what we stand in for, in its parent's memory; so it is a fork,
 * which POSIX allows. */
INSIDE_PUBLIC pid_t vfork(void);

pid_t vfork(void)
{
        return fork();
}
