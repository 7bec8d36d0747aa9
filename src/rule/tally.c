/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because some rules compare counts with counts: so many of so many failed, or were slow. */
#include "rule/tally.h"

#include <errno.h>
#include <stdlib.h>

/* A burn also looks at the last twelfth: what is over must not go on ringing. */
enum { brief_part = 12 };

static const signal_wide thousand = 1000;

static struct history *window_of(struct tally *tally, uint32_t slot, uint32_t brief)
{
        return &tally->window[tally->of_rule[slot][brief]].history;
}

/* Finds the window of that length, or makes it. */
static int open_window(struct tally *tally, uint32_t window_s, uint64_t began_ns, uint32_t *ret_n)
{
        struct tally_window *window = tally->window;
        uint32_t n;
        int error;

        for (n = 0; n < tally->window_count && window[n].window_s != window_s; n++)
                ;
        if (n == tally->window_count) {
                window[n].window_s = window_s;
                error = history_init(&window[n].history, window_s, tally->series_count);
                if (error)
                        return error;
                tally->window_count++;
                if (tally->series_count > TALLY_VALUES) {
                        window[n].buckets = buckets_new(window_s);
                        if (!window[n].buckets)
                                return -ENOMEM;
                        buckets_begin(window[n].buckets, began_ns, NULL);
                }
        }
        *ret_n = n;
        return 0;
}

static int open_windows(struct tally *tally, const struct toc_record *record, uint64_t began_ns)
{
        int error = 0;

        for (uint32_t slot = 0; slot < 2 && !error; slot++) {
                const struct toc_rule *rule = &record->rule[slot];
                const struct signal *signal = signal_find(record->kind, rule->signal);
                uint32_t window_s;

                if (!rule->severity)
                        continue;
                window_s = signal_window_s(signal, rule);
                error = open_window(tally, window_s, began_ns, &tally->of_rule[slot][0]);
                if (signal->how != SIGNAL_BURN || error)
                        continue;
                window_s = window_s < brief_part ? 1 : window_s / brief_part;
                error = open_window(tally, window_s, began_ns, &tally->of_rule[slot][1]);
        }
        return error;
}

int tally_new(struct tally **ret_tally, const struct toc_record *record, uint64_t began_ns)
{
        struct tally *tally;
        int error;

        *ret_tally = NULL;
        if (!record->rule[0].severity && !record->rule[1].severity)
                return 0;
        tally = calloc(1, sizeof(*tally));
        if (!tally)
                return -ENOMEM;
        tally->series_count = record->kind == toc_kind_share ? TALLY_WHOLE + 1 : TALLY_VALUES + 1;
        error = open_windows(tally, record, began_ns);
        if (error) {
                tally_free(tally);
                return error;
        }
        *ret_tally = tally;
        return 0;
}

size_t tally_bytes(const struct tally *tally)
{
        size_t bytes = tally ? sizeof(*tally) : 0;

        for (uint32_t n = 0; tally && n < tally->window_count; n++)
                bytes += history_bytes(&tally->window[n].history) +
                         (tally->window[n].buckets ? sizeof(struct buckets) : 0);
        return bytes;
}

void tally_free(struct tally *tally)
{
        if (!tally)
                return;
        for (uint32_t n = 0; n < tally->window_count; n++) {
                history_fini(&tally->window[n].history);
                buckets_free(tally->window[n].buckets);
        }
        free(tally);
}

static void sample_values(struct tally *tally, const uint64_t *cells, uint64_t t_ns, bool is_base)
{
        const struct toc_histogram_ *values = (const void *)cells;
        struct series *all = &tally->series[TALLY_VALUES];
        uint64_t sum = 0;

        /* Without the last their number is a multiple of eight, for which compilers have
         * instructions. */
        for (uint32_t i = 0; i < TOC_BUCKETS_ - 1; i++)
                sum += values->bucket[i];
        sum += values->bucket[TOC_BUCKETS_ - 1];
        series_sample(&tally->series[0], values->over[0], is_base);
        series_sample(&tally->series[1], values->over[1], is_base);
        series_sample(all, sum, is_base);
        for (uint32_t n = 0; n < tally->window_count; n++) {
                struct buckets *buckets = tally->window[n].buckets;

                if (is_base || sum < all->last)
                        buckets_begin(buckets, t_ns, is_base ? values->bucket : NULL);
                buckets_see(buckets, t_ns, values->bucket);
        }
}

void tally_sample(struct tally *tally, const uint64_t *cells, uint64_t t_ns, bool is_base)
{
        if (tally->series_count > TALLY_VALUES) {
                sample_values(tally, cells, t_ns, is_base);
                return;
        }
        for (uint32_t i = 0; i < tally->series_count; i++)
                series_sample(&tally->series[i], cells[i], is_base);
}

void tally_remember(struct tally *tally, uint64_t tick)
{
        uint64_t events[HISTORY_SERIES_MAX] = { 0 };

        for (uint32_t i = 0; i < tally->series_count; i++) {
                events[i] = series_fresh(&tally->series[i]);
                series_remember(&tally->series[i]);
        }
        for (uint32_t n = 0; n < tally->window_count; n++) {
                history_add(&tally->window[n].history, tick, events);
                if (tally->window[n].buckets)
                        buckets_remember(tally->window[n].buckets);
        }
}

/* Both parts of a fraction: its window's, and at a peek what no tick has seen yet. */
static void count(struct tally *tally, struct history *history, const struct ticks *ticks,
                  uint64_t t_ns, uint64_t *ret_counts)
{
        const uint64_t *inside = history_count(history, ticks, t_ns);

        for (uint32_t i = 0; i < tally->series_count; i++)
                ret_counts[i] = inside[i] + series_fresh(&tally->series[i]);
}

static signal_wide least_over(const struct toc_rule *rule)
{
        return (signal_wide)rule->limit + !(rule->op & TOC_EQUAL_);
}

struct reading tally_estimate(const struct tally *tally, const struct toc_record *record,
                              uint32_t slot)
{
        const struct toc_rule *rule = &record->rule[slot];
        const struct tally_window *window = &tally->window[tally->of_rule[slot][0]];
        signal_wide value =
                buckets_above(window->buckets, signal_find(record->kind, rule->signal)->count);
        signal_wide least = least_over(rule);

        if (record->kind == toc_kind_timer)
                value /= 1000; /* nanoseconds */
        if (tally->is_over[slot])
                return reading_of(value > least ? value : least);
        return reading_of(value < least ? value : least - 1);
}

struct reading tally_quantile(struct tally *tally, const struct toc_record *record, uint32_t slot,
                              const struct ticks *ticks, uint64_t t_ns)
{
        const struct toc_rule *rule = &record->rule[slot];
        const struct signal *signal = signal_find(record->kind, rule->signal);
        uint64_t counts[HISTORY_SERIES_MAX];
        signal_sum over;

        count(tally, window_of(tally, slot, 0), ticks, t_ns, counts);
        if (counts[TALLY_VALUES] < signal_volume(signal, rule))
                return (struct reading){ .is = READING_TOO_FEW };
        over = counts[slot];
        tally->is_over[slot] =
                signal->count ? over * signal->count > counts[TALLY_VALUES] : over > 0;
        return reading_of(least_over(rule) - !tally->is_over[slot]);
}

struct reading tally_share(struct tally *tally, const struct toc_record *record, uint32_t slot,
                           const struct ticks *ticks, uint64_t t_ns)
{
        const struct toc_rule *rule = &record->rule[slot];
        uint64_t counts[HISTORY_SERIES_MAX];

        count(tally, window_of(tally, slot, 0), ticks, t_ns, counts);
        if (counts[TALLY_WHOLE] < signal_volume(signal_find(record->kind, rule->signal), rule))
                return (struct reading){ .is = READING_TOO_FEW };
        return reading_ratio(counts[TALLY_PART] * thousand, counts[TALLY_WHOLE]);
}

/* Both windows must burn, so the slower one decides. */
struct reading tally_burn(struct tally *tally, const struct toc_record *record, uint32_t slot,
                          const struct ticks *ticks, uint64_t t_ns)
{
        const struct toc_rule *rule = &record->rule[slot];
        uint64_t far[HISTORY_SERIES_MAX], brief[HISTORY_SERIES_MAX];
        const uint64_t *slower;

        count(tally, window_of(tally, slot, 0), ticks, t_ns, far);
        count(tally, window_of(tally, slot, 1), ticks, t_ns, brief);
        if (far[TALLY_WHOLE] < signal_volume(signal_find(record->kind, rule->signal), rule) ||
            !brief[TALLY_WHOLE])
                return (struct reading){ .is = READING_TOO_FEW };
        slower = (signal_sum)far[TALLY_PART] * brief[TALLY_WHOLE] <
                                 (signal_sum)brief[TALLY_PART] * far[TALLY_WHOLE]
                         ? far
                         : brief;
        return reading_ratio(slower[TALLY_PART] * thousand,
                             (thousand - rule->objective_permille) * slower[TALLY_WHOLE]);
}
