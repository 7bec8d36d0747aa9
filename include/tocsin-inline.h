/* SPDX-License-Identifier: Apache-2.0 */
/* tocsin-inline.h - judges a program's probes inside the program, where no watcher runs.
 *
 *     #include <tocsin-inline.h>
 *
 *     int failed = tocsin_inline_start(NULL);   // a line on standard error when a rule rings
 *     ...
 *     tocsin_inline_stop();
 *
 * A thread looks once a second at all probes of the process, those of plug-ins loaded later too,
 * and judges them with the code that `tocsin run` has. A process that is stuck, killed or crashed
 * tells nobody: that takes a watcher. If there is one as well, both ring.
 *
 * Errors:    0 or -errno.
 * Threads:   both functions may be called from any thread, not from a signal handler. The callback
 *            runs in the evaluator's thread, in which all signals are blocked but those of its
 *            own faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS). A program
 *            that it starts inherits that mask: unblock between fork and exec.
 * Fork:      the child has no evaluator and may start its own; the parent's goes on. A callback
 *            that forks leaves its child by exec or _exit.
 * Ownership: options are copied. Texts of an alert live until the callback returns.
 * Limits:    those of the rules (doc/rules.md): 65536 probes, windows of a day.
 * Needs:     libtocsin-inline, libtocsin. */
#ifndef TOCSIN_INLINE_H
#define TOCSIN_INLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tocsin_inline_state {
        TOCSIN_INLINE_FIRING = 1,
        TOCSIN_INLINE_RESOLVED = 2, /* its condition does not hold any more */
        TOCSIN_INLINE_ENDED = 3,    /* it rang still when the evaluator was stopped */
};

struct tocsin_inline_alert {
        enum tocsin_inline_state state;
        unsigned severity; /* enum toc_severity */
        const char *module;
        const char *probe;
        const char *label;  /* "" if it has none */
        const char *kind;   /* as in the source: "counter" */
        const char *signal; /* "per_minute" */
        const char *op;     /* ">" */
        int64_t limit;
        int64_t value; /* of the signal, if has_value */
        bool has_value;
        const char *meaning;
        const char *runbook; /* the probe's or its module's, or "" */
        const char *file;
        uint32_t line;
};

struct tocsin_inline {
        size_t bytes;   /* sizeof(struct tocsin_inline), by which later versions know this one */
        bool is_silent; /* nothing on standard error */
        void (*on_alert)(const struct tocsin_inline_alert *alert, void *context); /* or NULL */
        void *context;
};

/* NULL: lines on standard error and no callback. -EALREADY if it runs, -EINVAL for options that
 * this version does not know, -ENOMEM, -EAGAIN; -EDEADLK in the callback. */
__attribute__((visibility("default"))) int tocsin_inline_start(const struct tocsin_inline *options);

/* Looks a last time, tells what still rings as TOCSIN_INLINE_ENDED to the callback, and returns
 * when the thread has ended. Nothing if none runs. In the callback it does not wait: the thread
 * ends when the callback has returned. */
__attribute__((visibility("default"))) void tocsin_inline_stop(void);

#ifdef __cplusplus
}
#endif

#endif
