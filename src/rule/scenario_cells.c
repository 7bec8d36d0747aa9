/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that what a scenario plans, in amounts and periods, is the same numbers whether they
 * are put into cells or into the series of a test. */
#include "rule/scenario.h"

#include <string.h>

static uint32_t phase_at(const struct scenario *scenario, uint32_t step)
{
        uint32_t n = 0;

        while (n + 1 < scenario->phase_count && scenario->phase[n + 1].begin <= step)
                n++;
        return n;
}

/* How often it happened in that phase, up to that step. */
static uint64_t times_in(const struct scenario *scenario, uint32_t n, uint32_t step)
{
        const struct scenario_phase *phase = &scenario->phase[n];
        uint32_t end = step + 1;

        if (n + 1 < scenario->phase_count && scenario->phase[n + 1].begin < end)
                end = scenario->phase[n + 1].begin;
        if (end <= phase->begin || !phase->period)
                return 0;
        return (end - phase->begin + phase->period - 1) / phase->period;
}

static void add_up(const struct scenario *scenario, uint32_t step, uint64_t *ret_amount,
                   uint64_t *ret_whole)
{
        *ret_amount = *ret_whole = 0;
        for (uint32_t n = 0; n < scenario->phase_count; n++) {
                uint64_t times = times_in(scenario, n, step);

                *ret_amount += times * (uint64_t)scenario->phase[n].amount;
                *ret_whole += times * (uint64_t)scenario->phase[n].whole;
        }
}

/* The least value for which the rule in that slot counts, and one that does not, if there is. */
static signal_wide least_over(const struct toc_record *record, uint32_t slot)
{
        const struct toc_rule *rule = &record->rule[slot];

        return (signal_wide)rule->limit * (record->kind == toc_kind_timer ? 1000 : 1) +
               !(rule->op & TOC_EQUAL_);
}

static uint64_t value_of(const struct scenario *scenario, bool is_over)
{
        signal_wide value = least_over(scenario->record, scenario->slot) - !is_over;

        if (value < 0)
                return 0;
        return value > INT64_MAX ? INT64_MAX : (uint64_t)value;
}

static void observe(const struct scenario *scenario, uint64_t over, uint64_t all,
                    struct scenario_cells *cells)
{
        const struct toc_record *record = scenario->record;

        for (uint32_t slot = 0; slot < 2; slot++) {
                signal_wide from = least_over(record, slot);

                if (!record->rule[slot].severity)
                        continue;
                cells->cell[slot] = (value_of(scenario, true) >= from ? over : 0) +
                                    (value_of(scenario, false) >= from ? all - over : 0);
        }
        cells->cell[2] = all;
        cells->cell[3] = over * value_of(scenario, true) + (all - over) * value_of(scenario, false);
}

static void set_flow(const struct scenario *scenario, int64_t amount, uint64_t *cell)
{
        uint64_t magnitude = amount < 0 ? -(uint64_t)amount : (uint64_t)amount;
        bool is_lost = scenario->signal->how == SIGNAL_LOST;

        /* More is held, or went out, than came in; or it is missing, or waits. */
        cell[amount < 0 ? (is_lost ? 3 : 1) : 0] = magnitude;
}

/* Where time counts: an operation began, a flow moved, a heart beat at `since`. */
static void set_since(const struct scenario *scenario, uint32_t step, uint32_t n,
                      struct scenario_cells *cells)
{
        const struct scenario_phase *phase = &scenario->phase[n];
        bool never = !phase->period && !phase->begin;

        cells->since = never           ? 0
                       : phase->period ? step - (step - phase->begin) % phase->period
                                       : phase->begin - 1;
        switch (scenario->record->kind) {
        case toc_kind_heartbeat:
                cells->cell[0] = never ? 0 : cells->since + 1;
                break;
        case toc_kind_operation:
                cells->open = cells->since + 1;
                cells->cell[0] = cells->since + 1;
                cells->cell[1] = cells->since;
                break;
        case toc_kind_flow:
                cells->cell[1] = never ? 0 : cells->since + 1;
                cells->cell[0] = cells->cell[1] + 1;
                break;
        default:
                cells->cell[0] = (uint64_t)phase->amount;
                cells->gate = phase->whole;
        }
}

static int64_t ramp(const struct scenario_phase *phase, uint32_t step)
{
        return phase->whole + phase->amount * (int64_t)((step - phase->begin) / phase->period);
}

void scenario_at(const struct scenario *scenario, uint32_t step, struct scenario_cells *ret_cells)
{
        uint32_t n = phase_at(scenario, step);
        const struct scenario_phase *phase = &scenario->phase[n];
        struct scenario_cells cells = { .gate = 1 };
        uint64_t amount, whole;

        add_up(scenario, step, &amount, &whole);
        switch (scenario->signal->how) {
        case SIGNAL_GROWTH:
        case SIGNAL_EXHAUSTS:
                cells.cell[0] = (uint64_t)ramp(phase, step);
                break;
        case SIGNAL_RATE:
        case SIGNAL_COUNT:
                cells.cell[0] = amount;
                break;
        case SIGNAL_SHARE:
        case SIGNAL_BURN:
                cells.cell[0] = amount;
                cells.cell[1] = whole;
                break;
        case SIGNAL_QUANTILE:
                observe(scenario, amount, whole, &cells);
                break;
        case SIGNAL_BACKLOG:
        case SIGNAL_LOST:
                set_flow(scenario, phase->amount, cells.cell);
                break;
        case SIGNAL_SILENCE:
        case SIGNAL_OLDEST:
        case SIGNAL_STALLED:
        case SIGNAL_UNREACHED:
                set_since(scenario, step, n, &cells);
                break;
        default:
                cells.cell[0] = (uint64_t)phase->amount;
        }
        *ret_cells = cells;
}

static uint32_t bucket_of(uint64_t value)
{
        uint32_t bucket = 0;

        while (bucket + 1 < TOC_BUCKETS_ && toc_bucket_floor_(bucket + 1) <= value)
                bucket++;
        return bucket;
}

void scenario_spread(const struct scenario *scenario, const struct scenario_cells *cells,
                     uint64_t *ret_words)
{
        /* Log lines are counted by their sites. */
        uint32_t kind =
                scenario->record->kind == toc_kind_logs ? toc_kind_error : scenario->record->kind;
        uint32_t words = toc_words_(kind);
        struct toc_histogram_ values = { .over = { cells->cell[0], cells->cell[1] },
                                         .sum = cells->cell[3] };
        uint64_t over = cells->cell[scenario->slot];

        memset(ret_words, 0, words * sizeof(*ret_words));
        if (kind != toc_kind_timer && kind != toc_kind_sizes) {
                memcpy(ret_words, cells->cell, (words < 4 ? words : 4) * sizeof(*ret_words));
                if (kind == toc_kind_operation) /* no slot of it */
                        memset(ret_words + 2, 0, 2 * sizeof(*ret_words));
                return;
        }
        /* What is over the limit lies in the bucket of the limit or the one above. */
        values.bucket[bucket_of(value_of(scenario, false))] = cells->cell[2] - over;
        values.bucket[bucket_of(value_of(scenario, true))] += over;
        memcpy(ret_words, &values, sizeof(values));
}
