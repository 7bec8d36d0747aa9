/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pump.h - the one writer of standard error: passes on what the program writes, counts its lines at
 * warning and error level, and puts the watcher's own lines between them.
 *
 * The program's bytes are passed on unchanged and at once, whole lines or not. A line of ours waits
 * up to 200 ms for the end of a line of the program; then it begins on a line of its own.
 *
 * Ownership: the pump takes over the reading end of the pipe. Threads: it runs one; the functions
 * here are for one other. wake_fd is written when there is something to take, or the program's
 * stream has ended.
 * Errors:    -errno from starting. If standard error is gone, the pipe is closed, and the program
 *            learns of it as it would have without us.
 * Limits:    a line's first pump_line_bytes are kept; pump_lines_max lines wait to be taken, at
 *            most pump_lines_per_s are offered a second. All are counted.
 */
#ifndef WATCH_PUMP_H
#define WATCH_PUMP_H

#include "watch/classify.h"
#include "watch/voice.h"

#include <stddef.h>

enum { pump_line_bytes = 400, pump_lines_max = 64, pump_lines_per_s = 10 };

struct pump;

struct pump_line {
        enum classify_level level;
        uint64_t withheld; /* lines at warning or error level before it that were not offered */
        size_t length;
        char bytes[pump_line_bytes];
};

/* program_fd -1: only our own lines are written. */
int pump_new(int program_fd_take, struct voice *voice, int wake_fd, struct pump **ret_pump);

uint64_t pump_errors(const struct pump *pump);
uint64_t pump_warnings(const struct pump *pump);

/* The oldest line at warning or error level; false: none. */
bool pump_take(struct pump *pump, struct pump_line *ret_line);

/* The program has ended: what still stands in the pipe is passed on, then the stream is at its end,
 * even if somebody else holds the pipe open. */
void pump_finish(struct pump *pump);
bool pump_is_finished(const struct pump *pump);

/* Writes what is left to say and ends the thread: 0, or -ETIMEDOUT if standard error does not take
 * it; then the pump must not be freed. */
int pump_stop(struct pump *pump, uint64_t time_max_ns);
void pump_free(struct pump **pump);

#endif
