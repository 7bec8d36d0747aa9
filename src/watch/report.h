/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what tocsin says about a run: events into the outbox, lines for people.
 *
 * Units:     nanoseconds of CLOCK_MONOTONIC; events carry wall time. Ownership: outbox, voice and
 *            stacks are borrowed. Threads: one.
 * Errors:    none that a caller could answer; that an event was lost is said, once.
 * Limits:    below. Names of stacks may cost report_stack_max_ms a second of the watcher's time.
 */
#ifndef WATCH_REPORT_H
#define WATCH_REPORT_H

#include "watch/alert.h"
#include "watch/event.h"
#include "watch/fence_watch.h"
#include "watch/outbox.h"
#include "watch/pump.h"
#include "watch/ration.h"
#include "watch/seer.h"
#include "watch/stack.h"
#include "watch/target.h"
#include "watch/voice.h"

enum {
        report_recent_max = 16, /* events that a crash report holds */
        report_lines_per_s = 20,
        report_logs_per_s = 100,
        report_stack_max_ms = 30,
        report_stack_one_ms = 8,
};

/* Whose rules changed. */
struct report_source {
        uint64_t number; /* given out once a run */
        const char *program;
        pid_t pid;
        const struct target *target;     /* NULL: the program as a whole */
        const struct seer *seer;         /* what libtocsin-inside shows; else NULL */
        const struct fence_watch *fence; /* the fence around it; else NULL */
        const char *biggest;             /* what holds most memory in it; with fence */
};

struct report {
        struct outbox *outbox;
        struct voice *voice;
        struct stack_reader *stacks; /* may be NULL */
        bool is_quiet;
        const char *program;
        pid_t pid;
        struct alert_book book;
        struct event_end end; /* filled in before report_exit() */
        pid_t crash_pid;      /* of the last report_crash() */
        int crash_signal;
        bool crash_has_core;
        struct text last_error; /* line of the error output */
        struct ration lines;
        struct ration logs;
        uint64_t stack_second_ns; /* the second in which ... */
        uint64_t stack_spent_ns;  /* ... names took so long */
        json_t *recent[report_recent_max];
        unsigned recent_first;
        unsigned recent_count;
        bool has_said_memory;
        bool has_said_lost;
};

void report_init(struct report *report, const char *run_name);
void report_fini(struct report *report);

/* fence: NULL, or taken. */
void report_start(struct report *report, char *const *argv, const int64_t *probes, bool sees_inside,
                  json_t *fence);
void report_exit(struct report *report);

/* The program, or a process that it left behind; to be told before the rule of it is judged. */
void report_crash(struct report *report, pid_t pid, int number, bool has_core);

/* Alerts that began or ended. */
void report_changes(struct report *report, const struct report_source *source, uint64_t now_ns,
                    const struct rule_change *changes, size_t count);

/* The source is gone: what still fires resolves, unless `outlives` says that it does not. */
void report_ended(struct report *report, const struct report_source *source, uint64_t now_ns,
                  const struct rule_set *rules, bool (*outlives)(const struct rule_view *rule));

/* An event of the program's ring. */
void report_news(struct report *report, const struct report_source *source, uint64_t now_ns,
                 const struct segment_news *news);

/* A line of the program's error output at warning or error level. */
void report_line(struct report *report, const struct pump_line *line);

/* Every second: says what was left out. */
void report_settle(struct report *report, uint64_t now_ns);

#endif
