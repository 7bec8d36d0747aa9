/* SPDX-License-Identifier: Apache-2.0 */
/* kind.c - like loop.c what a user's code would be, compiled at -O2 in a file of its own. */
#include "kind.h"

#include "loop.h"

#include <stdbool.h>
#include <time.h>

#include <tocsin.h>

TOC_MODULE_PART(bench);

TOC_COUNTER_BY(answers, "Counted in a loop of its own", (ok, refused),
               TOC_QUIET("exists to be measured"));
TOC_TIMER(latency, "Observed in a loop of its own",
          TOC_ALERT(p99_us, >, 45000, TOC_NOTE, "exists to be measured"));
TOC_SIZES(size, "Observed in a loop of its own",
          TOC_ALERT(p99, >, 45000000, TOC_NOTE, "exists to be measured"));
TOC_TIMER(span, "Times nothing, in a loop of its own",
          TOC_ALERT(max_us, >, 1000000, TOC_NOTE, "exists to be measured"));
TOC_SHARE(failed, "One in a loop of its own", TOC_QUIET("exists to be measured"));
TOC_OPERATION(request, "Begins and ends in a loop of its own", TOC_QUIET("exists to be measured"));
TOC_FLOW(queue, "In and out in a loop of its own", TOC_QUIET("exists to be measured"));

static __thread uint64_t mine_two[2];
_Alignas(64) int64_t kind_value[KIND_VALUE_COUNT];

/* The compiler forgets what is in memory: one turn cannot be merged with the next. */
static inline void forget(void)
{
        __asm__ volatile("" ::: "memory");
}

/* The same number, but the compiler cannot know that. */
static inline uint64_t unknown(uint64_t number)
{
        __asm__ volatile("" : "+r"(number));
        return number;
}

/* One turn of a loop for eight operations: k counts them. */
#define EIGHT_A_TURN(i, k, times)                           \
        for (uint64_t i = 0; i < (times); i += LOOP_STRIDE) \
        _Pragma("GCC unroll 8") for (uint64_t k = 0; k < LOOP_STRIDE; k++)

/* A linear congruence (Knuth's) is random enough for a branch predictor. */
void kind_open(void)
{
        uint64_t state = 1;

        for (int i = 0; i < KIND_VALUE_COUNT; i++) {
                uint64_t octave, part;

                state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                octave = (state >> 33) % 20;
                part = (state >> 13) % 1000;
                kind_value[i] = (int64_t)((UINT64_C(50) * (1000 + part) << octave) / 1000);
        }
}

/* ---- Without Tocsin ---------------------------------------------------------------------*/

void kind_values(uint64_t times)
{
        EIGHT_A_TURN(i, k, times)
        {
                (void)unknown((uint64_t)kind_value[(i + k) % KIND_VALUE_COUNT]);
                forget();
        }
}

void kind_increment_two(uint64_t times)
{
        uint64_t *mine = (uint64_t *)(uintptr_t)unknown((uintptr_t)&mine_two[0]);
        uint64_t *other = (uint64_t *)(uintptr_t)unknown((uintptr_t)&mine_two[1]);

        EIGHT_A_TURN(i, k, times)
        {
                (*mine)++;
                (*other)++;
                forget();
        }
}

static uint64_t now_ns(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock exists */
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void kind_clocks(uint64_t times)
{
        for (uint64_t i = 0; i < times; i++) {
                uint64_t began_ns = now_ns();

                forget();
                (void)unknown(now_ns() - began_ns);
        }
}

/* ---- Probes -----------------------------------------------------------------------------*/

void kind_counter_by(uint64_t times)
{
        EIGHT_A_TURN(i, k, times)
        {
                toc_count_by(answers, ok);
                forget();
        }
}

void kind_timer(uint64_t times)
{
        EIGHT_A_TURN(i, k, times)
        {
                toc_observe(latency, kind_value[(i + k) % KIND_VALUE_COUNT]);
                forget();
        }
}

void kind_sizes(uint64_t times)
{
        EIGHT_A_TURN(i, k, times)
        {
                toc_observe(size, kind_value[(i + k) % KIND_VALUE_COUNT]);
                forget();
        }
}

void kind_time_scope(uint64_t times)
{
        for (uint64_t i = 0; i < times; i++) {
                TOC_TIME_SCOPE(span);
                forget();
        }
}

/* One in eight is of those that failed, and the compiler does not know which. */
void kind_share(uint64_t times)
{
        uint64_t mask = unknown(7);

        EIGHT_A_TURN(i, k, times)
        {
                toc_share(failed, ((i + k) & mask) == mask);
                forget();
        }
}

void kind_operation(uint64_t times)
{
        EIGHT_A_TURN(i, k, times)
        {
                struct toc_open open = toc_begin(request);

                forget();
                toc_end(request, open);
                forget();
        }
}

void kind_operation_scope(uint64_t times)
{
        EIGHT_A_TURN(i, k, times)
        {
                TOC_OPERATION_SCOPE(request);
                forget();
        }
}

void kind_flow(uint64_t times)
{
        EIGHT_A_TURN(i, k, times)
        {
                toc_in(queue, 1);
                forget();
                toc_out(queue, 1);
                forget();
        }
}

void kind_sometimes(uint64_t times)
{
        uint64_t limit = unknown(UINT64_MAX);

        EIGHT_A_TURN(i, k, times)
        {
                (void)TOC_SOMETIMES(unknown(i) < limit, TOC_NOTE, "exists to be measured");
                forget();
        }
}

void kind_reached(uint64_t times)
{
        EIGHT_A_TURN(i, k, times)
        {
                TOC_REACHED(TOC_NOTE, "exists to be measured");
                forget();
        }
}
