/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox.h - events are written down before they are sent, and each receiver has a place in them.
 *
 *         outbox_append(outbox, OUTBOX_ALERT, line, length);        // the watcher
 *
 *         while (!outbox_take(outbox, number, &sequence, &body)) {  // each receiver, its own
 *                 thread ... deliver ...
 *                 outbox_acknowledge(outbox, number, sequence);
 *         }
 *
 * A row stays until every receiver that wants its type has acknowledged it; so delivery is at least
 * once, also across a restart on the same file. When the file cannot be written (disk full), events
 * wait in memory, and move to the file when that is possible again.
 *
 * Units:     a sequence starts at 1. Ownership: bodies are copied. Threads: any number; a call
 *            holds the lock for one statement of SQLite.
 * Errors:    0, -errno, or enum outbox_outcome.
 * Limits:    outbox_memory_max events in memory, outbox_file_bytes_max in the file, of which logs
 *            may take outbox_log_max rows. What does not fit is lost, counted in outbox_lost() and
 *            told by OUTBOX_LOST.
 */
#ifndef WATCH_OUTBOX_H
#define WATCH_OUTBOX_H

#include "base/text.h"

enum {
        outbox_memory_max = 1024,
        outbox_file_bytes_max = 64 << 20,
        outbox_log_max = 20000,
        outbox_subscriber_max = 32,
        outbox_body_bytes_max = 256 << 10,
};

enum outbox_type { OUTBOX_ALERT = 1, OUTBOX_OTHER = 2, OUTBOX_ALL = 3 };

enum outbox_outcome {
        OUTBOX_STOPPED = 1, /* nothing more is to be sent */
        OUTBOX_IN_MEMORY,   /* appended, but only in memory */
        OUTBOX_LOST,        /* not appended: full */
};

struct outbox;

/* path NULL: memory only. acknowledged_fd: an eventfd that is written at each acknowledgement, -1:
 * none. -errno if the file cannot be had. */
int outbox_new(const char *path, int acknowledged_fd, struct outbox **ret_outbox);
void outbox_free(struct outbox **outbox);

/* Adds a receiver of these types, or finds it again, by its name and position, with its place. */
int outbox_subscribe(struct outbox *outbox, const char *name, enum outbox_type types,
                     unsigned *ret_number);

/* An event that no receiver wants is not kept, and that is no error. */
int outbox_append(struct outbox *outbox, enum outbox_type type, const void *body, size_t length);

/* Waits for the first event after the receiver's place. The body replaces the content of `body`. */
int outbox_take(struct outbox *outbox, unsigned number, uint64_t *ret_sequence, struct text *body);
void outbox_acknowledge(struct outbox *outbox, unsigned number, uint64_t sequence);

/* How many events wait for this receiver. */
uint64_t outbox_pending(struct outbox *outbox, unsigned number);
uint64_t outbox_lost(struct outbox *outbox);

/* The pause before a second try: ends early when all is to be stopped, or hurried. */
int outbox_pause(struct outbox *outbox, uint64_t time_ns);

/* The end is near: pauses end now, and are short from now on. */
void outbox_hurry(struct outbox *outbox);
bool outbox_is_hurried(struct outbox *outbox);
void outbox_stop(struct outbox *outbox);
bool outbox_is_stopped(struct outbox *outbox);

/* Tries to bring into the file what waits in memory; how many events still do. */
uint64_t outbox_flush(struct outbox *outbox);

#endif
