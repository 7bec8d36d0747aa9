/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harness.h - what the files of the harness share: the run of this child, and its small parts.
 *
 * The harness lives in one process with a candidate: libc only, no allocation of its own, and no
 * pointer to anything of the candidate where a leak checker would find it.
 *
 * Units:     in each name. Ownership: all objects are static. Threads: as case.h says.
 * Errors:    a child that cannot go on says a failed case; the parent exits.
 * Limits:    wire.h and case.h.
 */
#ifndef CASE_HARNESS_H
#define CASE_HARNESS_H

#include "tocsin/case.h"

#include <sys/types.h>

#pragma GCC visibility push(hidden)

enum harness_counter { HARNESS_COUNTER_NONE, HARNESS_COUNTER_PERF, HARNESS_COUNTER_CALLGRIND };

/* What RUN said. Zero: not asked for. */
struct harness_run {
        const struct toc_case_ *test_case;
        char nonce[33];
        int wire_fd;
        uint64_t seed;
        uint64_t fail_at;
        uint64_t is_sticky;
        uint64_t size;
        uint64_t threads, run_ms, sample_ms, wall_ms;
        uint64_t leaks, deadlocks_at, slow_us, loses_descriptors; /* fault.c */
        enum harness_counter counter;
};

extern struct harness_run toc_harness_run_;

/* ---- wire.c: one message is one line */
bool toc_wire_send_(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
ssize_t toc_wire_receive_(int fd, char *line, size_t size); /* > 0 bytes; else the gate is gone */
/* Printable ASCII; the rest as \xNN, a line end as \n. Returns the bytes of `from` that fitted. */
size_t toc_wire_escape_(char *into, size_t size, const char *from, size_t length);

/* "cases/lru.c" of a contract's file, for a candidate may have one of the same name; else the last
 * part of the path. */
const char *toc_wire_file_(const char *path);
void toc_wire_await_go_(void);

/* ---- child.c: the life of one case */
_Noreturn void toc_child_run_(void);
uint32_t toc_child_kind_(void);
/* Ends the case unless it is of one of those kinds (bits 1 << kind). */
void toc_child_demand_(unsigned kinds, const char *function);
void toc_child_begin_thread_(unsigned index);

/* ---- heap.c: what the candidate asked for */
struct heap_count {
        uint64_t allocations, fired;
        int64_t live_bytes, peak_bytes;
};

void toc_heap_arm_(void); /* from now on allocations count and may fail */
void toc_heap_disarm_(void);
void toc_heap_peak_again_(void); /* the peak starts anew at what is live */
void toc_heap_fail_all_(bool fails);
struct heap_count toc_heap_count_(void);

bool toc_heap_is_armed_(void);
void toc_heap_fired_(void); /* a fault struck; the first one is said */

/* ---- fault.c: what goes wrong outside of the candidate */
bool toc_fault_leaks_(void);
void toc_fault_delay_(void);

/* ---- invariant.c */
void toc_invariant_after_fault_(void); /* asks if a fault fired since it was asked last */
/* The address is being freed. A word is read unless objects are registered. */
void toc_invariant_forget_(const void *object);

/* ---- bench.c */
void toc_bench_end_(void); /* ends the case if its loop did not */

/* ---- stress.c */
struct stress_left {
        uint64_t descriptors, threads;
};

void toc_stress_hush_(void);               /* no samples from now on */
struct stress_left toc_stress_look_(void); /* what /proc says of this process; 0: cannot look */
void toc_stress_run_(void);

#pragma GCC visibility pop

#endif
