/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor.h - one run: starts a program, watches it to its end, delivers what there was to say.
 *
 *         struct supervisor_request request = { .argv = argv, .reads_logs = true };
 *
 *         return supervisor_run(&request);
 *
 * Ownership: the request is borrowed; its receivers are used up. Threads: called by the main
 * thread, while there is no other; one is started a receiver, and two more. Signals stay blocked
 * afterwards: the process is expected to end.
 * Errors:    all are said; the result is an exit status.
 * Limits:    below, and those of the rooms it calls.
 */
#ifndef WATCH_SUPERVISOR_H
#define WATCH_SUPERVISOR_H

#include "watch/fence.h"
#include "watch/fence_watch.h"
#include "watch/outbox.h"
#include "watch/program.h"
#include "watch/pump.h"
#include "watch/receiver.h"
#include "watch/report.h"
#include "watch/roster.h"
#include "watch/rundir.h"
#include "watch/signals.h"
#include "watch/vitals.h"

#define SUPERVISOR_TICK_NS    CLOCK_S_NS
#define SUPERVISOR_LOOK_NS    (5 * CLOCK_MS_NS)   /* between two looks that the doorbell asks for */
#define SUPERVISOR_GRACE_NS   (500 * CLOCK_MS_NS) /* for what the program leaves behind to end */
#define SUPERVISOR_KILL_NS    (3 * CLOCK_S_NS)    /* in which three Ctrl-C kill */
#define SUPERVISOR_DELIVER_NS (5 * CLOCK_S_NS)    /* for receivers, after the end */

enum { supervisor_kill_count = 3 };

struct supervisor_request {
        char *const *argv;
        const char *dir;     /* --dir, or NULL */
        const char *preload; /* libtocsin-inside.so; NULL: the program is seen from outside only */
        struct receiver **receivers;
        size_t receiver_count;
        struct fence_limits limits;
        bool reads_logs; /* the program's error output passes through us */
        bool is_quiet;
        bool fails_on_alert;
};

struct supervisor {
        const struct supervisor_request *request;
        struct signals signals;
        struct rundir dir;
        struct voice *voice;
        struct outbox *outbox;
        struct stack_reader *stacks;
        struct vitals *vitals;
        struct pump *pump;
        struct report report;
        struct roster roster;
        struct program program;
        struct fence fence;
        struct fence_watch *fence_watch; /* NULL: there is no fence */
        uint64_t fence_number;           /* of its source */
        int timer_fd;                    /* ticks */
        int wake_fd;                     /* written by the pump */
        int acknowledged_fd;             /* written by receivers */
        uint64_t began_ns;
        uint64_t looked_ns;  /* when we last read the segments */
        uint64_t glanced_ns; /* when we last looked at threads in between */
        int64_t probes;      /* in the program's file; -1: not known */
        struct vitals_counts counts;
        struct vitals_clock clock;

        /* What the user did. */
        uint64_t interrupts_ns[supervisor_kill_count]; /* the last Ctrl-C, newest first */
        uint64_t forwarded;                            /* a bit a signal that we passed on */
        bool has_seen_quit;
        bool has_killed;

        /* How the end comes. */
        bool has_said_probes;
        bool has_said_left;
        uint64_t
                grace_until_ns; /* what the program left behind may still end quietly; 0: not yet */
        unsigned farewells;     /* signals that asked it to end */
        bool is_over;
        bool is_hurried; /* the user does not want to wait */
        bool is_kept;    /* the directory holds what was not delivered */
        bool is_stuck;   /* a thread could not be ended: its memory is left alone */
};

int supervisor_run(const struct supervisor_request *request);

/* From exec to the end of the program and of what it left behind. */
void supervisor_watch(struct supervisor *supervisor);

/* Last words, delivery, and what to say about it. */
void supervisor_finish(struct supervisor *supervisor);

/* Reads everything that there is to read, and reports. */
void supervisor_look(struct supervisor *supervisor, bool is_tick);

/* Whether whoever sent such a signal knows that it ends a process: then that is no crash. */
bool supervisor_is_asked_for(const struct supervisor *supervisor, int number);

/* Handles the signals that have come, whatever the phase. */
void supervisor_take_signals(struct supervisor *supervisor);

#endif
