/* SPDX-License-Identifier: Apache-2.0 */
/* work.c - like loop.c what a user's code would be, compiled at -O2 in a file of its own. Each line
 * of work.def becomes a loop of which kernel and probe are inlined. */
#include "work.h"

#include <errno.h>
#include <stdbool.h>

#include <tocsin.h>

TOC_MODULE_PART(bench);

TOC_COUNTER(work_a, "Counted between other work", TOC_QUIET("exists to be measured"));
TOC_COUNTER(work_b, "Counted between other work", TOC_QUIET("exists to be measured"));
TOC_COUNTER(work_c, "Counted between other work", TOC_QUIET("exists to be measured"));
TOC_COUNTER(work_d, "Counted between other work", TOC_QUIET("exists to be measured"));
TOC_COUNTER(work_e, "Counted between other work", TOC_QUIET("exists to be measured"));
TOC_GAUGE(work_last, "Set between other work", TOC_QUIET("exists to be measured"));
TOC_HEARTBEAT(work_alive, "Beats between other work", TOC_QUIET("exists to be measured"));

#define INLINE static inline __attribute__((always_inline))

/* Not static, so that the compiler must believe that others look at them. */
extern __thread uint64_t work_mine;
extern uint64_t work_shared;

__thread uint64_t work_mine;
_Alignas(64) uint64_t work_shared;

static __thread volatile uint64_t room[60];

INLINE uint64_t unknown(uint64_t number)
{
        __asm__ volatile("" : "+r"(number));
        return number;
}

/* ---- Kernels: each returns a number that depends on all it did --------------------------*/

INLINE uint64_t latency(uint64_t number)
{
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
                number = unknown(number * number);
        return number;
}

INLINE uint64_t alu(uint64_t number)
{
        uint64_t a = number, b = number, c = number, d = number, e = number, f = number;

#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
                a = unknown(a + number);
                b = unknown(b + number);
                c = unknown(c + number);
                d = unknown(d + number);
                e = unknown(e + number);
                f = unknown(f + number);
        }
        return a ^ b ^ c ^ d ^ e ^ f;
}

INLINE uint64_t memory(uint64_t number)
{
#pragma GCC unroll 20
        for (int i = 0; i < 20; i++)
                room[i] = room[20 + i] + room[40 + i];
        return number;
}

/* ---- Probes -----------------------------------------------------------------------------*/

INLINE void alone(uint64_t number)
{
        (void)number;
}

INLINE void increment(uint64_t number)
{
        (void)number;
        work_mine++;
}

INLINE void counter(uint64_t number)
{
        (void)number;
        toc_count(work_a);
}

INLINE void counters(uint64_t number)
{
        (void)number;
        toc_count(work_a);
        toc_count(work_b);
        toc_count(work_c);
        toc_count(work_d);
        toc_count(work_e);
}

/* It holds: the kernels come to 1, 0 and 3 and stay there. */
INLINE void expect(uint64_t number)
{
        (void)TOC_EXPECT(number != UINT64_MAX, TOC_NOTE, "exists to be measured");
}

INLINE void error(uint64_t number)
{
        (void)TOC_ERROR(-EIO, TOC_QUIET("exists to be measured"), "number %d", (int)number);
}

INLINE void gauge(uint64_t number)
{
        toc_set(work_last, (int64_t)number);
}

INLINE void all(uint64_t number)
{
        counter(number);
        expect(number);
        error(number);
        gauge(number);
        toc_beat(work_alive);
}

INLINE void locked_add(uint64_t number)
{
        (void)number;
        (void)__atomic_fetch_add(&work_shared, 1, __ATOMIC_RELAXED);
}

#define WORK(kernel, probe, against, help)                 \
        void work_##kernel##_##probe(uint64_t times)       \
        {                                                  \
                uint64_t number = unknown(3);              \
                                                           \
                for (uint64_t i = 0; i < times; i++) {     \
                        number = kernel(number);           \
                        probe(number);                     \
                        __asm__ volatile("" ::: "memory"); \
                }                                          \
                (void)unknown(number);                     \
        }
#include "work.def"
