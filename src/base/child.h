/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h - runs a helper command with bytes on its input, and never waits for ever.
 *
 *         struct text output BASE_SCOPE(text_fini) = TEXT_INIT(65536);
 *         struct child_request request = {
 *                 .command = "mail -s alert ops", .input = json, .input_length = length,
 *                 .time_max_ns = 10 * CLOCK_S_NS, .output = &output };
 *         struct child_result result;
 *         int failed = child_run(&request, &result);
 *
 * The child leads its own process group, sees only descriptors 0, 1 and 2, default signals, and our
 * environment or the one it is given; argv[0] is sought in our PATH in any case. When it ends or
 * its time is over, the whole group is killed: nothing it started stays behind unless it left the
 * group on purpose. With end_signal the group is told first, and may end on its own within
 * end_max_ns. It dies (or is told, likewise) when the thread that called dies. Its input is a file
 * in memory, so a command that does not read it costs us no SIGPIPE.
 *
 * Units:     nanoseconds of monotonic time; bytes. Ownership: the request and its texts are the
 *            caller's, used during the call only; stop_fd is not read from. Threads: any; blocks up
 *            to time_max_ns and end_max_ns, plus CHILD_REAP_MAX_NS should the kernel be slow to
 *            kill.
 * Errors:    -errno when it could not be run at all: -ENOENT without such a program, -EACCES, ...
 *            How it ended is in the result, whatever that was.
 * Limits:    output beyond the maximum of its text is read, dropped and remembered there.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include "base/clock.h"
#include "base/text.h"

struct child_request {
        const char *command;     /* for /bin/sh -c; or else */
        const char *const *argv; /* a program, sought in PATH, and its arguments; ends with NULL */
        const void *input;       /* NULL: nothing to read */
        size_t input_length;
        struct text *output;  /* standard output is appended; NULL: dropped */
        struct text *errors;  /* standard error likewise; NULL: goes where standard output goes */
        uint64_t time_max_ns; /* at least 1 */
        const char *const *environment; /* "NAME=VALUE"..., ends with NULL; NULL: ours */
        const char *directory;          /* NULL: ours */
        bool shows_errors;              /* standard error is ours; `errors` is NULL then */
        const int *stop_fd; /* once readable, its time is over; NULL: nothing stops it */
        int end_signal; /* told to end by this, and killed end_max_ns later; 0: killed at once */
        uint64_t end_max_ns;
        void (*tick)(void *context); /* about every CHILD_TICK_NS while it runs; NULL: never */
        void *tick_context;
};

enum child_end {
        CHILD_EXITED,  /* code is the exit status */
        CHILD_KILLED,  /* code is the signal */
        CHILD_LATE,    /* ended by us because its time was over; code is 0 */
        CHILD_STOPPED, /* ended by us because of stop_fd; code is 0 */
};

struct child_result {
        enum child_end end;
        int code;
};

#define CHILD_REAP_MAX_NS (2 * CLOCK_S_NS)
#define CHILD_TICK_NS     (200 * CLOCK_MS_NS)

int child_run(const struct child_request *request, struct child_result *ret_result);

/* Whether it did what was asked: exited with status 0. */
bool child_succeeded(const struct child_result *result);

/* "exit status 3", "killed by SIGSEGV", "did not end in time", "was stopped". */
void child_append_end(const struct child_result *result, struct text *into);

#endif
