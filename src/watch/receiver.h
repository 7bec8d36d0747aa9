/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receiver.h - a thread that carries events from the outbox to one place, until it is told to stop.
 *
 * It tries again as long as that makes sense, with growing pauses. That the place is down is said
 * once, that it is back as well.
 *
 * Ownership: the receiver owns what `kind` delivers with. Threads: created and freed by one; it
 * runs one of its own. Errors: -errno from starting; delivery has none that stop it.
 * Limits:    pauses of 100 ms to 30 s, half of that by chance; while the outbox is in a hurry at
 *            most 500 ms.
 *
 * To add a kind: a file with a struct receiver_kind and a function that makes a receiver of it, and
 * a row in the options of cli/run.c.
 */
#ifndef WATCH_RECEIVER_H
#define WATCH_RECEIVER_H

#include "watch/outbox.h"
#include "watch/voice.h"

enum receiver_outcome { RECEIVER_REFUSED = 1 /* this event will never be accepted */ };

struct receiver_kind {
        const char *noun; /* "webhook" */
        enum outbox_type types;
        unsigned attempts_max; /* 0: as many as it takes */

        /* 0; RECEIVER_REFUSED; or -errno, then it is tried again. `why` gets a few words. */
        int (*deliver)(void *self, struct outbox *outbox, const char *body, size_t length,
                       struct text *why);
        void (*free)(void *self);
};

struct receiver;

/* name: as people know it, copied; it also finds the receiver's place in the outbox. */
int receiver_new(const struct receiver_kind *kind, const char *name, void *self_take,
                 struct receiver **ret_receiver);
void receiver_free(struct receiver **receiver);

int receiver_subscribe(struct receiver *receiver, struct outbox *outbox);
int receiver_start(struct receiver *receiver, struct voice *voice);

/* "webhook http://host:80" */
const char *receiver_name(const struct receiver *receiver);
uint64_t receiver_pending(const struct receiver *receiver);
uint64_t receiver_given_up(const struct receiver *receiver);

/* After outbox_stop(): 0, or -ETIMEDOUT if it is still busy; then it must not be freed. */
int receiver_join(struct receiver *receiver, uint64_t time_max_ns);

#endif
