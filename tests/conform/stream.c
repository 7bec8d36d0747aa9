/* SPDX-License-Identifier: Apache-2.0 */
/* Exists to choose what a stream is about: its rule, its scrapes, its gaps and restarts. What moves
 * in it is in script.c. */
#include "script.h"

#include <stdio.h>
#include <string.h>

enum { ABOVE = 4, AT_LEAST = 6, BELOW = 1, AT_MOST = 3, EQUAL = 2, NOT = 5 };
enum { gap_max_s = 280 }; /* Prometheus looks back 300 s */

/* clang-format off */
static const struct stream_form forms[] = {
        /* kind                 signal                  script           unit window volume   of */
        { toc_kind_counter,     toc_signal_total,       SCRIPT_TOTAL,        0,     0,    0,    0 },
        { toc_kind_counter,     toc_signal_per_second,  SCRIPT_EVENTS,       1,    10,    0,    0 },
        { toc_kind_counter,     toc_signal_per_minute,  SCRIPT_EVENTS,      60,    60,    0,    0 },
        { toc_kind_counter,     toc_signal_per_hour,    SCRIPT_EVENTS,    3600,  3600,    0,    0 },
        { toc_kind_gauge,       toc_signal_value,       SCRIPT_VALUE,        0,     0,    0,    0 },
        { toc_kind_gauge,       toc_signal_growth,      SCRIPT_GROWTH,       0,   300,    0,    0 },
        { toc_kind_gauge,       toc_signal_exhausts_s,  SCRIPT_GROWTH,       0,   300,    0,    0 },
        { toc_kind_level,       toc_signal_value,       SCRIPT_VALUE,        0,     0,    0,    0 },
        { toc_kind_level,       toc_signal_growth,      SCRIPT_GROWTH,       0,   300,    0,    0 },
        { toc_kind_level,       toc_signal_exhausts_s,  SCRIPT_GROWTH,       0,   300,    0,    0 },
        { toc_kind_timer,       toc_signal_p50_us,      SCRIPT_HISTOGRAM,    0,    60,   10,    2 },
        { toc_kind_timer,       toc_signal_p90_us,      SCRIPT_HISTOGRAM,    0,    60,   10,   10 },
        { toc_kind_timer,       toc_signal_p99_us,      SCRIPT_HISTOGRAM,    0,    60,  100,  100 },
        { toc_kind_timer,       toc_signal_p999_us,     SCRIPT_HISTOGRAM,    0,    60, 1000, 1000 },
        { toc_kind_timer,       toc_signal_max_us,      SCRIPT_HISTOGRAM,    0,    60,    1,    0 },
        { toc_kind_sizes,       toc_signal_p50,         SCRIPT_HISTOGRAM,    0,    60,   10,    2 },
        { toc_kind_sizes,       toc_signal_p90,         SCRIPT_HISTOGRAM,    0,    60,   10,   10 },
        { toc_kind_sizes,       toc_signal_p99,         SCRIPT_HISTOGRAM,    0,    60,  100,  100 },
        { toc_kind_sizes,       toc_signal_p999,        SCRIPT_HISTOGRAM,    0,    60, 1000, 1000 },
        { toc_kind_sizes,       toc_signal_max,         SCRIPT_HISTOGRAM,    0,    60,    1,    0 },
        { toc_kind_share,       toc_signal_permille,    SCRIPT_SHARE,        0,    60,   20,    0 },
        { toc_kind_share,       toc_signal_burn_fast,   SCRIPT_SHARE,        0,  3600,  100,    0 },
        { toc_kind_share,       toc_signal_burn_slow,   SCRIPT_SHARE,        0, 86400,  100,    0 },
        { toc_kind_heartbeat,   toc_signal_silent_ms,   SCRIPT_BEAT,         0,     0,    0,    0 },
        { toc_kind_operation,   toc_signal_in_flight,   SCRIPT_OPERATION,    0,     0,    0,    0 },
        { toc_kind_operation,   toc_signal_oldest_ms,   SCRIPT_OPERATION,    0,     0,    0,    0 },
        { toc_kind_flow,        toc_signal_lost,        SCRIPT_FLOW,         0,    10,    0,    0 },
        { toc_kind_flow,        toc_signal_stalled_ms,  SCRIPT_FLOW,         0,     0,    0,    0 },
        { toc_kind_flow,        toc_signal_backlog,     SCRIPT_FLOW,         0,     0,    0,    0 },
        { toc_kind_expectation, toc_signal_total,       SCRIPT_EVENTS,       0,    60,    0,    0 },
        { toc_kind_must_hit,    toc_signal_unreached_s, SCRIPT_HIT,          0,     0,    0,    0 },
        { toc_kind_error,       toc_signal_total,       SCRIPT_TOTAL,        0,     0,    0,    0 },
        { toc_kind_error,       toc_signal_per_minute,  SCRIPT_EVENTS,      60,    60,    0,    0 },
        { toc_kind_warning,     toc_signal_total,       SCRIPT_TOTAL,        0,     0,    0,    0 },
        { toc_kind_warning,     toc_signal_per_minute,  SCRIPT_EVENTS,      60,    60,    0,    0 },
        { toc_kind_logs,        toc_signal_total,       SCRIPT_LOGS,         0,     0,    0,    0 },
        { toc_kind_logs,        toc_signal_per_minute,  SCRIPT_LOGS,        60,    60,    0,    0 },
};
/* clang-format on */

const struct stream_form *stream_form(size_t n)
{
        return n < BASE_COUNT(forms) ? &forms[n] : NULL;
}

const struct stream_form *stream_form_of(uint64_t seed)
{
        return &forms[seed % BASE_COUNT(forms)];
}

/* ---- Dice: splitmix64, so that neighbouring seeds have nothing in common ------------------*/

static uint64_t dice_roll(struct dice *dice)
{
        uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        return z ^ z >> 31;
}

uint64_t dice_below(struct dice *dice, uint64_t below)
{
        return dice_roll(dice) % below;
}

int64_t dice_between(struct dice *dice, int64_t least, int64_t most)
{
        return least + (int64_t)dice_below(dice, (uint64_t)(most - least) + 1);
}

bool dice_once_in(struct dice *dice, uint64_t n)
{
        return dice_below(dice, n) == 0;
}

/* ---- The rule -----------------------------------------------------------------------------*/

static bool is_quantile(const struct stream_form *form)
{
        return form->script == SCRIPT_HISTOGRAM;
}

static unsigned choose_op(struct dice *dice, const struct stream_form *form)
{
        static const unsigned all[] = { ABOVE, ABOVE, AT_LEAST, BELOW, AT_MOST, EQUAL, NOT };
        static const unsigned up[] = { ABOVE, AT_LEAST };
        static const unsigned down[] = { BELOW, AT_MOST };

        if (form->script == SCRIPT_HIT)
                return ABOVE;
        if (form->signal == toc_signal_exhausts_s)
                return down[dice_below(dice, 2)];
        if (is_quantile(form) || form->signal == toc_signal_growth ||
            form->signal == toc_signal_burn_fast || form->signal == toc_signal_burn_slow)
                return up[dice_below(dice, 2)];
        return all[dice_below(dice, BASE_COUNT(all))];
}

static int64_t choose_limit(struct dice *dice, const struct stream *stream, uint32_t window_s)
{
        const struct stream_form *form = stream->form;
        int64_t s = stream->scrape_s;

        switch (form->script) {
        case SCRIPT_EVENTS:
                return dice_between(dice, 0, form->unit_s ? 12 * form->unit_s / window_s + 1 : 9);
        case SCRIPT_LOGS:
                return dice_between(dice, 0, form->unit_s ? 12 * form->unit_s / window_s + 1 : 30);
        case SCRIPT_GROWTH:
                return form->signal == toc_signal_growth ? dice_between(dice, 0, 10)
                                                         : dice_between(dice, 0, 8 * window_s);
        case SCRIPT_HISTOGRAM:
                return dice_between(dice, 1, dice_once_in(dice, 2) ? 50 : 3000000);
        case SCRIPT_SHARE:
                return form->signal != toc_signal_permille ? dice_between(dice, 1, 15)
                       : dice_once_in(dice, 4)             ? dice_between(dice, 0, 1000)
                                                           : dice_between(dice, 1, 20) * 50;
        case SCRIPT_BEAT:
                return dice_between(dice, 0, 30) * s * 1000 + 500 * dice_between(dice, 0, 1);
        case SCRIPT_OPERATION:
                return form->signal == toc_signal_in_flight ? dice_between(dice, 0, 5)
                                                            : dice_between(dice, 0, 30) * s * 1000;
        case SCRIPT_FLOW:
                return form->signal == toc_signal_stalled_ms ? dice_between(dice, 0, 30) * s * 1000
                       : form->signal == toc_signal_lost     ? dice_between(dice, -2, 2)
                                                             : dice_between(dice, -2, 12);
        case SCRIPT_HIT:
                return dice_between(dice, 0, stream->steps / 2) * s;
        case SCRIPT_VALUE:
                return dice_between(dice, -20, 40);
        default:
                return dice_between(dice, 0, 30);
        }
}

/* On the side that does not ring, sometimes as near as may be. */
static int64_t choose_clear(struct dice *dice, const struct toc_rule *rule, int64_t unit)
{
        int64_t far = dice_once_in(dice, 3) ? 0 : dice_between(dice, 1, 6) * unit;

        if (rule->op == ABOVE || rule->op == AT_LEAST) {
                far = rule->limit - (rule->op == AT_LEAST) - far;
                return far < 0 && rule->limit >= 0 ? 0 : far;
        }
        return rule->limit + (rule->op == AT_MOST) + far;
}

static void choose_rule(struct dice *dice, struct stream *stream, uint32_t slot, uint32_t window_s,
                        bool has_memory)
{
        const struct stream_form *form = stream->form;
        struct toc_rule *rule = &stream->record.rule[slot];
        uint32_t s = stream->scrape_s;

        rule->signal = form->signal;
        rule->severity = TOC_WARN;
        rule->op = (uint8_t)choose_op(dice, form);
        rule->clear_at = TOC_NO_CLEAR_LEVEL_;
        if (form->window_s && window_s != form->window_s)
                rule->window_s = window_s;
        rule->limit = choose_limit(dice, stream, window_s ? window_s : 1);
        if (form->volume && dice_once_in(dice, 2))
                rule->volume_min = (uint32_t)dice_between(dice, 1, form->volume / 10 + 5);
        if (form->signal == toc_signal_exhausts_s)
                rule->capacity = dice_between(dice, 50, 2000);
        if (form->script == SCRIPT_SHARE && form->signal != toc_signal_permille)
                rule->objective_permille = (uint16_t[]){ 500, 900, 990, 999 }[dice_below(dice, 4)];
        if (!has_memory)
                return;
        if (dice_once_in(dice, 3))
                rule->hold_s = (uint32_t)dice_between(dice, 1, 6 * s);
        if (dice_once_in(dice, 3))
                rule->keep_s = (uint32_t)dice_between(dice, 1, 8 * s);
        if (dice_once_in(dice, 2) && !is_quantile(form) && form->script != SCRIPT_HIT)
                rule->clear_at = choose_clear(dice, rule, rule->limit >= 1000 ? 1000 * s : 1);
        if (rule->clear_at != TOC_NO_CLEAR_LEVEL_ && rule->limit >= 0 &&
            rule->clear_at > rule->limit && (rule->op == ABOVE || rule->op == AT_LEAST))
                rule->clear_at = TOC_NO_CLEAR_LEVEL_; /* nothing below 0 to clear at */
        if (rule->op == AT_LEAST && rule->limit == 0)
                rule->clear_at = TOC_NO_CLEAR_LEVEL_;
}

/* ---- When it is sampled -------------------------------------------------------------------*/

/* A window, and scrapes of which it holds a fair number; sometimes not even one. */
static uint32_t choose_clock(struct dice *dice, struct stream *stream)
{
        static const uint32_t few[] = { 1, 1, 1, 1, 2, 3, 5, 7, 15 };
        static const uint32_t many[] = { 2, 5, 15, 30, 60, 120, 240 };
        const struct stream_form *form = stream->form;
        bool is_raw = form->script == SCRIPT_GROWTH;
        uint32_t window_s = form->window_s;
        uint32_t windows = is_raw ? 6 : 3;

        if (window_s && !dice_once_in(dice, window_s > 3600 ? 25 : 7))
                window_s = (uint32_t)dice_between(dice, 4, dice_once_in(dice, 8) ? 600 : 24);
        stream->scrape_s = few[dice_below(dice, BASE_COUNT(few))];
        for (size_t i = 0; window_s > 64 && i < BASE_COUNT(many); i++) {
                stream->scrape_s = many[i];
                if (window_s / many[i] <= 40)
                        break;
        }
        /* Of raw samples a window must hold some, or there is no value. */
        if (is_raw && stream->scrape_s > window_s)
                stream->scrape_s = 3;
        if (window_s > 3600) /* promtool has memory for some hundred steps of that */
                windows = 1;
        stream->steps = windows * window_s / stream->scrape_s + 120;
        if (stream->steps > stream_steps_max)
                stream->steps = stream_steps_max;
        return window_s;
}

/* Gaps: with a stale marker, as a failed scrape leaves one; without, as if the clock had jumped. */
static void choose_samples(struct dice *dice, struct stream *stream, bool has_gaps, uint32_t late)
{
        uint32_t most = gap_max_s / stream->scrape_s;
        uint32_t gap = 0;
        bool is_stale = false;

        for (uint32_t i = 0; i < stream->steps; i++) {
                struct stream_step *step = &stream->step[i];

                if (i > late && step[-1].is_sampled && has_gaps && dice_once_in(dice, 30)) {
                        gap = 1 + (uint32_t)dice_below(dice, most > 1 ? most - 1 : 1);
                        if (dice_once_in(dice, 2))
                                gap = 1;
                        /* What is lost is judged at each scrape: one that only repeats the last
                         * would be one more there, and none here. */
                        is_stale = stream->form->script == SCRIPT_FLOW || dice_once_in(dice, 2);
                }
                step->is_sampled = i >= late && !gap;
                step->is_stale = i >= late && gap && is_stale;
                gap -= gap > 0;
        }
}

/* First seen so late that no window of it reaches back to the start, or while each does. */
static uint32_t choose_late(struct dice *dice, struct stream *stream)
{
        uint32_t least = UINT32_MAX;
        uint32_t most = 0;
        uint32_t s = stream->scrape_s;

        for (uint32_t slot = 0; slot < 2; slot++) {
                uint32_t window_s = promql_window_s(&stream->record, slot, s);

                if (!stream->record.rule[slot].severity)
                        continue;
                least = window_s < least ? window_s : least;
                most = window_s > most ? window_s : most;
        }
        if (!dice_once_in(dice, 5))
                return 0;
        if (dice_once_in(dice, 2) || !most)
                return least / s < 8 ? least / s : 8;
        stream->from_start = false;
        return most / s + 1 < stream->steps / 2 ? most / s + 1 : 0;
}

static bool may_be_labelled(unsigned kind)
{
        return (kind >= toc_kind_counter && kind <= toc_kind_heartbeat);
}

void stream_make(struct stream *stream, uint64_t seed)
{
        struct dice dice = { seed };
        struct script script;
        uint32_t window_s;
        uint32_t late;
        bool has_gaps;

        memset(stream, 0, sizeof(*stream));
        stream->seed = seed;
        stream->form = stream_form_of(seed);
        stream->from_start = true;
        stream->record.version = 1;
        stream->record.kind = stream->form->kind;
        (void)snprintf(stream->record.module, sizeof(stream->record.module), "s%llu",
                       (unsigned long long)seed);
        (void)snprintf(stream->record.name, sizeof(stream->record.name), "%s",
                       stream->form->script == SCRIPT_LOGS ? "log_errors" : "x");
        if (may_be_labelled(stream->form->kind) && dice_once_in(&dice, 4))
                (void)snprintf(stream->record.labels, sizeof(stream->record.labels), "failed");
        window_s = choose_clock(&dice, stream);
        has_gaps = dice_once_in(&dice, 4);
        script_choose_lives(&script, stream, &dice);
        for (uint32_t slot = 0; slot < 2; slot++)
                if (slot == 0 || dice_once_in(&dice, 3))
                        choose_rule(&dice, stream, slot, window_s,
                                    !has_gaps && script.lives != LIVES_FRESH);
        late = choose_late(&dice, stream);
        if (!late)
                stream->from_start = true;
        choose_samples(&dice, stream, has_gaps, late);
        script_run(&script, stream, &dice);
}
