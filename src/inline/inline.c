/* SPDX-License-Identifier: Apache-2.0 */
/* Exists for programs that nobody watches: the thread in which they judge themselves, and its life.
 *
 * A child of fork has none of it, whatever another thread was doing: the locks are made anew there,
 * and the memory of the parent's evaluator, which may be half changed, is left alone. */
#include <tocsin-inline.h>

#include "inline/self.h"
#include "inline/tell.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_NS UINT64_C(1000000000)

/* One evaluator; of its thread, but for what the lock guards. */
struct evaluator {
        struct self *self;
        struct tell tell;
        bool has_said_ignored;
        bool has_said_failed;
};

static pthread_mutex_t api_lock = PTHREAD_MUTEX_INITIALIZER;  /* held by start and stop */
static pthread_mutex_t wake_lock = PTHREAD_MUTEX_INITIALIZER; /* guards is_over */
static pthread_cond_t wake;                                   /* of CLOCK_MONOTONIC */
static bool is_over;
static int not_ready;             /* why no evaluator can be had at all, or 0 */
static struct evaluator *running; /* NULL: there is no thread to be joined */
static pthread_t thread;
static __thread struct evaluator *own; /* NULL: this thread is none, or its callback has forked */

/* ---- The thread -----------------------------------------------------------------------*/

static uint64_t now(void)
{
        struct timespec time = { 0 };

        (void)clock_gettime(CLOCK_MONOTONIC, &time); /* cannot fail: the clock exists */
        return (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_nsec;
}

static void say_trouble(struct evaluator *evaluator, int failed)
{
        const char *why = NULL;
        uint32_t ignored = self_ignored(evaluator->self, &why);

        if (failed && !evaluator->has_said_failed)
                tell_say(&evaluator->tell, "warning: probes cannot be judged now: %s",
                         strerrordesc_np(-failed));
        evaluator->has_said_failed = failed;
        if (ignored && !evaluator->has_said_ignored)
                tell_say(&evaluator->tell,
                         "warning: %u probes cannot be judged and are ignored; the first: %s",
                         (unsigned)ignored, why);
        evaluator->has_said_ignored |= ignored > 0;
}

static void look(struct evaluator *evaluator, bool is_tick)
{
        const struct rule_change *changes = NULL;
        size_t count = 0;
        uint64_t now_ns = now();
        int failed = self_judge(evaluator->self, now_ns, is_tick, &changes, &count);

        say_trouble(evaluator, failed);
        if (!failed)
                tell_changes(&evaluator->tell, self_rules(evaluator->self), now_ns, changes, count);
}

/* False if it is to end. */
static bool wait_until(uint64_t at_ns)
{
        struct timespec at = { .tv_sec = (time_t)(at_ns / SECOND_NS),
                               .tv_nsec = (long)(at_ns % SECOND_NS) };
        bool goes_on;

        if (!own)
                return false;
        (void)pthread_mutex_lock(&wake_lock); /* fails only for a thread that holds it */
        while (!is_over && pthread_cond_timedwait(&wake, &wake_lock, &at) != ETIMEDOUT)
                ;
        goes_on = !is_over;
        (void)pthread_mutex_unlock(&wake_lock);
        return goes_on;
}

static void *evaluate(void *context)
{
        struct evaluator *evaluator = context;
        uint64_t next_ns = now();

        own = evaluator;
        do {
                look(evaluator, true);
                next_ns += SECOND_NS;
                if (next_ns <= now())
                        next_ns = now() +
                                  SECOND_NS; /* the process was stopped: no ticks to make up */
        } while (wait_until(next_ns));
        if (!own)
                return NULL;
        look(evaluator, false);
        tell_ended(&evaluator->tell, self_rules(evaluator->self));
        return NULL;
}

/* ---- Its life -------------------------------------------------------------------------*/

static void make_condition(void)
{
        pthread_condattr_t monotonic;

        (void)pthread_condattr_init(&monotonic); /* these four cannot fail on Linux */
        (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&wake, &monotonic);
        (void)pthread_condattr_destroy(&monotonic);
}

static void forget_in_child(void)
{
        (void)pthread_mutex_init(&api_lock, NULL); /* cannot fail on Linux */
        (void)pthread_mutex_init(&wake_lock, NULL);
        make_condition();
        running = NULL;
        if (own) /* its callback forked, and may return here: the parent tells the rest */
                own->tell.options = (struct tocsin_inline){ .is_silent = true };
        own = NULL;
}

/* Before main: a fork during the first start would leave its child a lock that is held for ever. */
__attribute__((constructor(101))) static void prepare(void)
{
        make_condition();
        not_ready = -pthread_atfork(NULL, NULL, forget_in_child);
}

static void free_evaluator(struct evaluator *evaluator)
{
        self_free(&evaluator->self);
        tell_fini(&evaluator->tell);
        free(evaluator);
}

/* Waits for the thread and takes what it had away. */
static void join(void)
{
        (void)pthread_join(thread, NULL); /* it is there, and nobody else joins it */
        free_evaluator(running);
        running = NULL;
}

/* What is longer than our struct is of a later version: it must not ask for anything there. */
static int copy_options(const struct tocsin_inline *options, struct tocsin_inline *ret_copy)
{
        const unsigned char *bytes = (const void *)options;

        *ret_copy = (struct tocsin_inline){ .bytes = sizeof(*ret_copy) };
        if (!options)
                return 0;
        if (options->bytes < sizeof(*ret_copy))
                return -EINVAL;
        for (size_t i = sizeof(*ret_copy); i < options->bytes; i++)
                if (bytes[i])
                        return -EINVAL;
        *ret_copy = *options;
        return 0;
}

/* The program's signals are not for this thread; the faults of a callback are for the program. */
static int launch(struct evaluator *evaluator)
{
        static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };
        sigset_t others, before;
        int failed;

        (void)sigfillset(&others);
        for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
                (void)sigdelset(&others, faults[i]); /* these numbers exist */

        /* A thread begins with the mask of who made it. */
        (void)pthread_sigmask(SIG_SETMASK, &others, &before);
        failed = pthread_create(&thread, NULL, evaluate, evaluator);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (!failed)
                (void)pthread_setname_np(thread, "tocsin-inline"); /* only for people */
        return -failed;
}

static int start(const struct tocsin_inline *options)
{
        struct evaluator *evaluator;
        int failed;

        if (not_ready)
                return not_ready;
        evaluator = calloc(1, sizeof(*evaluator));
        if (!evaluator)
                return -ENOMEM;
        evaluator->tell.options = *options;
        is_over = false;
        failed = self_new(&evaluator->self);
        if (!failed)
                failed = launch(evaluator);
        if (failed)
                free_evaluator(evaluator);
        else
                running = evaluator;
        return failed;
}

static bool is_asked_to_end(void)
{
        bool asked;

        (void)pthread_mutex_lock(&wake_lock);
        asked = is_over;
        (void)pthread_mutex_unlock(&wake_lock);
        return asked;
}

static void ask_to_end(void)
{
        (void)pthread_mutex_lock(&wake_lock);
        is_over = true;
        (void)pthread_cond_signal(&wake);
        (void)pthread_mutex_unlock(&wake_lock);
}

int tocsin_inline_start(const struct tocsin_inline *options)
{
        struct tocsin_inline copy;
        int failed = copy_options(options, &copy);

        if (failed)
                return failed;
        if (own)
                return -EDEADLK;
        (void)pthread_mutex_lock(&api_lock);
        if (running && is_asked_to_end())
                join(); /* it was stopped in its callback, where nobody could wait for it */
        failed = running ? -EALREADY : start(&copy);
        (void)pthread_mutex_unlock(&api_lock);
        return failed;
}

void tocsin_inline_stop(void)
{
        if (own) {
                ask_to_end();
                return;
        }
        (void)pthread_mutex_lock(&api_lock);
        if (running) {
                ask_to_end();
                join();
        }
        (void)pthread_mutex_unlock(&api_lock);
}
