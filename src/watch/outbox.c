/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because an alert that was said once must not be lost to a receiver that is down, and a
 * receiver that is slow must not hold the watcher.
 *
 * The places of the receivers are kept in memory and copied to the file, so that a full disk can
 * neither stop delivery nor repeat it within one run.
 */
#include "watch/outbox.h"
#include "watch/store.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

enum { prune_every = 64 };

/* An event that could not be written to the file. */
struct waiting {
        uint64_t sequence;
        enum outbox_type type;
        char *body;
        size_t length;
};

struct subscriber {
        enum outbox_type types;
        uint64_t place; /* the last sequence acknowledged */
};

struct outbox {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        struct store *store; /* NULL: memory only */
        int acknowledged_fd;
        uint64_t next_sequence;
        uint64_t lost;
        unsigned acknowledged; /* since the last pruning */
        bool is_stopped;
        bool is_hurried;
        struct subscriber subscribers[outbox_subscriber_max];
        unsigned subscriber_count;
        struct waiting waiting[outbox_memory_max]; /* oldest first */
        size_t waiting_count;
};

static void lock(struct outbox *outbox)
{
        (void)pthread_mutex_lock(&outbox->lock); /* fails only for a thread that holds it */
}

static void unlock(struct outbox *outbox)
{
        (void)pthread_mutex_unlock(&outbox->lock); /* as above */
}

static int init_lock(struct outbox *outbox)
{
        pthread_condattr_t attributes;
        int failed = pthread_mutex_init(&outbox->lock, NULL);

        if (failed)
                return -failed;
        failed = pthread_condattr_init(&attributes);
        if (!failed)
                failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (!failed)
                failed = pthread_cond_init(&outbox->changed, &attributes);
        return -failed;
}

int outbox_new(const char *path, int acknowledged_fd, struct outbox **ret_outbox)
{
        struct outbox *outbox = calloc(1, sizeof(*outbox));
        int failed = outbox ? init_lock(outbox) : -ENOMEM;

        if (!failed && path)
                failed = store_open(path, outbox_file_bytes_max, &outbox->store);
        if (failed) {
                free(outbox);
                return failed;
        }
        outbox->acknowledged_fd = acknowledged_fd;
        outbox->next_sequence = outbox->store ? store_last(outbox->store) + 1 : 1;
        *ret_outbox = outbox;
        return 0;
}

void outbox_free(struct outbox **address)
{
        struct outbox *outbox = *address;

        if (!outbox)
                return;
        store_close(&outbox->store);
        for (size_t i = 0; i < outbox->waiting_count; i++)
                free(outbox->waiting[i].body);
        (void)pthread_cond_destroy(&outbox->changed); /* nobody waits any more */
        (void)pthread_mutex_destroy(&outbox->lock);
        free(outbox);
        *address = NULL;
}

int outbox_subscribe(struct outbox *outbox, const char *name, enum outbox_type types,
                     unsigned *ret_number)
{
        BASE_SCOPE(text_fini) struct text unique = TEXT_INIT(512);
        struct subscriber *subscriber;
        int failed = 0;

        lock(outbox);
        if (outbox->subscriber_count == outbox_subscriber_max) {
                unlock(outbox);
                return -E2BIG;
        }
        /* Two receivers may look alike to people: the passwords are not in their names. */
        text_printf(&unique, "%u %s", outbox->subscriber_count, name);
        subscriber = &outbox->subscribers[outbox->subscriber_count];
        *subscriber = (struct subscriber){ .types = types };
        if (outbox->store)
                failed = store_subscribe(outbox->store, outbox->subscriber_count,
                                         text_view(&unique), types, &subscriber->place);
        if (!failed)
                *ret_number = outbox->subscriber_count++;
        unlock(outbox);
        return failed;
}

/* Whether some receiver still has to get an event of this type and sequence. */
static bool is_wanted(const struct outbox *outbox, enum outbox_type type, uint64_t sequence)
{
        for (unsigned i = 0; i < outbox->subscriber_count; i++)
                if ((type & outbox->subscribers[i].types) &&
                    sequence > outbox->subscribers[i].place)
                        return true;
        return false;
}

/* ---- Appending ------------------------------------------------------------ */

/* Oldest first, until the file refuses one. */
static void move_to_store(struct outbox *outbox)
{
        size_t moved = 0;

        while (outbox->store && moved < outbox->waiting_count) {
                struct waiting *oldest = &outbox->waiting[moved];

                if (store_insert(outbox->store, oldest->sequence, oldest->type, oldest->body,
                                 oldest->length))
                        break;
                free(oldest->body);
                moved++;
        }
        outbox->waiting_count -= moved;
        memmove(outbox->waiting, outbox->waiting + moved,
                outbox->waiting_count * sizeof(outbox->waiting[0]));
}

static int keep_in_memory(struct outbox *outbox, enum outbox_type type, const void *body,
                          size_t length)
{
        struct waiting *waiting = &outbox->waiting[outbox->waiting_count];
        char *copy = NULL;

        if (outbox->waiting_count < outbox_memory_max)
                copy = malloc(length ? length : 1);
        if (!copy) {
                outbox->lost++;
                return OUTBOX_LOST;
        }
        memcpy(copy, body, length);
        *waiting = (struct waiting){ outbox->next_sequence, type, copy, length };
        outbox->waiting_count++;
        return OUTBOX_IN_MEMORY;
}

static int append(struct outbox *outbox, enum outbox_type type, const void *body, size_t length)
{
        int failed = -ENOSPC;

        if (type != OUTBOX_ALERT && outbox->store && store_rows(outbox->store) >= outbox_log_max) {
                outbox->lost++;
                return OUTBOX_LOST;
        }
        move_to_store(outbox);
        if (outbox->store && !outbox->waiting_count)
                failed = store_insert(outbox->store, outbox->next_sequence, type, body, length);
        return failed ? keep_in_memory(outbox, type, body, length) : 0;
}

int outbox_append(struct outbox *outbox, enum outbox_type type, const void *body, size_t length)
{
        int outcome = 0;

        if (length > outbox_body_bytes_max)
                return -E2BIG;
        lock(outbox);
        if (is_wanted(outbox, type, outbox->next_sequence))
                outcome = append(outbox, type, body, length);
        if (outcome != OUTBOX_LOST)
                outbox->next_sequence++;
        if (!outbox->store && outcome == OUTBOX_IN_MEMORY)
                outcome = 0;                            /* as was asked for */
        (void)pthread_cond_broadcast(&outbox->changed); /* cannot fail */
        unlock(outbox);
        return outcome;
}

uint64_t outbox_flush(struct outbox *outbox)
{
        uint64_t left;

        lock(outbox);
        move_to_store(outbox);
        left = outbox->waiting_count;
        unlock(outbox);
        return left;
}

/* ---- Taking --------------------------------------------------------------- */

static const struct waiting *first_waiting(const struct outbox *outbox,
                                           const struct subscriber *subscriber)
{
        for (size_t i = 0; i < outbox->waiting_count; i++)
                if (outbox->waiting[i].sequence > subscriber->place &&
                    (outbox->waiting[i].type & subscriber->types))
                        return &outbox->waiting[i];
        return NULL;
}

/* 0, -ENOENT when there is nothing, or -errno. What is in memory came after what is in the file. */
static int take(struct outbox *outbox, const struct subscriber *subscriber, uint64_t *ret_sequence,
                struct text *body)
{
        const struct waiting *waiting;
        int failed = -ENOENT;

        if (outbox->store)
                failed = store_next(outbox->store, subscriber->place, subscriber->types,
                                    ret_sequence, body);
        if (failed != -ENOENT)
                return failed;
        waiting = first_waiting(outbox, subscriber);
        if (!waiting)
                return -ENOENT;
        text_clear(body);
        text_append_bytes(body, waiting->body, waiting->length);
        *ret_sequence = waiting->sequence;
        return body->error;
}

int outbox_take(struct outbox *outbox, unsigned number, uint64_t *ret_sequence, struct text *body)
{
        int outcome = -ENOENT;

        lock(outbox);
        while (!outbox->is_stopped) {
                outcome = take(outbox, &outbox->subscribers[number], ret_sequence, body);
                if (outcome != -ENOENT)
                        break;
                (void)pthread_cond_wait(&outbox->changed, &outbox->lock); /* cannot fail */
        }
        if (outbox->is_stopped)
                outcome = OUTBOX_STOPPED;
        unlock(outbox);
        return outcome;
}

/* What every receiver has is forgotten. */
static void forget_waiting(struct outbox *outbox)
{
        size_t kept = 0;

        for (size_t i = 0; i < outbox->waiting_count; i++) {
                struct waiting *waiting = &outbox->waiting[i];

                if (is_wanted(outbox, waiting->type, waiting->sequence))
                        outbox->waiting[kept++] = *waiting;
                else
                        free(waiting->body);
        }
        outbox->waiting_count = kept;
}

void outbox_acknowledge(struct outbox *outbox, unsigned number, uint64_t sequence)
{
        uint64_t one = 1;

        lock(outbox);
        if (sequence > outbox->subscribers[number].place)
                outbox->subscribers[number].place = sequence;
        /* A place that the file does not learn repeats an event after a restart, and loses none. */
        if (outbox->store)
                (void)store_move(outbox->store, number, outbox->subscribers[number].place);
        if (outbox->store && ++outbox->acknowledged >= prune_every) {
                outbox->acknowledged = 0;
                store_prune(outbox->store);
        }
        if (outbox->waiting_count)
                forget_waiting(outbox);
        unlock(outbox);
        if (outbox->acknowledged_fd >= 0)
                (void)!write(outbox->acknowledged_fd, &one, sizeof(one)); /* full: it is awake */
}

uint64_t outbox_pending(struct outbox *outbox, unsigned number)
{
        const struct subscriber *subscriber = &outbox->subscribers[number];
        uint64_t count = 0;

        lock(outbox);
        if (outbox->store)
                count = store_count(outbox->store, subscriber->place, subscriber->types);
        for (size_t i = 0; i < outbox->waiting_count; i++)
                count += outbox->waiting[i].sequence > subscriber->place &&
                         (outbox->waiting[i].type & subscriber->types);
        unlock(outbox);
        return count;
}

uint64_t outbox_lost(struct outbox *outbox)
{
        uint64_t lost;

        lock(outbox);
        lost = outbox->lost;
        unlock(outbox);
        return lost;
}

/* ---- The end -------------------------------------------------------------- */

int outbox_pause(struct outbox *outbox, uint64_t time_ns)
{
        uint64_t until_ns = clock_monotonic_ns() + time_ns;
        struct timespec until = { .tv_sec = (time_t)(until_ns / CLOCK_S_NS),
                                  .tv_nsec = (long)(until_ns % CLOCK_S_NS) };
        bool was_hurried;
        int outcome, status = 0;

        lock(outbox);
        was_hurried = outbox->is_hurried;
        while (!outbox->is_stopped && outbox->is_hurried == was_hurried && status != ETIMEDOUT)
                status = pthread_cond_timedwait(&outbox->changed, &outbox->lock, &until);
        outcome = outbox->is_stopped ? OUTBOX_STOPPED : 0;
        unlock(outbox);
        return outcome;
}

void outbox_hurry(struct outbox *outbox)
{
        lock(outbox);
        outbox->is_hurried = true;
        (void)pthread_cond_broadcast(&outbox->changed); /* cannot fail */
        unlock(outbox);
}

bool outbox_is_hurried(struct outbox *outbox)
{
        bool answer;

        lock(outbox);
        answer = outbox->is_hurried;
        unlock(outbox);
        return answer;
}

void outbox_stop(struct outbox *outbox)
{
        lock(outbox);
        outbox->is_stopped = true;
        (void)pthread_cond_broadcast(&outbox->changed); /* cannot fail */
        unlock(outbox);
}

bool outbox_is_stopped(struct outbox *outbox)
{
        bool answer;

        lock(outbox);
        answer = outbox->is_stopped;
        unlock(outbox);
        return answer;
}
