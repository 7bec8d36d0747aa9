/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a rule that can never ring looks just like one that never had to.
 *
 * What is made up is periodic, with the length of the rule's window as its period: then each window
 * holds the same, wherever it ends, and one comparison says of the whole phase whether it rings. */
#include "rule/scenario.h"
#include "rule/rule.h"

#include <string.h>

/* Ticks by which a long window may reach back further than it should, if many events came in one
 * of them (history.h). The gap behind events that must not ring is so much longer. */
enum { slack_steps = 4, exact_window_s = 445 };

/* An amount rings if amount * times, compared with level * per, says so. */
struct measure {
        signal_wide least, most; /* what the amount can be */
        signal_wide times, per;
        int64_t whole;
        uint32_t period;
        unsigned op;
        int64_t level;
        int64_t clear_at;
};

struct plan {
        const struct toc_rule *rule;
        struct scenario *scenario;
        uint32_t window_s;
        struct measure measure;
};

/* ---- Arithmetic ---------------------------------------------------------------------------*/

static signal_wide upwards(signal_wide n, signal_wide per)
{
        return n <= 0 ? 0 : (n + per - 1) / per;
}

static uint32_t steps_of(const struct plan *plan, uint32_t seconds)
{
        return (uint32_t)upwards(seconds, plan->scenario->step_s);
}

static bool compares(signal_wide left, unsigned op, signal_wide right)
{
        return op & (left > right ? TOC_ABOVE_ : left < right ? TOC_BELOW_ : TOC_EQUAL_);
}

static bool holds(const struct measure *measure, signal_wide amount)
{
        return compares(amount * measure->times, measure->op, measure->level * measure->per);
}

/* Whether it keeps a rule that fires from ending. */
static bool sticks(const struct measure *measure, signal_wide amount)
{
        return holds(measure, amount) ||
               (measure->clear_at != TOC_NO_CLEAR_LEVEL_ &&
                compares(amount * measure->times, signal_clear_op(measure->op),
                         measure->clear_at * measure->per));
}

static bool is_silent(const struct measure *measure, signal_wide amount)
{
        return !holds(measure, amount);
}

static bool is_clear(const struct measure *measure, signal_wide amount)
{
        return !sticks(measure, amount);
}

/* The amount nearest to that level of which it is true. */
static bool pick(const struct measure *measure, int64_t level,
                 bool (*is)(const struct measure *, signal_wide), int64_t *ret_amount)
{
        signal_wide root = level * measure->per / measure->times;
        const signal_wide tries[] = { root,     root + 1,       root - 1,
                                      root + 2, measure->least, measure->most };

        for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
                if (tries[i] >= measure->least && tries[i] <= measure->most &&
                    is(measure, tries[i])) {
                        *ret_amount = (int64_t)tries[i];
                        return true;
                }
        return false;
}

/* ---- What can be had at any amount, window by window ---------------------------------------*/

static int64_t whole_of(uint32_t volume, uint32_t part)
{
        return (int64_t)upwards(volume ? volume : 1, part) * part;
}

static void measure_values(struct plan *plan)
{
        const struct scenario *scenario = plan->scenario;
        const struct toc_rule *rule = plan->rule;
        struct measure *measure = &plan->measure;
        signal_wide least_over =
                (signal_wide)rule->limit * (scenario->record->kind == toc_kind_timer ? 1000 : 1) +
                !(rule->op & TOC_EQUAL_);
        uint32_t one_of = scenario->signal->count;

        /* over * one_of > whole, whatever the limit: that is in what counts as over. */
        measure->op = TOC_ABOVE_;
        measure->level = 1;
        measure->times = one_of ? one_of : 1;
        measure->whole = whole_of(signal_volume(scenario->signal, rule), one_of ? one_of : 1);
        measure->per = one_of ? measure->whole : 0;
        measure->least = least_over <= 0 ? measure->whole : 0;
        measure->most = least_over > INT64_MAX ? 0 : measure->whole;
}

static void measure_share(struct plan *plan)
{
        struct measure *measure = &plan->measure;
        bool is_burn = plan->scenario->signal->how == SIGNAL_BURN;

        measure->whole = whole_of(signal_volume(plan->scenario->signal, plan->rule), 1000);
        measure->times = 1000;
        measure->per = measure->whole;
        measure->most = measure->whole;
        if (!is_burn)
                return;
        /* Each short window spends as much as the long one. */
        measure->per *= 1000 - plan->rule->objective_permille;
        measure->period = steps_of(plan, plan->window_s < 12 ? 1 : plan->window_s / 12);
}

static bool measure_of(struct plan *plan)
{
        const struct signal *signal = plan->scenario->signal;
        struct measure *measure = &plan->measure;

        *measure = (struct measure){ .most = INT64_MAX,
                                     .times = 1,
                                     .per = 1,
                                     .period = 1,
                                     .op = plan->rule->op,
                                     .level = plan->rule->limit,
                                     .clear_at = plan->rule->clear_at };
        if (signal->window_s && signal->how != SIGNAL_LOST)
                measure->period = steps_of(plan, plan->window_s);
        switch (signal->how) {
        case SIGNAL_VALUE:
        case SIGNAL_BACKLOG:
        case SIGNAL_LOST:
                measure->least = TOC_GAUGE_UNSET_ + 1;
                return true;
        case SIGNAL_OPEN:
                return true;
        case SIGNAL_TOTAL:
                measure->most = INT64_MAX - 1;
                return true;
        case SIGNAL_RATE:
                measure->times = signal->unit_s;
                measure->per = plan->window_s;
                measure->most = (signal_wide)SCENARIO_RATE_MAX * plan->window_s;
                return true;
        case SIGNAL_COUNT:
                measure->most = (signal_wide)SCENARIO_RATE_MAX * plan->window_s;
                return true;
        case SIGNAL_SHARE:
        case SIGNAL_BURN:
                measure_share(plan);
                return true;
        case SIGNAL_QUANTILE:
                measure_values(plan);
                return true;
        default:
                return false;
        }
}

/* ---- Phases -------------------------------------------------------------------------------*/

static uint32_t add_phase(struct plan *plan, uint32_t begin, uint32_t period, int64_t amount,
                          int64_t whole)
{
        struct scenario *scenario = plan->scenario;

        scenario->phase[scenario->phase_count++] = (struct scenario_phase){
                .begin = begin, .period = period, .amount = amount, .whole = whole
        };
        return begin;
}

/* With a gap behind it, if the rule is to be silent, or to ring, at fewer than that. */
static uint32_t period_of(const struct plan *plan, bool is_loud)
{
        const enum signal_how how = plan->scenario->signal->how;
        bool may_be_fewer = (plan->measure.op & TOC_ABOVE_) ? !is_loud : is_loud;

        if (!may_be_fewer || !signal_clear_op(plan->measure.op) || how == SIGNAL_BURN ||
            !plan->scenario->signal->window_s || how == SIGNAL_LOST ||
            plan->window_s <= exact_window_s)
                return plan->measure.period;
        return plan->measure.period + slack_steps;
}

/* What a flow is said to have lost in the moment in which that changes. */
static signal_wide mixed(const struct plan *plan, int64_t before, int64_t now)
{
        if (plan->window_s <= plan->scenario->step_s)
                return now;
        if (before > 0 && now > 0)
                return before < now ? before : now;
        if (before < 0 && now < 0)
                return before > now ? before : now;
        return 0;
}

static bool can_fall(const struct plan *plan)
{
        return plan->scenario->signal->how != SIGNAL_TOTAL;
}

static uint32_t firing_from(const struct plan *plan, uint32_t on)
{
        return on + steps_of(plan, plan->rule->hold_s);
}

static void end_at(struct plan *plan, uint32_t off)
{
        plan->scenario->ends_at = off + steps_of(plan, plan->rule->keep_s);
        plan->scenario->steps = plan->scenario->ends_at + 2;
}

static void fall_silent(struct plan *plan, uint32_t from, int64_t loud, bool has_near, int64_t near)
{
        const struct measure *measure = &plan->measure;
        bool is_lost = plan->scenario->signal->how == SIGNAL_LOST;
        int64_t level = measure->clear_at == TOC_NO_CLEAR_LEVEL_ || !signal_clear_op(measure->op)
                                ? measure->level
                                : measure->clear_at;
        int64_t clear, before = loud;

        if (!has_near || !pick(measure, level, is_clear, &clear) ||
            (!can_fall(plan) && clear < loud))
                return;
        if (sticks(measure, near) && (can_fall(plan) || (near > loud && clear > near))) {
                add_phase(plan, from, period_of(plan, true), near, measure->whole);
                from += period_of(plan, true);
                before = near;
        }
        add_phase(plan, from, period_of(plan, false), clear, measure->whole);
        end_at(plan, from + (is_lost && sticks(measure, mixed(plan, before, clear))));
}

static enum scenario_outcome make_loud(struct plan *plan)
{
        const struct measure *measure = &plan->measure;
        struct scenario *scenario = plan->scenario;
        bool is_lost = scenario->signal->how == SIGNAL_LOST;
        uint32_t begin = 0, period = period_of(plan, true);
        int64_t loud, near = 0;
        bool has_near = pick(measure, measure->level, is_silent, &near);
        bool is_late = false;

        if (!pick(measure, measure->level, holds, &loud))
                return SCENARIO_CANNOT_RING;
        if (has_near && (can_fall(plan) || near < loud)) {
                bool is_burn = scenario->signal->how == SIGNAL_BURN;

                begin = period_of(plan, false);
                /* Bad days in the long window would hide that the good one does not ring. */
                add_phase(plan, 0, is_burn ? 0 : begin, near, measure->whole);
                is_late = is_lost && !holds(measure, mixed(plan, near, loud));
        }
        add_phase(plan, begin, period, loud, measure->whole);
        scenario->rings_at = firing_from(plan, begin + is_late);
        scenario->steps = scenario->rings_at + 2;
        fall_silent(plan,
                    begin + (uint32_t)upwards(scenario->rings_at + 1 - begin, period) * period,
                    loud, has_near, near);
        return SCENARIO_MADE;
}

/* All of them bad, and one fewer than the volume asks for. */
static uint32_t starve(struct plan *plan)
{
        const struct signal *signal = plan->scenario->signal;
        struct measure few = plan->measure;

        few.whole = signal_volume(signal, plan->rule);
        if (signal->how == SIGNAL_BURN || few.whole-- < 2)
                return 0;
        few.per = signal->how == SIGNAL_SHARE ? few.whole : few.per;
        add_phase(plan, 0, period_of(plan, false) + slack_steps,
                  few.most && (signal->how != SIGNAL_SHARE || holds(&few, few.whole)) ? few.whole
                                                                                      : 0,
                  few.whole);
        return period_of(plan, false) + slack_steps;
}

static enum scenario_outcome make_near(struct plan *plan)
{
        const struct measure *measure = &plan->measure;
        uint32_t period = period_of(plan, false);
        uint32_t begin;
        int64_t near;

        if (!pick(measure, measure->level, is_silent, &near))
                return SCENARIO_ALWAYS_RINGS;
        begin = starve(plan);
        add_phase(plan, begin, period, near, measure->whole);
        plan->scenario->steps = firing_from(plan, begin + 2 * period) + 1;
        return SCENARIO_MADE;
}

/* ---- Time since something ------------------------------------------------------------------*/

/* The first number of steps, not before `from`, after which it holds, or after which it does not;
 * or SCENARIO_NEVER. It is asked in order, because a comparison with time changes once. */
static uint32_t first_step(const struct plan *plan, unsigned op, int64_t level, bool wanted,
                           uint32_t from)
{
        bool is_unreached = plan->scenario->signal->how == SIGNAL_UNREACHED;
        signal_wide unit = (signal_wide)plan->scenario->step_s * (is_unreached ? 1 : 1000);
        signal_wide root = level / unit;
        const signal_wide tries[] = { from, root - 1, root, root + 1 };

        for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
                if (tries[i] >= from && compares(tries[i] * unit, op, level) == wanted)
                        return tries[i] * plan->scenario->step_s > RULE_DELAY_MAX_S
                                       ? SCENARIO_NEVER
                                       : (uint32_t)tries[i];
        return SCENARIO_NEVER;
}

/* A period of 1: it happens at each step, and the time is 0. */
static enum scenario_outcome make_since_up(struct plan *plan, enum scenario_run run, uint32_t late)
{
        struct scenario *scenario = plan->scenario;
        bool is_hit = scenario->signal->how == SIGNAL_UNREACHED;
        /* What an operation that began at time 0 would look like to Prometheus, is none. */
        uint32_t begin = is_hit ? 0 : 2;

        if (late == 0 && run == SCENARIO_NEAR)
                return SCENARIO_ALWAYS_RINGS;
        if (run == SCENARIO_NEAR && is_hit) {
                bool is_gated = scenario->record->labels[0] != '\0';

                add_phase(plan, 0, 0, 0, 1);
                add_phase(plan, late, 0, !is_gated, !is_gated);
                scenario->steps = late + 3;
                return SCENARIO_MADE;
        }
        if (run == SCENARIO_NEAR) {
                add_phase(plan, 0, late, 0, 0);
                scenario->steps = 2 * late + 2;
                return SCENARIO_MADE;
        }
        if (begin)
                add_phase(plan, 0, 1, 0, 1);
        add_phase(plan, begin, 0, 0, 1);
        scenario->rings_at = firing_from(plan, late ? late + (begin ? begin - 1 : 0) : 0);
        scenario->steps = scenario->rings_at + 2;
        if (late == 0 || (plan->rule->clear_at != TOC_NO_CLEAR_LEVEL_ &&
                          compares(0, signal_clear_op(plan->rule->op), plan->rule->clear_at)))
                return SCENARIO_MADE;
        add_phase(plan, scenario->rings_at + 1, 1, 1, 1);
        end_at(plan, scenario->rings_at + 1);
        return SCENARIO_MADE;
}

/* It rings while something goes on happening, and so at the start of every process. */
static enum scenario_outcome make_since_down(struct plan *plan, enum scenario_run run)
{
        const struct toc_rule *rule = plan->rule;
        struct scenario *scenario = plan->scenario;
        uint32_t begin, off;

        if (!compares(0, rule->op, rule->limit))
                return SCENARIO_CANNOT_RING;
        if (run == SCENARIO_NEAR)
                return SCENARIO_ALWAYS_RINGS;
        add_phase(plan, 0, 1, 0, 1);
        scenario->rings_at = firing_from(plan, 0);
        scenario->steps = scenario->rings_at + 2;
        begin = scenario->rings_at < 1 ? 2 : scenario->rings_at + 1;
        off = first_step(plan, rule->op, rule->limit, false, 1);
        if (off != SCENARIO_NEVER && rule->clear_at != TOC_NO_CLEAR_LEVEL_)
                off = first_step(plan, signal_clear_op(rule->op), rule->clear_at, false, off);
        if (off == SCENARIO_NEVER)
                return SCENARIO_MADE;
        add_phase(plan, begin, 0, 0, 1);
        end_at(plan, begin - 1 + off);
        return SCENARIO_MADE;
}

static enum scenario_outcome make_since(struct plan *plan, enum scenario_run run)
{
        const struct toc_rule *rule = plan->rule;
        uint32_t late;

        if (!(rule->op & TOC_ABOVE_))
                return rule->op == TOC_EQUAL_ || plan->scenario->signal->how == SIGNAL_UNREACHED
                               ? SCENARIO_NOT_MADE
                               : make_since_down(plan, run);
        if ((rule->op & TOC_BELOW_) && rule->limit)
                return SCENARIO_NOT_MADE; /* it would have to come to a stop at its limit */
        late = first_step(plan, rule->op, rule->limit, true, 0);
        return late == SCENARIO_NEVER ? SCENARIO_CANNOT_RING : make_since_up(plan, run, late);
}

/* ---- Floors that rise ----------------------------------------------------------------------*/

/* All windows but the oldest have left the first sample behind, and the oldest begins with it. */
static uint32_t ripe_at(const struct plan *plan)
{
        return steps_of(plan, plan->window_s * (plan->scenario->signal->count - 1));
}

static enum scenario_outcome rise(struct plan *plan, signal_wide by, uint32_t period,
                                  signal_wide fall)
{
        struct scenario *scenario = plan->scenario;

        add_phase(plan, 0, period, (int64_t)by, 0);
        if (fall) {
                add_phase(plan, scenario->rings_at + 1, 1, (int64_t)-fall, (int64_t)-fall);
                end_at(plan, scenario->rings_at + 1);
        }
        if (by * scenario->steps > INT64_MAX || by * scenario->steps < -INT64_MAX ||
            fall * scenario->steps > INT64_MAX)
                return SCENARIO_NOT_MADE;
        return SCENARIO_MADE;
}

/* From step to step by as much as is asked for from window to window; then below all that was. */
static enum scenario_outcome make_growth(struct plan *plan, enum scenario_run run)
{
        const struct toc_rule *rule = plan->rule;
        signal_wide least = (signal_wide)rule->limit + !(rule->op & TOC_EQUAL_);
        signal_wide level = rule->clear_at == TOC_NO_CLEAR_LEVEL_ ? rule->limit : rule->clear_at;

        if (run == SCENARIO_NEAR) {
                plan->scenario->steps = firing_from(plan, ripe_at(plan) + 2);
                return rise(plan, least - 1, steps_of(plan, plan->window_s), 0);
        }
        plan->scenario->rings_at = firing_from(plan, ripe_at(plan));
        return rise(plan, least > 0 ? least : 0, 1, level < 0 ? 1 - level : 1);
}

/* A thousandth beside the capacity: Prometheus draws the line in floating point. */
static enum scenario_outcome make_exhaustion(struct plan *plan, enum scenario_run run)
{
        struct scenario *scenario = plan->scenario;
        uint32_t at = run == SCENARIO_LOUD ? ripe_at(plan) : firing_from(plan, ripe_at(plan) + 2);
        signal_wide seconds = (signal_wide)at * scenario->step_s + plan->rule->limit;
        signal_wide by;

        if (seconds <= 0)
                return SCENARIO_NOT_MADE;
        by = (signal_wide)plan->rule->capacity * scenario->step_s / seconds;
        if (run == SCENARIO_NEAR) {
                scenario->steps = at;
                by -= by / 1000 + 1;
                return rise(plan, by > 0 ? by : 0, 1, 0);
        }
        scenario->rings_at = firing_from(plan, at);
        return rise(plan, by + by / 1000 + 1, 1, 1);
}

/* ---- Making -------------------------------------------------------------------------------*/

/* So that windows, delays and limits in time fit into so many steps. */
static uint32_t choose_step(const struct signal *signal, const struct toc_rule *rule)
{
        uint64_t span_s = 3 * (uint64_t)signal_reach_s(signal, rule) + rule->hold_s + rule->keep_s;
        uint64_t limit_s = rule->limit > 0 ? (uint64_t)rule->limit / 1000 : 0;
        uint32_t step_s;

        if (!signal->window_s && limit_s <= RULE_DELAY_MAX_S &&
            (signal->how == SIGNAL_SILENCE || signal->how == SIGNAL_OLDEST ||
             signal->how == SIGNAL_STALLED))
                span_s += limit_s;
        if (signal->how == SIGNAL_UNREACHED && rule->limit <= RULE_DELAY_MAX_S)
                span_s += (uint64_t)rule->limit;
        step_s = (uint32_t)upwards((signal_wide)span_s, scenario_steps_aim);
        /* A window without a sample has no floor. */
        if ((signal->how == SIGNAL_GROWTH || signal->how == SIGNAL_EXHAUSTS) &&
            step_s > signal_window_s(signal, rule))
                step_s = signal_window_s(signal, rule);
        return step_s ? step_s : 1;
}

static enum scenario_outcome make(struct plan *plan, enum scenario_run run)
{
        switch (plan->scenario->signal->how) {
        case SIGNAL_GROWTH:
                return make_growth(plan, run);
        case SIGNAL_EXHAUSTS:
                return make_exhaustion(plan, run);
        case SIGNAL_SILENCE:
        case SIGNAL_OLDEST:
        case SIGNAL_STALLED:
        case SIGNAL_UNREACHED:
                return make_since(plan, run);
        default:
                if (!measure_of(plan))
                        return SCENARIO_NOT_MADE;
                return run == SCENARIO_LOUD ? make_loud(plan) : make_near(plan);
        }
}

enum scenario_outcome scenario_make(const struct toc_record *record, uint32_t slot,
                                    enum scenario_run run, uint32_t step_s,
                                    struct scenario *ret_scenario)
{
        const struct toc_rule *rule = &record->rule[slot];
        struct plan plan = { .rule = rule, .scenario = ret_scenario };

        *ret_scenario = (struct scenario){ .record = record,
                                           .slot = slot,
                                           .rings_at = SCENARIO_NEVER,
                                           .ends_at = SCENARIO_NEVER };
        if (!rule->severity)
                return SCENARIO_NO_RULE;
        ret_scenario->signal = signal_find(record->kind, rule->signal);
        if (!ret_scenario->signal)
                return SCENARIO_NOT_MADE;
        ret_scenario->step_s = step_s ? step_s : choose_step(ret_scenario->signal, rule);
        plan.window_s = signal_window_s(ret_scenario->signal, rule);
        if ((ret_scenario->signal->how == SIGNAL_GROWTH ||
             ret_scenario->signal->how == SIGNAL_EXHAUSTS) &&
            plan.window_s < ret_scenario->step_s)
                plan.window_s = ret_scenario->step_s;
        return make(&plan, run);
}
