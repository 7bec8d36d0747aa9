/* SPDX-License-Identifier: Apache-2.0 */
/* tocsin-machine.h - the file format, and the machinery of <tocsin.h>, which includes it. Not an
 * interface for instrumented code.
 *
 * house: long file because it is one machine: each macro needs the ones above it. */
#ifndef TOCSIN_MACHINE_H
#define TOCSIN_MACHINE_H

#pragma GCC system_header

/* What C and C++ spell differently. In C++ the rest of it is in tocsin-cxx.h. */
#ifdef __cplusplus
#define TOC_ASSERT_ static_assert
#define TOC_C_BEGIN_ extern "C" {
#define TOC_C_END_ }
#else
#define TOC_ASSERT_ _Static_assert
#define TOC_C_BEGIN_
#define TOC_C_END_
#endif

enum { TOC_ABOVE_ = 4, TOC_EQUAL_ = 2, TOC_BELOW_ = 1 };

#define TOC_NO_CLEAR_LEVEL_ INT64_MIN /* .clear_at was not given */
#define TOC_GAUGE_UNSET_ INT64_MIN    /* toc_set was never called */

/* One rule, as it stands in the ELF file and in the segment. All zero: no rule. */
struct toc_rule {
        int64_t limit;
        int64_t clear_at;     /* TOC_NO_CLEAR_LEVEL_: clears as soon as it does not hold */
        int64_t capacity;     /* exhausts_s: where the gauge ends; else 0 */
        uint32_t hold_s;
        uint32_t keep_s;
        uint32_t window_s;    /* 0: the signal's own */
        uint32_t volume_min;  /* 0: the signal's own */
        uint16_t objective_permille; /* burn_fast, burn_slow; else 0 */
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
        uint8_t flags;        /* TOC_IS_USUAL_ ... */
        uint32_t line;
        union {
                char module[24];
                int32_t module_words_[6]; /* the same, as TOC_MODULE spells it */
        };
        char name[40];
        char help[72];        /* a site: its condition or format */
        char file[32];
        char labels[32];      /* its label; of a must-hit, the gauge of TOC_WHEN */
        char runbook[64];
        struct toc_rule rule[2];
};

enum {
        TOC_IS_USUAL_ = 1,
        TOC_STOPS_ = 2,    /* a miss here aborts the program, as it was compiled */
        TOC_MAY_STOP_ = 4, /* TOC_STOP_FROM or TOC_STOP_IN_TESTS stands here */
};

TOC_ASSERT_(sizeof(struct toc_rule) == 120, "toc_rule is a file format");
TOC_ASSERT_(sizeof(struct toc_record) == 512, "toc_record is a file format");
TOC_ASSERT_(__builtin_offsetof(struct toc_record, rule) == 272, "toc_record is a file format");
TOC_ASSERT_(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "toc_record is little-endian");

/* ---- Cells: what lies where, by kind --------------------------------------------------
 *
 * Everything is summed over threads but a gauge, of which there is one, and the slots of an
 * operation, of which each is one operation. */
enum { TOC_BUCKETS_ = 505, TOC_SLOTS_ = 16 };

/* Eight buckets an octave, one a value from 2 to 15. over[i]: values for which rule i rings. */
struct toc_histogram_ {
        uint64_t over[2];
        uint64_t sum;
        uint64_t bucket[TOC_BUCKETS_];
};

struct toc_share_ {
        uint64_t part, whole;
};

/* A slot holds a number that no other operation of this slot had; 0: free. */
struct toc_operation_ {
        uint64_t begun, ended;
        uint64_t slot[TOC_SLOTS_];
};

struct toc_flow_ {
        uint64_t in, out, dropped, held; /* held: in two's complement */
};

/* An operation that is going on. */
struct toc_open {
        uint64_t *slot;   /* NULL: there were too many at once */
        uint32_t forks_;  /* a child of fork has other slots */
};

/* How many words a probe's cells are; 0: it has none, or the kind is not known. */
static inline __attribute__((unused)) uint32_t toc_words_(unsigned kind)
{
        static const uint16_t words[16] = {0,
                                           1,
                                           1,
                                           1,
                                           sizeof(struct toc_histogram_) / 8,
                                           sizeof(struct toc_histogram_) / 8,
                                           sizeof(struct toc_share_) / 8,
                                           1,
                                           sizeof(struct toc_operation_) / 8,
                                           sizeof(struct toc_flow_) / 8,
                                           2,
                                           1,
                                           1,
                                           1,
                                           0,
                                           0};

        return kind < 16 ? words[kind] : 0;
}

/* The bucket of a value >= 0, from the bits of a double: an exponent and three bits of mantissa.
 * Bucket b holds what is at least toc_bucket_floor_(b) and less than that of b + 1. */
static inline __attribute__((unused)) uint64_t toc_bucket_floor_(unsigned bucket)
{
        unsigned octave = bucket / 8;

        if (bucket == 0)
                return 0;
        return octave >= 3 ? (uint64_t)(8 + bucket % 8) << (octave - 3)
                           : ((uint64_t)(8 + bucket % 8) + (8u >> octave) - 1) >> (3 - octave);
}

/* A probe for the runtime: its record and its cell, which lies in the template of a slab. */
struct toc_probe_ {
        const struct toc_record *record;
        void *cell; /* NULL: nothing to count */
};

/* One executable or shared object with probes. The linker fills in where the sections lie. */
struct toc_dso_ {
        uint32_t version;
        uint32_t forks; /* how many lie between this process and the one that loaded it */
        const struct toc_probe_ *probes, *probes_end;
        char *cells, *cells_end;   /* template of a thread's slab */
        char *shared, *shared_end; /* template of the slab that all threads share */
        int64_t shared_delta;      /* from a shared cell to where it is kept; 0: not yet */
        void *slot;                /* the runtime's */
        int64_t inside; /* version 2: from the thread pointer to libtocsin-inside's pointer to the
                         * thread's struct toc_here_; 0: it is not here */
};

/* Where a thread is, for libtocsin-inside: which module it has entered last and not left. */
struct toc_here_ {
        uint64_t entries;   /* how often it has entered or left one */
        uint32_t module;    /* 0: none */
        uint32_t any_order; /* scopes of TOC_ANY_ORDER around it */
        uint64_t around;    /* a bit each module that it has entered and not left */
};

/* One module in one file. */
struct toc_entry_ {
        const char *name;
        uint32_t module; /* libtocsin-inside's number of it; 0: not asked for yet */
};

struct toc_entered_ {
        struct toc_here_ *here; /* NULL: libtocsin-inside is not here */
        uint64_t around;
        uint32_t before;
};

struct toc_value_ {
        uint64_t bits;
        uint32_t size; /* 4 or 8 */
        char type;     /* i signed, u unsigned, f floating point, p pointer; 0 no value */
};

TOC_C_BEGIN_
void toc_register_(struct toc_dso_ *dso);
void toc_unregister_(struct toc_dso_ *dso);
int64_t toc_attach_thread_(struct toc_dso_ *dso, int64_t *delta) __attribute__((cold));
int64_t toc_attach_shared_(struct toc_dso_ *dso) __attribute__((cold));
bool toc_miss_(struct toc_dso_ *dso, int64_t *delta, const struct toc_probe_ *probe,
               struct toc_value_ a, struct toc_value_ b) __attribute__((cold)); /* false */
void toc_stop_(const struct toc_probe_ *probe) __attribute__((cold, noreturn));
uint64_t toc_now_(void); /* CLOCK_MONOTONIC, ns */
/* May be NULL. */
struct toc_here_ *toc_enter_first_(struct toc_entry_ *entry) __attribute__((cold));
void toc_report_(struct toc_dso_ *dso, const struct toc_probe_ *probe, uint64_t count,
                 const char *format, ...) __attribute__((cold, format(printf, 4, 5)));
TOC_C_END_

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
#define TOC_IS_ALERT_ALERT_ON_ ~, 1
#define TOC_IS_ALERT_ON_ALERT_ON_ ~, 1
#define TOC_IS_QUIET_QUIET_ ~, 1
#define TOC_IS_RUNBOOK_RUNBOOK_ ~, 1
#define TOC_IS_LOGS_LOGS_ ~, 1

#define TOC_THIRD_(...) TOC_THIRD2_(__VA_ARGS__)
#define TOC_THIRD2_(first, second, third, ...) third
#define TOC_FOURTH_(...) TOC_FOURTH2_(__VA_ARGS__)
#define TOC_FOURTH2_(first, second, third, fourth, ...) fourth
#define TOC_FIFTH_(...) TOC_FIFTH2_(__VA_ARGS__)
#define TOC_FIFTH2_(first, second, third, fourth, fifth, ...) fifth
#define TOC_REST_(...) TOC_REST2_(__VA_ARGS__, )
#define TOC_REST2_(first, ...) __VA_ARGS__

/* f(context, x) for each of up to eight. */
#define TOC_EACH_(f, context, ...) \
        TOC_EACH2_(TOC_9TH_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, ~), f, context, __VA_ARGS__)
#define TOC_9TH_(a, b, c, d, e, f, g, h, i, ...) i
#define TOC_EACH2_(n, ...) TOC_EACH3_(n, __VA_ARGS__)
#define TOC_EACH3_(n, ...) TOC_EACH_##n(__VA_ARGS__)
#define TOC_EACH_1(f, c, x) f(c, x)
#define TOC_EACH_2(f, c, x, ...) f(c, x) TOC_EACH_1(f, c, __VA_ARGS__)
#define TOC_EACH_3(f, c, x, ...) f(c, x) TOC_EACH_2(f, c, __VA_ARGS__)
#define TOC_EACH_4(f, c, x, ...) f(c, x) TOC_EACH_3(f, c, __VA_ARGS__)
#define TOC_EACH_5(f, c, x, ...) f(c, x) TOC_EACH_4(f, c, __VA_ARGS__)
#define TOC_EACH_6(f, c, x, ...) f(c, x) TOC_EACH_5(f, c, __VA_ARGS__)
#define TOC_EACH_7(f, c, x, ...) f(c, x) TOC_EACH_6(f, c, __VA_ARGS__)
#define TOC_EACH_8(f, c, x, ...) f(c, x) TOC_EACH_7(f, c, __VA_ARGS__)

/* The first word of a tuple: ALERT_, QUIET_ ... The underscore keeps the macros of the author,
 * who may well have a QUIET of his own, away. */
#define TOC_TAG_(tuple) TOC_TAG2_(TOC_UNWRAP_ tuple)
#define TOC_TAG2_(...) TOC_FIRST_(__VA_ARGS__)

#define TOC_ALWAYS_ static inline __attribute__((always_inline, unused))

/* In assembler, because the compiler must not keep the cell in a register through a loop; and a
 * signal handler on the same thread must not come between load and store. On arm64 it may come, and
 * then nothing is stored, because the return from it breaks the reservation. */
TOC_ALWAYS_ void toc_add_at_(uint64_t *at, uint64_t n)
{
#if defined(__x86_64__)
        __asm__ volatile("addq %1, %0" : "+m"(*at) : "er"(n) : "cc");
#elif defined(__aarch64__) && defined(__ARM_FEATURE_ATOMICS)
        __asm__ volatile("stadd %1, %0" : "+Q"(*at) : "r"(n));
#elif defined(__aarch64__)
        uint64_t sum;
        uint32_t is_lost;

        __asm__ volatile("1: ldxr %0, %2\n"
                         "   add %0, %0, %3\n"
                         "   stxr %w1, %0, %2\n"
                         "   cbnz %w1, 1b"
                         : "=&r"(sum), "=&r"(is_lost), "+Q"(*at)
                         : "r"(n));
#else
        (void)__atomic_fetch_add(at, n, __ATOMIC_RELAXED);
#endif
}

#ifndef TOCSIN_OFF

/* ---- The hot path ---------------------------------------------------------------------
 *
 * A thread's copy of a cell lies at &cell + toc_delta_; 0 means not attached. One eight-byte
 * variable in each object, defined by TOC_MODULE, merged by the linker. */
TOC_C_BEGIN_
extern __thread int64_t toc_delta_
        __attribute__((visibility("hidden"), tls_model("initial-exec")));
extern struct toc_dso_ toc_dso_ __attribute__((visibility("hidden")));
TOC_C_END_

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

TOC_ALWAYS_ void toc_share_add_(struct toc_share_ *cells, bool is_part)
{
        struct toc_share_ *mine = (struct toc_share_ *)(void *)toc_mine_(&cells->part);

        if (is_part)
                toc_add_at_(&mine->part, 1);
        toc_add_at_(&mine->whole, 1);
}

/* From what value on a rule rings. */
struct toc_limits_ {
        int64_t from[2];
};

TOC_ALWAYS_ void toc_observe_(struct toc_histogram_ *cells, const struct toc_limits_ *limits,
                              int64_t value)
{
        struct toc_histogram_ *mine = (struct toc_histogram_ *)(void *)toc_mine_(cells->over);
        int64_t at_least_1 = value < 1 ? 1 : value;
        double real = (double)at_least_1;
        uint64_t bits;

        __builtin_memcpy(&bits, &real, 8);
        toc_add_at_(&mine->bucket[(bits >> 49) - (1023u << 3)], 1);
        toc_add_at_(&mine->sum, (uint64_t)(value < 0 ? 0 : value));
        if (__builtin_expect(value >= limits->from[0], 0))
                toc_add_at_(&mine->over[0], 1);
        if (__builtin_expect(value >= limits->from[1], 0))
                toc_add_at_(&mine->over[1], 1);
}

struct toc_span_ {
        uint64_t began_ns;
        struct toc_histogram_ *cells;
        const struct toc_limits_ *limits;
};

TOC_ALWAYS_ void toc_span_end_(const struct toc_span_ *span)
{
        toc_observe_(span->cells, span->limits, (int64_t)(toc_now_() - span->began_ns));
}

/* Another thread may free a slot at any time, and nobody but this one takes it. A signal handler
 * may come in between: then two have the same slot, and the second to end is not seen. */
TOC_ALWAYS_ struct toc_open toc_begin_(struct toc_operation_ *cells)
{
        struct toc_operation_ *mine = (struct toc_operation_ *)(void *)toc_mine_(&cells->begun);
        struct toc_open open = {0, toc_dso_.forks};
        uint64_t number;

        toc_add_at_(&mine->begun, 1);
        number = __atomic_load_n(&mine->begun, __ATOMIC_RELAXED);
        for (uint64_t i = 0; i < TOC_SLOTS_; i++) {
                uint64_t *slot = &mine->slot[(number + i) % TOC_SLOTS_];

                if (__atomic_load_n(slot, __ATOMIC_RELAXED) != 0)
                        continue;
                __atomic_store_n(slot, number, __ATOMIC_RELAXED);
                open.slot = slot;
                break;
        }
        return open;
}

TOC_ALWAYS_ void toc_end_(struct toc_operation_ *cells, struct toc_open open)
{
        toc_add_at_(toc_mine_(&cells->ended), 1);
        if (open.slot && open.forks_ == toc_dso_.forks)
                __atomic_store_n(open.slot, 0, __ATOMIC_RELAXED);
}

struct toc_going_ {
        struct toc_operation_ *cells;
        struct toc_open open;
};

TOC_ALWAYS_ void toc_operation_end_(const struct toc_going_ *going)
{
        toc_end_(going->cells, going->open);
}

/* NULL: libtocsin-inside is not here, or has not seen this thread yet. */
TOC_ALWAYS_ struct toc_here_ *toc_here_now_(void)
{
        int64_t offset = __atomic_load_n(&toc_dso_.inside, __ATOMIC_RELAXED);
        struct toc_here_ *here;

        if (__builtin_expect(offset == 0, 1))
                return 0;
#if defined(__x86_64__)
        __asm__ volatile("movq %%fs:(%1), %0" : "=r"(here) : "r"(offset));
#elif defined(__aarch64__)
        uintptr_t thread;

        __asm__("mrs %0, tpidr_el0" : "=r"(thread));
        here = *(struct toc_here_ *volatile *)(thread + (uintptr_t)offset);
#else
        here = 0;
#endif
        return here;
}

TOC_ALWAYS_ struct toc_entered_ toc_enter_(struct toc_entry_ *entry)
{
        struct toc_entered_ entered = {toc_here_now_(), 0, 0};
        uint32_t module = __atomic_load_n(&entry->module, __ATOMIC_RELAXED);

        if (__builtin_expect(toc_dso_.inside != 0 && (!entered.here || !module), 0)) {
                entered.here = toc_enter_first_(entry);
                module = entry->module;
        }
        if (!entered.here)
                return entered;
        entered.before = entered.here->module;
        entered.around = entered.here->around;
        __atomic_store_n(&entered.here->module, module, __ATOMIC_RELAXED);
        __atomic_store_n(&entered.here->around, entered.around | UINT64_C(1) << (module & 63),
                         __ATOMIC_RELAXED);
        toc_add_at_(&entered.here->entries, 1);
        return entered;
}

TOC_ALWAYS_ void toc_leave_(const struct toc_entered_ *entered)
{
        if (!entered->here)
                return;
        __atomic_store_n(&entered->here->module, entered->before, __ATOMIC_RELAXED);
        __atomic_store_n(&entered->here->around, entered->around, __ATOMIC_RELAXED);
        toc_add_at_(&entered->here->entries, 1);
}

TOC_ALWAYS_ struct toc_here_ *toc_any_order_(void)
{
        struct toc_here_ *here = toc_here_now_();

        if (here)
                __atomic_store_n(&here->any_order, here->any_order + 1, __ATOMIC_RELAXED);
        return here;
}

TOC_ALWAYS_ void toc_any_order_end_(struct toc_here_ *const *here)
{
        if (*here)
                __atomic_store_n(&(*here)->any_order, (*here)->any_order - 1, __ATOMIC_RELAXED);
}

TOC_ALWAYS_ struct toc_value_ toc_value_of_(const void *copy, uint32_t size, char type)
{
        struct toc_value_ value = {0, size, type};

        __builtin_memcpy(&value.bits, copy, size <= 8 ? size : 8);
        return value;
}

/* ---- Sections -------------------------------------------------------------------------*/

#if defined(__clang__)
#define TOC_NO_REDZONE_ __attribute__((no_sanitize("address")))
#else
#define TOC_NO_REDZONE_ /* gcc leaves named sections alone */
#endif

#if !defined(__cplusplus) || defined(__clang__)
#define TOC_IN_(name) __attribute__((section(name), used, retain, aligned(8))) TOC_NO_REDZONE_
#define TOC_IN_CONST_(name) TOC_IN_(name)
#endif

#define TOC_HIDDEN_ __attribute__((weak, visibility("hidden")))
#define TOC_ONLY_HERE_ __attribute__((visibility("hidden")))

#ifdef __cplusplus
#include "tocsin-cxx.h"
#endif

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
        TOC_ASSERT_(sizeof(text) > (min) && sizeof(text) <= (max) + 1, \
                       "tocsin: " what " must have " #min " to " #max " characters");

/* Looks at the spelling first: it cannot fail for a reason that nobody would understand. */
#define TOC_LITERAL_(text, what) \
        TOC_ASSERT_(__builtin_memcmp(#text, "\"", 1) == 0, \
                       "tocsin: " what " must be a text in quotes");
#define TOC_SAYS_(text, what) TOC_SAYS2_(text, text, what)
#define TOC_SAYS2_(text, value, what) \
        TOC_LITERAL_(text, what) \
        TOC_FITS_(value, 8, 71, what)

/* What is too long for a record is left to file and line. */
#ifndef __cplusplus
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
#define TOC_IS_TEXT_(x) _Generic((x), char *: 1, const char *: 1, default: 0)

/* What the options of a rule say is checked where they are constants: in C++. */
#define TOC_OPTIONS_CHECK_(...)
#endif

#define TOC_OP_(op) \
        (__builtin_strcmp(op, ">") == 0    ? TOC_ABOVE_ \
         : __builtin_strcmp(op, ">=") == 0 ? TOC_ABOVE_ | TOC_EQUAL_ \
         : __builtin_strcmp(op, "<") == 0  ? TOC_BELOW_ \
         : __builtin_strcmp(op, "<=") == 0 ? TOC_BELOW_ | TOC_EQUAL_ \
         : __builtin_strcmp(op, "==") == 0 ? TOC_EQUAL_ \
         : __builtin_strcmp(op, "!=") == 0 ? TOC_ABOVE_ | TOC_BELOW_ \
                                           : 0)

#define TOC_SIGNALS_counter "total, per_second, per_minute and per_hour"
#define TOC_SIGNALS_gauge "value, growth and exhausts_s"
#define TOC_SIGNALS_level TOC_SIGNALS_gauge
#define TOC_SIGNALS_timer "p50_us, p90_us, p99_us, p999_us and max_us"
#define TOC_SIGNALS_sizes "p50, p90, p99, p999 and max"
#define TOC_SIGNALS_share "permille, burn_fast and burn_slow"
#define TOC_SIGNALS_heartbeat "silent_ms"
#define TOC_SIGNALS_operation "oldest_ms and in_flight"
#define TOC_SIGNALS_flow "lost, stalled_ms and backlog"
#define TOC_SIGNALS_error "total and per_minute"
#define TOC_SIGNALS_warning TOC_SIGNALS_error
#define TOC_SIGNALS_logs TOC_SIGNALS_error
#define TOC_SIGNALS_module \
        "live_bytes, allocations, cpu_permille, io_bytes_per_second, descriptors, threads, leak, " \
        "deadlock, lock_wait_ms and idle_bytes"

/* TOC_HAS_kind_signal: ~, 1, the comparisons that it understands; then, 1 or 3 and an option that
 * it needs, or 2 and one that it has no use for: of a quantile, only what lies above the limit of
 * the rule is counted. */
#define TOC_ANY_ 7
#define TOC_UP_ 4
#define TOC_DOWN_ 1
#define TOC_HAS_counter_total ~, 1, TOC_ANY_
#define TOC_HAS_counter_per_second ~, 1, TOC_ANY_
#define TOC_HAS_counter_per_minute ~, 1, TOC_ANY_
#define TOC_HAS_counter_per_hour ~, 1, TOC_ANY_
#define TOC_HAS_gauge_value ~, 1, TOC_ANY_
#define TOC_HAS_gauge_growth ~, 1, TOC_UP_
#define TOC_HAS_gauge_exhausts_s ~, 1, TOC_DOWN_, 1, ".capacity"
#define TOC_HAS_level_value ~, 1, TOC_ANY_
#define TOC_HAS_level_growth ~, 1, TOC_UP_
#define TOC_HAS_level_exhausts_s ~, 1, TOC_DOWN_, 1, ".capacity"
#define TOC_HAS_timer_p50_us ~, 1, TOC_UP_, 2, ".clear_at"
#define TOC_HAS_timer_p90_us ~, 1, TOC_UP_, 2, ".clear_at"
#define TOC_HAS_timer_p99_us ~, 1, TOC_UP_, 2, ".clear_at"
#define TOC_HAS_timer_p999_us ~, 1, TOC_UP_, 2, ".clear_at"
#define TOC_HAS_timer_max_us ~, 1, TOC_UP_, 2, ".clear_at"
#define TOC_HAS_sizes_p50 ~, 1, TOC_UP_, 2, ".clear_at"
#define TOC_HAS_sizes_p90 ~, 1, TOC_UP_, 2, ".clear_at"
#define TOC_HAS_sizes_p99 ~, 1, TOC_UP_, 2, ".clear_at"
#define TOC_HAS_sizes_p999 ~, 1, TOC_UP_, 2, ".clear_at"
#define TOC_HAS_sizes_max ~, 1, TOC_UP_, 2, ".clear_at"
#define TOC_HAS_share_permille ~, 1, TOC_ANY_
#define TOC_HAS_share_burn_fast ~, 1, TOC_UP_, 3, ".objective_permille"
#define TOC_HAS_share_burn_slow ~, 1, TOC_UP_, 3, ".objective_permille"
#define TOC_HAS_heartbeat_silent_ms ~, 1, TOC_ANY_
#define TOC_HAS_operation_oldest_ms ~, 1, TOC_ANY_
#define TOC_HAS_operation_in_flight ~, 1, TOC_ANY_
#define TOC_HAS_flow_lost ~, 1, TOC_ANY_
#define TOC_HAS_flow_stalled_ms ~, 1, TOC_ANY_
#define TOC_HAS_flow_backlog ~, 1, TOC_ANY_
#define TOC_HAS_error_total ~, 1, TOC_ANY_
#define TOC_HAS_error_per_minute ~, 1, TOC_ANY_
#define TOC_HAS_warning_total ~, 1, TOC_ANY_
#define TOC_HAS_warning_per_minute ~, 1, TOC_ANY_
#define TOC_HAS_logs_total ~, 1, TOC_ANY_
#define TOC_HAS_logs_per_minute ~, 1, TOC_ANY_
#define TOC_HAS_module_live_bytes ~, 1, TOC_ANY_
#define TOC_HAS_module_allocations ~, 1, TOC_ANY_
#define TOC_HAS_module_cpu_permille ~, 1, TOC_ANY_
#define TOC_HAS_module_io_bytes_per_second ~, 1, TOC_ANY_
#define TOC_HAS_module_descriptors ~, 1, TOC_ANY_
#define TOC_HAS_module_threads ~, 1, TOC_ANY_
#define TOC_HAS_module_leak ~, 1, TOC_ANY_
#define TOC_HAS_module_deadlock ~, 1, TOC_ANY_
#define TOC_HAS_module_lock_wait_ms ~, 1, TOC_ANY_
#define TOC_HAS_module_idle_bytes ~, 1, TOC_ANY_

#define TOC_NEGATIVE_gauge 1
#define TOC_NEGATIVE_level 1
#define TOC_NEGATIVE_flow 1
#define TOC_NEGATIVE_operation 0
#define TOC_NEGATIVE_counter 0
#define TOC_NEGATIVE_timer 0
#define TOC_NEGATIVE_sizes 0
#define TOC_NEGATIVE_share 0
#define TOC_NEGATIVE_heartbeat 0
#define TOC_NEGATIVE_error 0
#define TOC_NEGATIVE_warning 0
#define TOC_NEGATIVE_logs 0
#define TOC_NEGATIVE_module 0

#define TOC_SEVERITY_CHECK_(what, severity) \
        TOC_ASSERT_(TOC_NUMBER_(severity) >= TOC_NOTE && TOC_NUMBER_(severity) <= TOC_PAGE, \
                       "tocsin: " what ": the severity is TOC_NOTE, TOC_WARN or TOC_PAGE");

#define TOC_LIMIT_CHECK_(kind, what, limit) \
        TOC_ASSERT_(TOC_IS_INTEGER_(limit), "tocsin: " what ": the limit must be an integer"); \
        TOC_ASSERT_(TOC_IS_CONSTANT_(TOC_INTEGER_(limit)), \
                       "tocsin: " what ": the limit must be a constant"); \
        TOC_ASSERT_(TOC_NEGATIVE_##kind || TOC_CONSTANT_(limit) >= 0, \
                       "tocsin: " what ": the limit is negative, which a " #kind \
                       " never is"); \
        TOC_ASSERT_(TOC_CONSTANT_(limit) < 0 || TOC_CONSTANT_(limit) <= INT64_MAX, \
                       "tocsin: " what ": the limit is larger than INT64_MAX");

/* 1 if there are five arguments or more, up to 16. */
#define TOC_FIVE_(...) TOC_17TH_(__VA_ARGS__, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, ~)
#define TOC_17TH_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, ...) q

/* ---- Rules of a probe, by tag -------------------------------------------------------- */

/* TOC_RULE_CHECK_(kind, what, slot, tuple): slot is 0 for the first argument after help. */
#define TOC_RULE_CHECK_(kind, what, slot, tuple) \
        TOC_CAT_(TOC_RULE_CHECK_, TOC_IS_TUPLE_(tuple))(kind, what, slot, tuple)
#define TOC_RULE_CHECK_0(kind, what, slot, text) \
        TOC_ASSERT_(sizeof(text) == 1, \
                       "tocsin: " what ": a rule is TOC_ALERT(signal, op, limit, severity, " \
                       "meaning), not a text");
#define TOC_RULE_CHECK_1(kind, what, slot, tuple) \
        TOC_RULE_CHECK2_(kind, what, slot, TOC_UNWRAP_ tuple)
#define TOC_RULE_CHECK2_(...) TOC_RULE_CHECK3_(__VA_ARGS__)
#define TOC_RULE_CHECK3_(kind, what, slot, tag, ...) \
        TOC_CHECK_##tag(kind, what, slot, __VA_ARGS__)

#define TOC_CHECK_ALERT_(kind, what, slot, ...) \
        TOC_ASSERT_(slot < 2, "tocsin: " what ": at most two rules"); \
        TOC_CAT_(TOC_CHECK_ALERT_, TOC_FIVE_(__VA_ARGS__))(kind, what, __VA_ARGS__)
#define TOC_CHECK_ALERT_0(kind, what, ...) \
        TOC_ASSERT_(0, "tocsin: " what ": TOC_ALERT takes (signal, op, limit, severity, " \
                       "meaning), and options after that");
#define TOC_CHECK_ALERT_1(kind, what, signal, op, limit, severity, ...) \
        TOC_ASSERT_(sizeof(#signal) > 1 && sizeof(#op) > 1 && sizeof(#limit) > 1 && \
                               sizeof(#severity) > 1, \
                       "tocsin: " what ": TOC_ALERT takes (signal, op, limit, severity, " \
                       "meaning), and options after that"); \
        TOC_SIGNAL_CHECK_(kind, what, #signal, #op, (TOC_HAS_##kind##_##signal, 0, 7, 0, ~, ~), \
                          __VA_ARGS__) \
        TOC_ASSERT_(TOC_OP_(#op) != 0, \
                       "tocsin: " what ": " #op " is not one of > >= < <= == !="); \
        TOC_LIMIT_CHECK_(kind, what, limit) \
        TOC_SEVERITY_CHECK_(what, severity) \
        TOC_SAYS_(TOC_FIRST_(__VA_ARGS__), "the meaning in a rule of " what) \
        TOC_OPTIONS_CHECK_(what, signal, #op, limit, __VA_ARGS__)
/* has: TOC_HAS_kind_signal, and what stands for a signal that there is not. */
#define TOC_SIGNAL_CHECK_(kind, what, signal, op, has, ...) \
        TOC_ASSERT_(TOC_SECOND_ has, "tocsin: " what " has no signal " signal "; it has " \
                       TOC_SIGNALS_##kind); \
        TOC_ASSERT_(TOC_THIRD_ has == TOC_ANY_ || TOC_OP_(op) == TOC_THIRD_ has || \
                               TOC_OP_(op) == (TOC_THIRD_ has | TOC_EQUAL_) || TOC_OP_(op) == 0, \
                       "tocsin: " what ": " signal " rings on one side only: > or >= for growth, " \
                       "quantiles and burn, < or <= for exhausts_s"); \
        TOC_OPTION_CHECK_(what, signal, has, __VA_ARGS__)
#define TOC_OPTION_CHECK_(what, signal, has, ...) \
        TOC_CAT_(TOC_OPTION_CHECK_, TOC_FOURTH_ has)(what, signal, TOC_FIFTH_ has, __VA_ARGS__)
#define TOC_OPTION_CHECK_0(...)
#define TOC_OPTION_CHECK_1(what, signal, option, ...) \
        TOC_ASSERT_(0 TOC_EACH_(TOC_OR_IT_IS_, option, __VA_ARGS__), \
                       "tocsin: " what ": " signal " takes " option ", above 0");
#define TOC_OPTION_CHECK_2(what, signal, option, ...) \
        TOC_ASSERT_(!(0 TOC_EACH_(TOC_OR_IT_IS_, option, __VA_ARGS__)), \
                       "tocsin: " what ": " option " is not for quantiles, which are judged at " \
                       "their limit alone");
#define TOC_OPTION_CHECK_3(what, signal, option, ...) \
        TOC_ASSERT_(0 TOC_EACH_(TOC_OR_IT_IS_, option, __VA_ARGS__), \
                       "tocsin: " what ": " signal " takes " option ", from 1 to 999");
#define TOC_OR_IT_IS_(option, x) || __builtin_strncmp(#x, option, sizeof(option) - 1) == 0

#define TOC_CHECK_ALERT_ON_(kind, what, slot, label, ...) \
        TOC_ASSERT_(TOC_FIVE_(__VA_ARGS__), \
                       "tocsin: " what ": TOC_ALERT_ON takes (label, signal, op, limit, " \
                       "severity, meaning), and options after that"); \
        TOC_CHECK_ALERT_(kind, what, slot, __VA_ARGS__)
#define TOC_CHECK_QUIET_(kind, what, slot, reason) \
        TOC_ASSERT_(slot == 0, "tocsin: " what ": TOC_QUIET stands alone, without a rule"); \
        TOC_SAYS_(reason, "the reason in TOC_QUIET of " what)
#define TOC_CHECK_RUNBOOK_(kind, what, slot, where) \
        TOC_ASSERT_(slot > 0, "tocsin: " what ": TOC_RUNBOOK comes after the rule"); \
        TOC_LITERAL_(where, "the runbook of " what) \
        TOC_FITS_("" where, 4, 63, "the runbook of " what)
#define TOC_CHECK_USUAL_(kind, what, slot, unused) \
        TOC_ASSERT_(TOC_SECOND_(TOC_LOGS_##kind, 0, ~), \
                       "tocsin: " what ": TOC_USUAL is for TOC_ERROR and TOC_WARNING; give it " \
                       "TOC_ALERT(signal, op, limit, severity, meaning)");
#define TOC_CHECK_BUDGET_(kind, what, ...) \
        TOC_ASSERT_(0, "tocsin: " what ": TOC_BUDGET belongs into TOC_MODULE; give it " \
                       "TOC_ALERT(signal, op, limit, severity, meaning)");
#define TOC_CHECK_LOGS_(kind, what, ...) \
        TOC_ASSERT_(0, "tocsin: " what ": TOC_LOGS belongs into TOC_MODULE; give it " \
                       "TOC_ALERT(signal, op, limit, severity, meaning)");
#define TOC_CHECK_STOP_IN_TESTS_(kind, what, ...) TOC_CHECK_SITE_(what)
#define TOC_CHECK_STOP_FROM_(kind, what, ...) TOC_CHECK_SITE_(what)
#define TOC_CHECK_UPTIME_S_(kind, what, ...) TOC_CHECK_SITE_(what)
#define TOC_CHECK_WHEN_(kind, what, ...) TOC_CHECK_SITE_(what)
#define TOC_CHECK_SITE_(what) \
        TOC_ASSERT_(0, "tocsin: " what ": TOC_STOP_FROM and TOC_STOP_IN_TESTS belong to " \
                       "TOC_EXPECT, TOC_UPTIME_S and TOC_WHEN to TOC_REACHED and TOC_SOMETIMES");
#define TOC_LOGS_error ~, 1
#define TOC_LOGS_warning ~, 1

#define TOC_NO_LABEL_CHECK_(what, tuple) \
        TOC_ASSERT_(!TOC_IS_(ALERT_ON_, tuple), \
                       "tocsin: " what " has no labels: give it TOC_ALERT(signal, op, limit, " \
                       "severity, meaning)");

/* The same, as the fields of the record. label: of the record, "" if it has none. */
#define TOC_RULE_(slot, label, tuple) TOC_CAT_(TOC_RULE_, TOC_IS_TUPLE_(tuple))(slot, label, tuple)
#define TOC_RULE_0(slot, label, text)
#define TOC_RULE_1(slot, label, tuple) TOC_RULE2_(slot, label, TOC_UNWRAP_ tuple)
#define TOC_RULE2_(...) TOC_RULE3_(__VA_ARGS__)
#define TOC_RULE3_(slot, label, tag, ...) TOC_FIELD_##tag(slot, label, __VA_ARGS__)

#define TOC_FIELD_ALERT_(slot, label, ...) \
        TOC_CAT_(TOC_FIELD_ALERT_, TOC_FIVE_(__VA_ARGS__))(slot, __VA_ARGS__)
#define TOC_FIELD_ALERT_0(slot, ...)
#define TOC_FIELD_ALERT_1(slot, signal, op, limit, severity, ...) \
        TOC_SET_RULE_((slot) < 2 ? (slot) : 0, toc_signal_##signal, TOC_OP_(#op), \
                      TOC_CONSTANT_(limit), TOC_NUMBER_(severity), __VA_ARGS__)
/* Of the other labels nothing is left: no severity is no rule. */
#define TOC_FIELD_ALERT_ON_(slot, label, on, ...) \
        TOC_CAT_(TOC_FIELD_ALERT_ON_, TOC_FIVE_(__VA_ARGS__)) \
        (slot, (__builtin_strcmp(#on, label) == 0), "only " #on " rings", __VA_ARGS__)
#define TOC_FIELD_ALERT_ON_0(slot, ...)
#define TOC_FIELD_ALERT_ON_1(slot, is_on, or_else, signal, op, limit, severity, ...) \
        TOC_SET_RULE_ON_(is_on, or_else, (slot) < 2 ? (slot) : 0, toc_signal_##signal, \
                         TOC_OP_(#op), TOC_CONSTANT_(limit), TOC_NUMBER_(severity), __VA_ARGS__)
#define TOC_FIELD_QUIET_(slot, label, reason) TOC_SET_REASON_("" reason)
#define TOC_FIELD_RUNBOOK_(slot, label, where) TOC_SET_RUNBOOK_("" where)
#define TOC_FIELD_USUAL_(slot, label, unused) TOC_SET_FLAGS_(TOC_IS_USUAL_)
#define TOC_FIELD_WHEN_(slot, label, gauge) TOC_SET_LABELS_(#gauge)
#define TOC_FIELD_BUDGET_(slot, ...)
#define TOC_FIELD_LOGS_(slot, ...)
#define TOC_FIELD_STOP_IN_TESTS_(slot, ...)
#define TOC_FIELD_STOP_FROM_(slot, ...)
#define TOC_FIELD_UPTIME_S_(slot, ...)

#ifndef __cplusplus
#define TOC_SET_LABELS_(text) .labels = text,
#define TOC_SET_RUNBOOK_(text) .runbook = text,
#define TOC_SET_FLAGS_(bits) .flags = bits,
#define TOC_SET_REASON_(text) .rule[0] = {.meaning = text},
#define TOC_SET_RULE_(slot_, signal_, op_, limit_, severity_, ...) \
        .rule[slot_] = {.signal = signal_, \
                        .op = op_, \
                        .limit = (int64_t)(limit_), \
                        .clear_at = TOC_NO_CLEAR_LEVEL_, \
                        .severity = severity_, \
                        .meaning = __VA_ARGS__},
#define TOC_SET_RULE_ON_(is_on, or_else, slot_, signal_, op_, limit_, severity_, ...) \
        .rule[slot_] = {.signal = (is_on) ? signal_ : 0, \
                        .op = (is_on) ? op_ : 0, \
                        .limit = (int64_t)(limit_), \
                        .clear_at = TOC_NO_CLEAR_LEVEL_, \
                        .severity = (is_on) ? severity_ : 0, \
                        .meaning = __builtin_choose_expr(is_on, TOC_FIRST_(__VA_ARGS__), or_else), \
                        TOC_REST_(__VA_ARGS__)},
#endif

/* The smallest value that rule rings at, of a timer or of sizes; INT64_MAX: none. */
#define TOC_OVER_(unit, tuple) TOC_CAT_(TOC_OVER_, TOC_IS_TUPLE_(tuple))(unit, tuple)
#define TOC_OVER_0(...) INT64_MAX
#define TOC_OVER_1(unit, tuple) TOC_OVER2_(unit, TOC_UNWRAP_ tuple)
#define TOC_OVER2_(...) TOC_OVER3_(__VA_ARGS__)
#define TOC_OVER3_(unit, tag, ...) \
        TOC_CAT_(TOC_OVER_, TOC_SECOND_(TOC_OVERS_##tag, 0, ~))(unit, tag, __VA_ARGS__)
#define TOC_OVERS_ALERT_ ~, 2
#define TOC_OVERS_ALERT_ON_ ~, 2
#define TOC_OVER_2(unit, tag, ...) TOC_OVER_##tag(unit, __VA_ARGS__)
#define TOC_OVER_ALERT_(unit, ...) \
        TOC_CAT_(TOC_OVER_ALERT_, TOC_FIVE_(__VA_ARGS__))(unit, __VA_ARGS__)
#define TOC_OVER_ALERT_ON_(unit, on, ...) TOC_OVER_ALERT_(unit, __VA_ARGS__)
#define TOC_OVER_ALERT_0(unit, ...) INT64_MAX
#define TOC_OVER_ALERT_1(unit, signal, op, limit, ...) \
        (TOC_CONSTANT_(limit) > (INT64_MAX - 1) / (unit) \
                 ? INT64_MAX \
                 : (int64_t)TOC_CONSTANT_(limit) * (unit) + !(TOC_OP_(#op) & TOC_EQUAL_))

#ifndef __cplusplus

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

#endif

/* ---- Records --------------------------------------------------------------------------*/

#ifndef __cplusplus

#define TOC_RECORD_(id, kind_, name_, help_, cell_, ...) \
        TOC_MAY_OVERRIDE_ \
        static const struct toc_record TOC_CAT_(id, _record_) \
                TOC_IN_CONST_("toc_records_1") = { \
                .version = 1, \
                .kind = toc_kind_##kind_, \
                .line = __LINE__, \
                .module_words_ = TOC_THIS_MODULE_, \
                .name = name_, \
                .help = help_, \
                .file = TOC_CUT_(__FILE_NAME__, file, "(a long file name)"), \
                __VA_ARGS__}; \
        TOC_AS_BEFORE_ \
        static const struct toc_probe_ TOC_CAT_(id, _probe_) \
                TOC_IN_("toc_probes_1") = { \
                .record = &TOC_CAT_(id, _record_), .cell = cell_}

/* The record and the cells of a site in a function; where they are. */
#define TOC_SITE_(site, words, kind, name, help, ...) \
        static uint64_t site[words] TOC_IN_("toc_cells_1") = {0}; \
        TOC_RECORD_(site, kind, name, help, site, __VA_ARGS__)
#define TOC_CELLS_OF_(site) (site)
#define TOC_PROBE_OF_(site) (&TOC_CAT_(site, _probe_))

#define TOC_AT_FILE_SCOPE_

#endif

/* ---- Modules --------------------------------------------------------------------------*/

#define TOC_MODULE_(name_, help_, a, b, c, d, too_many, ...) \
        TOC_SPELL_(#name_) \
        TOC_FITS_(#name_, 1, 23, "the name of module " #name_) \
        TOC_SAYS_(help_, "the help of module " #name_) \
        TOC_ASSERT_(!TOC_IS_TUPLE_(too_many), \
                       "tocsin: module " #name_ ": at most four of TOC_BUDGET, TOC_LOGS and " \
                       "TOC_RUNBOOK"); \
        TOC_ASSERT_(TOC_IS_(LOGS_, a) + TOC_IS_(LOGS_, b) + TOC_IS_(LOGS_, c) + \
                               TOC_IS_(LOGS_, d) <= 1, \
                       "tocsin: module " #name_ ": at most one TOC_LOGS"); \
        TOC_ASSERT_(TOC_IS_(RUNBOOK_, a) + TOC_IS_(RUNBOOK_, b) + TOC_IS_(RUNBOOK_, c) + \
                               TOC_IS_(RUNBOOK_, d) <= 1, \
                       "tocsin: module " #name_ ": at most one TOC_RUNBOOK"); \
        TOC_C_BEGIN_ \
        extern const struct toc_probe_ __start_toc_probes_1[] TOC_HIDDEN_; \
        extern const struct toc_probe_ __stop_toc_probes_1[] TOC_HIDDEN_; \
        extern char __start_toc_cells_1[] TOC_HIDDEN_, __stop_toc_cells_1[] TOC_HIDDEN_; \
        extern char __start_toc_shared_1[] TOC_HIDDEN_, __stop_toc_shared_1[] TOC_HIDDEN_; \
        TOC_HIDDEN_ __attribute__((tls_model("initial-exec"))) __thread int64_t toc_delta_; \
        TOC_HIDDEN_ struct toc_dso_ toc_dso_ = { \
                .version = 2, \
                .forks = 0, \
                .probes = __start_toc_probes_1, \
                .probes_end = __stop_toc_probes_1, \
                .cells = __start_toc_cells_1, \
                .cells_end = __stop_toc_cells_1, \
                .shared = __start_toc_shared_1, \
                .shared_end = __stop_toc_shared_1, \
                .shared_delta = 0, \
                .slot = 0, \
                .inside = 0}; \
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
        TOC_C_END_ \
        TOC_RECORD_(TOC_CAT_(toc_id_, __COUNTER__), module, #name_, help_, 0, \
                    TOC_RUNBOOK_OF_(a) TOC_RUNBOOK_OF_(b) TOC_RUNBOOK_OF_(c) TOC_RUNBOOK_OF_(d)); \
        TOC_ITEM_(name_, a) TOC_ITEM_(name_, b) TOC_ITEM_(name_, c) TOC_ITEM_(name_, d) \
        TOC_ENTRY_(name_)

/* What TOC_ENTER of that name in this file refers to. */
#define TOC_ENTRY_(name_) \
        __attribute__((unused)) static struct toc_entry_ toc_entry_ = {#name_, 0}

/* Refers to what TOC_MODULE of that name defines, so that the linker says what is missing. */
#define TOC_MODULE_PART_(name_) \
        TOC_SPELL_(#name_) \
        TOC_FITS_(#name_, 1, 23, "the name of module " #name_) \
        TOC_C_BEGIN_ \
        extern const char one_file_must_have_TOC_MODULE_##name_[1] TOC_ONLY_HERE_; \
        TOC_C_END_ \
        TOC_ENTRY_(name_); \
        __attribute__((used)) static const char *const toc_part_of_ = \
                one_file_must_have_TOC_MODULE_##name_

#define TOC_RUNBOOK_OF_(item) TOC_CAT_(TOC_RUNBOOK_OF_, TOC_IS_(RUNBOOK_, item))(item)
#define TOC_RUNBOOK_OF_0(item)
#define TOC_RUNBOOK_OF_1(item) TOC_RULE_(0, "", item)

#define TOC_ITEM_(module, item) TOC_CAT_(TOC_ITEM_, TOC_IS_TUPLE_(item))(module, item)
#define TOC_ITEM_0(module, text) \
        TOC_ASSERT_(sizeof(text) == 1, \
                       "tocsin: module " #module ": after the help come TOC_BUDGET and TOC_LOGS");
#define TOC_ITEM_1(module, tuple) TOC_ITEM2_(module, TOC_UNWRAP_ tuple)
#define TOC_ITEM2_(...) TOC_ITEM3_(__VA_ARGS__)
#define TOC_ITEM3_(module, tag, ...) TOC_ITEM_##tag(module, __VA_ARGS__)
#define TOC_ITEM_ALERT_(module, ...) TOC_ITEM_NOT_(module)
#define TOC_ITEM_QUIET_(module, ...) TOC_ITEM_NOT_(module)
#define TOC_ITEM_RUNBOOK_(module, where) \
        TOC_LITERAL_(where, "the runbook of module " #module) \
        TOC_FITS_("" where, 4, 63, "the runbook of module " #module)
#define TOC_ITEM_ALERT_ON_(module, ...) TOC_ITEM_NOT_(module)
#define TOC_ITEM_STOP_IN_TESTS_(module, ...) TOC_ITEM_NOT_(module)
#define TOC_ITEM_STOP_FROM_(module, ...) TOC_ITEM_NOT_(module)
#define TOC_ITEM_UPTIME_S_(module, ...) TOC_ITEM_NOT_(module)
#define TOC_ITEM_WHEN_(module, ...) TOC_ITEM_NOT_(module)
#define TOC_ITEM_USUAL_(module, ...) TOC_ITEM_NOT_(module)
#define TOC_ITEM_NOT_(module) \
        TOC_ASSERT_(0, "tocsin: module " #module ": a rule here stands in TOC_LOGS(rule), and " \
                       "a budget is TOC_BUDGET(signal, limit, severity, meaning)");
#define TOC_ITEM_LOGS_(module, rule) \
        TOC_ITEM_LOGS2_(TOC_CAT_(toc_id_, __COUNTER__), "TOC_LOGS of module " #module, rule)
#define TOC_ITEM_LOGS2_(id, what, rule) \
        TOC_ASSERT_(sizeof(#rule) > 1, \
                       "tocsin: " what " has no rule: give it TOC_ALERT(signal, op, limit, " \
                       "severity, meaning) or TOC_QUIET(reason)"); \
        TOC_RULE_CHECK_(logs, what, 0, rule) \
        TOC_NO_LABEL_CHECK_(what, rule) \
        TOC_RECORD_(id, logs, "log_errors", "Errors of all sites that say TOC_USUAL", 0, \
                    TOC_RULE_(0, "", rule));
#define TOC_ITEM_BUDGET_(module, ...) \
        TOC_CAT_(TOC_ITEM_BUDGET_, TOC_FIVE_(~, __VA_ARGS__)) \
        (TOC_CAT_(toc_id_, __COUNTER__), "TOC_BUDGET of module " #module, __VA_ARGS__)
#define TOC_ITEM_BUDGET_0(id, what, ...) \
        TOC_ASSERT_(0, "tocsin: " what " takes (signal, limit, severity, meaning), and " \
                       "options after that");
#define TOC_ITEM_BUDGET_1(id, what, signal, limit, severity, ...) \
        TOC_ASSERT_(!TOC_OP_(#limit), "tocsin: " what " takes (signal, limit, severity, " \
                       "meaning): its comparison is always >"); \
        TOC_RULE_CHECK_(module, what, 0, (ALERT_, signal, >, limit, severity, __VA_ARGS__)) \
        TOC_RECORD_(id, module, #signal, "Budget of the module", 0, \
                    TOC_RULE_(0, "", (ALERT_, signal, >, limit, severity, __VA_ARGS__)));

/* ---- Probes at file scope -------------------------------------------------------------*/

#define TOC_DECLARE_(kind, name, help, a, b, c, too_many, ...) \
        TOC_DECLARE2_(TOC_IS_TUPLE_(help), TOC_IS_TUPLE_(a), TOC_IS_LABELS_(a), kind, name, help, \
                      a, b, c, too_many)
#define TOC_DECLARE2_(...) TOC_DECLARE3_(__VA_ARGS__)
#define TOC_DECLARE3_(no_help, rule, labels, ...) \
        TOC_DECLARE_##no_help##rule##labels(__VA_ARGS__)
#define TOC_DECLARE_100(kind, name, ...) \
        TOC_ASSERT_(0, "tocsin: " #kind " " #name " has no help: its second argument is a " \
                       "text that says what it counts"); \
        static TOC_CELL_##kind##_ toc_##kind##_##name
#define TOC_DECLARE_110 TOC_DECLARE_100
#define TOC_DECLARE_111 TOC_DECLARE_100
#define TOC_DECLARE_011(kind, name, ...) \
        TOC_ASSERT_(0, "tocsin: " #kind " " #name " takes no labels: the form that does has " \
                       "_BY at the end of its name"); \
        static TOC_CELL_##kind##_ toc_##kind##_##name
#define TOC_DECLARE_000(kind, name, help, ...) \
        TOC_ASSERT_(0, "tocsin: " #kind " " #name " has no alert rule: give it " \
                       "TOC_ALERT(signal, op, limit, severity, meaning) or TOC_QUIET(reason)"); \
        TOC_SAYS_(help, "the help of " #kind " " #name) \
        static TOC_CELL_##kind##_ toc_##kind##_##name
#define TOC_DECLARE_010(kind, name_, help_, a, b, c, too_many) \
        TOC_FITS_(#name_, 1, 31, "the name " #name_) \
        TOC_SAYS_(help_, "the help of " #kind " " #name_) \
        TOC_RULES_CHECK_(kind, #kind " " #name_, a, b, c, too_many) \
        TOC_NO_LABEL_CHECK_(#kind " " #name_, a) \
        TOC_NO_LABEL_CHECK_(#kind " " #name_, b) \
        TOC_PROBE_(kind, TOC_CAT_(TOC_STEM_##kind##_, name_), name_, #name_, "", help_, a, b, c)

#define TOC_RULES_CHECK_(kind, what, a, b, c, too_many) \
        TOC_RULE_CHECK_(kind, what, 0, a) \
        TOC_RULE_CHECK_(kind, what, 1, b) \
        TOC_RULE_CHECK_(kind, what, 2, c) \
        TOC_ASSERT_(!TOC_IS_TUPLE_(too_many) && \
                               !(TOC_IS_(QUIET_, a) && TOC_IS_(ALERT_, b)) && \
                               !(TOC_IS_(RUNBOOK_, b) && TOC_IS_TUPLE_(c)), \
                       "tocsin: " what ": at most two rules, or TOC_QUIET alone, and " \
                       "a runbook as the last");

/* object: the cells' name; id: what `name` is called in C. */
#define TOC_PROBE_(kind, object, id, name_, label_, help_, a, b, c) \
        TOC_PROBE2_(kind, object, id, name_, label_, help_, a, b, c)
#define TOC_PROBE2_(kind, object, id, name_, label_, help_, a, b, c) \
        TOC_AT_FILE_SCOPE_ \
        static TOC_CELL_##kind##_ object TOC_PLACE_##kind##_; \
        TOC_BESIDE_##kind##_(id, a, b) \
        TOC_RECORD_(object, kind, name_, help_, &object, TOC_SET_LABELS_(label_) \
                    TOC_RULE_(0, label_, a) TOC_RULE_(1, label_, b) TOC_RULE_(2, label_, c))

/* ---- With labels: a probe for each */

#define TOC_DECLARE_BY_(kind, name, help, labels, a, ...) \
        TOC_DECLARE_BY2_(TOC_IS_LABELS_(labels), TOC_IS_TUPLE_(a), kind, name, help, labels, a, \
                         __VA_ARGS__)
#define TOC_IS_LABELS_(x) TOC_CAT_(TOC_IS_LABELS_, TOC_IS_TUPLE_(x))(x)
#define TOC_IS_LABELS_0(x) 0
#define TOC_IS_LABELS_1(x) \
        TOC_SECOND_(TOC_CAT_(TOC_LABELS_ARE_NAMES_, TOC_TAG_(x)), TOC_UP_TO_8_ x, ~)
#define TOC_UP_TO_8_(...) \
        TOC_17TH_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, ~)
#define TOC_LABELS_ARE_NAMES_ALERT_ ~, 0
#define TOC_LABELS_ARE_NAMES_ALERT_ON_ ~, 0
#define TOC_LABELS_ARE_NAMES_QUIET_ ~, 0
#define TOC_LABELS_ARE_NAMES_RUNBOOK_ ~, 0
#define TOC_LABELS_ARE_NAMES_USUAL_ ~, 0
#define TOC_LABELS_ARE_NAMES_LOGS_ ~, 0
#define TOC_LABELS_ARE_NAMES_BUDGET_ ~, 0
#define TOC_LABELS_ARE_NAMES_STOP_IN_TESTS_ ~, 0
#define TOC_LABELS_ARE_NAMES_STOP_FROM_ ~, 0
#define TOC_LABELS_ARE_NAMES_UPTIME_S_ ~, 0
#define TOC_LABELS_ARE_NAMES_WHEN_ ~, 0
#define TOC_DECLARE_BY2_(...) TOC_DECLARE_BY3_(__VA_ARGS__)
#define TOC_DECLARE_BY3_(labels, rule, ...) TOC_DECLARE_BY_##labels##rule(__VA_ARGS__)
#define TOC_DECLARE_BY_00(kind, name, ...) \
        TOC_ASSERT_(0, "tocsin: " #kind " " #name " needs one to eight labels: its third " \
                       "argument is (label, label ...)")
#define TOC_DECLARE_BY_01 TOC_DECLARE_BY_00
#define TOC_DECLARE_BY_10(kind, name, ...) \
        TOC_ASSERT_(0, "tocsin: " #kind " " #name " has no alert rule: give it " \
                       "TOC_ALERT(signal, op, limit, severity, meaning) or TOC_QUIET(reason)")
#define TOC_DECLARE_BY_11(kind, name_, help_, labels, a, b, c, too_many, ...) \
        TOC_FITS_(#name_, 1, 31, "the name " #name_) \
        TOC_SAYS_(help_, "the help of " #kind " " #name_) \
        TOC_RULES_CHECK_(kind, #kind " " #name_, a, b, c, too_many) \
        TOC_EACH_(TOC_LABEL_, (kind, name_, #name_, help_, a, b, c), TOC_UNWRAP_ labels) \
        TOC_ON_CHECK_(kind, name_, a) TOC_ON_CHECK_(kind, name_, b) TOC_ASSERT_(1, "")
#define TOC_LABEL_(context, label) TOC_LABEL2_(TOC_UNWRAP_ context, label)
#define TOC_LABEL2_(...) TOC_LABEL3_(__VA_ARGS__)
#define TOC_LABEL3_(kind, name_, text, help_, a, b, c, label) \
        TOC_FITS_(#label, 1, 23, "a label of " text) \
        TOC_ASSERT_(__builtin_memcmp(#label, "A", 1) >= 0, \
                       "tocsin: a label of " text " is a macro here: choose another name"); \
        TOC_PROBE_(kind, TOC_CAT_(TOC_STEM_##kind##_, name_##_by_##label), name_##_by_##label, \
                   text, #label, help_, a, b, c);

/* The label of TOC_ALERT_ON is one of them: its cell is there. */
#define TOC_ON_CHECK_(kind, name, tuple) \
        TOC_CAT_(TOC_ON_CHECK_, TOC_IS_(ALERT_ON_, tuple))(kind, name, tuple)
#define TOC_ON_CHECK_0(kind, name, tuple)
#define TOC_ON_CHECK_1(kind, name, tuple) TOC_ON_CHECK2_(kind, name, TOC_UNWRAP_ tuple)
#define TOC_ON_CHECK2_(...) TOC_ON_CHECK3_(__VA_ARGS__)
#define TOC_ON_CHECK3_(kind, name, tag, on, ...) \
        TOC_ASSERT_(sizeof(TOC_CAT_(TOC_STEM_##kind##_, name##_by_##on)) > 0, "");

#define TOC_STEM_counter_ toc_counter_
#define TOC_STEM_gauge_ toc_gauge_
#define TOC_STEM_level_ toc_level_
#define TOC_STEM_timer_ toc_histogram_
#define TOC_STEM_sizes_ toc_histogram_
#define TOC_STEM_share_ toc_share_
#define TOC_STEM_heartbeat_ toc_heartbeat_
#define TOC_STEM_operation_ toc_operation_
#define TOC_STEM_flow_ toc_flow_
#define TOC_CELL_counter_ uint64_t
#define TOC_CELL_gauge_ int64_t
#define TOC_CELL_level_ uint64_t
#define TOC_CELL_timer_ struct toc_histogram_
#define TOC_CELL_sizes_ struct toc_histogram_
#define TOC_CELL_share_ struct toc_share_
#define TOC_CELL_heartbeat_ uint64_t
#define TOC_CELL_operation_ struct toc_operation_
#define TOC_CELL_flow_ struct toc_flow_
#define TOC_PLACE_counter_ TOC_IN_("toc_cells_1") = 0
#define TOC_PLACE_gauge_ TOC_IN_("toc_shared_1") = TOC_GAUGE_UNSET_
#define TOC_PLACE_level_ TOC_IN_("toc_cells_1") = 0
#define TOC_PLACE_timer_ TOC_IN_("toc_cells_1") = {{0, 0}, 0, {0}}
#define TOC_PLACE_sizes_ TOC_IN_("toc_cells_1") = {{0, 0}, 0, {0}}
#define TOC_PLACE_share_ TOC_IN_("toc_cells_1") = {0, 0}
#define TOC_PLACE_heartbeat_ TOC_IN_("toc_cells_1") = 0
#define TOC_PLACE_operation_ TOC_IN_("toc_cells_1") = {0, 0, {0}}
#define TOC_PLACE_flow_ TOC_IN_("toc_cells_1") = {0, 0, 0, 0}
#define TOC_BESIDE_counter_(id, a, b)
#define TOC_BESIDE_gauge_(id, a, b)
#define TOC_BESIDE_level_(id, a, b)
#define TOC_BESIDE_share_(id, a, b)
#define TOC_BESIDE_heartbeat_(id, a, b)
#define TOC_BESIDE_operation_(id, a, b)
#define TOC_BESIDE_flow_(id, a, b)
#define TOC_BESIDE_sizes_(id, a, b) \
        static const struct toc_limits_ toc_limits_##id __attribute__((unused)) = { \
                {TOC_OVER_(1, a), TOC_OVER_(1, b)}};
#define TOC_BESIDE_timer_(id, a, b) \
        static const struct toc_limits_ toc_limits_##id __attribute__((unused)) = { \
                {TOC_OVER_(1000, a), TOC_OVER_(1000, b)}}; \
        enum { this_is_no_TOC_TIMER_##id = 1 };

#define TOC_TIME_SCOPE_(name, var) \
        __attribute__((cleanup(toc_span_end_), unused)) struct toc_span_ var = { \
                toc_now_() * this_is_no_TOC_TIMER_##name, &toc_histogram_##name, \
                &toc_limits_##name}
#define TOC_ENTER_(name, var) \
        __attribute__((cleanup(toc_leave_), unused)) struct toc_entered_ var = \
                toc_enter_(sizeof(one_file_must_have_TOC_MODULE_##name) ? &toc_entry_ : 0)

#define TOC_ANY_ORDER_(reason, var) \
        TOC_LITERAL_(reason, "the reason of TOC_ANY_ORDER") \
        __attribute__((cleanup(toc_any_order_end_), unused)) struct toc_here_ *const var = \
                toc_any_order_()

#define TOC_OPERATION_SCOPE_(name, var) \
        __attribute__((cleanup(toc_operation_end_), unused)) struct toc_going_ var = { \
                &toc_operation_##name, toc_begin_(&toc_operation_##name)}

/* ---- Sites in functions ---------------------------------------------------------------*/

/* An expectation's cells: misses, then passes, which only a build with TOC_COUNT_PASSES counts
 * (the gate's), because counting them would cost as much again as the check. */
#ifdef TOC_COUNT_PASSES
#define TOC_PASS_(site) ((void)toc_add_(&TOC_CELLS_OF_(site)[1], 1), true)
#else
#define TOC_PASS_(site) true
#endif

/* What may follow a meaning. */
#define TOC_EXTRA_CHECK_(where, what, form, x) \
        TOC_CAT_(TOC_EXTRA_CHECK_, TOC_IS_TUPLE_(x))(where, what, form, x)
#define TOC_EXTRA_CHECK_0(where, what, form, x) \
        TOC_ASSERT_(__builtin_strcmp(TOC_TEXT_(x), "0") == 0, "tocsin: " what " takes " form);
#define TOC_EXTRA_CHECK_1(where, what, form, x) \
        TOC_ASSERT_(TOC_SECOND_(TOC_CAT_(TOC_EXTRA_##where, TOC_TAG_(x)), 0, ~), \
                       "tocsin: " what " takes " form TOC_EXTRAS_##where); \
        TOC_EXTRA_CHECK2_(what, TOC_UNWRAP_ x)
#define TOC_EXTRA_CHECK2_(...) TOC_EXTRA_CHECK3_(__VA_ARGS__)
#define TOC_EXTRA_CHECK3_(what, tag, ...) \
        TOC_CAT_(TOC_EXTRA_CHECK_, TOC_SECOND_(TOC_EXTRA_HAS_##tag, NOTHING_, ~))(what, __VA_ARGS__)
#define TOC_EXTRA_CHECK_NOTHING_(what, ...)
#define TOC_EXTRA_HAS_RUNBOOK_ ~, RUNBOOK_
#define TOC_EXTRA_HAS_STOP_FROM_ ~, NUMBER_
#define TOC_EXTRA_HAS_UPTIME_S_ ~, NUMBER_
#define TOC_EXTRA_CHECK_RUNBOOK_(what, where) \
        TOC_LITERAL_(where, "the runbook in " what) \
        TOC_FITS_("" where, 4, 63, "the runbook in " what)
#define TOC_EXTRA_CHECK_NUMBER_(what, number) \
        TOC_ASSERT_(TOC_CONSTANT_(number + 0) > 0 && TOC_CONSTANT_(number + 0) <= INT32_MAX, \
                       "tocsin: " what ": TOC_UPTIME_S and TOC_STOP_FROM take a constant above 0");
#define TOC_EXTRAS_expect_ ", and then TOC_STOP_FROM, TOC_STOP_IN_TESTS or TOC_RUNBOOK"
#define TOC_EXTRA_expect_STOP_FROM_ ~, 1
#define TOC_EXTRA_expect_STOP_IN_TESTS_ ~, 1
#define TOC_EXTRA_expect_RUNBOOK_ ~, 1
#define TOC_EXTRAS_hit_ ", and then TOC_UPTIME_S, TOC_WHEN or TOC_RUNBOOK"
#define TOC_EXTRA_hit_UPTIME_S_ ~, 1
#define TOC_EXTRA_hit_WHEN_ ~, 1
#define TOC_EXTRA_hit_RUNBOOK_ ~, 1

/* The number in a tuple of that tag, else 0: + 0 is for one that was left empty. */
#define TOC_NUMBER_OF_(tag, x) TOC_CAT_(TOC_NUMBER_OF_, TOC_IS_(tag, x))(x)
#define TOC_NUMBER_OF_0(x) 0
#define TOC_NUMBER_OF_1(x) TOC_CONSTANT_(TOC_NUMBER_OF2_(TOC_UNWRAP_ x) + 0)
#define TOC_NUMBER_OF2_(...) TOC_SECOND_(__VA_ARGS__, ~)
#define TOC_IS_STOP_FROM_STOP_FROM_ ~, 1
#define TOC_IS_STOP_IN_TESTS_STOP_IN_TESTS_ ~, 1
#define TOC_IS_UPTIME_S_UPTIME_S_ ~, 1
#define TOC_IS_WHEN_WHEN_ ~, 1

#ifdef TOC_TESTING
#define TOC_IN_TESTS_ 1
#else
#define TOC_IN_TESTS_ 0
#endif
#ifdef TOC_VERSION
#define TOC_VERSION_ (TOC_VERSION)
#else
#define TOC_VERSION_ 0
#endif

/* The flags of an expectation. */
#define TOC_POLICY_(a, b) (TOC_POLICY2_(a) | TOC_POLICY2_(b))
#define TOC_POLICY2_(x) \
        (TOC_IS_(STOP_IN_TESTS_, x) ? TOC_MAY_STOP_ | (TOC_IN_TESTS_ ? TOC_STOPS_ : 0) \
         : TOC_IS_(STOP_FROM_, x) \
                 ? TOC_MAY_STOP_ | \
                           (TOC_NUMBER_OF_(STOP_FROM_, x) <= TOC_VERSION_ ? TOC_STOPS_ : 0) \
                 : 0)

#define TOC_MEANING_CHECK_(what, form, severity_, meaning_) \
        TOC_ASSERT_(sizeof(#severity_) > 1 && !TOC_IS_TUPLE_(severity_), \
                       "tocsin: " what " takes " form); \
        TOC_SEVERITY_CHECK_(what, severity_) \
        TOC_ASSERT_(TOC_IS_TEXT_(meaning_), \
                       "tocsin: " what " takes " form); \
        TOC_SAYS2_(meaning_, TOC_STRING_(meaning_), "the meaning in " what)

#define TOC_EXPECT_SITE_(site, what, form, text, severity_, meaning_, a, b, extra) \
        TOC_ASSERT_(__builtin_strcmp(#extra, "0") == 0, "tocsin: " what " takes " form); \
        TOC_EXTRA_CHECK_(expect_, what, form, a) \
        TOC_EXTRA_CHECK_(expect_, what, form, b) \
        TOC_MEANING_CHECK_(what, form, severity_, meaning_) \
        TOC_SITE_(site, 2, expectation, "expect_" TOC_TEXT_(__LINE__), \
                  TOC_CUT_(text, help, "(a long condition: see the source)"), \
                  TOC_RULE_(0, "", a) TOC_RULE_(0, "", b) TOC_SET_FLAGS_(TOC_POLICY_(a, b)) \
                  TOC_SET_RULE_(0, toc_signal_total, TOC_ABOVE_, 0, TOC_NUMBER_(severity_), \
                                TOC_MEANING_(meaning_)))

/* False, after all that is done about a miss. */
#define TOC_MISSED_(site, a, b, left, right) \
        ((void)toc_miss_(&toc_dso_, &toc_delta_, TOC_PROBE_OF_(site), left, right), \
         (TOC_POLICY_(a, b) & TOC_STOPS_) ? toc_stop_(TOC_PROBE_OF_(site)) : (void)0, false)

/* The text, or a harmless one where the author wrote a number in its place. */
#ifndef __cplusplus
#define TOC_STRING_(x) __builtin_choose_expr(TOC_IS_TEXT_(x), x, "(no meaning)")
#define TOC_MEANING_(x) TOC_STRING_(x)
#endif

#define TOC_EXPECT_(site, what, form, cond, text, severity, meaning, a, b, extra, ...) \
        (__extension__({ \
                TOC_EXPECT_SITE_(site, what, form, text, severity, meaning, a, b, extra); \
                bool TOC_CAT_(site, _holds_); \
                if (cond) \
                        TOC_CAT_(site, _holds_) = TOC_PASS_(site); \
                else \
                        TOC_CAT_(site, _holds_) = \
                                TOC_MISSED_(site, a, b, TOC_NO_VALUE_, TOC_NO_VALUE_); \
                TOC_CAT_(site, _holds_); \
        }))

#define TOC_EXPECT_CMP_(site, x, op, y, text, severity, meaning, a, b, extra, ...) \
        (__extension__({ \
                TOC_EXPECT_SITE_(site, "TOC_EXPECT_CMP", "(a, op, b, severity, meaning)", text, \
                                 severity, meaning, a, b, extra); \
                TOC_ASSERT_(TOC_OP_(#op) != 0, \
                               "tocsin: TOC_EXPECT_CMP: " #op " is not one of > >= < <= == !="); \
                TOC_ASSERT_(TOC_FITS_VALUE_(x) && TOC_FITS_VALUE_(y), \
                               "tocsin: TOC_EXPECT_CMP compares numbers and pointers of at most " \
                               "8 bytes; use TOC_EXPECT"); \
                TOC_COPY_(TOC_CAT_(site, _left_), x, y); \
                TOC_COPY_(TOC_CAT_(site, _right_), y, x); \
                __builtin_expect(TOC_KEPT_(x, TOC_CAT_(site, _left_)) \
                                         op TOC_KEPT_(y, TOC_CAT_(site, _right_)), 1) \
                        ? TOC_PASS_(site) \
                        : TOC_MISSED_(site, a, b, TOC_VALUE_(TOC_CAT_(site, _left_)), \
                                      TOC_VALUE_(TOC_CAT_(site, _right_))); \
        }))

#define TOC_HIT_SITE_(site, stem, what, form, text, severity_, meaning_, a, b, c, extra) \
        TOC_ASSERT_(__builtin_strcmp(#extra, "0") == 0, "tocsin: " what " takes " form); \
        TOC_EXTRA_CHECK_(hit_, what, form, a) \
        TOC_EXTRA_CHECK_(hit_, what, form, b) \
        TOC_EXTRA_CHECK_(hit_, what, form, c) \
        TOC_ONE_CHECK_(UPTIME_S_, what, a, b, c) \
        TOC_ONE_CHECK_(WHEN_, what, a, b, c) \
        TOC_MEANING_CHECK_(what, form, severity_, meaning_) \
        TOC_WHEN_CHECK_(a) TOC_WHEN_CHECK_(b) TOC_WHEN_CHECK_(c) \
        TOC_SITE_(site, 1, must_hit, stem TOC_TEXT_(__LINE__), \
                  TOC_CUT_(text, help, "(a long condition: see the source)"), \
                  TOC_RULE_(0, "", a) TOC_RULE_(0, "", b) TOC_RULE_(0, "", c) \
                  TOC_SET_RULE_(0, toc_signal_unreached_s, TOC_ABOVE_, \
                                TOC_UPTIME_(TOC_NUMBER_OF_(UPTIME_S_, a) + \
                                            TOC_NUMBER_OF_(UPTIME_S_, b) + \
                                            TOC_NUMBER_OF_(UPTIME_S_, c)), \
                                TOC_NUMBER_(severity_), TOC_MEANING_(meaning_)))
#define TOC_ONE_CHECK_(tag, what, a, b, c) \
        TOC_ASSERT_(TOC_IS_(tag, a) + TOC_IS_(tag, b) + TOC_IS_(tag, c) < 2, \
                       "tocsin: " what " takes one TOC_UPTIME_S and one TOC_WHEN");
#define TOC_UPTIME_(s) ((s) ? (s) : 3600)
#define TOC_WHEN_CHECK_(x) TOC_CAT_(TOC_WHEN_CHECK_, TOC_IS_(WHEN_, x))(x)
#define TOC_WHEN_CHECK_0(x)
#define TOC_WHEN_CHECK_1(x) TOC_WHEN_CHECK2_(TOC_UNWRAP_ x)
#define TOC_WHEN_CHECK2_(...) TOC_WHEN_CHECK3_(__VA_ARGS__)
#define TOC_WHEN_CHECK3_(tag, gauge) TOC_ASSERT_(sizeof(toc_gauge_##gauge) == 8, "");

#define TOC_SOMETIMES_(site, cond, text, severity, meaning, a, b, c, extra, ...) \
        (__extension__({ \
                TOC_HIT_SITE_(site, "sometimes_", "TOC_SOMETIMES", \
                              "(condition, severity, meaning)", text, severity, meaning, a, b, c, \
                              extra); \
                bool TOC_CAT_(site, _holds_) = (cond) ? true : false; \
                if (TOC_CAT_(site, _holds_)) \
                        (void)toc_add_(TOC_CELLS_OF_(site), 1); \
                TOC_CAT_(site, _holds_); \
        }))
#define TOC_REACHED_(site, severity, meaning, a, b, c, extra, ...) \
        (__extension__({ \
                TOC_HIT_SITE_(site, "reached_", "TOC_REACHED", "(severity, meaning)", "reached", \
                              severity, meaning, a, b, c, extra); \
                (void)toc_add_(TOC_CELLS_OF_(site), 1); \
        }))

#ifndef __cplusplus

/* 12 is a struct, 13 a union (gcc's typeclass.h). */
#define TOC_FITS_VALUE_(x) \
        (sizeof(1 ? (x) : (x)) <= 8 && __builtin_classify_type(x) != 12 && \
         __builtin_classify_type(x) != 13)

#define TOC_COPY_(name, x, other) __typeof__(1 ? (x) : (x)) name = (x)

/* A constant itself, else the copy: unsigned < 64 is no comparison of different signs. */
#define TOC_KEPT_(x, copy) __builtin_choose_expr(TOC_IS_CONSTANT_(x), x, copy)

#define TOC_NO_VALUE_ ((struct toc_value_){0, 0, 0})
#define TOC_VALUE_(x) toc_value_of_(&(__typeof__(x)){x}, sizeof(x), TOC_CLASS_(x))
#define TOC_CLASS_(x) \
        _Generic((x), int: 'i', long: 'i', long long: 'i', unsigned: 'u', unsigned long: 'u', \
                 unsigned long long: 'u', float: 'f', double: 'f', long double: 'f', default: 'p')

#endif

#define TOC_LOG_(kind, site, code, rule, ...) \
        TOC_CAT_(TOC_LOG_, TOC_IS_TUPLE_(rule))(kind, site, code, rule, __VA_ARGS__)
#define TOC_LOG_0(kind, site, code, rule, ...) \
        (__extension__({ \
                TOC_ASSERT_(0, "tocsin: this " #kind " has no alert rule: its second argument " \
                               "is TOC_USUAL, TOC_ALERT(...) or TOC_QUIET(...)"); \
                (code); \
        }))
#define TOC_LOG_1(kind, site, code, rule, ...) \
        (__extension__({ \
                __typeof__(code) TOC_CAT_(site, _code_) = (code); \
                TOC_MESSAGE_(TOC_FIRST_(__VA_ARGS__), "the message of this " #kind) \
                TOC_RULE_CHECK_(kind, "this " #kind, 0, rule) \
                TOC_NO_LABEL_CHECK_("this " #kind, rule) \
                TOC_SITE_(site, 1, kind, #kind "_" TOC_TEXT_(__LINE__), \
                          TOC_CUT_(TOC_FIRST_(__VA_ARGS__), help, \
                                   "(a long message: see the source)"), \
                          TOC_RULE_(0, "", rule)); \
                uint64_t TOC_CAT_(site, _n_) = toc_tick_(TOC_CELLS_OF_(site)); \
                if (__builtin_expect((TOC_CAT_(site, _n_) & (TOC_CAT_(site, _n_) - 1)) == 0, 0)) \
                        toc_report_(&toc_dso_, TOC_PROBE_OF_(site), TOC_CAT_(site, _n_), \
                                    __VA_ARGS__); \
                TOC_CAT_(site, _code_); \
        }))

#define TOC_MESSAGE_(text, what) TOC_LITERAL_(text, what) TOC_FITS_("" text, 8, 255, what)

#else /* TOCSIN_OFF: what is left is what the expressions return */

#ifdef __cplusplus
#define TOC_NOT_OPEN_ (toc_open{0, 0})
#else
#define TOC_NOT_OPEN_ ((struct toc_open){0, 0})
#endif

#undef TOC_MODULE
#undef TOC_MODULE_PART
#undef TOC_COUNTER
#undef TOC_GAUGE
#undef TOC_LEVEL
#undef TOC_TIMER
#undef TOC_SIZES
#undef TOC_SHARE
#undef TOC_HEARTBEAT
#undef TOC_OPERATION
#undef TOC_FLOW
#undef TOC_COUNTER_BY
#undef TOC_GAUGE_BY
#undef TOC_LEVEL_BY
#undef TOC_TIMER_BY
#undef TOC_SIZES_BY
#undef TOC_SHARE_BY
#undef TOC_HEARTBEAT_BY
#undef toc_count
#undef toc_add
#undef toc_set
#undef toc_raise
#undef toc_lower
#undef toc_beat
#undef toc_share
#undef toc_observe
#undef toc_begin
#undef toc_end
#undef toc_in
#undef toc_out
#undef toc_dropped
#undef toc_held
#undef TOC_TIME_SCOPE
#undef TOC_OPERATION_SCOPE
#undef TOC_ENTER
#undef TOC_ANY_ORDER
#undef TOC_EXPECT
#undef TOC_EXPECT_CMP
#undef TOC_UNREACHABLE
#undef TOC_SOMETIMES
#undef TOC_REACHED
#undef TOC_ERROR
#undef TOC_WARNING
#define TOC_MODULE(...) TOC_ASSERT_(1, "")
#define TOC_MODULE_PART(name) TOC_ASSERT_(1, "")
#define TOC_COUNTER(...) TOC_ASSERT_(1, "")
#define TOC_GAUGE(...) TOC_ASSERT_(1, "")
#define TOC_LEVEL(...) TOC_ASSERT_(1, "")
#define TOC_TIMER(...) TOC_ASSERT_(1, "")
#define TOC_SIZES(...) TOC_ASSERT_(1, "")
#define TOC_SHARE(...) TOC_ASSERT_(1, "")
#define TOC_HEARTBEAT(...) TOC_ASSERT_(1, "")
#define TOC_OPERATION(...) TOC_ASSERT_(1, "")
#define TOC_FLOW(...) TOC_ASSERT_(1, "")
#define TOC_COUNTER_BY(...) TOC_ASSERT_(1, "")
#define TOC_GAUGE_BY(...) TOC_ASSERT_(1, "")
#define TOC_LEVEL_BY(...) TOC_ASSERT_(1, "")
#define TOC_TIMER_BY(...) TOC_ASSERT_(1, "")
#define TOC_SIZES_BY(...) TOC_ASSERT_(1, "")
#define TOC_SHARE_BY(...) TOC_ASSERT_(1, "")
#define TOC_HEARTBEAT_BY(...) TOC_ASSERT_(1, "")
#define toc_count(name) ((void)0)
#define toc_add(name, n) ((void)sizeof(n))
#define toc_set(name, to) ((void)sizeof(to))
#define toc_raise(name, by) ((void)sizeof(by))
#define toc_lower(name, by) ((void)sizeof(by))
#define toc_beat(name) ((void)0)
#define toc_share(name, failed) ((void)sizeof(failed))
#define toc_observe(name, value) ((void)sizeof(value))
#define toc_begin(name) TOC_NOT_OPEN_
#define toc_end(name, open) ((void)(open))
#define toc_in(name, n) ((void)sizeof(n))
#define toc_out(name, n) ((void)sizeof(n))
#define toc_dropped(name, n) ((void)sizeof(n))
#define toc_held(name, by) ((void)sizeof(by))
#define TOC_TIME_SCOPE(name) TOC_ASSERT_(1, "")
#define TOC_OPERATION_SCOPE(name) TOC_ASSERT_(1, "")
#define TOC_ENTER(module) TOC_ASSERT_(1, "")
#define TOC_ANY_ORDER(reason) TOC_ASSERT_(1, "")
#define TOC_EXPECT(cond, ...) (!!(cond))
#define TOC_EXPECT_CMP(a, op, b, ...) (!!((a)op(b)))
#define TOC_UNREACHABLE(...) (__extension__({ false; }))
#define TOC_SOMETIMES(cond, ...) (!!(cond))
#define TOC_REACHED(...) ((void)0)
#define TOC_ERROR(code, rule, ...) TOC_ONLY_(code, __VA_ARGS__)
#define TOC_WARNING(code, rule, ...) TOC_ONLY_(code, __VA_ARGS__)
#define TOC_ONLY_(code, ...) \
        (__extension__({ \
                if (0) \
                        toc_report_(0, 0, 0, __VA_ARGS__); \
                (code); \
        }))

#endif /* TOCSIN_OFF */

#endif
