/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a cell's value is not yet what a rule looks at: counters are reset, gauges are not
 * set, heartbeats only change, and some were counting long before anyone looked. */
#include "rule/row.h"

#include <errno.h>
#include <stdlib.h>

#define S_NS  UINT64_C(1000000000)
#define MS_NS UINT64_C(1000000)

static uint64_t add(uint64_t a, uint64_t b)
{
        return a + b < a ? UINT64_MAX : a + b;
}

/* Two rules with the same window share its history. */
static int judge_init(struct row *row, uint32_t slot)
{
        struct judge *judge = &row->judge[slot];
        const struct toc_rule *rule = &row->record->rule[slot];

        if (!rule->severity)
                return 0;
        judge->limit = rule->limit;
        judge->clear_at = rule->clear_at;
        judge->op = rule->op;
        judge->signal = signal_find(row->kind, rule->signal);
        judge->window_s = signal_window_s(judge->signal, rule);
        judge->state = (struct state){
                .is = judge->signal->how == SIGNAL_ABSENT ? RULE_NOT_AVAILABLE : RULE_UNDEF,
                .since_ns = row->began_ns,
                .hold_ns = rule->hold_s * S_NS,
                .keep_ns = rule->keep_s * S_NS,
        };
        if (!judge->window_s)
                return 0;
        if (slot == 1 && row->judge[0].window_s == judge->window_s)
                return 0;
        judge->history = slot;
        return history_init(&row->history[slot], judge->window_s);
}

int row_init(struct row *row, const struct toc_record *record, uint64_t began_ns, bool from_start)
{
        int error = 0;

        *row = (struct row){
                .record = malloc(sizeof(*record)),
                .began_ns = began_ns,
                .kind = record->kind,
                .from_start = from_start,
                .sum = ROW_NONE,
                .beat_ns = began_ns,
        };
        if (!row->record)
                return -ENOMEM;
        *row->record = *record;
        for (uint32_t slot = 0; slot < 2 && !error; slot++)
                error = judge_init(row, slot);
        if (error)
                row_fini(row);
        return error;
}

void row_fini(struct row *row)
{
        history_fini(&row->history[0]);
        history_fini(&row->history[1]);
        free(row->record);
        *row = (struct row){ 0 };
}

bool row_is_sum(const struct row *row)
{
        return row->kind == toc_kind_logs;
}

uint32_t row_window_s(const struct row *row)
{
        uint32_t a = row->judge[0].window_s;
        uint32_t b = row->judge[1].window_s;

        return a > b ? a : b;
}

/* An epoch that the first sample finds is a beat of unknown age, and counted as one seen now: a
 * page about silence before anybody listened would be wrong. An epoch of 0 never was a beat. */
static void hear(struct row *row, uint64_t t_ns)
{
        if (row->sample != row->last)
                row->beat_ns = t_ns;
        row->last = row->sample;
}

/* A counter that fell was reset, and its new value is what it counted since. */
static void count(struct row *row)
{
        uint64_t events = row->sample;

        row->now = row->past;
        if (!row->is_sampled && !row->from_start) {
                row->now.before = row->sample;
                return;
        }
        if (row->sample >= row->last)
                events -= row->last;
        row->now.since = add(row->now.since, events);
}

void row_sample(struct row *row, uint64_t t_ns, uint64_t sample)
{
        row->sample = sample;
        switch (row->kind) {
        case toc_kind_counter:
        case toc_kind_expectation:
        case toc_kind_error:
        case toc_kind_warning:
                count(row);
                break;
        case toc_kind_heartbeat:
                hear(row, t_ns);
                break;
        default: /* gauges and levels are what they are; budgets are not measured */
                break;
        }
}

void row_clear(struct row *sum)
{
        sum->now = (struct row_count){ 0 };
}

void row_include(struct row *sum, const struct row *row)
{
        sum->now.before = add(sum->now.before, row->now.before);
        sum->now.since = add(sum->now.since, row->now.since);
}

void row_remember(struct row *row, uint64_t tick)
{
        uint64_t events = row->now.since - row->past.since;

        for (uint32_t slot = 0; slot < 2; slot++)
                if (row->history[slot].slots)
                        history_add(&row->history[slot], tick, events);
        row->past = row->now;
        row->last = row->sample;
        row->is_sampled = true;
}

static uint64_t count_in_window(struct row *row, const struct judge *judge,
                                const struct ticks *ticks, uint64_t t_ns)
{
        /* At a tick the second part is 0; at a peek it is what no tick has seen yet. */
        return history_count(&row->history[judge->history], ticks, t_ns) +
               (row->now.since - row->past.since);
}

static struct reading read_signal(struct row *row, const struct judge *judge,
                                  const struct ticks *ticks, uint64_t t_ns)
{
        struct reading reading = { .is_known = true, .per = 1 };

        switch (judge->signal->how) {
        case SIGNAL_VALUE:
                reading.n = (int64_t)row->sample;
                reading.is_known =
                        row->kind != toc_kind_gauge || (int64_t)row->sample != TOC_GAUGE_UNSET_;
                break;
        case SIGNAL_TOTAL:
                reading.n = add(row->now.before, row->now.since);
                break;
        case SIGNAL_COUNT:
                reading.n = count_in_window(row, judge, ticks, t_ns);
                break;
        case SIGNAL_RATE:
                reading.n = (signal_wide)count_in_window(row, judge, ticks, t_ns) *
                            judge->signal->unit_s;
                reading.per = judge->window_s;
                break;
        case SIGNAL_SILENCE:
                /* A row may begin between the caller's reading of the clock and this tick. */
                reading.n = t_ns > row->beat_ns ? (t_ns - row->beat_ns) / MS_NS : 0;
                break;
        case SIGNAL_ABSENT:
                reading.is_known = false;
                break;
        }
        return reading;
}

static enum state_input decide(const struct judge *judge, const struct reading *reading)
{
        if (!reading->is_known)
                return STATE_NO_VALUE;
        if (reading_holds(reading, judge->op, judge->limit))
                return STATE_HOLDS;
        if (judge->state.is == RULE_FIRING && reading_sticks(reading, judge->op, judge->clear_at))
                return STATE_HOLDS;
        return STATE_MISSES;
}

bool row_judge(struct row *row, uint32_t slot, const struct ticks *ticks, uint64_t t_ns)
{
        struct judge *judge = &row->judge[slot];
        struct reading reading;

        if (!judge->signal || judge->state.is == RULE_NOT_AVAILABLE)
                return false;
        reading = read_signal(row, judge, ticks, t_ns);
        judge->has_value = reading.is_known;
        judge->value = reading.is_known ? reading_value(&reading) : 0;
        return state_step(&judge->state, decide(judge, &reading), t_ns);
}
