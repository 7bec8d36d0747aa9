/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert.h - which alerts are firing, under which id, and what has fired so far.
 *
 * The evaluator tells changes of state; here a change to FIRING opens an alert with an id of its
 * own, and the change away from it closes the same one. Ids are unique over all runs:
 * RUN-NUMBER, where RUN is the second of the start and the random name of the run's directory.
 *
 * Units:     nanoseconds of CLOCK_MONOTONIC. Ownership: the book owns its alerts; what is returned
 *            lives until the next call. Threads: one. Errors: -ENOMEM.
 * Limits:    as many alerts as there are rules.
 */
#ifndef WATCH_ALERT_H
#define WATCH_ALERT_H

#include "rule/rule.h"

enum { alert_id_bytes = 48, alert_run_bytes = 24 };

struct alert {
        char id[alert_id_bytes];
        uint64_t source; /* whose rule: a number that the caller gives out once */
        uint32_t row;
        uint32_t slot;
        uint64_t began_ns;
};

struct alert_book {
        char run[alert_run_bytes];
        uint64_t next_number;
        struct alert *alerts; /* those that are firing */
        uint32_t count;
        uint32_t size;
        uint64_t fired[TOC_PAGE + 1]; /* by severity, since the start */
};

/* run_name: of the directory, "run-Ab12Cd". */
void alert_book_init(struct alert_book *book, const char *run_name, uint64_t wall_ns);
void alert_book_fini(struct alert_book *book);

/* An id for any event of this run. */
void alert_next_id(struct alert_book *book, char ret_id[static alert_id_bytes]);

int alert_open(struct alert_book *book, uint64_t source, const struct rule_view *rule,
               uint64_t now_ns, const struct alert **ret_alert);

/* Takes the alert out of the book: 0, or -ENOENT if it was not open. */
int alert_close(struct alert_book *book, uint64_t source, const struct rule_view *rule,
                struct alert *ret_alert);

#endif
