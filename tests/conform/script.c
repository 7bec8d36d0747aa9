/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to make both sides of a stream from the same events: the cells that libtocsin would hold,
 * and the series that /metrics would show. Timestamps and buckets are worked out here, from what
 * happened, because that the engine works them out in the same way is what is to be shown. */
#include "script.h"

#include <string.h>

static bool is_windowed(const struct stream *stream)
{
        return stream->form->window_s > 0;
}

void script_choose_lives(struct script *script, struct stream *stream, struct dice *dice)
{
        enum lives lives = LIVES_ONE;

        switch (stream->form->script) {
        case SCRIPT_EVENTS:
        case SCRIPT_HISTOGRAM:
        case SCRIPT_SHARE:
                lives = dice_once_in(dice, 2) ? LIVES_RESET : LIVES_RESTART;
                break;
        case SCRIPT_LOGS:
                lives = is_windowed(stream) ? LIVES_RESTART : LIVES_FRESH;
                break;
        case SCRIPT_TOTAL:
        case SCRIPT_HIT:
        case SCRIPT_BEAT:
        case SCRIPT_OPERATION:
        case SCRIPT_VALUE:
                lives = LIVES_FRESH;
                break;
        case SCRIPT_FLOW:
                lives = LIVES_RESET;
                break;
        default:
                break;
        }
        memset(script, 0, sizeof(*script));
        script->lives = dice_once_in(dice, 3) ? lives : LIVES_ONE;
}

/* What of these values a rule rings for. */
static bool rings_for(const struct toc_rule *rule, int64_t value, int64_t limit)
{
        return rule->op & TOC_EQUAL_ ? value >= limit : value > limit;
}

/* ---- Starting anew ------------------------------------------------------------------------*/

static bool is_lone_cell(const struct script *script)
{
        return script->stream->form->script == SCRIPT_EVENTS;
}

static void reset(struct script *script)
{
        int64_t was = script->life[0];

        memset(script->life, 0, sizeof(script->life));
        script->skew = 0;
        /* To the same value, to a lower one, or to 0. Several cells fall together, to 0. */
        if (is_lone_cell(script))
                script->life[0] =
                        dice_once_in(script->dice, 3) ? was : dice_between(script->dice, 0, was);
}

static void restart(struct script *script, struct stream_step *step, int64_t t)
{
        int64_t was = script->seen[0];

        /* What the old process did after its last sample nobody will know. */
        for (uint32_t i = 0; i < stream_cells_max; i++) {
                script->carry[i] += script->seen[i];
                script->seen[i] = 0;
                script->life[i] = 0;
        }
        /* An error in a new process, before anybody looked: the value is the same again. */
        if (is_lone_cell(script) && was < 200 && dice_once_in(script->dice, 3))
                script->life[0] = was;
        step->started = t - dice_between(script->dice, 0, script->stream->scrape_s - 1);
}

static void start_afresh(struct script *script, struct stream_step *step, uint32_t i, int64_t t)
{
        memset(script->life, 0, sizeof(script->life));
        memset(script->seen, 0, sizeof(script->seen));
        step->started = t - dice_between(script->dice, 0, script->stream->scrape_s - 1);
        step->is_new = true;
        script->born = i;
        script->stamp = step->started;
        script->level = STREAM_ABSENT;
}

/* True if nothing may happen in this step: cells that fall must be seen to fall. */
static bool begin_life(struct script *script, uint32_t i, int64_t t)
{
        struct stream_step *step = &script->stream->step[i];

        step->started = i ? step[-1].started : 0;
        if (!script->is_seen || !dice_once_in(script->dice, 45))
                return false;
        switch (script->lives) {
        case LIVES_RESET:
                if (!step->is_sampled) /* or it would go on before anybody saw it */
                        return false;
                reset(script);
                return true;
        case LIVES_RESTART:
                restart(script, step, t);
                return false;
        case LIVES_FRESH:
                start_afresh(script, step, i, t);
                return false;
        default:
                return false;
        }
}

/* ---- Scripts ------------------------------------------------------------------------------*/

static void tell_counters(struct script *script, struct stream_step *step, uint32_t count)
{
        for (uint32_t i = 0; i < count; i++) {
                step->cell[i] = script->carry[i] + script->life[i];
                step->series[i] = script->life[i];
                if (step->is_sampled)
                        script->seen[i] = script->life[i];
        }
}

static void events(struct script *script, struct stream_step *step, bool is_still)
{
        script->life[0] += is_still ? 0 : pattern_next(script);
        tell_counters(script, step, 1);
}

static void logs(struct script *script, struct stream_step *step)
{
        int64_t count = pattern_next(script);
        int64_t first = dice_between(script->dice, 0, count);

        script->life[0] += first;
        script->life[1] += count - first;
        tell_counters(script, step, 2);
        step->series[0] = script->life[0] + script->life[1];
}

/* How many of so many ring: just not enough, just enough, any number. */
static int64_t portion(struct script *script, int64_t count)
{
        const struct stream *stream = script->stream;
        const struct toc_rule *rule = &stream->record.rule[0];
        int64_t part;

        if (stream->form->script == SCRIPT_HISTOGRAM)
                part = stream->form->of ? count / stream->form->of : 0;
        else if (rule->objective_permille)
                part = count * rule->limit * (1000 - rule->objective_permille) / 1000;
        else
                part = count * rule->limit / 1000;
        part += dice_between(script->dice, -1, 2) * !dice_once_in(script->dice, 3);
        if (dice_once_in(script->dice, 5))
                part = dice_between(script->dice, 0, count);
        return part < 0 ? 0 : part > count ? count : part;
}

static void share(struct script *script, struct stream_step *step, bool is_still)
{
        int64_t whole = is_still ? 0 : pattern_next(script);

        script->life[0] += portion(script, whole);
        script->life[1] += whole;
        tell_counters(script, step, 2);
}

static int64_t in_bucket(const struct script *script, const struct toc_rule *rule, int64_t limit)
{
        int64_t count = 0;

        for (uint32_t i = 0; i < stream_cells_max; i++)
                if (!rings_for(rule, script->stream->observed[i], limit))
                        count += script->life[i];
        return count;
}

/* What is observed: two values that are at most the limit, and two that may be above. */
static void histogram(struct script *script, struct stream_step *step, bool is_still)
{
        const struct toc_record *record = &script->stream->record;
        int64_t unit = record->kind == toc_kind_timer ? 1000 : 1;
        int64_t count = is_still ? 0 : pattern_next(script);
        int64_t over = portion(script, count);
        int64_t bound[2];
        int64_t all = 0;
        uint32_t n = 0;

        script->life[dice_below(script->dice, 2)] += count - over;
        script->life[2 + dice_below(script->dice, 2)] += over;
        tell_counters(script, step, stream_cells_max);
        for (uint32_t slot = 0; slot < 2; slot++) {
                const struct toc_rule *rule = &record->rule[slot];
                int64_t limit = rule->limit * unit;

                bound[slot] = limit - !!(rule->op & TOC_EQUAL_);
                if (rule->severity && (slot == 0 || bound[1] != bound[0]))
                        step->series[n++] = in_bucket(script, rule, limit);
        }
        for (uint32_t i = 0; i < stream_cells_max; i++)
                all += script->life[i];
        step->series[n++] = all;
        step->series[n++] = all;
}

static void value(struct script *script, struct stream_step *step)
{
        const struct stream *stream = script->stream;
        bool is_gauge = stream->form->kind == toc_kind_gauge;

        if (script->level == STREAM_ABSENT && is_gauge && !dice_once_in(script->dice, 4)) {
                step->cell[0] = TOC_GAUGE_UNSET_;
                step->series[0] = STREAM_STALE;
                return;
        }
        if (script->level == STREAM_ABSENT)
                script->level = 0;
        step->cell[0] = pattern_value(script, &stream->record.rule[0]);
        step->series[0] = step->cell[0];
}

/* A floor that rises by about the limit each window, and a sawtooth upon it. */
static void growth(struct script *script, struct stream_step *step)
{
        const struct toc_rule *rule = &script->stream->record.rule[0];
        struct pattern *pattern = &script->pattern;
        uint32_t window = script->window_steps;

        if (!pattern->left) {
                int64_t about =
                        rule->signal == toc_signal_growth ? rule->limit : rule->capacity / 12;

                pattern->left = window * (uint32_t)dice_between(script->dice, 1, 9);
                pattern->is = (unsigned)dice_below(script->dice, 4);
                if (rule->signal == toc_signal_exhausts_s && dice_once_in(script->dice, 2))
                        pattern->is = 3;
                pattern->at = 0;
                pattern->amount = dice_once_in(script->dice, 5)
                                          ? dice_between(script->dice, -10, 10)
                                          : about + dice_between(script->dice, -1, 2);
        }
        if (pattern->at % window == 0 && pattern->is != 3)
                script->level += pattern->amount;
        if (pattern->is == 3) /* a line, which a capacity can be hit with exactly */
                script->level += 1 + pattern->amount % 2;
        step->cell[0] = script->level;
        if (pattern->is == 1)
                step->cell[0] += pattern->at % 4;
        if (pattern->is == 2)
                step->cell[0] += dice_between(script->dice, 0, 3);
        step->series[0] = step->cell[0];
        pattern->at++;
        pattern->left--;
}

static void beat(struct script *script, struct stream_step *step, int64_t t)
{
        struct pattern *pattern = &script->pattern;

        if (!pattern->left) {
                pattern->left = (uint32_t)dice_between(script->dice, 1, 35);
                pattern->is = dice_once_in(script->dice, 2);
        }
        pattern->left--;
        if (pattern->is && !dice_once_in(script->dice, 3))
                script->life[0]++;
        if (step->is_sampled && script->life[0] != script->seen[0])
                script->stamp = t;
        if (step->is_sampled)
                script->seen[0] = script->life[0];
        step->cell[0] = script->life[0];
        step->series[0] = script->stamp;
}

/* ---- Operations and flows -----------------------------------------------------------------*/

/* The time at which a sample first found an operation going on. */
static int64_t first_seen(const struct stream *stream, const struct stream_operation *operation,
                          uint32_t i)
{
        for (uint32_t k = operation->from; k <= i; k++)
                if (stream->step[k].is_sampled)
                        return (int64_t)k * stream->scrape_s;
        return INT64_MAX;
}

static void operations(struct script *script, struct stream_step *step, uint32_t i)
{
        struct stream *stream = script->stream;
        int64_t oldest = INT64_MAX;
        int64_t begun = 0, ended = 0;

        for (uint32_t k = 0; k < stream->operation_count; k++) {
                struct stream_operation *operation = &stream->operation[k];

                if (step->is_new && operation->to > i) { /* its process is no more */
                        operation->to = i;
                        operation->from -= operation->from >= i;
                }
                begun += operation->from >= script->born && operation->from <= i;
                ended += operation->from >= script->born && operation->to <= i;
                if (operation->from <= i && i < operation->to) {
                        int64_t at = first_seen(stream, operation, i);

                        oldest = at < oldest ? at : oldest;
                }
        }
        step->cell[0] = begun;
        step->cell[1] = ended;
        step->series[0] = begun - ended;
        step->series[1] = oldest == INT64_MAX ? 0 : oldest;
        if (!dice_once_in(script->dice, 4) || stream->operation_count == stream_operations_max)
                return;
        /* Begins at the next step; some are as long as the limit, some go on for ever. */
        stream->operation[stream->operation_count++] = (struct stream_operation){
                .from = i + 1,
                .to = i + 1 +
                      (uint32_t)dice_between(script->dice, 1,
                                             dice_once_in(script->dice, 4) ? 90 : 9),
        };
}

static void move_items(struct script *script)
{
        int64_t *in = &script->life[0], *out = &script->life[1], *dropped = &script->life[2];
        int64_t *held = &script->life[3];
        int64_t count = dice_between(script->dice, 0, 4);
        int64_t waiting = *in - *out - *dropped;

        *held += script->skew; /* what was on its way has arrived */
        script->skew = 0;
        *in += count;
        *held += count;
        if (dice_once_in(script->dice, 3)) {
                script->skew = dice_between(script->dice, -1, 2);
                *held -= script->skew;
        }
        count = dice_between(script->dice, 0, waiting < 0 ? 0 : waiting > 5 ? 5 : waiting);
        *(dice_once_in(script->dice, 6) ? dropped : out) += count;
        *held -= count;
        if (dice_once_in(script->dice, 40)) /* lost, or one too many */
                *held += dice_once_in(script->dice, 3) ? 1 : -1;
        if (dice_once_in(script->dice, 40)) /* and made good */
                *held = *in - *out - *dropped - script->skew;
}

static void flow(struct script *script, struct stream_step *step, int64_t t, bool is_still)
{
        struct pattern *pattern = &script->pattern;
        int64_t *life = script->life;

        if (!pattern->left) {
                pattern->left = (uint32_t)dice_between(script->dice, 1, 25);
                pattern->is = (unsigned)dice_below(script->dice, 4);
        }
        pattern->left--;
        if (!is_still && pattern->is == 1) /* it waits, and more comes */
                life[0] += 1, life[3] += 1;
        else if (!is_still && pattern->is > 1)
                move_items(script);
        if (step->is_sampled) {
                bool went = life[1] + life[2] != script->seen[1] + script->seen[2];

                if (went || life[0] - life[1] - life[2] <= 0)
                        script->stamp = t;
        }
        tell_counters(script, step, 4);
        step->series[4] = script->stamp;
}

static void hit(struct script *script, struct stream_step *step, uint32_t i)
{
        if (dice_once_in(script->dice, script->stream->steps / 2))
                script->life[0] += dice_between(script->dice, 1, 3);
        step->cell[0] = script->life[0];
        step->series[0] = script->life[0];
        step->gate = STREAM_ABSENT;
        if (!script->stream->record.labels[0])
                return;
        step->gate = i ? step[-1].gate : STREAM_ABSENT;
        if (step->is_new)
                step->gate = STREAM_ABSENT;
        if (dice_once_in(script->dice, 12))
                step->gate = dice_between(script->dice, 0, 2);
}

/* ---- All of it ----------------------------------------------------------------------------*/

static void set_up(struct script *script)
{
        struct stream *stream = script->stream;
        struct toc_record *record = &stream->record;
        const struct stream_form *form = stream->form;
        int64_t unit = record->kind == toc_kind_timer ? 1000 : 1;
        uint32_t window_s = record->rule[0].window_s ? record->rule[0].window_s : form->window_s;
        int64_t volume = record->rule[0].volume_min ? record->rule[0].volume_min : form->volume;
        int64_t limits[2] = { record->rule[0].limit * unit, record->rule[1].limit * unit };

        script->window_steps = (window_s + stream->scrape_s - 1) / stream->scrape_s;
        if (!script->window_steps)
                script->window_steps = 10;
        script->aim = volume;
        if (!form->volume)
                script->aim = form->unit_s ? record->rule[0].limit * window_s / form->unit_s
                                           : record->rule[0].limit;
        /* A slot of a long window holds 255 events before it blurs (history.h). */
        if (script->aim > 80 && window_s > 1800)
                script->aim = 80;
        stream->observed[0] = limits[0] / 2;
        stream->observed[1] = limits[0] - !!(record->rule[0].op & TOC_EQUAL_);
        stream->observed[2] = stream->observed[1] + 1;
        stream->observed[3] = record->rule[1].severity ? limits[1] : 3 * limits[0] + 5;
        if (form->script == SCRIPT_HIT && dice_once_in(script->dice, 2))
                memcpy(record->labels, "gate", sizeof("gate"));
        script->level = form->script == SCRIPT_GROWTH ? 50 : STREAM_ABSENT;
        if (form->script == SCRIPT_EVENTS && dice_once_in(script->dice, 4))
                script->life[0] = dice_between(script->dice, 1, 3); /* first seen at 1 */
}

void script_run(struct script *script, struct stream *stream, struct dice *dice)
{
        script->stream = stream;
        script->dice = dice;
        set_up(script);
        for (uint32_t i = 0; i < stream->steps; i++) {
                struct stream_step *step = &stream->step[i];
                int64_t t = (int64_t)i * stream->scrape_s;
                bool is_still = begin_life(script, i, t);

                script->is_seen |= step->is_sampled;
                for (uint32_t k = 0; k < stream_series_max; k++)
                        step->series[k] = STREAM_ABSENT;
                step->gate = STREAM_ABSENT;
                switch (stream->form->script) {
                case SCRIPT_EVENTS:
                case SCRIPT_TOTAL:
                        events(script, step, is_still);
                        break;
                case SCRIPT_LOGS:
                        logs(script, step);
                        break;
                case SCRIPT_VALUE:
                        value(script, step);
                        break;
                case SCRIPT_GROWTH:
                        growth(script, step);
                        break;
                case SCRIPT_HISTOGRAM:
                        histogram(script, step, is_still);
                        break;
                case SCRIPT_SHARE:
                        share(script, step, is_still);
                        break;
                case SCRIPT_BEAT:
                        beat(script, step, t);
                        break;
                case SCRIPT_OPERATION:
                        operations(script, step, i);
                        break;
                case SCRIPT_FLOW:
                        flow(script, step, t, is_still);
                        break;
                default:
                        hit(script, step, i);
                        break;
                }
        }
        line_settle(stream, dice);
}
