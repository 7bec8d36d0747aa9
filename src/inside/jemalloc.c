/* SPDX-License-Identifier: Apache-2.0 */
/* jemalloc.c - jemalloc's functions that take a pointer. What malloc gave begins 16 bytes behind
 * what jemalloc knows, so it must not come to see that. What mallocx made stays foreign.
 *
 * A program that has no jemalloc does not call them. */
#include <string.h>

#include "inside/heap.h"
#include "inside/inside.h"
#include "inside/real.h"

/* Of flags, as jemalloc's header has them. */
enum { ALIGNMENT = 0x3f, ZERO = 0x40 };

static struct {
        void (*dallocx)(void *, int);
        void (*sdallocx)(void *, size_t, int);
        void *(*rallocx)(void *, size_t, int);
        size_t (*xallocx)(void *, size_t, size_t, int);
        size_t (*sallocx)(const void *, int);
        size_t (*nallocx)(size_t, int);
} real;

void inside_jemalloc_start(void)
{
        INSIDE_REAL(real.dallocx, "dallocx");
        INSIDE_REAL(real.sdallocx, "sdallocx");
        INSIDE_REAL(real.rallocx, "rallocx");
        INSIDE_REAL(real.xallocx, "xallocx");
        INSIDE_REAL(real.sallocx, "sallocx");
        INSIDE_REAL(real.nallocx, "nallocx");
}

#define AT __builtin_return_address(0)
#define SP inside_sp()

INSIDE_PUBLIC void dallocx(void *memory, int flags);
INSIDE_PUBLIC void sdallocx(void *memory, size_t size, int flags);
INSIDE_PUBLIC void *rallocx(void *memory, size_t size, int flags);
INSIDE_PUBLIC size_t xallocx(void *memory, size_t size, size_t extra, int flags);
INSIDE_PUBLIC size_t sallocx(const void *memory, int flags);
INSIDE_PUBLIC size_t nallocx(size_t size, int flags);

void dallocx(void *memory, int flags)
{
        if (heap_has(memory) || !real.dallocx)
                heap_release(memory, AT);
        else
                real.dallocx(memory, flags);
}

void sdallocx(void *memory, size_t size, int flags)
{
        if (heap_has(memory) || !real.sdallocx)
                heap_release(memory, AT);
        else
                real.sdallocx(memory, size, flags);
}

/* One that must be aligned or zero behind its old end. */
static void *move(void *memory, size_t size, int flags, const void *at, const void *sp)
{
        size_t old = heap_size(memory);
        void *moved = heap_allocate_aligned((size_t)1 << (flags & ALIGNMENT), size, at, sp);

        if (!moved)
                return NULL;
        memcpy(moved, memory, old < size ? old : size);
        if ((flags & ZERO) && size > old)
                memset((char *)moved + old, 0, size - old);
        heap_release(memory, at);
        return moved;
}

void *rallocx(void *memory, size_t size, int flags)
{
        if (!heap_has(memory) && real.rallocx)
                return real.rallocx(memory, size, flags);
        return flags & (ALIGNMENT | ZERO) ? move(memory, size, flags, AT, SP)
                                          : heap_reallocate(memory, size, AT, SP);
}

/* Never in place: it says how much there is. */
size_t xallocx(void *memory, size_t size, size_t extra, int flags)
{
        return heap_has(memory) || !real.xallocx ? heap_size(memory)
                                                 : real.xallocx(memory, size, extra, flags);
}

size_t sallocx(const void *memory, int flags)
{
        void *block = (void *)(uintptr_t)memory;

        return heap_has(block) || !real.sallocx ? heap_size(block) : real.sallocx(memory, flags);
}

/* Not what jemalloc would round to: of what malloc gives, no more than was asked for is the
 * program's. */
size_t nallocx(size_t size, int flags)
{
        size_t rounded = real.nallocx ? real.nallocx(size, flags) : size;

        return rounded && inside_is_ready() ? size : rounded;
}
