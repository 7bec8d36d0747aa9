/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to hold the rows of one process and to walk them once an evaluation. What a row means is
 * in row.c, when it rings in state.c. All memory is taken in rule_set_new and rule_set_add. */
#include "rule/rule.h"
#include "rule/set.h"

#include <errno.h>
#include <stdlib.h>

int rule_set_new(struct rule_set **ret_set, uint64_t attached_ns)
{
        struct rule_set *set = calloc(1, sizeof(*set));
        int error;

        if (!set)
                return -ENOMEM;
        set->attached_ns = attached_ns;
        set->last_ns = attached_ns;
        error = ticks_init(&set->ticks);
        if (error) {
                free(set);
                return error;
        }
        *ret_set = set;
        return 0;
}

void rule_set_free(struct rule_set **set)
{
        struct rule_set *it = *set;

        if (!it)
                return;
        for (uint32_t i = 0; i < it->row_count; i++)
                row_fini(&it->rows[i]);
        ticks_fini(&it->ticks);
        free(it->rows);
        free(it->sums.rows);
        free(it->gauges.rows);
        free(it->places);
        free(it->changes);
        free(it);
        *set = NULL;
}

uint32_t rule_set_rows(const struct rule_set *set)
{
        return set->row_count;
}

static struct rule_view view(const struct rule_set *set, struct place place)
{
        const struct row *row = &set->rows[place.row];
        const struct judge *judge = &row->judge[place.slot];

        return (struct rule_view){
                .row = place.row,
                .slot = place.slot,
                .record = row->record,
                .rule = &row->record->rule[place.slot],
                .state = judge->state.is,
                .since_ns = judge->state.since_ns,
                .has_value = judge->has_value,
                .value = row_value(row, place.slot),
                .window_s = judge->window_s,
        };
}

int rule_set_view(const struct rule_set *set, size_t n, struct rule_view *ret_view)
{
        if (n >= set->place_count)
                return -ENOENT;
        *ret_view = view(set, set->places[n]);
        return 0;
}

/* Must it be hit now? Asked of the gauge that the gate names, which may come long after. */
static bool is_shut(const struct rule_set *set, struct row *row, const struct rule_sample *samples)
{
        const uint64_t *gauge;

        if (!*row->record->labels)
                return false;
        if (row->gate == ROW_NONE && row->rows_searched != set->row_count) {
                row->gate = rule_set_gauge(set, row->record->module, row->record->labels);
                row->rows_searched = set->row_count;
        }
        gauge = row->gate == ROW_NONE ? NULL : samples[row->gate].cells;
        return !gauge || !*gauge || (int64_t)*gauge == TOC_GAUGE_UNSET_;
}

/* Judges the rules of a row whose sample is there. Returns the number of changes so far. */
static size_t judge_row(struct rule_set *set, uint32_t index, uint64_t t_ns, size_t changed)
{
        struct row *row = &set->rows[index];

        for (uint32_t slot = 0; slot < 2; slot++) {
                enum rule_state from = row->judge[slot].state.is;

                if (row_judge(row, slot, &set->ticks, t_ns))
                        set->changes[changed++] = (struct rule_change){
                                .from = from,
                                .now = view(set, (struct place){ index, slot }),
                        };
        }
        return changed;
}

static int evaluate(struct rule_set *set, uint64_t t_ns, const struct rule_sample *samples,
                    uint32_t count, bool is_tick, size_t *ret_count)
{
        size_t changed = 0;
        uint64_t tick;

        if (t_ns < set->last_ns || count != set->row_count)
                return -EINVAL;
        set->last_ns = t_ns;
        tick = is_tick ? ticks_add(&set->ticks, t_ns) : 0;
        for (uint32_t i = 0; i < set->sums.count; i++)
                row_clear(&set->rows[set->sums.rows[i]]);
        for (uint32_t i = 0; i < count; i++) {
                struct row *row = &set->rows[i];

                if (row_is_sum(row))
                        continue;
                if (row->kind == toc_kind_must_hit)
                        row->is_shut = is_shut(set, row, samples);
                row_sample(row, t_ns, &samples[i]);
                if (row->sum != ROW_NONE)
                        row_include(&set->rows[row->sum], row);
                if (is_tick)
                        row_remember(row, tick, t_ns);
                changed = judge_row(set, i, t_ns, changed);
        }
        for (uint32_t i = 0; i < set->sums.count; i++) {
                if (is_tick)
                        row_remember(&set->rows[set->sums.rows[i]], tick, t_ns);
                changed = judge_row(set, set->sums.rows[i], t_ns, changed);
        }
        *ret_count = changed;
        return 0;
}

int rule_set_tick(struct rule_set *set, uint64_t t_ns, const struct rule_sample *samples,
                  uint32_t count, const struct rule_change **ret_changes, size_t *ret_count)
{
        int error = evaluate(set, t_ns, samples, count, true, ret_count);

        if (!error)
                *ret_changes = set->changes;
        return error;
}

int rule_set_peek(struct rule_set *set, uint64_t t_ns, const struct rule_sample *samples,
                  uint32_t count, const struct rule_change **ret_changes, size_t *ret_count)
{
        int error = evaluate(set, t_ns, samples, count, false, ret_count);

        if (!error)
                *ret_changes = set->changes;
        return error;
}

uint32_t rule_window_s(unsigned kind, const struct toc_rule *rule)
{
        const struct signal *signal = signal_find(kind, rule->signal);

        return signal ? signal_window_s(signal, rule) : 0;
}
