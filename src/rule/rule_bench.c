/* SPDX-License-Identifier: Apache-2.0 */
/* What a tick of 10 000 rules costs, and what they take of memory: `meson test --benchmark rule`.
 *
 * A line a mix of rules: the time of a tick in the middle, the worst one, the bytes that the set
 * took. Numbers are printed and nothing is asserted: a time is not a test. */
#include "rule/rule.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { rows = 10000, ticks_max = 4000, ticks_few = 400 };

static struct rule_sample samples[RULE_ROW_MAX];
static uint64_t ns[ticks_max];

static uint64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
        uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

        return left < right ? -1 : left > right;
}

static struct toc_record record_of(unsigned kind, unsigned signal)
{
        return (struct toc_record){
                .version = 1,
                .kind = (uint8_t)kind,
                .flags = kind == toc_kind_error ? TOC_IS_USUAL_ : 0,
                .module = "bench",
                .name = "row",
                .rule[0] = { .limit = 1 << 20,
                             .clear_at = TOC_NO_CLEAR_LEVEL_,
                             .signal = (uint8_t)signal,
                             .op = TOC_ABOVE_,
                             .objective_permille = signal == toc_signal_burn_fast ? 999 : 0,
                             .severity = TOC_WARN },
        };
}

/* The first and the last word of its cells, which for most kinds is what a rule compares. */
static void count(uint64_t *cells, uint32_t words, uint64_t events)
{
        cells[0] += events;
        if (words > 1)
                cells[words - 1] += events;
}

/* Every row counts up to `most` events a tick. */
static int run(const char *what, const struct toc_record *records, size_t record_count,
               uint64_t most, uint32_t ticks)
{
        uint32_t words = toc_words_(records->kind) ? toc_words_(records->kind) : 1;
        uint64_t *cells = calloc((size_t)rows + 1, 8 * (size_t)words); /* a sum at most */
        size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
        size_t bytes;
        struct rule_set *set;
        const struct rule_change *changes;
        size_t changed;
        uint32_t row;

        for (uint32_t i = 0; i <= rows; i++)
                samples[i] = (struct rule_sample){ .cells = &cells[(size_t)i * words] };
        if (!cells || rule_set_new(&set, 0))
                return 1;
        for (uint32_t i = 0; i < rows; i++)
                if (rule_set_add(set, &records[i % record_count], 0, true, &row))
                        return 1;
        bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
        for (uint64_t t = 0; t < ticks; t++) {
                uint64_t began;

                for (uint32_t i = 0; i < rule_set_rows(set); i++)
                        count(&cells[(size_t)i * words], words,
                              most ? (i * 2654435761u + t * 40503) % most : 0);
                began = now_ns();
                if (rule_set_tick(set, (t + 1) * 1000000000, samples, rule_set_rows(set), &changes,
                                  &changed))
                        return 1;
                ns[t] = now_ns() - began;
        }
        qsort(ns, ticks, sizeof(ns[0]), by_size);
        printf("%-44s tick %6.3f ms, worst %6.3f ms, %5.1f MiB\n", what,
               (double)ns[ticks / 2] / 1e6, (double)ns[ticks - 1] / 1e6, (double)bytes / (1 << 20));
        rule_set_free(&set);
        free(cells);
        return 0;
}

int main(void)
{
        const struct toc_record hour = record_of(toc_kind_counter, toc_signal_per_hour);
        const struct toc_record minute = record_of(toc_kind_counter, toc_signal_per_minute);
        const struct toc_record growth = record_of(toc_kind_gauge, toc_signal_growth);
        const struct toc_record quantile = record_of(toc_kind_sizes, toc_signal_p99);
        const struct toc_record share = record_of(toc_kind_share, toc_signal_permille);
        const struct toc_record burn = record_of(toc_kind_share, toc_signal_burn_fast);
        const struct toc_record operation = record_of(toc_kind_operation, toc_signal_oldest_ms);
        const struct toc_record flow = record_of(toc_kind_flow, toc_signal_lost);
        struct toc_record day = hour;
        const struct toc_record mixed[] = {
                minute,
                record_of(toc_kind_gauge, toc_signal_value),
                record_of(toc_kind_expectation, toc_signal_total),
                record_of(toc_kind_error, toc_signal_per_minute),
                record_of(toc_kind_heartbeat, toc_signal_silent_ms),
                record_of(toc_kind_level, toc_signal_value),
                record_of(toc_kind_counter, toc_signal_per_second),
                hour,
        };

        day.rule[0].window_s = RULE_WINDOW_MAX_S;
        return run("10000 gauges", &mixed[1], 1, 100, ticks_max) ||
               run("10000 per_minute", &minute, 1, 100, ticks_max) ||
               run("10000 mixed", mixed, sizeof(mixed) / sizeof(mixed[0]), 100, ticks_max) ||
               run("10000 per_hour, idle", &hour, 1, 0, ticks_max) ||
               run("10000 per_hour, up to 99 events a tick", &hour, 1, 100, ticks_max) ||
               run("10000 per_hour, up to 999999 events a tick", &hour, 1, 1000000, ticks_max) ||
               run("10000 per_hour over a day", &day, 1, 100, ticks_max) ||
               run("10000 growth", &growth, 1, 100, ticks_few) ||
               run("10000 p99", &quantile, 1, 100, ticks_few) ||
               run("10000 permille", &share, 1, 100, ticks_few) ||
               run("10000 burn_fast", &burn, 1, 100, ticks_few) ||
               run("10000 oldest_ms", &operation, 1, 100, ticks_few) ||
               run("10000 lost", &flow, 1, 100, ticks_few);
}
