/* SPDX-License-Identifier: Apache-2.0 */
/* tocsin.h - probes that carry their own alert rule.
 *
 * A probe is a metric and the rule that says when a person must be told. A probe without a
 * rule does not compile; one that should never alert says why: TOC_QUIET("reason").
 *
 *     TOC_MODULE(lru, "Fixed-capacity least-recently-used cache");
 *     TOC_COUNTER(evictions, "Entries pushed out to make room",
 *                 TOC_ALERT(per_minute, >, 1000, TOC_WARN, "working set outgrew the cache"));
 *     ...
 *     toc_count(evictions);
 *
 * Units:     limits are integers in the unit that ends the signal's name.
 * Threads:   everything below may be used from any thread and any signal handler. Where a
 *            message holds a floating-point conversion, not in a handler.
 * Failure:   probes never fail, never block and never allocate; errno is left alone. Where no
 *            segment can be had they count in private memory and the program runs on.
 * Ownership: all objects are static. Nothing is ever freed.
 * Limits:    two rules a probe; names of 31 characters, modules of 23, texts of 71; eight labels
 *            of 23; a timer takes 4 KiB a thread.
 * Needs:     gcc >= 12 or clang >= 14, -std=c11 or c++20 or later, ELF, 64 bits, libtocsin; on
 *            x86-64 or arm64. -DTOCSIN_OFF removes everything but returned values.
 * C++:       all of it, in inline functions, classes and lambdas too. Options stand in the order in
 *            which they are listed below, and more of what they say is checked. No site in a
 *            template: put it into a function that is none, and call that. TOC_MODULE and
 *            TOC_MODULE_PART count for the namespace in which they stand, so that a header may be a
 *            module of its own in a namespace of its own.
 */
#ifndef TOCSIN_H
#define TOCSIN_H

/* Errors stand on the author's line, however this file was found. */
#pragma GCC system_header

#if defined(__cplusplus) && __cplusplus < 202002L
#error "tocsin.h: in C++ it needs -std=c++20 or later"
#else

#include <stdbool.h>
#include <stdint.h>

/* ---- Vocabulary -----------------------------------------------------------------------
 *
 * How bad it is: TOC_NOTE for the record, TOC_WARN for the next working day, TOC_PAGE wakes
 * somebody now. */
enum toc_severity { TOC_NOTE = 1, TOC_WARN, TOC_PAGE };

/* What a rule can look at, by kind of probe. Numbers are part of the file format.
 *
 *   counter      total        events since the process started
 *                per_second   events a second, over the last 10 s
 *                per_minute   events in the last 60 s
 *                per_hour     events in the last 3600 s
 *   gauge        value        what was last set; undefined before that
 *                growth       by how much the floor of each of the last five 300 s rose, at least
 *                exhausts_s   until .capacity is reached, if it goes on so; 9223372036854775807
 *                             if it does not grow
 *   level        (as gauge)   raised minus lowered, all threads
 *   timer        p50_us p90_us p99_us p999_us max_us
 *                             of the last 60 s. Whether it rings is exact: what lies above the
 *                             limit is counted as such
 *   sizes        p50 p90 p99 p999 max, as timer
 *   share        permille     of the last 60 s
 *                burn_fast    how many times too fast the error budget that .objective_permille
 *                burn_slow    leaves is spent: in the last hour and its last 5 minutes; in the
 *                             last day and its last 2 hours
 *   heartbeat    silent_ms    since the last beat, or since the start if there was none
 *   operation    oldest_ms    for how long the oldest that has not ended is going on
 *                in_flight    begun and not ended
 *   flow         lost         what came in, and is neither out, dropped nor held
 *                stalled_ms   since anything went out or was dropped, while something waited
 *                backlog      in, and neither out nor dropped
 *   error,       total        reports since the process started
 *   warning      per_minute   reports in the last 60 s
 *   logs         (as error)   all sites of a module that say TOC_USUAL
 *   module       what libtocsin-inside accounts to the module; not available without it
 *   expectation  total        misses; its rule is built in: any miss in the last 60 s rings
 *   must-hit     unreached_s  since the start, while never reached; its rule is built in
 */
enum toc_kind {
        toc_kind_counter = 1,
        toc_kind_gauge = 2,
        toc_kind_level = 3,
        toc_kind_timer = 4,
        toc_kind_sizes = 5,
        toc_kind_share = 6,
        toc_kind_heartbeat = 7,
        toc_kind_operation = 8,
        toc_kind_flow = 9,
        toc_kind_expectation = 10,
        toc_kind_must_hit = 11,
        toc_kind_error = 12,
        toc_kind_warning = 13,
        toc_kind_module = 14,
        toc_kind_logs = 15,
};

enum toc_signal {
        toc_signal_total = 1,
        toc_signal_per_second = 2,
        toc_signal_per_minute = 3,
        toc_signal_per_hour = 4,
        toc_signal_value = 5,
        toc_signal_growth = 6,
        toc_signal_exhausts_s = 7,
        toc_signal_p50_us = 8,
        toc_signal_p90_us = 9,
        toc_signal_p99_us = 10,
        toc_signal_p999_us = 11,
        toc_signal_max_us = 12,
        toc_signal_p50 = 13,
        toc_signal_p90 = 14,
        toc_signal_p99 = 15,
        toc_signal_p999 = 16,
        toc_signal_max = 17,
        toc_signal_silent_ms = 20,
        toc_signal_permille = 21,
        toc_signal_burn_fast = 22,
        toc_signal_burn_slow = 23,
        toc_signal_oldest_ms = 24,
        toc_signal_in_flight = 25,
        toc_signal_lost = 26,
        toc_signal_stalled_ms = 27,
        toc_signal_backlog = 28,
        toc_signal_unreached_s = 29,
        toc_signal_live_bytes = 40,
        toc_signal_allocations = 41,
        toc_signal_cpu_permille = 42,
        toc_signal_io_bytes_per_second = 43,
        toc_signal_descriptors = 44,
        toc_signal_threads = 45,
        toc_signal_leak = 46,
        toc_signal_deadlock = 47,
        toc_signal_lock_wait_ms = 48,
        toc_signal_idle_bytes = 49,
};

/* ---- Rules ----------------------------------------------------------------------------
 *
 * TOC_ALERT(signal, op, limit, severity, "what it means for the person who is woken" ...)
 * rings while `signal op limit` holds; op is one of > >= < <= == !=. Options may follow:
 *
 *     .hold_s = 300      only after it has held that long
 *     .keep_s = 60       ring on for that long after it last held
 *     .clear_at = 80     once ringing, ring until the signal is back at 80 (hysteresis)
 *     .window_s = 120    look back that far instead of the signal's own window; at least 4
 *     .volume_min = 100  quantiles, permille, burn: silent while there were fewer in the window
 *     .capacity = 4096   exhausts_s: where the gauge ends
 *     .objective_permille = 999    burn: how many of a thousand are to succeed
 *
 * TOC_QUIET("reason") - this probe never alerts, because.
 * TOC_RUNBOOK("where to read on") - may follow the rules of a probe; in TOC_MODULE it is that of
 * all probes that have none.
 * TOC_ALERT_ON(label, signal ...) - of a probe with labels: this one rings, the others do not. */
#define TOC_ALERT(...) (ALERT_, __VA_ARGS__)
#define TOC_ALERT_ON(...) (ALERT_ON_, __VA_ARGS__)
#define TOC_QUIET(reason) (QUIET_, reason)
#define TOC_RUNBOOK(where) (RUNBOOK_, where)

/* ---- Declarations, at file scope ------------------------------------------------------
 *
 * TOC_MODULE(name, help ...) once, in one file of the module; TOC_MODULE_PART(name) in its other
 * files. Up to four of these may follow help:
 *
 *     TOC_BUDGET(live_bytes, 64 << 20, TOC_WARN, "cache outgrew its share of memory")
 *     TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors"))
 *     TOC_RUNBOOK("https://wiki.example.com/cache")
 *
 * TOC_LOGS is the rule of all error sites that say TOC_USUAL; without it any such error rings. */
#define TOC_MODULE(...) TOC_MODULE_(__VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_MODULE_PART(name) TOC_MODULE_PART_(name)
#define TOC_BUDGET(...) (BUDGET_, __VA_ARGS__)
#define TOC_LOGS(rule) (LOGS_, rule)

/* TOC_KIND(name, "help", rule [, rule] [, TOC_RUNBOOK(...)]);
 * TOC_KIND_BY(name, "help", (label, label ...), rule ...);  one probe a label, one name for all */
#define TOC_COUNTER(...) TOC_DECLARE_(counter, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_GAUGE(...) TOC_DECLARE_(gauge, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_LEVEL(...) TOC_DECLARE_(level, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_TIMER(...) TOC_DECLARE_(timer, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_SIZES(...) TOC_DECLARE_(sizes, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_SHARE(...) TOC_DECLARE_(share, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_HEARTBEAT(...) TOC_DECLARE_(heartbeat, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_OPERATION(...) TOC_DECLARE_(operation, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_FLOW(...) TOC_DECLARE_(flow, __VA_ARGS__, "", "", "", "", "", "", ~)

#define TOC_COUNTER_BY(...) TOC_DECLARE_BY_(counter, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_GAUGE_BY(...) TOC_DECLARE_BY_(gauge, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_LEVEL_BY(...) TOC_DECLARE_BY_(level, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_TIMER_BY(...) TOC_DECLARE_BY_(timer, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_SIZES_BY(...) TOC_DECLARE_BY_(sizes, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_SHARE_BY(...) TOC_DECLARE_BY_(share, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_HEARTBEAT_BY(...) TOC_DECLARE_BY_(heartbeat, __VA_ARGS__, "", "", "", "", "", "", ~)

/* ---- Use, anywhere, by the declared name ----------------------------------------------
 *
 * With labels: toc_count_by(name, label), toc_add_by(name, label, n), and so on. */

#define toc_count(name) ((void)toc_add_(&toc_counter_##name, 1))      /* one event */
#define toc_add(name, n) ((void)toc_add_(&toc_counter_##name, (n)))   /* n >= 0 events */
#define toc_set(name, to) toc_set_(&toc_gauge_##name, (to))           /* the last writer wins */
#define toc_raise(name, by) ((void)toc_add_(&toc_level_##name, (by))) /* from any thread ... */
#define toc_lower(name, by) ((void)toc_add_(&toc_level_##name, 0 - (uint64_t)(by))) /* back */
#define toc_beat(name) ((void)toc_add_(&toc_heartbeat_##name, 1))     /* "I am alive" */
#define toc_share(name, failed) toc_share_add_(&toc_share_##name, (failed)) /* one more */

/* One more value: of sizes, or nanoseconds of a timer. Negative ones count as 0. */
#define toc_observe(name, value) \
        toc_observe_(&toc_histogram_##name, &toc_limits_##name, (value))

/* A declaration: times from here to the end of the block, however it is left. */
#define TOC_TIME_SCOPE(name) TOC_TIME_SCOPE_(name, TOC_CAT_(toc_span_, __COUNTER__))

/* Declarations: from here to the end of the block this thread works for that module, one of
 * TOC_MODULE or TOC_MODULE_PART of this file; the innermost counts. Entry points of a module say
 * so, and what libtocsin-inside sees - memory, locks, descriptors, time - is the module's. */
#define TOC_ENTER(module) TOC_ENTER_(module, TOC_CAT_(toc_span_, __COUNTER__))

/* To the end of the block locks may be taken in any order: no deadlock can come of it, because. */
#define TOC_ANY_ORDER(reason) TOC_ANY_ORDER_(reason, TOC_CAT_(toc_span_, __COUNTER__))

/* struct toc_open toc_begin(operation);   it is going on until ...
 * toc_end(operation, open);               ... here, in any thread, once
 * TOC_OPERATION_SCOPE(operation);         both: from here to the end of the block
 *
 * Sixteen at once a thread are timed one by one; of more, only in_flight is known. */
#define toc_begin(name) toc_begin_(&toc_operation_##name)
#define toc_end(name, open) toc_end_(&toc_operation_##name, (open))
#define TOC_OPERATION_SCOPE(name) TOC_OPERATION_SCOPE_(name, TOC_CAT_(toc_span_, __COUNTER__))

/* Items through a queue or pipe: what comes in must go out, be dropped, or be held. Let `held`
 * come from what really is there, such as a list's own length: +1 and -1 where it changes. */
#define toc_in(name, n) ((void)toc_add_(&toc_flow_##name.in, (n)))
#define toc_out(name, n) ((void)toc_add_(&toc_flow_##name.out, (n)))
#define toc_dropped(name, n) ((void)toc_add_(&toc_flow_##name.dropped, (n)))
#define toc_held(name, by) ((void)toc_add_(&toc_flow_##name.held, (uint64_t)(int64_t)(by)))

/* bool TOC_EXPECT(condition, severity, "what it means if it does not hold" ...)
 * bool TOC_EXPECT_CMP(a, op, b, severity, "..." ...)   the same, and the two values are kept
 * bool TOC_UNREACHABLE(severity, "..." ...)            false, and a miss
 *
 * True if the condition holds, at the cost of the branch. If not: counts, keeps values and
 * stack, wakes the watcher, returns false so that the code can refuse; the program runs on.
 * Arguments are evaluated once. Up to two of these may follow the meaning:
 *
 *     TOC_STOP_IN_TESTS      a miss also aborts a program that was compiled with -DTOC_TESTING
 *     TOC_STOP_FROM(7)       the same in programs compiled with -DTOC_VERSION=7 or above
 *     TOC_RUNBOOK("...") */
#define TOC_EXPECT(cond, ...) \
        TOC_EXPECT_(TOC_CAT_(toc_site_, __COUNTER__), "TOC_EXPECT", \
                    "(condition, severity, meaning)", cond, #cond, __VA_ARGS__, 0, 0, 0, 0, ~)
#define TOC_EXPECT_CMP(a, op, b, ...) \
        TOC_EXPECT_CMP_(TOC_CAT_(toc_site_, __COUNTER__), a, op, b, #a " " #op " " #b, \
                        __VA_ARGS__, 0, 0, 0, 0, ~)
#define TOC_UNREACHABLE(...) \
        TOC_EXPECT_(TOC_CAT_(toc_site_, __COUNTER__), "TOC_UNREACHABLE", "(severity, meaning)", \
                    false, "not reached", __VA_ARGS__, 0, 0, 0, 0, ~)
#define TOC_STOP_IN_TESTS (STOP_IN_TESTS_, 0)
#define TOC_STOP_FROM(version) (STOP_FROM_, version)

/* bool TOC_SOMETIMES(condition, severity, "what it means if it never holds" ...)
 * void TOC_REACHED(severity, "what it means if nobody ever comes here" ...)
 *
 * Ring if it never happened although the program has been up for an hour; the gate asks that its
 * cases make it happen. The value of TOC_SOMETIMES is that of the condition. May follow:
 *
 *     TOC_UPTIME_S(86400)    not an hour, but a day
 *     TOC_WHEN(gauge)        only while that gauge of the module, one without labels, is set and
 *                            not to 0
 *     TOC_RUNBOOK("...") */
#define TOC_SOMETIMES(cond, ...) \
        TOC_SOMETIMES_(TOC_CAT_(toc_site_, __COUNTER__), cond, #cond, __VA_ARGS__, 0, 0, 0, 0, 0, ~)
#define TOC_REACHED(...) \
        TOC_REACHED_(TOC_CAT_(toc_site_, __COUNTER__), __VA_ARGS__, 0, 0, 0, 0, 0, ~)
#define TOC_UPTIME_S(seconds) (UPTIME_S_, seconds)
#define TOC_WHEN(gauge) (WHEN_, gauge)

/* TOC_ERROR(code, rule, "format" ...) and TOC_WARNING: count, and report the 1st, 2nd, 4th,
 * 8th ... occurrence in each thread as a line of at most 312 bytes. The value is `code`, so:
 *
 *     return TOC_ERROR(-EIO, TOC_USUAL, "cannot open index '%s'", path);
 *
 * The line goes to the watcher, not to standard error; without a watcher nobody reads it.
 * rule is TOC_USUAL (the module's TOC_LOGS), a TOC_ALERT of its own or TOC_QUIET. The arguments
 * of the format are evaluated only when the line is reported. %n is not supported. */
#define TOC_ERROR(code, rule, ...) \
        TOC_LOG_(error, TOC_CAT_(toc_site_, __COUNTER__), code, rule, __VA_ARGS__)
#define TOC_WARNING(code, rule, ...) \
        TOC_LOG_(warning, TOC_CAT_(toc_site_, __COUNTER__), code, rule, __VA_ARGS__)
#define TOC_USUAL (USUAL_, 0)

/* The file that holds this process's cells, or NULL while there is none. */
#ifdef __cplusplus
extern "C" const char *toc_segment_path(void);
#else
const char *toc_segment_path(void);
#endif

/* With labels. */
#define toc_count_by(name, label) toc_count(name##_by_##label)
#define toc_add_by(name, label, n) toc_add(name##_by_##label, n)
#define toc_set_by(name, label, to) toc_set(name##_by_##label, to)
#define toc_raise_by(name, label, by) toc_raise(name##_by_##label, by)
#define toc_lower_by(name, label, by) toc_lower(name##_by_##label, by)
#define toc_beat_by(name, label) toc_beat(name##_by_##label)
#define toc_share_by(name, label, failed) toc_share(name##_by_##label, failed)
#define toc_observe_by(name, label, value) toc_observe(name##_by_##label, value)
#define TOC_TIME_SCOPE_BY(name, label) TOC_TIME_SCOPE(name##_by_##label)

#include "tocsin-machine.h"

#endif /* C++ before 20 */
#endif
