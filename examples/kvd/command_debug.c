/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because an alert that nobody has seen ring is a hope. DEBUG TOCSIN breaks one thing at a
 * time, on purpose; README.md says which alert answers to which. Only with --enable-debug.
 */
#include "command_call.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include <tocsin.h>

#include "clock.h"

TOC_MODULE_PART(command);

enum { ERRORS_MAX = 1000000, HANG_SLICE_MS = 10 };

static void put_ok(struct command_call *call)
{
        resp_put_status(call->reply, "OK");
}

static void break_invariant(struct command_call *call)
{
        store_break(vault_enter(call->host->vault));
        vault_leave(call->host->vault);
        put_ok(call);
}

static void fix_invariant(struct command_call *call)
{
        store_mend(vault_enter(call->host->vault));
        vault_leave(call->host->vault);
        put_ok(call);
}

static void stop_flusher(struct command_call *call)
{
        flusher_pause(call->host->flusher, true);
        put_ok(call);
}

static void start_flusher(struct command_call *call)
{
        flusher_pause(call->host->flusher, false);
        put_ok(call);
}

static void report_errors(struct command_call *call)
{
        int64_t count;

        if (call->request->count != 4 || resp_number(call->request->args[3], &count) || count < 1 ||
            count > ERRORS_MAX) {
                resp_put_error(call->reply, "ERR DEBUG TOCSIN error wants a number up to %d",
                               (int)ERRORS_MAX);
                return;
        }
        for (int64_t i = 1; i <= count; i++)
                (void)TOC_ERROR(0, TOC_USUAL, "drill: error %lld of %lld", (long long)i,
                                (long long)count);
        put_ok(call);
}

static void crash(struct command_call *call)
{
        (void)call;
        abort();
}

/* Holds the event loop, for so many milliseconds or for good. Nobody else's lock is held. */
static void hang(struct command_call *call)
{
        const struct timespec slice = { 0, HANG_SLICE_MS * 1000000 };
        uint64_t begun_ms = clock_boot_ms();
        int64_t for_ms = INT64_MAX;

        if (call->request->count == 4 &&
            (resp_number(call->request->args[3], &for_ms) || for_ms < 0)) {
                resp_put_error(call->reply, "ERR DEBUG TOCSIN hang wants milliseconds");
                return;
        }
        while (clock_boot_ms() - begun_ms < (uint64_t)for_ms)
                (void)nanosleep(&slice, NULL); /* a signal only makes it look earlier */
        put_ok(call);
}

/* ---- Two threads that wait for each other for good ------------------------ */

static pthread_mutex_t hammer = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t nails = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_hold_one;

/* Neither comes back: the first who took both would have undone it. */
static void take(pthread_mutex_t *first, pthread_mutex_t *second)
{
        TOC_ENTER(command);

        (void)pthread_mutex_lock(first); /* normal ones of our own: cannot fail */
        (void)pthread_barrier_wait(&both_hold_one);
        (void)pthread_mutex_lock(second);
}

static void *hang_up_a_picture(void *unused)
{
        take(&hammer, &nails);
        return unused;
}

static void *mend_a_fence(void *unused)
{
        take(&nails, &hammer);
        return unused;
}

/* Nobody else needs those locks: the server serves on, and only from inside it can be seen. Once:
 * if there was room for one of them only, that one waits for the other all the same. */
static void deadlock(struct command_call *call)
{
        static bool was_tried;
        pthread_t one, other;

        if (was_tried) {
                resp_put_error(call->reply, "ERR they wait for each other already");
                return;
        }
        was_tried = true;
        if (pthread_barrier_init(&both_hold_one, NULL, 2) ||
            pthread_create(&one, NULL, hang_up_a_picture, NULL) ||
            pthread_create(&other, NULL, mend_a_fence, NULL))
                resp_put_error(call->reply, "ERR there is no room for two threads");
        else
                put_ok(call);
}

struct action {
        const char *name;
        size_t args_max; /* with DEBUG TOCSIN and the name */
        void (*function)(struct command_call *call);
};

static const struct action actions[] = {
        { "break-invariant", 3, break_invariant },
        { "fix-invariant", 3, fix_invariant },
        { "stop-flusher", 3, stop_flusher },
        { "start-flusher", 3, start_flusher },
        { "error", 4, report_errors },
        { "crash", 3, crash },
        { "hang", 4, hang },
        { "deadlock", 3, deadlock },
};

void command_debug(struct command_call *call)
{
        const struct resp_request *request = call->request;

        if (!call->host->options->has_debug) {
                resp_put_error(call->reply, "ERR DEBUG is off; start kvd with --enable-debug");
                return;
        }
        if (!resp_is(request->args[1], "TOCSIN") || request->count < 3) {
                resp_put_error(call->reply, "ERR only DEBUG TOCSIN is supported");
                return;
        }
        for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
                if (!resp_is(request->args[2], actions[i].name))
                        continue;
                if (request->count > actions[i].args_max)
                        command_put_syntax_error(call);
                else
                        actions[i].function(call);
                return;
        }
        resp_put_error(call->reply, "ERR DEBUG TOCSIN knows break-invariant fix-invariant "
                                    "stop-flusher start-flusher error crash hang deadlock");
}
