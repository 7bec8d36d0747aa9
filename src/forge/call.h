/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h - one call of a model, from the money that is put aside for it to what it brought.
 *
 *     call.intent   the reserve is spent from here on, until it is settled
 *     call.result   what it cost, and the answer; or
 *     call.fail     and again, until it is final
 *     reply         the files, the diagnosis, or why the answer is of no use
 *
 * Nothing is sent whose worst case the limits do not cover, and nothing before the disk has room
 * for the answer. An intent without an end (a crash, Ctrl-C) may have been paid: it counts as if.
 *
 * Ownership, threads: those of the run. Units: micro-dollars, milliseconds in records.
 * Errors:    0, when the ledger says what came of it; RUN_WRONG; RUN_STOPPED; -errno.
 * Limits:    call_tries_max attempts a session, call_wait_max_ns between two.
 */
#ifndef FORGE_CALL_H
#define FORGE_CALL_H

#include "forge/run.h"

enum { call_tries_max = 6 };
#define call_wait_max_ns (10 * CLOCK_MIN_NS)

/* Reads all keys and opens all recordings. */
int call_providers(struct run *run);

int call_make(struct run *run, const struct decision *decision);

#endif
