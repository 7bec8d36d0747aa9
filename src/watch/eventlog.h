/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eventlog.h - all events into a file, one JSON object a line, appended.
 *
 * A line is one write(). Where a full disk cuts it, the rest follows when there is room, and what
 * an earlier run left unfinished is ended first. A file that was renamed (logrotate) is made anew.
 *
 * Ownership: the receiver is the caller's; the path is copied. Errors: -errno from opening.
 * Limits:    none of its own; what cannot be written waits in the outbox.
 */
#ifndef WATCH_EVENTLOG_H
#define WATCH_EVENTLOG_H

#include "watch/receiver.h"

int eventlog_new(const char *path, struct receiver **ret_receiver);

#endif
