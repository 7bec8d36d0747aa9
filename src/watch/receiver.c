/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to hold the patience that all receivers share: when to try again, when to say what.
 */
#include "watch/receiver.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>

#define PAUSE_MIN_NS     (100 * CLOCK_MS_NS)
#define PAUSE_MAX_NS     (30 * CLOCK_S_NS)
#define PAUSE_HURRIED_NS (500 * CLOCK_MS_NS)

enum { name_bytes_max = 160, why_bytes_max = 300 };

struct receiver {
        const struct receiver_kind *kind;
        void *self;
        struct text name;
        struct outbox *outbox;
        struct voice *voice;
        unsigned number; /* in the outbox */
        pthread_t thread;
        bool is_started;
        bool is_down;       /* and that has been said */
        bool has_refused;   /* likewise */
        uint64_t caught_up; /* delivered since it came back */
        atomic_uint_fast64_t given_up;
};

int receiver_new(const struct receiver_kind *kind, const char *name, void *self,
                 struct receiver **ret_receiver)
{
        struct receiver *receiver = calloc(1, sizeof(*receiver));

        if (!receiver) {
                kind->free(self);
                return -ENOMEM;
        }
        receiver->kind = kind;
        receiver->self = self;
        text_init(&receiver->name, name_bytes_max);
        text_printf(&receiver->name, "%s ", kind->noun);
        text_append_escaped(&receiver->name, name, strlen(name)); /* cut if need be */
        *ret_receiver = receiver;
        return 0;
}

void receiver_free(struct receiver **address)
{
        struct receiver *receiver = *address;

        if (!receiver)
                return;
        receiver->kind->free(receiver->self);
        text_fini(&receiver->name);
        free(receiver);
        *address = NULL;
}

const char *receiver_name(const struct receiver *receiver)
{
        return text_view(&receiver->name);
}

uint64_t receiver_pending(const struct receiver *receiver)
{
        return outbox_pending(receiver->outbox, receiver->number);
}

uint64_t receiver_given_up(const struct receiver *receiver)
{
        return atomic_load(&receiver->given_up);
}

int receiver_subscribe(struct receiver *receiver, struct outbox *outbox)
{
        receiver->outbox = outbox;
        return outbox_subscribe(outbox, receiver_name(receiver), receiver->kind->types,
                                &receiver->number);
}

/* ---- The thread ----------------------------------------------------------- */

/* Doubles with each attempt; half of it is by chance, so that many watchers do not knock at
 * once. */
static uint64_t pause_ns(const struct receiver *receiver, unsigned attempt)
{
        uint64_t max_ns = outbox_is_hurried(receiver->outbox) ? PAUSE_HURRIED_NS : PAUSE_MAX_NS;
        uint64_t full_ns = PAUSE_MIN_NS;
        uint64_t chance = 0;

        for (unsigned i = 1; i < attempt && full_ns < max_ns; i++)
                full_ns *= 2;
        if (full_ns > max_ns)
                full_ns = max_ns;
        (void)!getrandom(&chance, sizeof(chance), GRND_NONBLOCK); /* without it: no jitter */
        return full_ns / 2 + chance % (full_ns / 2);
}

static const char *word(const struct receiver *receiver)
{
        return receiver->kind->types == OUTBOX_ALERT ? "alert" : "event";
}

static void say_down(struct receiver *receiver, const struct text *why)
{
        if (receiver->is_down)
                return;
        receiver->is_down = true;
        receiver->caught_up = 0;
        voice_say(receiver->voice, VOICE_WARNING, "%s takes no %ss: %s; trying on",
                  receiver_name(receiver), word(receiver), text_view(why));
}

static void say_refused(struct receiver *receiver, const struct text *why)
{
        atomic_fetch_add(&receiver->given_up, 1);
        if (receiver->has_refused)
                return;
        receiver->has_refused = true;
        voice_say(receiver->voice, VOICE_WARNING, "%s refused an %s, which is given up: %s",
                  receiver_name(receiver), word(receiver), text_view(why));
}

static void say_back(struct receiver *receiver)
{
        if (!receiver->is_down)
                return;
        receiver->caught_up++;
        if (receiver_pending(receiver))
                return;
        receiver->is_down = false;
        voice_say(receiver->voice, VOICE_PLAIN, "%s is back, %llu %s%s delivered",
                  receiver_name(receiver), (unsigned long long)receiver->caught_up, word(receiver),
                  receiver->caught_up == 1 ? "" : "s");
}

/* Until it is delivered or given up (0), or all is to be stopped. */
static int deliver(struct receiver *receiver, const struct text *body, bool *ret_is_delivered)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(why_bytes_max);

        for (unsigned attempt = 1;; attempt++) {
                int outcome;

                text_clear(&why);
                outcome = receiver->kind->deliver(receiver->self, receiver->outbox, text_view(body),
                                                  body->length, &why);
                *ret_is_delivered = outcome == 0;
                if (outcome == 0)
                        return 0;
                if (outcome == RECEIVER_REFUSED || attempt == receiver->kind->attempts_max) {
                        say_refused(receiver, &why);
                        return 0;
                }
                say_down(receiver, &why);
                if (outbox_pause(receiver->outbox, pause_ns(receiver, attempt)))
                        return OUTBOX_STOPPED;
        }
}

static void *live(void *argument)
{
        struct receiver *receiver = argument;
        BASE_SCOPE(text_fini) struct text body = TEXT_INIT(outbox_body_bytes_max);

        for (;;) {
                bool is_delivered = false;
                uint64_t sequence = 0;
                int outcome = outbox_take(receiver->outbox, receiver->number, &sequence, &body);

                if (outcome == OUTBOX_STOPPED)
                        return NULL;
                if (outcome < 0) {
                        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(why_bytes_max);

                        text_printf(&why, "the outbox cannot be read: %s", error_text(outcome));
                        say_down(receiver, &why);
                        if (outbox_pause(receiver->outbox, CLOCK_S_NS))
                                return NULL;
                        continue;
                }
                if (deliver(receiver, &body, &is_delivered))
                        return NULL;
                outbox_acknowledge(receiver->outbox, receiver->number, sequence);
                if (is_delivered)
                        say_back(receiver);
        }
}

int receiver_start(struct receiver *receiver, struct voice *voice)
{
        int failed;

        receiver->voice = voice;
        failed = pthread_create(&receiver->thread, NULL, live, receiver);
        receiver->is_started = !failed;
        return -failed;
}

int receiver_join(struct receiver *receiver, uint64_t time_max_ns)
{
        uint64_t until_ns = clock_monotonic_ns() + time_max_ns;
        struct timespec until = { .tv_sec = (time_t)(until_ns / CLOCK_S_NS),
                                  .tv_nsec = (long)(until_ns % CLOCK_S_NS) };
        int failed;

        if (!receiver->is_started)
                return 0;
        failed = pthread_clockjoin_np(receiver->thread, NULL, CLOCK_MONOTONIC, &until);
        if (failed)
                return -failed;
        receiver->is_started = false;
        return 0;
}
