/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because Prometheus draws lines in doubles: a line that misses its capacity by a billionth
 * is one thing there and another in exact fractions. A line that hits it exactly is kept: both must
 * know that, and some streams are aimed at it. This is no second engine: it only says when nobody
 * can tell. */
#include "script.h"

#include <math.h>

enum { tries_max = 300 }; /* what is tried is cheap */

/* The least-squares line through the samples in (t-3w, t], ahead_s after t. NAN: there is none. */
static long double line_at(const struct stream *stream, uint32_t i, uint32_t window_s,
                           int64_t ahead_s)
{
        long double n = 0, x_sum = 0, y_sum = 0, xx_sum = 0, xy_sum = 0;

        for (uint32_t k = 0; k <= i && k * stream->scrape_s < 3 * window_s; k++) {
                const struct stream_step *step = &stream->step[i - k];
                long double x = -(long double)k * stream->scrape_s;
                long double y = (long double)step->series[0];

                if (!step->is_sampled)
                        continue;
                n++;
                x_sum += x;
                y_sum += y;
                xx_sum += x * x;
                xy_sum += x * y;
        }
        if (n < 2)
                return NAN;
        xy_sum = (n * xy_sum - x_sum * y_sum) / (n * xx_sum - x_sum * x_sum);
        return (y_sum - xy_sum * x_sum) / n + xy_sum * (long double)ahead_s;
}

static bool is_near(long double line, int64_t capacity)
{
        long double off = fabsl(line - (long double)capacity) / (long double)capacity;

        return off > 1e-14L && off < 5e-9L;
}

static bool is_blurred(const struct stream *stream, const struct toc_rule *rule)
{
        uint32_t window_s = rule->window_s ? rule->window_s : stream->form->window_s;

        for (uint32_t i = 0; i < stream->steps; i++)
                if (is_near(line_at(stream, i, window_s, rule->limit), rule->capacity) ||
                    (rule->clear_at != TOC_NO_CLEAR_LEVEL_ &&
                     is_near(line_at(stream, i, window_s, rule->clear_at), rule->capacity)))
                        return true;
        return false;
}

/* Whether it rose from each of four windows to the next: where it did not, no line is looked at. */
static bool rose(const struct stream *stream, uint32_t i, uint32_t window_s)
{
        uint32_t back = window_s / stream->scrape_s;

        for (uint32_t n = 0; n < 4; n++, i -= back)
                if (i < back || stream->step[i].series[0] <= stream->step[i - back].series[0])
                        return false;
        return true;
}

/* Lets the line hit the capacity exactly at some step, if it is one of whole numbers there. */
static void aim(struct stream *stream, struct dice *dice)
{
        struct toc_rule *rule = &stream->record.rule[0];
        uint32_t window_s = rule->window_s ? rule->window_s : stream->form->window_s;

        for (int tries = 0; tries < tries_max; tries++) {
                uint32_t i = (uint32_t)dice_below(dice, stream->steps);
                long double line = line_at(stream, i, window_s, rule->limit);

                if (!rose(stream, i, window_s) || isnan(line) || line < 1 ||
                    line <= stream->step[i].series[0] || fabsl(line - roundl(line)) > 1e-10L)
                        continue;
                rule->capacity = (int64_t)roundl(line);
                return;
        }
}

void line_settle(struct stream *stream, struct dice *dice)
{
        if (stream->form->signal != toc_signal_exhausts_s)
                return;
        if (dice_once_in(dice, 2))
                aim(stream, dice);
        for (uint32_t slot = 0; slot < 2; slot++) {
                struct toc_rule *rule = &stream->record.rule[slot];

                for (int tries = 0; tries < tries_max && rule->severity; tries++) {
                        if (!is_blurred(stream, rule))
                                break;
                        rule->capacity++;
                }
        }
}
