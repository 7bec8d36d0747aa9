/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h - what happened, as the JSON object that every receiver gets.
 *
 * Type "alert" has exactly these keys, in this order: id time type state severity program pid
 * module probe labels kind signal op limit value window_s hold_s meaning runbook file line details.
 * The other types begin alike (id time type ... program pid) and are described at their function. A
 * reader must ignore keys that it does not know.
 *
 * Units:     times are RFC 3339 in UTC; value and limit are in the unit of the signal.
 * Ownership: a returned object is the caller's reference; a parameter named _take is ours.
 * Errors:    NULL when memory is out; what was taken is released all the same.
 * Threads:   any; an object belongs to one thread at a time.
 * Limits:    foreign text is made fit for a terminal, and so for UTF-8, and cut at
 *            event_text_bytes_max; an object as text has at most event_bytes_max.
 */
#ifndef WATCH_EVENT_H
#define WATCH_EVENT_H

#include "base/text.h"
#include "rule/rule.h"
#include "watch/segment.h"

#include <jansson.h>
#include <sys/types.h>

enum { event_text_bytes_max = 1024, event_bytes_max = 256 << 10, event_argument_max = 256 };

/* Who and when; every event has it. */
struct event_head {
        const char *id;
        uint64_t wall_ns;
        const char *program; /* foreign */
        pid_t pid;
};

/* state is "firing" or "resolved"; runbook is the probe's or its module's; details NULL: {}. labels
 * is {"label": ...} for a probe with labels, else {}. */
json_t *event_alert(const struct event_head *head, const char *state, const struct rule_view *rule,
                    const char *runbook, json_t *details_take);

/* type "log": severity ("error" or "warning") module probe message file line details. Without a
 * record it is a line of the program's error output, and the probe is log_errors or log_warnings of
 * module process. */
json_t *event_log(const struct event_head *head, bool is_error, const struct toc_record *record,
                  const void *message, size_t message_length, json_t *details_take);

/* type "start": argv, probes (null: not known), inside (true, or not there):
 * libtocsin-inside was put in front. fence: as fence_json() gives it, or NULL; taken. */
json_t *event_start(const struct event_head *head, char *const *argv, const int64_t *probes,
                    bool inside, json_t *fence);

/* type "inside": modules, as seer_census() gives them; taken. */
json_t *event_inside(const struct event_head *head, json_t *modules_take);

/* type "exit": status, signal (a name or null), duration_ms, alerts {note, warn, page}: fired. */
struct event_end {
        int status; /* as a shell sees it */
        int signal; /* 0: none */
        bool has_core;
        uint64_t lasted_ns;
        uint64_t fired[TOC_PAGE + 1]; /* by severity */
};
json_t *event_exit(const struct event_head *head, const struct event_end *end);

/* type "crash": signal (name), number, core_dumped, events (the last ones). pid is that of the
 * process that crashed. */
json_t *event_crash(const struct event_head *head, int number, bool has_core, json_t *events_take);

/* For details: values (left, right), count, thread, stack, message; a stack of NULL is left out. */
json_t *event_details(const struct segment_event *event, json_t *stack_take);

/* For details: what the cells of a share, an operation or a flow stand at, by name; NULL for other
 * kinds. */
json_t *event_cells(unsigned kind, const uint64_t *cells);

/* Foreign bytes as a JSON string. */
json_t *event_string(const void *bytes, size_t length);

/* The object as one line without newline. 0, -ENOMEM, -EOVERFLOW. */
int event_append(const json_t *event, struct text *into);

/* "SIGSEGV"; "signal 64" for those without a name. */
void event_append_signal(struct text *into, int number);

#endif
