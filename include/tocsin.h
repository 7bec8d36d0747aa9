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
 * Limits:    two rules a probe; names of 31 characters, modules of 23, texts of 71.
 * house: long file because users install one header, and read its first 170 lines.
 * Needs:     gcc >= 12 or clang >= 14, -std=c11 or later, ELF, 64 bits, libtocsin.
 *            -DTOCSIN_OFF removes everything but returned values.
 */
#ifndef TOCSIN_H
#define TOCSIN_H

/* Errors stand on the author's line, however this file was found. */
#pragma GCC system_header

#ifdef __cplusplus
#error "tocsin.h: C only for now; put the probes into a C file of your module"
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
 *   level        value        raised minus lowered, all threads
 *   heartbeat    silent_ms    since the last beat, or since the start if there was none
 *   error,       total        reports since the process started
 *   warning      per_minute   reports in the last 60 s
 *   logs         (as error)   all sites of a module that say TOC_USUAL
 *   module       what libtocsin-inside accounts to the module; not available without it
 *   expectation  total        misses; its rule is built in: any miss in the last 60 s rings
 */
enum toc_kind {
        toc_kind_counter = 1,
        toc_kind_gauge = 2,
        toc_kind_level = 3,
        toc_kind_heartbeat = 7,
        toc_kind_expectation = 10,
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
        toc_signal_silent_ms = 20,
        toc_signal_live_bytes = 40,
        toc_signal_allocations = 41,
        toc_signal_cpu_permille = 42,
        toc_signal_io_bytes_per_second = 43,
        toc_signal_descriptors = 44,
        toc_signal_threads = 45,
        toc_signal_leak = 46,
        toc_signal_deadlock = 47,
        toc_signal_lock_wait_ms = 48,
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
 *
 * TOC_QUIET("reason") - this probe never alerts, because.
 * TOC_RUNBOOK("where to read on") - may follow the rules of a probe. */
#define TOC_ALERT(...) (ALERT_, __VA_ARGS__)
#define TOC_QUIET(reason) (QUIET_, reason)
#define TOC_RUNBOOK(where) (RUNBOOK_, where)

/* ---- Declarations, at file scope ------------------------------------------------------
 *
 * TOC_MODULE(name, help ...) once, in one file of the module; TOC_MODULE_PART(name) in its other
 * files. Up to four of these may follow help:
 *
 *     TOC_BUDGET(live_bytes, 64 << 20, TOC_WARN, "cache outgrew its share of memory")
 *     TOC_LOGS(TOC_ALERT(per_minute, >, 10, TOC_WARN, "the cache reports errors"))
 *
 * TOC_LOGS is the rule of all error sites that say TOC_USUAL; without it any such error rings. */
#define TOC_MODULE(...) TOC_MODULE_(__VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_MODULE_PART(name) TOC_MODULE_PART_(name)
#define TOC_BUDGET(...) (BUDGET_, __VA_ARGS__)
#define TOC_LOGS(rule) (LOGS_, rule)

/* TOC_KIND(name, "help", rule [, rule] [, TOC_RUNBOOK(...)]); */
#define TOC_COUNTER(...) TOC_DECLARE_(counter, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_GAUGE(...) TOC_DECLARE_(gauge, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_LEVEL(...) TOC_DECLARE_(level, __VA_ARGS__, "", "", "", "", "", "", ~)
#define TOC_HEARTBEAT(...) TOC_DECLARE_(heartbeat, __VA_ARGS__, "", "", "", "", "", "", ~)

/* ---- Use, anywhere, by the declared name ----------------------------------------------*/

#define toc_count(name) ((void)toc_add_(&toc_counter_##name, 1))      /* one event */
#define toc_add(name, n) ((void)toc_add_(&toc_counter_##name, (n)))   /* n >= 0 events */
#define toc_set(name, to) toc_set_(&toc_gauge_##name, (to))           /* the last writer wins */
#define toc_raise(name, by) ((void)toc_add_(&toc_level_##name, (by))) /* from any thread ... */
#define toc_lower(name, by) ((void)toc_add_(&toc_level_##name, 0 - (uint64_t)(by))) /* back */
#define toc_beat(name) ((void)toc_add_(&toc_heartbeat_##name, 1))     /* "I am alive" */

/* bool TOC_EXPECT(condition, severity, "what it means if it does not hold")
 * bool TOC_EXPECT_CMP(a, op, b, severity, "...")   the same, and the two values are kept
 * bool TOC_UNREACHABLE(severity, "...")            false, and a miss
 *
 * True if the condition holds, at the cost of the branch. If not: counts, keeps values and
 * stack, wakes the watcher, returns false so that the code can refuse; the program runs on.
 * Arguments are evaluated once. */
#define TOC_EXPECT(cond, ...) \
        TOC_EXPECT_(TOC_CAT_(toc_site_, __COUNTER__), "TOC_EXPECT", \
                    "(condition, severity, meaning)", cond, #cond, __VA_ARGS__, 0, 0, ~)
#define TOC_EXPECT_CMP(a, op, b, ...) \
        TOC_EXPECT_CMP_(TOC_CAT_(toc_site_, __COUNTER__), a, op, b, #a " " #op " " #b, \
                        __VA_ARGS__, 0, 0, ~)
#define TOC_UNREACHABLE(...) \
        TOC_EXPECT_(TOC_CAT_(toc_site_, __COUNTER__), "TOC_UNREACHABLE", "(severity, meaning)", \
                    false, "not reached", __VA_ARGS__, 0, 0, ~)

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
const char *toc_segment_path(void);

/* ======================================================================================
 * Below: the file format, and the machinery. Not an interface for instrumented code.
 * ====================================================================================== */

enum { TOC_ABOVE_ = 4, TOC_EQUAL_ = 2, TOC_BELOW_ = 1 };

#define TOC_NO_CLEAR_LEVEL_ INT64_MIN /* .clear_at was not given */
#define TOC_GAUGE_UNSET_ INT64_MIN    /* toc_set was never called */

/* One rule, as it stands in the ELF file and in the segment. All zero: no rule. */
struct toc_rule {
        int64_t limit;
        int64_t clear_at;     /* TOC_NO_CLEAR_LEVEL_: clears as soon as it does not hold */
        int64_t capacity;     /* reserved, 0 */
        uint32_t hold_s;
        uint32_t keep_s;
        uint32_t window_s;    /* 0: the signal's own */
        uint32_t volume_min;  /* reserved, 0 */
        uint16_t objective_permille; /* reserved, 0 */
        uint8_t signal;       /* enum toc_signal */
        uint8_t op;           /* rings if above | equal | below: TOC_ABOVE_ ... */
        uint8_t severity;     /* enum toc_severity; 0: no rule */
        uint8_t reserved[3];
        char meaning[72];     /* or the reason of TOC_QUIET, in rule[0] with severity 0 */
};

/* One probe, flat: the bytes are the same in the ELF file, in a segment and in the watcher. */
struct toc_record {
        uint16_t version;     /* 1 */
        uint8_t kind;         /* enum toc_kind */
        uint8_t flags;        /* TOC_IS_USUAL_ */
        uint32_t line;
        union {
                char module[24];
                int32_t module_words_[6]; /* the same, as TOC_MODULE spells it */
        };
        char name[40];
        char help[72];        /* a site: its condition or format */
        char file[32];
        char labels[32];      /* reserved */
        char runbook[64];
        struct toc_rule rule[2];
};

enum { TOC_IS_USUAL_ = 1 };

_Static_assert(sizeof(struct toc_rule) == 120, "toc_rule is a file format");
_Static_assert(sizeof(struct toc_record) == 512, "toc_record is a file format");
_Static_assert(__builtin_offsetof(struct toc_record, rule) == 272, "toc_record is a file format");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "toc_record is little-endian");

/* A probe for the runtime: its record and its cell, which lies in the template of a slab. */
struct toc_probe_ {
        const struct toc_record *record;
        void *cell; /* NULL: nothing to count */
};

/* One executable or shared object with probes. The linker fills in where the sections lie. */
struct toc_dso_ {
        uint32_t version;
        uint32_t reserved;
        const struct toc_probe_ *probes, *probes_end;
        char *cells, *cells_end;   /* template of a thread's slab */
        char *shared, *shared_end; /* template of the slab that all threads share */
        int64_t shared_delta;      /* from a shared cell to where it is kept; 0: not yet */
        void *slot;                /* the runtime's */
};

struct toc_value_ {
        uint64_t bits;
        uint32_t size; /* 4 or 8 */
        char class;    /* i signed, u unsigned, f floating point, p pointer; 0 no value */
};

void toc_register_(struct toc_dso_ *dso);
void toc_unregister_(struct toc_dso_ *dso);
int64_t toc_attach_thread_(struct toc_dso_ *dso, int64_t *delta) __attribute__((cold));
int64_t toc_attach_shared_(struct toc_dso_ *dso) __attribute__((cold));
bool toc_miss_(struct toc_dso_ *dso, int64_t *delta, const struct toc_probe_ *probe,
               struct toc_value_ a, struct toc_value_ b) __attribute__((cold)); /* false */
void toc_report_(struct toc_dso_ *dso, const struct toc_probe_ *probe, uint64_t count,
                 const char *format, ...) __attribute__((cold, format(printf, 4, 5)));

#define TOC_CAT_(a, b) TOC_CAT2_(a, b)
#define TOC_CAT2_(a, b) a##b
#define TOC_TEXT_(x) TOC_TEXT2_(x)
#define TOC_TEXT2_(x) #x
#define TOC_UNWRAP_(...) __VA_ARGS__
#define TOC_FIRST_(...) TOC_FIRST2_(__VA_ARGS__, ~)
#define TOC_FIRST2_(first, ...) first
#define TOC_SECOND_(...) TOC_SECOND2_(__VA_ARGS__)
#define TOC_SECOND2_(first, second, ...) second

/* 1 if x is a parenthesised tuple, as TOC_ALERT(...) and TOC_QUIET(...) are. */
#define TOC_IS_TUPLE_(x) TOC_SECOND_(TOC_TUPLE_ x, 0, ~)
#define TOC_TUPLE_(...) ~, 1

/* 1 if x is a tuple that begins with that word. */
#define TOC_IS_(word, x) TOC_CAT_(TOC_IS_, TOC_IS_TUPLE_(x))(word, x)
#define TOC_IS_0(word, x) 0
#define TOC_IS_1(word, x) TOC_SECOND_(TOC_CAT_(TOC_IS_##word, TOC_TAG_(x)), 0, ~)
#define TOC_IS_ALERT_ALERT_ ~, 1
#define TOC_IS_QUIET_QUIET_ ~, 1
#define TOC_IS_RUNBOOK_RUNBOOK_ ~, 1
#define TOC_IS_LOGS_LOGS_ ~, 1

/* The first word of a tuple: ALERT_, QUIET_ ... The underscore keeps the macros of the author,
 * who may well have a QUIET of his own, away. */
#define TOC_TAG_(tuple) TOC_TAG2_(TOC_UNWRAP_ tuple)
#define TOC_TAG2_(...) TOC_FIRST_(__VA_ARGS__)

#define TOC_ALWAYS_ static inline __attribute__((always_inline, unused))

/* One instruction: the compiler cannot keep the cell in a register through a loop, and a signal
 * handler on the same thread cannot come between load and store. */
TOC_ALWAYS_ void toc_add_at_(uint64_t *at, uint64_t n)
{
#if defined(__x86_64__)
        __asm__ volatile("addq %1, %0" : "+m"(*at) : "er"(n) : "cc");
#else
        __atomic_store_n(at, __atomic_load_n(at, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
#endif
}

#ifndef TOCSIN_OFF

/* ---- The hot path ---------------------------------------------------------------------
 *
 * A thread's copy of a cell lies at &cell + toc_delta_; 0 means not attached. One eight-byte
 * variable in each object, defined by TOC_MODULE, merged by the linker. */
extern __thread int64_t toc_delta_
        __attribute__((visibility("hidden"), tls_model("initial-exec")));
extern struct toc_dso_ toc_dso_ __attribute__((visibility("hidden")));

TOC_ALWAYS_ uint64_t *toc_mine_(const uint64_t *cell)
{
        int64_t delta = toc_delta_;

        if (__builtin_expect(delta == 0, 0))
                delta = toc_attach_thread_(&toc_dso_, &toc_delta_);
        return (uint64_t *)((uintptr_t)cell + (uintptr_t)delta);
}

TOC_ALWAYS_ uint64_t *toc_add_(uint64_t *cell, uint64_t n)
{
        uint64_t *mine = toc_mine_(cell);

#if defined(__x86_64__)
        /* A plain base register: an indexed add to the same cell again waits seven cycles. */
        __asm__("" : "+r"(mine));
#endif
        toc_add_at_(mine, n);
        return mine;
}

TOC_ALWAYS_ void toc_set_(int64_t *cell, int64_t to)
{
        int64_t delta = __atomic_load_n(&toc_dso_.shared_delta, __ATOMIC_RELAXED);

        if (__builtin_expect(delta == 0, 0))
                delta = toc_attach_shared_(&toc_dso_);
        __atomic_store_n((int64_t *)((uintptr_t)cell + (uintptr_t)delta), to, __ATOMIC_RELAXED);
}

/* Counts and returns how often that makes it, in this thread. */
TOC_ALWAYS_ uint64_t toc_tick_(uint64_t *cell)
{
        return __atomic_load_n(toc_add_(cell, 1), __ATOMIC_RELAXED);
}

TOC_ALWAYS_ struct toc_value_ toc_value_of_(const void *copy, uint32_t size, char class)
{
        struct toc_value_ value = {0, size, class};

        __builtin_memcpy(&value.bits, copy, size <= 8 ? size : 8);
        return value;
}

/* ---- Sections -------------------------------------------------------------------------*/

#if defined(__clang__)
#define TOC_NO_REDZONE_ __attribute__((no_sanitize("address")))
#else
#define TOC_NO_REDZONE_ /* gcc leaves named sections alone */
#endif

#define TOC_IN_(name) __attribute__((section(name), used, retain, aligned(8))) TOC_NO_REDZONE_

#define TOC_HIDDEN_ __attribute__((weak, visibility("hidden")))
#define TOC_ONLY_HERE_ __attribute__((visibility("hidden")))

#if defined(__clang__)
#define TOC_MAY_OVERRIDE_ \
        _Pragma("clang diagnostic push") \
        _Pragma("clang diagnostic ignored \"-Winitializer-overrides\"")
#define TOC_AS_BEFORE_ _Pragma("clang diagnostic pop")
#else
#define TOC_MAY_OVERRIDE_ \
        _Pragma("GCC diagnostic push") \
        _Pragma("GCC diagnostic ignored \"-Woverride-init\"")
#define TOC_AS_BEFORE_ _Pragma("GCC diagnostic pop")
#endif

/* ---- Checks, each a sentence for the author of the line -------------------------------*/

#define TOC_FITS_(text, min, max, what) \
        _Static_assert(sizeof(text) > (min) && sizeof(text) <= (max) + 1, \
                       "tocsin: " what " must have " #min " to " #max " characters");

/* Looks at the spelling first: it cannot fail for a reason that nobody would understand. */
#define TOC_LITERAL_(text, what) \
        _Static_assert(__builtin_memcmp(#text, "\"", 1) == 0, \
                       "tocsin: " what " must be a text in quotes");
#define TOC_SAYS_(text, what) TOC_SAYS2_(text, text, what)
#define TOC_SAYS2_(text, value, what) \
        TOC_LITERAL_(text, what) \
        TOC_FITS_(value, 8, 71, what)

/* What is too long for a record is left to file and line. */
#define TOC_CUT_(text, field, instead) \
        __builtin_choose_expr(sizeof(text) <= sizeof(((struct toc_record *)0)->field), text, \
                              instead)

#define TOC_IS_INTEGER_(x) \
        _Generic((x), _Bool: 1, char: 1, signed char: 1, unsigned char: 1, short: 1, \
                 unsigned short: 1, int: 1, unsigned: 1, long: 1, unsigned long: 1, \
                 long long: 1, unsigned long long: 1, default: 0)
#define TOC_INTEGER_(x) __builtin_choose_expr(TOC_IS_INTEGER_(x), x, 0)

/* 1 if the integer is a constant expression: only then is the left arm a null pointer, and the
 * type of both arms that of the right one. */
#define TOC_IS_CONSTANT_(x) \
        _Generic((1 ? (void *)((intptr_t)(x) * 0) : (int *)0), int *: 1, default: 0)
#define TOC_CONSTANT_(x) \
        __builtin_choose_expr(TOC_IS_CONSTANT_(TOC_INTEGER_(x)), TOC_INTEGER_(x), 0)

/* The number, or 0 where the author wrote a text in its place. */
#define TOC_NUMBER_(x) _Generic((x), char *: 0, const char *: 0, default: (x))

#define TOC_OP_(op) \
        (__builtin_strcmp(op, ">") == 0    ? TOC_ABOVE_ \
         : __builtin_strcmp(op, ">=") == 0 ? TOC_ABOVE_ | TOC_EQUAL_ \
         : __builtin_strcmp(op, "<") == 0  ? TOC_BELOW_ \
         : __builtin_strcmp(op, "<=") == 0 ? TOC_BELOW_ | TOC_EQUAL_ \
         : __builtin_strcmp(op, "==") == 0 ? TOC_EQUAL_ \
         : __builtin_strcmp(op, "!=") == 0 ? TOC_ABOVE_ | TOC_BELOW_ \
                                           : 0)

#define TOC_SIGNALS_counter "total, per_second, per_minute and per_hour"
#define TOC_SIGNALS_gauge "value"
#define TOC_SIGNALS_level "value"
#define TOC_SIGNALS_heartbeat "silent_ms"
#define TOC_SIGNALS_error "total and per_minute"
#define TOC_SIGNALS_warning TOC_SIGNALS_error
#define TOC_SIGNALS_logs TOC_SIGNALS_error
#define TOC_SIGNALS_module \
        "live_bytes, allocations, cpu_permille, io_bytes_per_second, descriptors, threads, leak, " \
        "deadlock and lock_wait_ms"

#define TOC_HAS_counter_total ~, 1
#define TOC_HAS_counter_per_second ~, 1
#define TOC_HAS_counter_per_minute ~, 1
#define TOC_HAS_counter_per_hour ~, 1
#define TOC_HAS_gauge_value ~, 1
#define TOC_HAS_level_value ~, 1
#define TOC_HAS_heartbeat_silent_ms ~, 1
#define TOC_HAS_error_total ~, 1
#define TOC_HAS_error_per_minute ~, 1
#define TOC_HAS_warning_total ~, 1
#define TOC_HAS_warning_per_minute ~, 1
#define TOC_HAS_logs_total ~, 1
#define TOC_HAS_logs_per_minute ~, 1
#define TOC_HAS_module_live_bytes ~, 1
#define TOC_HAS_module_allocations ~, 1
#define TOC_HAS_module_cpu_permille ~, 1
#define TOC_HAS_module_io_bytes_per_second ~, 1
#define TOC_HAS_module_descriptors ~, 1
#define TOC_HAS_module_threads ~, 1
#define TOC_HAS_module_leak ~, 1
#define TOC_HAS_module_deadlock ~, 1
#define TOC_HAS_module_lock_wait_ms ~, 1

#define TOC_NEGATIVE_gauge 1
#define TOC_NEGATIVE_level 1
#define TOC_NEGATIVE_counter 0
#define TOC_NEGATIVE_heartbeat 0
#define TOC_NEGATIVE_error 0
#define TOC_NEGATIVE_warning 0
#define TOC_NEGATIVE_logs 0
#define TOC_NEGATIVE_module 0

#define TOC_SEVERITY_CHECK_(what, severity) \
        _Static_assert(TOC_NUMBER_(severity) >= TOC_NOTE && TOC_NUMBER_(severity) <= TOC_PAGE, \
                       "tocsin: " what ": the severity is TOC_NOTE, TOC_WARN or TOC_PAGE");

#define TOC_LIMIT_CHECK_(kind, what, limit) \
        _Static_assert(TOC_IS_INTEGER_(limit), "tocsin: " what ": the limit must be an integer"); \
        _Static_assert(TOC_IS_CONSTANT_(TOC_INTEGER_(limit)), \
                       "tocsin: " what ": the limit must be a constant"); \
        _Static_assert(TOC_NEGATIVE_##kind || TOC_CONSTANT_(limit) >= 0, \
                       "tocsin: " what ": the limit is negative, which a " #kind \
                       " never is"); \
        _Static_assert(TOC_CONSTANT_(limit) < 0 || TOC_CONSTANT_(limit) <= INT64_MAX, \
                       "tocsin: " what ": the limit is larger than INT64_MAX");

/* 1 if there are five arguments or more, up to 16. */
#define TOC_FIVE_(...) TOC_17TH_(__VA_ARGS__, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, ~)
#define TOC_17TH_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, ...) q

/* ---- Rules of a probe, by tag -------------------------------------------------------- */

/* TOC_RULE_CHECK_(kind, what, slot, tuple): slot is 0 for the first argument after help. */
#define TOC_RULE_CHECK_(kind, what, slot, tuple) \
        TOC_CAT_(TOC_RULE_CHECK_, TOC_IS_TUPLE_(tuple))(kind, what, slot, tuple)
#define TOC_RULE_CHECK_0(kind, what, slot, text) \
        _Static_assert(sizeof(text) == 1, \
                       "tocsin: " what ": a rule is TOC_ALERT(signal, op, limit, severity, " \
                       "meaning), not a text");
#define TOC_RULE_CHECK_1(kind, what, slot, tuple) \
        TOC_RULE_CHECK2_(kind, what, slot, TOC_UNWRAP_ tuple)
#define TOC_RULE_CHECK2_(...) TOC_RULE_CHECK3_(__VA_ARGS__)
#define TOC_RULE_CHECK3_(kind, what, slot, tag, ...) \
        TOC_CHECK_##tag(kind, what, slot, __VA_ARGS__)

#define TOC_CHECK_ALERT_(kind, what, slot, ...) \
        _Static_assert(slot < 2, "tocsin: " what ": at most two rules"); \
        TOC_CAT_(TOC_CHECK_ALERT_, TOC_FIVE_(__VA_ARGS__))(kind, what, __VA_ARGS__)
#define TOC_CHECK_ALERT_0(kind, what, ...) \
        _Static_assert(0, "tocsin: " what ": TOC_ALERT takes (signal, op, limit, severity, " \
                       "meaning), and options after that");
#define TOC_CHECK_ALERT_1(kind, what, signal, op, limit, severity, ...) \
        _Static_assert(sizeof(#signal) > 1 && sizeof(#op) > 1 && sizeof(#limit) > 1 && \
                               sizeof(#severity) > 1, \
                       "tocsin: " what ": TOC_ALERT takes (signal, op, limit, severity, " \
                       "meaning), and options after that"); \
        _Static_assert(TOC_SECOND_(TOC_HAS_##kind##_##signal, 0, ~), \
                       "tocsin: " what " has no signal " #signal "; it has " \
                       TOC_SIGNALS_##kind); \
        _Static_assert(TOC_OP_(#op) != 0, \
                       "tocsin: " what ": " #op " is not one of > >= < <= == !="); \
        TOC_LIMIT_CHECK_(kind, what, limit) \
        TOC_SEVERITY_CHECK_(what, severity) \
        TOC_SAYS_(TOC_FIRST_(__VA_ARGS__), "the meaning in a rule of " what)
#define TOC_CHECK_QUIET_(kind, what, slot, reason) \
        _Static_assert(slot == 0, "tocsin: " what ": TOC_QUIET stands alone, without a rule"); \
        TOC_SAYS_(reason, "the reason in TOC_QUIET of " what)
#define TOC_CHECK_RUNBOOK_(kind, what, slot, where) \
        _Static_assert(slot > 0, "tocsin: " what ": TOC_RUNBOOK comes after the rule"); \
        TOC_LITERAL_(where, "the runbook of " what) \
        TOC_FITS_("" where, 4, 63, "the runbook of " what)
#define TOC_CHECK_USUAL_(kind, what, slot, unused) \
        _Static_assert(TOC_SECOND_(TOC_LOGS_##kind, 0, ~), \
                       "tocsin: " what ": TOC_USUAL is for TOC_ERROR and TOC_WARNING; give it " \
                       "TOC_ALERT(signal, op, limit, severity, meaning)");
#define TOC_CHECK_BUDGET_(kind, what, ...) \
        _Static_assert(0, "tocsin: " what ": TOC_BUDGET belongs into TOC_MODULE; give it " \
                       "TOC_ALERT(signal, op, limit, severity, meaning)");
#define TOC_CHECK_LOGS_(kind, what, ...) \
        _Static_assert(0, "tocsin: " what ": TOC_LOGS belongs into TOC_MODULE; give it " \
                       "TOC_ALERT(signal, op, limit, severity, meaning)");
#define TOC_LOGS_error ~, 1
#define TOC_LOGS_warning ~, 1

/* The same, as the fields of the record. */
#define TOC_RULE_(slot, tuple) TOC_CAT_(TOC_RULE_, TOC_IS_TUPLE_(tuple))(slot, tuple)
#define TOC_RULE_0(slot, text)
#define TOC_RULE_1(slot, tuple) TOC_RULE2_(slot, TOC_UNWRAP_ tuple)
#define TOC_RULE2_(...) TOC_RULE3_(__VA_ARGS__)
#define TOC_RULE3_(slot, tag, ...) TOC_FIELD_##tag(slot, __VA_ARGS__)

#define TOC_FIELD_ALERT_(slot, ...) \
        TOC_CAT_(TOC_FIELD_ALERT_, TOC_FIVE_(__VA_ARGS__))(slot, __VA_ARGS__)
#define TOC_FIELD_ALERT_0(slot, ...)
#define TOC_FIELD_ALERT_1(slot_, signal_, op_, limit_, severity_, ...) \
        .rule[(slot_) < 2 ? (slot_) : 0] = {.signal = toc_signal_##signal_, \
                        .op = TOC_OP_(#op_), \
                        .limit = (int64_t)TOC_CONSTANT_(limit_), \
                        .clear_at = TOC_NO_CLEAR_LEVEL_, \
                        .severity = TOC_NUMBER_(severity_), \
                        .meaning = __VA_ARGS__},
#define TOC_FIELD_QUIET_(slot, reason) .rule[0] = {.meaning = "" reason},
#define TOC_FIELD_RUNBOOK_(slot, where) .runbook = "" where,
#define TOC_FIELD_USUAL_(slot, unused) .flags = TOC_IS_USUAL_,
#define TOC_FIELD_BUDGET_(slot, ...)
#define TOC_FIELD_LOGS_(slot, ...)

/* ---- The module's name, letter by letter ----------------------------------------------
 *
 * Each record holds the name of its module, but C11 has no way to copy a text from one
 * declaration into the initialiser of another. It has one for integers: TOC_MODULE turns each
 * letter into an enumerator, found by bisection with comparisons that the compiler folds. */
#define TOC_ASCII_ \
        "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37" \
        " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`" \
        "abcdefghijklmnopqrstuvwxyz{|}~\177"
#define TOC_AT_(s, i) (&(s)[(i) < sizeof(s) ? (i) : sizeof(s) - 1])
#define TOC_STEP_(s, i, from, by) \
        ((from) + (__builtin_memcmp(TOC_AT_(s, i), &TOC_ASCII_[(from) + (by)], 1) >= 0 ? (by) : 0))
#define TOC_LETTER_(id, s, i) \
        id##a##i##_ = TOC_STEP_(s, i, 0, 64), id##b##i##_ = TOC_STEP_(s, i, id##a##i##_, 32), \
        id##c##i##_ = TOC_STEP_(s, i, id##b##i##_, 16), \
        id##d##i##_ = TOC_STEP_(s, i, id##c##i##_, 8), \
        id##e##i##_ = TOC_STEP_(s, i, id##d##i##_, 4), \
        id##f##i##_ = TOC_STEP_(s, i, id##e##i##_, 2), \
        id##g##i##_ = TOC_STEP_(s, i, id##f##i##_, 1),
#define TOC_LETTERS_(id, s, i, j, k, l, name) \
        TOC_LETTER_(id, s, i) TOC_LETTER_(id, s, j) TOC_LETTER_(id, s, k) TOC_LETTER_(id, s, l) \
        name = id##g##i##_ | id##g##j##_ << 8 | id##g##k##_ << 16 | id##g##l##_ << 24
#define TOC_SPELL_(s) TOC_SPELL2_(TOC_CAT_(toc_step_, __COUNTER__), s)
#define TOC_SPELL2_(id, s) TOC_SPELL3_(id, s)
#define TOC_SPELL3_(id, s) \
        enum { this_file_has_a_TOC_MODULE_already }; \
        enum { \
                TOC_LETTERS_(id, s, 0, 1, 2, 3, this_file_has_no_TOC_MODULE), \
                TOC_LETTERS_(id, s, 4, 5, 6, 7, toc_name_1_), \
                TOC_LETTERS_(id, s, 8, 9, 10, 11, toc_name_2_), \
                TOC_LETTERS_(id, s, 12, 13, 14, 15, toc_name_3_), \
                TOC_LETTERS_(id, s, 16, 17, 18, 19, toc_name_4_), \
                TOC_LETTERS_(id, s, 20, 21, 22, 23, toc_name_5_) \
        };
#define TOC_THIS_MODULE_ \
        {this_file_has_no_TOC_MODULE, toc_name_1_, toc_name_2_, toc_name_3_, toc_name_4_, \
         toc_name_5_}

/* ---- Records --------------------------------------------------------------------------*/

#define TOC_RECORD_(id, kind_, name_, help_, cell_, ...) \
        TOC_MAY_OVERRIDE_ \
        static const struct toc_record TOC_CAT_(id, _record_) TOC_IN_("toc_records_1") = { \
                .version = 1, \
                .kind = toc_kind_##kind_, \
                .line = __LINE__, \
                .module_words_ = TOC_THIS_MODULE_, \
                .name = name_, \
                .help = help_, \
                .file = TOC_CUT_(__FILE_NAME__, file, "(a long file name)"), \
                __VA_ARGS__}; \
        TOC_AS_BEFORE_ \
        static const struct toc_probe_ TOC_CAT_(id, _probe_) TOC_IN_("toc_probes_1") = { \
                .record = &TOC_CAT_(id, _record_), .cell = cell_}

/* ---- Modules --------------------------------------------------------------------------*/

#define TOC_MODULE_(name_, help_, a, b, c, d, too_many, ...) \
        TOC_SPELL_(#name_) \
        TOC_FITS_(#name_, 1, 23, "the name of module " #name_) \
        TOC_SAYS_(help_, "the help of module " #name_) \
        _Static_assert(!TOC_IS_TUPLE_(too_many), \
                       "tocsin: module " #name_ ": at most four of TOC_BUDGET and TOC_LOGS"); \
        _Static_assert(TOC_IS_(LOGS_, a) + TOC_IS_(LOGS_, b) + TOC_IS_(LOGS_, c) + \
                               TOC_IS_(LOGS_, d) <= 1, \
                       "tocsin: module " #name_ ": at most one TOC_LOGS"); \
        extern const struct toc_probe_ __start_toc_probes_1[] TOC_HIDDEN_; \
        extern const struct toc_probe_ __stop_toc_probes_1[] TOC_HIDDEN_; \
        extern char __start_toc_cells_1[] TOC_HIDDEN_, __stop_toc_cells_1[] TOC_HIDDEN_; \
        extern char __start_toc_shared_1[] TOC_HIDDEN_, __stop_toc_shared_1[] TOC_HIDDEN_; \
        TOC_HIDDEN_ __attribute__((tls_model("initial-exec"))) __thread int64_t toc_delta_; \
        TOC_HIDDEN_ struct toc_dso_ toc_dso_ = { \
                .version = 1, \
                .probes = __start_toc_probes_1, \
                .probes_end = __stop_toc_probes_1, \
                .cells = __start_toc_cells_1, \
                .cells_end = __stop_toc_cells_1, \
                .shared = __start_toc_shared_1, \
                .shared_end = __stop_toc_shared_1}; \
        __attribute__((constructor(101))) static void toc_hello_(void) \
        { \
                toc_register_(&toc_dso_); \
        } \
        __attribute__((destructor(101))) static void toc_goodbye_(void) \
        { \
                toc_unregister_(&toc_dso_); \
        } \
        extern const char one_file_must_have_TOC_MODULE_##name_[1] TOC_ONLY_HERE_; \
        const char one_file_must_have_TOC_MODULE_##name_[1] = {0}; \
        TOC_RECORD_(TOC_CAT_(toc_id_, __COUNTER__), module, #name_, help_, 0, .flags = 0); \
        TOC_ITEM_(name_, a) TOC_ITEM_(name_, b) TOC_ITEM_(name_, c) TOC_ITEM_(name_, d) \
        _Static_assert(1, "")

/* Refers to what TOC_MODULE of that name defines, so that the linker says what is missing. */
#define TOC_MODULE_PART_(name_) \
        TOC_SPELL_(#name_) \
        TOC_FITS_(#name_, 1, 23, "the name of module " #name_) \
        extern const char one_file_must_have_TOC_MODULE_##name_[1] TOC_ONLY_HERE_; \
        __attribute__((used)) static const char *const toc_part_of_ = \
                one_file_must_have_TOC_MODULE_##name_

#define TOC_ITEM_(module, item) TOC_CAT_(TOC_ITEM_, TOC_IS_TUPLE_(item))(module, item)
#define TOC_ITEM_0(module, text) \
        _Static_assert(sizeof(text) == 1, \
                       "tocsin: module " #module ": after the help come TOC_BUDGET and TOC_LOGS");
#define TOC_ITEM_1(module, tuple) TOC_ITEM2_(module, TOC_UNWRAP_ tuple)
#define TOC_ITEM2_(...) TOC_ITEM3_(__VA_ARGS__)
#define TOC_ITEM3_(module, tag, ...) TOC_ITEM_##tag(module, __VA_ARGS__)
#define TOC_ITEM_ALERT_(module, ...) TOC_ITEM_NOT_(module)
#define TOC_ITEM_QUIET_(module, ...) TOC_ITEM_NOT_(module)
#define TOC_ITEM_RUNBOOK_(module, ...) TOC_ITEM_NOT_(module)
#define TOC_ITEM_USUAL_(module, ...) TOC_ITEM_NOT_(module)
#define TOC_ITEM_NOT_(module) \
        _Static_assert(0, "tocsin: module " #module ": a rule here stands in TOC_LOGS(rule), and " \
                       "a budget is TOC_BUDGET(signal, limit, severity, meaning)");
#define TOC_ITEM_LOGS_(module, rule) \
        TOC_ITEM_LOGS2_(TOC_CAT_(toc_id_, __COUNTER__), "TOC_LOGS of module " #module, rule)
#define TOC_ITEM_LOGS2_(id, what, rule) \
        _Static_assert(sizeof(#rule) > 1, \
                       "tocsin: " what " has no rule: give it TOC_ALERT(signal, op, limit, " \
                       "severity, meaning) or TOC_QUIET(reason)"); \
        TOC_RULE_CHECK_(logs, what, 0, rule) \
        TOC_RECORD_(id, logs, "log_errors", "Errors of all sites that say TOC_USUAL", 0, \
                    TOC_RULE_(0, rule));
#define TOC_ITEM_BUDGET_(module, ...) \
        TOC_CAT_(TOC_ITEM_BUDGET_, TOC_FIVE_(~, __VA_ARGS__)) \
        (TOC_CAT_(toc_id_, __COUNTER__), "TOC_BUDGET of module " #module, __VA_ARGS__)
#define TOC_ITEM_BUDGET_0(id, what, ...) \
        _Static_assert(0, "tocsin: " what " takes (signal, limit, severity, meaning), and " \
                       "options after that");
#define TOC_ITEM_BUDGET_1(id, what, signal, limit, severity, ...) \
        _Static_assert(!TOC_OP_(#limit), "tocsin: " what " takes (signal, limit, severity, " \
                       "meaning): its comparison is always >"); \
        TOC_RULE_CHECK_(module, what, 0, (ALERT_, signal, >, limit, severity, __VA_ARGS__)) \
        TOC_RECORD_(id, module, #signal, "Budget of the module", 0, \
                    TOC_RULE_(0, (ALERT_, signal, >, limit, severity, __VA_ARGS__)));

/* ---- Probes at file scope -------------------------------------------------------------*/

#define TOC_DECLARE_(kind, name, help, a, b, c, too_many, ...) \
        TOC_DECLARE2_(TOC_IS_TUPLE_(help), TOC_IS_TUPLE_(a), kind, name, help, a, b, c, too_many)
#define TOC_DECLARE2_(no_help, rule, ...) TOC_DECLARE3_(no_help, rule, __VA_ARGS__)
#define TOC_DECLARE3_(no_help, rule, ...) TOC_DECLARE_##no_help##rule(__VA_ARGS__)
#define TOC_DECLARE_10(kind, name, ...) \
        _Static_assert(0, "tocsin: " #kind " " #name " has no help: its second argument is a " \
                       "text that says what it counts"); \
        static TOC_CELL_##kind##_ toc_##kind##_##name
#define TOC_DECLARE_11 TOC_DECLARE_10
#define TOC_DECLARE_00(kind, name, help, ...) \
        _Static_assert(0, "tocsin: " #kind " " #name " has no alert rule: give it " \
                       "TOC_ALERT(signal, op, limit, severity, meaning) or TOC_QUIET(reason)"); \
        TOC_SAYS_(help, "the help of " #kind " " #name) \
        static TOC_CELL_##kind##_ toc_##kind##_##name
#define TOC_DECLARE_01(kind, name_, help_, a, b, c, too_many) \
        TOC_FITS_(#name_, 1, 31, "the name " #name_) \
        TOC_SAYS_(help_, "the help of " #kind " " #name_) \
        TOC_RULE_CHECK_(kind, #kind " " #name_, 0, a) \
        TOC_RULE_CHECK_(kind, #kind " " #name_, 1, b) \
        TOC_RULE_CHECK_(kind, #kind " " #name_, 2, c) \
        _Static_assert(!TOC_IS_TUPLE_(too_many) && \
                               !(TOC_IS_(QUIET_, a) && TOC_IS_(ALERT_, b)) && \
                               !(TOC_IS_(RUNBOOK_, b) && TOC_IS_TUPLE_(c)), \
                       "tocsin: " #kind " " #name_ ": at most two rules, or TOC_QUIET alone, and " \
                       "a runbook as the last"); \
        static TOC_CELL_##kind##_ toc_##kind##_##name_ TOC_PLACE_##kind##_; \
        TOC_RECORD_(toc_##kind##_##name_, kind, #name_, help_, &toc_##kind##_##name_, \
                    TOC_RULE_(0, a) TOC_RULE_(1, b) TOC_RULE_(2, c))

#define TOC_CELL_counter_ uint64_t
#define TOC_CELL_level_ uint64_t
#define TOC_CELL_heartbeat_ uint64_t
#define TOC_CELL_gauge_ int64_t
#define TOC_PLACE_counter_ TOC_IN_("toc_cells_1") = 0
#define TOC_PLACE_level_ TOC_IN_("toc_cells_1") = 0
#define TOC_PLACE_heartbeat_ TOC_IN_("toc_cells_1") = 0
#define TOC_PLACE_gauge_ TOC_IN_("toc_shared_1") = TOC_GAUGE_UNSET_

/* ---- Sites in functions ---------------------------------------------------------------*/

/* An expectation's cells: misses, then passes, which only a build with TOC_COUNT_PASSES counts
 * (the gate's), because counting them would cost as much again as the check. */
#ifdef TOC_COUNT_PASSES
#define TOC_PASS_(site) (toc_add_(&site[1], 1), true)
#else
#define TOC_PASS_(site) true
#endif

#define TOC_EXPECT_SITE_(site, what, form, text, severity_, meaning_, extra) \
        _Static_assert(sizeof(#severity_) > 1 && !TOC_IS_TUPLE_(severity_) && \
                               __builtin_strcmp(#extra, "0") == 0, \
                       "tocsin: " what " takes " form); \
        TOC_SEVERITY_CHECK_(what, severity_) \
        _Static_assert(_Generic((meaning_), char *: 1, const char *: 1, default: 0), \
                       "tocsin: " what " takes " form); \
        TOC_SAYS2_(meaning_, TOC_STRING_(meaning_), "the meaning in " what) \
        static uint64_t site[2] TOC_IN_("toc_cells_1") = {0}; \
        TOC_RECORD_(site, expectation, "expect_" TOC_TEXT_(__LINE__), \
                    TOC_CUT_(text, help, "(a long condition: see the source)"), site, \
                    .rule[0] = {.signal = toc_signal_total, \
                                .op = TOC_ABOVE_, \
                                .clear_at = TOC_NO_CLEAR_LEVEL_, \
                                .severity = TOC_NUMBER_(severity_), \
                                .meaning = TOC_STRING_(meaning_)})

/* The text, or a harmless one where the author wrote a number in its place. */
#define TOC_STRING_(x) \
        __builtin_choose_expr(_Generic((x), char *: 1, const char *: 1, default: 0), x, \
                              "(no meaning)")

#define TOC_EXPECT_(site, what, form, cond, text, severity, meaning, extra, ...) \
        (__extension__({ \
                TOC_EXPECT_SITE_(site, what, form, text, severity, meaning, extra); \
                bool TOC_CAT_(site, _holds_); \
                if (cond) \
                        TOC_CAT_(site, _holds_) = TOC_PASS_(site); \
                else \
                        TOC_CAT_(site, _holds_) = \
                                toc_miss_(&toc_dso_, &toc_delta_, &TOC_CAT_(site, _probe_), \
                                          TOC_NO_VALUE_, TOC_NO_VALUE_); \
                TOC_CAT_(site, _holds_); \
        }))

#define TOC_EXPECT_CMP_(site, x, op, y, text, severity, meaning, extra, ...) \
        (__extension__({ \
                TOC_EXPECT_SITE_(site, "TOC_EXPECT_CMP", "(a, op, b, severity, meaning)", text, \
                                 severity, meaning, extra); \
                _Static_assert(TOC_OP_(#op) != 0, \
                               "tocsin: TOC_EXPECT_CMP: " #op " is not one of > >= < <= == !="); \
                _Static_assert(TOC_FITS_VALUE_(x) && TOC_FITS_VALUE_(y), \
                               "tocsin: TOC_EXPECT_CMP compares numbers and pointers of at most " \
                               "8 bytes; use TOC_EXPECT"); \
                __typeof__(1 ? (x) : (x)) TOC_CAT_(site, _left_) = (x); \
                __typeof__(1 ? (y) : (y)) TOC_CAT_(site, _right_) = (y); \
                __builtin_expect(TOC_KEPT_(x, TOC_CAT_(site, _left_)) \
                                         op TOC_KEPT_(y, TOC_CAT_(site, _right_)), 1) \
                        ? TOC_PASS_(site) \
                        : toc_miss_(&toc_dso_, &toc_delta_, &TOC_CAT_(site, _probe_), \
                                    TOC_VALUE_(TOC_CAT_(site, _left_)), \
                                    TOC_VALUE_(TOC_CAT_(site, _right_))); \
        }))

/* 12 is a struct, 13 a union (gcc's typeclass.h). */
#define TOC_FITS_VALUE_(x) \
        (sizeof(1 ? (x) : (x)) <= 8 && __builtin_classify_type(x) != 12 && \
         __builtin_classify_type(x) != 13)

/* A constant itself, else the copy: unsigned < 64 is no comparison of different signs. */
#define TOC_KEPT_(x, copy) __builtin_choose_expr(TOC_IS_CONSTANT_(x), x, copy)

#define TOC_NO_VALUE_ ((struct toc_value_){0, 0, 0})
#define TOC_VALUE_(x) toc_value_of_(&(__typeof__(x)){x}, sizeof(x), TOC_CLASS_(x))
#define TOC_CLASS_(x) \
        _Generic((x), int: 'i', long: 'i', long long: 'i', unsigned: 'u', unsigned long: 'u', \
                 unsigned long long: 'u', float: 'f', double: 'f', long double: 'f', default: 'p')

#define TOC_LOG_(kind, site, code, rule, ...) \
        TOC_CAT_(TOC_LOG_, TOC_IS_TUPLE_(rule))(kind, site, code, rule, __VA_ARGS__)
#define TOC_LOG_0(kind, site, code, rule, ...) \
        (__extension__({ \
                _Static_assert(0, "tocsin: this " #kind " has no alert rule: its second argument " \
                               "is TOC_USUAL, TOC_ALERT(...) or TOC_QUIET(...)"); \
                (code); \
        }))
#define TOC_LOG_1(kind, site, code, rule, ...) \
        (__extension__({ \
                __typeof__(code) TOC_CAT_(site, _code_) = (code); \
                TOC_MESSAGE_(TOC_FIRST_(__VA_ARGS__), "the message of this " #kind) \
                TOC_RULE_CHECK_(kind, "this " #kind, 0, rule) \
                static uint64_t site TOC_IN_("toc_cells_1") = 0; \
                TOC_RECORD_(site, kind, #kind "_" TOC_TEXT_(__LINE__), \
                            TOC_CUT_(TOC_FIRST_(__VA_ARGS__), help, \
                                     "(a long message: see the source)"), \
                            &site, TOC_RULE_(0, rule)); \
                uint64_t TOC_CAT_(site, _n_) = toc_tick_(&site); \
                if (__builtin_expect((TOC_CAT_(site, _n_) & (TOC_CAT_(site, _n_) - 1)) == 0, 0)) \
                        toc_report_(&toc_dso_, &TOC_CAT_(site, _probe_), TOC_CAT_(site, _n_), \
                                    __VA_ARGS__); \
                TOC_CAT_(site, _code_); \
        }))

#define TOC_MESSAGE_(text, what) TOC_LITERAL_(text, what) TOC_FITS_("" text, 8, 255, what)

#else /* TOCSIN_OFF: what is left is what the expressions return */

#undef TOC_MODULE
#undef TOC_MODULE_PART
#undef TOC_COUNTER
#undef TOC_GAUGE
#undef TOC_LEVEL
#undef TOC_HEARTBEAT
#undef toc_count
#undef toc_add
#undef toc_set
#undef toc_raise
#undef toc_lower
#undef toc_beat
#undef TOC_EXPECT
#undef TOC_EXPECT_CMP
#undef TOC_UNREACHABLE
#undef TOC_ERROR
#undef TOC_WARNING
#define TOC_MODULE(...) _Static_assert(1, "")
#define TOC_MODULE_PART(name) _Static_assert(1, "")
#define TOC_COUNTER(...) _Static_assert(1, "")
#define TOC_GAUGE(...) _Static_assert(1, "")
#define TOC_LEVEL(...) _Static_assert(1, "")
#define TOC_HEARTBEAT(...) _Static_assert(1, "")
#define toc_count(name) ((void)0)
#define toc_add(name, n) ((void)sizeof(n))
#define toc_set(name, to) ((void)sizeof(to))
#define toc_raise(name, by) ((void)sizeof(by))
#define toc_lower(name, by) ((void)sizeof(by))
#define toc_beat(name) ((void)0)
#define TOC_EXPECT(cond, ...) (!!(cond))
#define TOC_EXPECT_CMP(a, op, b, ...) ((a)op(b))
#define TOC_UNREACHABLE(...) (__extension__({ false; }))
#define TOC_ERROR(code, rule, ...) TOC_ONLY_(code, __VA_ARGS__)
#define TOC_WARNING(code, rule, ...) TOC_ONLY_(code, __VA_ARGS__)
#define TOC_ONLY_(code, ...) \
        (__extension__({ \
                if (0) \
                        toc_report_(0, 0, 0, __VA_ARGS__); \
                (code); \
        }))

#endif /* TOCSIN_OFF */
#endif /* __cplusplus */
#endif
