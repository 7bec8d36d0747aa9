/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because the event loop must never wait for a disk.
 */
#include "flusher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tocsin.h>

#include "clock.h"

TOC_MODULE(flusher, "Background thread: expiry and snapshots");

/* The limit is seven intervals of 100 ms, and less than a tick of the watcher: a stop is noticed
 * at the second tick after it, whenever it happens. */
TOC_HEARTBEAT(flusher, "Ticks of the flusher thread",
              TOC_ALERT(silent_ms, >, 700, TOC_PAGE,
                        "flusher is stuck: nothing expires, nothing is saved"),
              TOC_RUNBOOK("examples/kvd/README.md#flusher-silent"));
TOC_COUNTER(saves, "Snapshots completed", TOC_QUIET("unsaved_s says when one is missing"));
TOC_GAUGE(unsaved_s, "Age of the oldest change that no snapshot holds",
          TOC_ALERT(value, >, 30, TOC_WARN, "saving lags: a crash loses this many seconds"),
          TOC_ALERT(value, >, 120, TOC_PAGE, "changes are not being saved"),
          TOC_RUNBOOK("examples/kvd/README.md#not-saved"));
TOC_OPERATION(snapshot, "Snapshots being written",
              TOC_ALERT(oldest_ms, >, 60000, TOC_PAGE,
                        "a snapshot hangs: the disk does not answer"),
              TOC_RUNBOOK("examples/kvd/README.md#not-saved"));
TOC_TIMER(saving, "One snapshot, until it is on the disk",
          TOC_ALERT(max_us, >, 20000000, TOC_NOTE, "snapshots take long: is the disk slow?"));
TOC_SHARE(failed_saves, "Snapshots that failed, of those tried",
          TOC_ALERT(permille, >, 500, TOC_WARN, "most snapshots fail", .window_s = 600,
                    .volume_min = 4),
          TOC_RUNBOOK("examples/kvd/README.md#not-saved"));

/* A save that takes so many times --save-ms is slow. */
enum { SLOW_SAVE_FACTOR = 5 };

struct flusher {
        struct flusher_options options;
        pthread_t thread;
        pthread_mutex_t lock; /* guards what follows, up to the gap */
        pthread_cond_t wake;
        bool has_to_stop;
        bool has_ended;
        struct flusher_stats stats;

        /* The thread's own. */
        size_t stripe;          /* where the sweep goes on */
        uint64_t saved_changes; /* store_stats().changes that the file holds */
        uint64_t unsaved_ms;    /* since when there are others; 0: there are none */
        uint64_t tried_ms;      /* when the last save ended, well or not */
};

void flusher_beat(void)
{
        toc_beat(flusher);
}

static void sweep(struct flusher *flusher)
{
        struct vault *vault = flusher->options.vault;
        size_t stripes = store_stripes(vault->store); /* fixed: needs no lock */

        for (size_t i = 0; i < stripes && i < FLUSHER_STRIPES_MAX; i++) {
                struct store *store = vault_enter(vault);
                int result = store_sweep(store, flusher->stripe, clock_boot_ms(), NULL, NULL);

                vault_leave(vault);
                if (result)
                        return; /* the failed check has rung; here is nothing to add */
                flusher->stripe = (flusher->stripe + 1) % stripes;
        }
}

static uint64_t changes(struct vault *vault)
{
        uint64_t count = store_stats(vault_enter(vault)).changes;

        vault_leave(vault);
        return count;
}

static bool has_changes(struct flusher *flusher)
{
        return flusher->options.file.name &&
               changes(flusher->options.vault) != flusher->saved_changes;
}

/* What a failed save says, and its rule: each one means that a crash now loses data. */
static int report(const struct flusher *flusher, int error)
{
        if (error == -EUCLEAN)
                return TOC_ERROR(error, TOC_QUIET("the store's own expectation has rung"),
                                 "the store is damaged: '%s' is left as it was",
                                 flusher->options.file.name);
        return TOC_ERROR(error,
                         TOC_ALERT(per_minute, >, 0, TOC_PAGE,
                                   "a snapshot failed: changes are only in memory"),
                         "cannot write snapshot '%s': %s", flusher->options.file.name,
                         strerrordesc_np(-error));
}

static int write_snapshot(struct flusher *flusher, void (*alive)(void))
{
        TOC_OPERATION_SCOPE(snapshot);
        TOC_TIME_SCOPE(saving);
        int result = snapshot_write(&flusher->options.file, flusher->options.vault, alive);

        toc_share(failed_saves, result != 0);
        return result;
}

static int save(struct flusher *flusher, void (*alive)(void))
{
        uint64_t begun_ms = clock_boot_ms();
        uint64_t begun_with = changes(flusher->options.vault);
        int result = write_snapshot(flusher, alive);

        flusher->tried_ms = clock_boot_ms();
        (void)pthread_mutex_lock(&flusher->lock); /* cannot fail, here and below: default kind */
        if (result == 0)
                flusher->stats.saves++;
        else
                flusher->stats.saves_failed++;
        (void)pthread_mutex_unlock(&flusher->lock);
        if (result)
                return report(flusher, result);
        toc_count(saves);
        if (flusher->tried_ms - begun_ms > (uint64_t)SLOW_SAVE_FACTOR * flusher->options.save_ms)
                (void)TOC_WARNING(0,
                                  TOC_ALERT(per_minute, >, 3, TOC_NOTE,
                                            "saving takes far longer than --save-ms: slow disk?"),
                                  "snapshot '%s' took %llu ms", flusher->options.file.name,
                                  (unsigned long long)(flusher->tried_ms - begun_ms));
        flusher->saved_changes = begun_with;
        flusher->unsaved_ms = has_changes(flusher) ? begun_ms : 0;
        return 0;
}

/* Also after a failure the next try waits for save_ms: a full disk is not helped by haste. */
static void save_if_due(struct flusher *flusher)
{
        uint64_t now_ms = clock_boot_ms();

        if (has_changes(flusher)) {
                if (flusher->unsaved_ms == 0)
                        flusher->unsaved_ms = now_ms;
                if (now_ms - flusher->tried_ms >= flusher->options.save_ms)
                        (void)save(flusher, flusher_beat); /* reported there, tried again here */
        }
        toc_set(unsaved_s, flusher->unsaved_ms
                                   ? (int64_t)((clock_boot_ms() - flusher->unsaved_ms) / 1000)
                                   : 0);
}

static struct timespec from_now(uint32_t ms)
{
        struct timespec at;
        uint64_t nanoseconds;

        (void)clock_gettime(CLOCK_MONOTONIC, &at); /* cannot fail */
        nanoseconds = (uint64_t)at.tv_nsec + (uint64_t)ms * 1000000;
        at.tv_sec += (time_t)(nanoseconds / 1000000000);
        at.tv_nsec = (long)(nanoseconds % 1000000000);
        return at;
}

/* Waits for the interval, and longer while paused. False: it is time to stop. */
static bool wait_for_tick(struct flusher *flusher)
{
        struct timespec until = from_now(flusher->options.interval_ms);
        bool goes_on;
        int result = 0;

        (void)pthread_mutex_lock(&flusher->lock);
        while (!flusher->has_to_stop && (result == 0 || flusher->stats.is_paused)) {
                if (flusher->stats.is_paused)
                        result = pthread_cond_wait(&flusher->wake, &flusher->lock);
                else
                        result = pthread_cond_timedwait(&flusher->wake, &flusher->lock, &until);
        }
        goes_on = !flusher->has_to_stop;
        if (goes_on)
                flusher->stats.ticks++;
        (void)pthread_mutex_unlock(&flusher->lock);
        return goes_on;
}

static void *run(void *context)
{
        struct flusher *flusher = context;

        flusher_beat();
        while (wait_for_tick(flusher)) {
                flusher_beat();
                sweep(flusher);
                save_if_due(flusher);
        }
        (void)pthread_mutex_lock(&flusher->lock);
        flusher->has_ended = true;
        (void)pthread_cond_signal(&flusher->wake); /* cannot fail; only who stops us waits now */
        (void)pthread_mutex_unlock(&flusher->lock);
        return NULL;
}

static int init_wake(pthread_cond_t *wake)
{
        pthread_condattr_t attributes;
        int result = -pthread_condattr_init(&attributes);

        if (result)
                return result;
        result = -pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (result == 0)
                result = -pthread_cond_init(wake, &attributes);
        (void)pthread_condattr_destroy(&attributes); /* cannot fail once initialised */
        return result;
}

int flusher_start(struct flusher **ret_flusher, const struct flusher_options *options)
{
        struct flusher *flusher = calloc(1, sizeof(*flusher));
        int result;

        if (!flusher)
                return -ENOMEM;
        flusher->options = *options;
        flusher->saved_changes = changes(options->vault);
        result = -pthread_mutex_init(&flusher->lock, NULL);
        if (result == 0)
                result = init_wake(&flusher->wake);
        if (result == 0)
                result = -pthread_create(&flusher->thread, NULL, run, flusher);
        if (result) {
                free(flusher);
                return result;
        }
        *ret_flusher = flusher;
        return 0;
}

/* Tells the thread to end and waits until it has: it may be in the middle of a save. */
static void end_thread(struct flusher *flusher, void (*alive)(void))
{
        struct timespec until;

        (void)pthread_mutex_lock(&flusher->lock);
        flusher->has_to_stop = true;
        (void)pthread_cond_signal(&flusher->wake); /* cannot fail */
        while (!flusher->has_ended) {
                alive();
                until = from_now(FLUSHER_ALIVE_MS);
                /* Whether woken or timed out, the condition is looked at again. */
                (void)pthread_cond_timedwait(&flusher->wake, &flusher->lock, &until);
        }
        (void)pthread_mutex_unlock(&flusher->lock);
        (void)pthread_join(flusher->thread, NULL); /* ours, joined once: cannot fail */
}

int flusher_stop(struct flusher **flusher, void (*alive)(void))
{
        struct flusher *leaving = *flusher;
        int result = 0;

        if (!leaving)
                return 0;
        end_thread(leaving, alive);
        if (has_changes(leaving))
                result = save(leaving, alive);
        (void)pthread_cond_destroy(&leaving->wake);  /* nobody waits any more */
        (void)pthread_mutex_destroy(&leaving->lock); /* nor is inside */
        free(leaving);
        *flusher = NULL;
        return result;
}

void flusher_pause(struct flusher *flusher, bool is_paused)
{
        (void)pthread_mutex_lock(&flusher->lock);
        flusher->stats.is_paused = is_paused;
        (void)pthread_cond_signal(&flusher->wake); /* cannot fail */
        (void)pthread_mutex_unlock(&flusher->lock);
}

struct flusher_stats flusher_stats(struct flusher *flusher)
{
        struct flusher_stats stats;

        (void)pthread_mutex_lock(&flusher->lock);
        stats = flusher->stats;
        (void)pthread_mutex_unlock(&flusher->lock);
        return stats;
}
