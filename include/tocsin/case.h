/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tocsin/case.h - cases of a contract: what a candidate must do, cost, survive and be heard about.
 *
 *     TEST(keeps_the_newest)
 *     {
 *             struct lru *cache = toc_case_object(lru_new(2));
 *             uint64_t key = toc_case_random();
 *
 *             CHECK(cache);
 *             CHECK_EQ(lru_put(cache, key, 7), 0);
 *             lru_free(cache);
 *     }
 *
 * Every case runs in a process of its own that was forked for it, in a sandbox, in random order,
 * in several builds. It passes if its function returns; a CHECK that does not hold ends it.
 * A case sees the contract's header and this one; never the candidate's source. When it returns it
 * has left nothing behind: no descriptor, thread, process, nor memory of the module, which is freed
 * through the module, or by toc_case_free() where it was given away. What it prints is kept for the
 * report, up to 64 KiB; beyond 1 MiB it is killed, and so it is when its time is over.
 *
 * Units:     named in each function. Ownership: nothing here is owned by a case.
 * Errors:    a call that the kind of case does not have (toc_case_tick in a BENCH) ends the case
 *            with a sentence. Threads: CHECK and toc_case_running may be used by threads that the
 *            case started and joins; the rest by the case's own thread only.
 * Limits:    names of 47 characters, 16 sizes a BENCH, 64 objects a case, 512 cases a contract.
 */
#ifndef TOCSIN_CASE_H
#define TOCSIN_CASE_H

#pragma GCC system_header

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- The kinds of case ------------------------------------------------------------------------
 *
 * TEST(name)   { }  Functional. Must pass whatever seed it gets.
 * FAULT(name)  { }  Legal use that tolerates every error it is given and always cleans up. Runs
 *                   once for each n with the n-th allocation failing, once and for ever, until no
 *                   failure fires any more. It may see errors; the candidate may not crash, leak,
 *                   hang, or break the contract's invariant. So: no CHECK that a call succeeds.
 * BENCH(name, axis, sizes...)  { setup; BENCH_LOOP(calls) { one call } teardown }
 *                   Runs once for each size, smallest first; each at least twice the one before, at
 *                   least four of them if growth is to be judged. Only the loop is counted, with
 *                   some 15 instructions a call of its own, and some 65 of the harness for each
 *                   allocation. The axis is a name that budgets of the contract use.
 * STRESS(name) { while (toc_case_running()) ... }  A long mixed load. When the contract has
 *                   threads, the case runs in several threads of one process at once, each with
 *                   random numbers of its own.
 * ALARM(name, seconds) { }  Drives the module into trouble through its interface. A rule of the
 *                   module with TOC_WARN or TOC_PAGE must ring within that many seconds of rule
 *                   time. Time passes only by toc_case_tick().
 * CALM(name)   { }  Legal use, bursts included. No rule with TOC_WARN or TOC_PAGE may ring.
 */
#define TEST(name)             TOC_CASE_(name, TOC_CASE_TEST_, "", 0, { 0 })
#define FAULT(name)            TOC_CASE_(name, TOC_CASE_FAULT_, "", 0, { 0 })
#define BENCH(name, axis, ...) TOC_CASE_(name, TOC_CASE_BENCH_, #axis, 0, { __VA_ARGS__ })
#define STRESS(name)           TOC_CASE_(name, TOC_CASE_STRESS_, "", 0, { 0 })
#define ALARM(name, seconds)   TOC_CASE_(name, TOC_CASE_ALARM_, "", (seconds), { 0 })
#define CALM(name)             TOC_CASE_(name, TOC_CASE_CALM_, "", 0, { 0 })

/* ---- Checks: end the case when they do not hold ------------------------------------------------
 *
 * Arguments are evaluated once. CHECK_EQ and the like compare as intmax_t and show both values;
 * CHECK_STR and CHECK_BYTES compare texts and memory. CHECK_NOTE adds a sentence of yours. */
#define CHECK(condition) \
        ((condition) ? toc_case_holds_() : toc_case_fail_(__FILE__, __LINE__, "%s", #condition))
#define CHECK_NOTE(condition, ...) \
        ((condition) ? toc_case_holds_() : toc_case_fail_(__FILE__, __LINE__, __VA_ARGS__))
#define CHECK_EQ(a, b)  TOC_CHECK_(a, ==, b)
#define CHECK_NE(a, b)  TOC_CHECK_(a, !=, b)
#define CHECK_LT(a, b)  TOC_CHECK_(a, <, b)
#define CHECK_LE(a, b)  TOC_CHECK_(a, <=, b)
#define CHECK_GT(a, b)  TOC_CHECK_(a, >, b)
#define CHECK_GE(a, b)  TOC_CHECK_(a, >=, b)
#define CHECK_STR(a, b) toc_case_check_text_((a), (b), #a, #b, __FILE__, __LINE__)
#define CHECK_BYTES(a, b, length) \
        toc_case_check_bytes_((a), (b), (length), #a, #b, __FILE__, __LINE__)

/* ---- What a case may ask ------------------------------------------------------------------------
 *
 * The seed is hidden: drawn by the gate from the digests of contract and candidate, so that values
 * cannot be known beforehand and a run can be repeated. */
uint64_t toc_case_seed(void);
uint64_t toc_case_random(void);               /* the next of a splitmix64 begun at the seed */
uint64_t toc_case_random_below(uint64_t end); /* 0 .. end-1; end must not be 0 */

/* In a BENCH: the size of this run, and which call of the loop this is, from 0. */
size_t toc_case_size(void);
uint64_t toc_case_iteration(void);
#define BENCH_LOOP(calls) for (toc_case_loop_begin_(calls); toc_case_loop_next_();)

/* In a STRESS: whether to go on; and which of the threads this is, from 0, of how many. */
bool toc_case_running(void);
unsigned toc_case_thread(void);
unsigned toc_case_thread_count(void);

/* In an ALARM or CALM: that many seconds of rule time pass, one sample a second; costs no real
 * time to speak of. At most 86400 in a case. What the module counted before the call stands in the
 * first of these samples; rules with .hold_s need as many seconds. When the case ends, the rules
 * are judged once more. */
void toc_case_tick(unsigned seconds);

/* In an ALARM: from now on every allocation of the candidate fails, or none. */
void toc_case_fail_allocations(bool fails);

/* The object that the contract's invariant is to be asked about: at the first CHECK after an
 * injected fault, and when the case ends. Returns its argument. It is forgotten when the candidate
 * frees that address; of one that lies elsewhere, say toc_case_object_gone(p) before it goes. */
#define toc_case_object(pointer) (toc_case_object_add_(pointer))
void *toc_case_object_add_(void *object);
void toc_case_object_gone(void *object);

/* Frees what the module allocated and gave away: free() in a case would do, but the harness, which
 * counts the module's memory, would take it for still held. */
void toc_case_free(void *memory);

/* Asks the invariant of all objects now; a broken one ends the case. */
void toc_case_check_invariant(void);

/* ---- Below: machinery ---------------------------------------------------------------------- */

enum toc_case_kind_ {
        TOC_CASE_TEST_ = 1,
        TOC_CASE_FAULT_,
        TOC_CASE_BENCH_,
        TOC_CASE_STRESS_,
        TOC_CASE_ALARM_,
        TOC_CASE_CALM_,
};

enum { TOC_CASE_SIZE_MAX_ = 16 };

struct toc_case_ {
        void (*run)(void);
        const char *name;
        const char *axis;
        const char *file;
        uint32_t line;
        uint32_t kind;
        uint64_t seconds;
        uint64_t sizes[TOC_CASE_SIZE_MAX_]; /* ends with 0 */
};

/* Pointers, not structs, stand in the section, so that no padding of a compiler can matter. */
#define TOC_CASE_(case_name, case_kind, case_axis, case_seconds, ...)                        \
        static void toc_case_run_##case_name(void);                                          \
        static const struct toc_case_ toc_case_##case_name = {                               \
                .run = toc_case_run_##case_name,                                             \
                .name = #case_name,                                                          \
                .axis = (case_axis),                                                         \
                .file = __FILE__,                                                            \
                .line = __LINE__,                                                            \
                .kind = (case_kind),                                                         \
                .seconds = (case_seconds),                                                   \
                .sizes = __VA_ARGS__,                                                        \
        };                                                                                   \
        _Static_assert(sizeof #case_name <= 48,                                              \
                       "tocsin: a case's name has at most 47 characters");                   \
        __attribute__((section("toc_cases_1"),                                               \
                       used)) static const struct toc_case_ *const toc_case_at_##case_name = \
                &toc_case_##case_name;                                                       \
        static void toc_case_run_##case_name(void)

#define TOC_CHECK_(a, op, b)                                                                  \
        do {                                                                                  \
                const intmax_t toc_left_ = (intmax_t)(a);                                     \
                const intmax_t toc_right_ = (intmax_t)(b);                                    \
                if (!(toc_left_ op toc_right_))                                               \
                        toc_case_fail_(__FILE__, __LINE__, "%s %s %s: %jd, %jd", #a, #op, #b, \
                                       toc_left_, toc_right_);                                \
                toc_case_holds_();                                                            \
        } while (0)

_Noreturn void toc_case_fail_(const char *file, unsigned line, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void toc_case_holds_(void);
void toc_case_check_text_(const char *left, const char *right, const char *left_source,
                          const char *right_source, const char *file, unsigned line);
void toc_case_check_bytes_(const void *left, const void *right, size_t length,
                           const char *left_source, const char *right_source, const char *file,
                           unsigned line);
void toc_case_loop_begin_(uint64_t calls);
bool toc_case_loop_next_(void);

#endif
