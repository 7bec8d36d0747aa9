/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what libtocsin-inside costs, beside libc alone, in one process.
 *
 * The library is preloaded, so malloc and the others by their names go through it; libc's own are
 * got from libc itself. Both are called through pointers, in the same loop. The library "inside" of
 * row.def is here if it was preloaded, "jemalloc" if Debian's is installed: with its profiler on,
 * which takes a sample each 512 KiB.
 *
 * Units:     times is the number of operations; a pair is one. Ownership: nothing to free. Threads:
 *            the loops: any number at once, after inside_open(). Errors: what is not here is not
 *            here. Limits: PATH_MAX. */
#ifndef BENCH_INSIDE_H
#define BENCH_INSIDE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the process has to be started with: puts it into the environment. */
int inside_prepare(void);

void inside_open(void);
bool inside_is_here(void);
bool inside_has_jemalloc(void);

/* 64 bytes, made and freed. */
void inside_malloc_libc(uint64_t times);
void inside_malloc(uint64_t times);
void inside_malloc_jemalloc(uint64_t times);

/* The same, with 64 live blocks of 16 to 1024 bytes, the oldest freed. */
void inside_churn_libc(uint64_t times);
void inside_churn(uint64_t times);
void inside_churn_jemalloc(uint64_t times);

/* 24 bytes of zeros, made 100, and freed. */
void inside_grow_libc(uint64_t times);
void inside_grow(uint64_t times);

/* A mutex of the thread's own, locked and unlocked; two, one inside the other. */
void inside_lock_libc(uint64_t times);
void inside_lock(uint64_t times);
void inside_nested_libc(uint64_t times);
void inside_nested(uint64_t times);

/* TOC_ENTER, and the end of its block. */
void inside_enter(uint64_t times);

/* One byte of /dev/zero. */
void inside_read_libc(uint64_t times);
void inside_read(uint64_t times);

#endif
