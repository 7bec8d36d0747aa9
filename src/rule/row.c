/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because what cells stand at is not yet what a rule looks at: counters are reset, gauges
 * are not set, heartbeats only change, and some were counting long before anyone looked. */
#include "rule/row.h"

#include <errno.h>
#include <stdlib.h>

#define S_NS  UINT64_C(1000000000)
#define MS_NS UINT64_C(1000000)

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
                .is = judge->signal->how == SIGNAL_GIVEN ? RULE_NOT_AVAILABLE : RULE_UNDEF,
                .since_ns = row->began_ns,
                .hold_ns = rule->hold_s * S_NS,
                .keep_ns = rule->keep_s * S_NS,
        };
        if (judge->signal->how != SIGNAL_RATE && judge->signal->how != SIGNAL_COUNT)
                return 0;
        if (slot == 1 && row->judge[0].window_s == judge->window_s)
                return 0;
        judge->history = slot;
        return history_init(&row->history[slot], judge->window_s, 1);
}

static int past_init(struct row *row)
{
        const struct toc_record *record = row->record;

        switch (row->kind) {
        case toc_kind_gauge:
        case toc_kind_level:
                return trend_new(&row->past.trend, record);
        case toc_kind_share:
        case toc_kind_timer:
        case toc_kind_sizes:
                return tally_new(&row->past.tally, record, row->began_ns);
        case toc_kind_flow:
                return flow_new(&row->past.flow, record, row->began_ns);
        case toc_kind_operation:
                if (record->rule[0].signal != toc_signal_oldest_ms &&
                    record->rule[1].signal != toc_signal_oldest_ms)
                        return 0;
                row->past.open = open_new();
                return row->past.open ? 0 : -ENOMEM;
        default:
                return 0;
        }
}

static void past_fini(struct row *row)
{
        switch (row->kind) {
        case toc_kind_gauge:
        case toc_kind_level:
                trend_free(row->past.trend);
                break;
        case toc_kind_share:
        case toc_kind_timer:
        case toc_kind_sizes:
                tally_free(row->past.tally);
                break;
        case toc_kind_flow:
                flow_free(row->past.flow);
                break;
        case toc_kind_operation:
                open_free(row->past.open);
                break;
        default:
                break;
        }
}

int row_init(struct row *row, const struct toc_record *record, uint64_t began_ns, bool from_start)
{
        int error = 0;

        *row = (struct row){
                .record = record,
                .began_ns = began_ns,
                .kind = record->kind,
                .from_start = from_start,
                .sum = ROW_NONE,
                .gate = ROW_NONE,
                .beat_ns = began_ns,
        };
        for (uint32_t slot = 0; slot < 2 && !error; slot++)
                error = judge_init(row, slot);
        if (!error)
                error = past_init(row);
        if (error)
                row_fini(row);
        return error;
}

void row_fini(struct row *row)
{
        past_fini(row);
        history_fini(&row->history[0]);
        history_fini(&row->history[1]);
        free(row->copy);
        *row = (struct row){ 0 };
}

int row_own(struct row *row)
{
        row->copy = malloc(sizeof(*row->copy));
        if (!row->copy)
                return -ENOMEM;
        *row->copy = *row->record;
        row->record = row->copy;
        return 0;
}

size_t row_bytes(const struct row *row)
{
        size_t bytes = sizeof(*row) + (row->copy ? sizeof(*row->copy) : 0);

        for (uint32_t slot = 0; slot < 2; slot++)
                if (row->history[slot].slots)
                        bytes += history_bytes(&row->history[slot]);
        if (!row->past.any)
                return bytes;
        switch (row->kind) {
        case toc_kind_gauge:
        case toc_kind_level:
                return bytes + sizeof(*row->past.trend) + track_bytes(&row->past.trend->track);
        case toc_kind_share:
        case toc_kind_timer:
        case toc_kind_sizes:
                return bytes + tally_bytes(row->past.tally);
        case toc_kind_flow:
                return bytes + sizeof(*row->past.flow) + track_bytes(&row->past.flow->missing);
        default:
                return bytes + sizeof(*row->past.open);
        }
}

bool row_is_sum(const struct row *row)
{
        return row->kind == toc_kind_logs;
}

uint32_t row_reach_s(const struct row *row)
{
        uint32_t reach_s = 0;

        for (uint32_t slot = 0; slot < 2; slot++) {
                const struct signal *signal = row->judge[slot].signal;

                if (signal && signal_reach_s(signal, &row->record->rule[slot]) > reach_s)
                        reach_s = signal_reach_s(signal, &row->record->rule[slot]);
        }
        return reach_s;
}

/* An epoch that the first sample finds is a beat of unknown age, and counted as one seen now: a
 * page about silence before anybody listened would be wrong. An epoch of 0 never was a beat. */
static void hear(struct row *row, uint64_t t_ns)
{
        if (row->series.sample != row->series.last)
                row->beat_ns = t_ns;
        row->series.last = row->series.sample;
}

void row_sample(struct row *row, uint64_t t_ns, const struct rule_sample *sample)
{
        static const uint64_t nothing[sizeof(struct toc_histogram_) / 8];
        const uint64_t *cells = sample->cells ? sample->cells : nothing;
        bool is_base = !row->is_sampled && !row->from_start;

        switch (row->kind) {
        case toc_kind_counter:
        case toc_kind_expectation:
        case toc_kind_error:
        case toc_kind_warning:
                series_sample(&row->series, *cells, is_base);
                break;
        case toc_kind_heartbeat:
                row->series.sample = *cells;
                hear(row, t_ns);
                break;
        case toc_kind_share:
        case toc_kind_timer:
        case toc_kind_sizes:
                if (row->past.tally)
                        tally_sample(row->past.tally, cells, t_ns, is_base);
                break;
        case toc_kind_operation:
                /* Begun and not ended. Threads are read one after the other, so it may seem that
                 * one ended that has not begun. */
                row->series.sample = (int64_t)(cells[0] - cells[1]) > 0 ? cells[0] - cells[1] : 0;
                if (row->past.open)
                        open_see(row->past.open, t_ns, sample->open, sample->open_count);
                break;
        case toc_kind_flow:
                if (row->past.flow)
                        flow_sample(row->past.flow, cells);
                break;
        case toc_kind_module:
                row->given = sample->cells;
                break;
        default: /* gauges and levels are what they are */
                row->series.sample = *cells;
                if (row->past.trend)
                        trend_sample(row->past.trend, (int64_t)*cells);
                break;
        }
}

void row_clear(struct row *sum)
{
        sum->series.now = (struct series_count){ 0 };
}

void row_include(struct row *sum, const struct row *row)
{
        sum->series.now.before = series_add(sum->series.now.before, row->series.now.before);
        sum->series.now.since = series_add(sum->series.now.since, row->series.now.since);
}

static void remember_past(struct row *row, uint64_t tick, uint64_t t_ns)
{
        switch (row->kind) {
        case toc_kind_gauge:
        case toc_kind_level:
                trend_remember(row->past.trend, tick, t_ns);
                break;
        case toc_kind_share:
        case toc_kind_timer:
        case toc_kind_sizes:
                tally_remember(row->past.tally, tick);
                break;
        case toc_kind_flow:
                flow_remember(row->past.flow, tick, t_ns);
                break;
        default: /* what goes on was seen, by peeks too */
                break;
        }
}

void row_remember(struct row *row, uint64_t tick, uint64_t t_ns)
{
        uint64_t events = series_fresh(&row->series);

        for (uint32_t slot = 0; slot < 2; slot++)
                if (row->history[slot].slots)
                        history_add(&row->history[slot], tick, &events);
        series_remember(&row->series);
        if (row->past.any)
                remember_past(row, tick, t_ns);
        row->is_sampled = true;
}

static uint64_t count_in_window(struct row *row, const struct judge *judge,
                                const struct ticks *ticks, uint64_t t_ns)
{
        return *history_count(&row->history[judge->history], ticks, t_ns) +
               series_fresh(&row->series);
}

/* In ms, rounded down. A row may begin between the caller's reading of the clock and this tick. */
static struct reading since(uint64_t then_ns, uint64_t t_ns)
{
        return reading_of(t_ns > then_ns ? (t_ns - then_ns) / MS_NS : 0);
}

static struct reading read_signal(struct row *row, uint32_t slot, const struct ticks *ticks,
                                  uint64_t t_ns)
{
        const struct judge *judge = &row->judge[slot];
        const struct reading none = { .is = READING_NONE };

        switch (judge->signal->how) {
        case SIGNAL_VALUE:
                if (row->kind == toc_kind_gauge && (int64_t)row->series.sample == TOC_GAUGE_UNSET_)
                        return none;
                return reading_of((int64_t)row->series.sample);
        case SIGNAL_TOTAL:
                return reading_of(series_add(row->series.now.before, row->series.now.since));
        case SIGNAL_COUNT:
                return reading_of(count_in_window(row, judge, ticks, t_ns));
        case SIGNAL_RATE:
                return reading_ratio((signal_wide)count_in_window(row, judge, ticks, t_ns) *
                                             judge->signal->unit_s,
                                     judge->window_s);
        case SIGNAL_SILENCE:
                return since(row->beat_ns, t_ns);
        case SIGNAL_GROWTH:
                return trend_growth(row->past.trend, slot, ticks, t_ns);
        case SIGNAL_EXHAUSTS:
                return trend_exhausts(row->past.trend, slot, ticks, t_ns);
        case SIGNAL_QUANTILE:
                return tally_quantile(row->past.tally, row->record, slot, ticks, t_ns);
        case SIGNAL_SHARE:
                return tally_share(row->past.tally, row->record, slot, ticks, t_ns);
        case SIGNAL_BURN:
                return tally_burn(row->past.tally, row->record, slot, ticks, t_ns);
        case SIGNAL_OPEN:
                return reading_of((int64_t)row->series.sample);
        case SIGNAL_OLDEST:
                return since(open_oldest(row->past.open, t_ns), t_ns);
        case SIGNAL_BACKLOG:
                return reading_of(flow_backlog(row->past.flow));
        case SIGNAL_STALLED:
                return since(flow_moved_ns(row->past.flow, t_ns), t_ns);
        case SIGNAL_LOST:
                return reading_of(flow_lost(row->past.flow, slot, ticks, t_ns));
        case SIGNAL_UNREACHED:
                if (row->series.sample || row->is_shut || t_ns < row->began_ns)
                        return reading_of(0);
                return reading_ratio(t_ns - row->began_ns, S_NS);
        case SIGNAL_GIVEN:
                if (!row->given)
                        return none;
                return reading_of(
                        (int64_t)
                                row->given[row->record->rule[slot].signal - toc_signal_live_bytes]);
        }
        return none;
}

static bool holds(const struct row *row, uint32_t slot, const struct reading *reading, unsigned op,
                  int64_t level, uint64_t t_ns)
{
        if (row->judge[slot].signal->how == SIGNAL_EXHAUSTS)
                return trend_is_out(row->past.trend, slot, op, level, t_ns);
        return reading_holds(reading, op, level);
}

static enum state_input decide(const struct row *row, uint32_t slot, const struct reading *reading,
                               uint64_t t_ns)
{
        const struct judge *judge = &row->judge[slot];

        if (reading->is == READING_NONE)
                return STATE_NO_VALUE;
        if (reading->is == READING_TOO_FEW)
                return STATE_MISSES;
        if (holds(row, slot, reading, judge->op, judge->limit, t_ns))
                return STATE_HOLDS;
        if (judge->state.is == RULE_FIRING && judge->clear_at != TOC_NO_CLEAR_LEVEL_ &&
            holds(row, slot, reading, signal_clear_op(judge->op), judge->clear_at, t_ns))
                return STATE_HOLDS;
        return STATE_MISSES;
}

bool row_judge(struct row *row, uint32_t slot, const struct ticks *ticks, uint64_t t_ns)
{
        struct judge *judge = &row->judge[slot];
        struct reading reading;

        if (!judge->signal || (judge->state.is == RULE_NOT_AVAILABLE && !row->given))
                return false;
        if (judge->state.is == RULE_NOT_AVAILABLE)
                judge->state.is = RULE_UNDEF; /* somebody has come to see */
        reading = read_signal(row, slot, ticks, t_ns);
        judge->has_value = reading.is == READING_VALUE;
        judge->value = judge->has_value ? reading_value(&reading) : 0;
        return state_step(&judge->state, decide(row, slot, &reading, t_ns), t_ns);
}

int64_t row_value(const struct row *row, uint32_t slot)
{
        const struct judge *judge = &row->judge[slot];
        struct reading reading;

        if (!judge->has_value || judge->signal->how != SIGNAL_QUANTILE)
                return judge->value;
        reading = tally_estimate(row->past.tally, row->record, slot);
        return reading_value(&reading);
}
