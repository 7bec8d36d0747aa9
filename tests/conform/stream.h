/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - one random stream of samples, as a rule_set gets it and as Prometheus scrapes it.
 *
 * Both are made from one script of events; nothing that src/rule computes goes into it. The seed is
 * all there is to a stream: the same seed, the same stream.
 *
 * Left out, because Prometheus cannot see it:
 *   UNDEF apart from OK: a timeline has one letter for both;
 *   a gap between samples of more than five minutes, which is how far Prometheus looks back;
 *   hold, keep and hysteresis across a gap, or across a restart where the rule looks at the value
 *     itself: Prometheus goes on judging what it saw last, under the same name; the engine does not
 *     tick, and a new process is a new row to it. Only where it looks through a window are these
 *     drawn with a restart, and the engine told of one process (script.h);
 *   a `total` that is reset within one process, where the engine counts on;
 *   an operation that is open at the epoch, 0 being no time;
 *   counts above 2^53; lines that miss their capacity by less than a double can tell.
 *
 * Units:     steps of scrape_s seconds; the clock begins at 0.
 * Ownership: plain data, which points nowhere. Errors: none. Threads: any. */
#ifndef CONFORM_STREAM_H
#define CONFORM_STREAM_H

#include "rule/promql.h"

enum {
        stream_steps_max = 960,
        stream_cells_max = 4,
        stream_series_max = 5,
        stream_operations_max = 64,
};

#define STREAM_ABSENT INT64_MIN       /* nothing was scraped */
#define STREAM_STALE  (INT64_MIN + 1) /* and Prometheus knows that it is gone */

/* What sort of script makes a signal move. */
enum stream_script {
        SCRIPT_EVENTS, /* one counter, looked at through a window */
        SCRIPT_TOTAL,  /* one counter, looked at as it is */
        SCRIPT_LOGS,   /* the sum of two sites */
        SCRIPT_VALUE,
        SCRIPT_GROWTH,
        SCRIPT_HISTOGRAM,
        SCRIPT_SHARE,
        SCRIPT_BEAT,
        SCRIPT_OPERATION,
        SCRIPT_FLOW,
        SCRIPT_HIT,
};

struct stream_form {
        uint8_t kind;
        uint8_t signal;
        uint8_t script;
        uint32_t unit_s;   /* a rate's */
        uint32_t window_s; /* without .window_s */
        uint32_t volume;   /* without .volume_min */
        uint32_t of;       /* quantiles: one of so many may be over; 0: none */
};

struct stream_step {
        bool is_sampled;
        bool is_stale;                  /* not sampled, and known to be gone */
        bool is_new;                    /* another process, and for the engine another row */
        int64_t cell[stream_cells_max]; /* as the engine is told; what they are depends on the kind:
                                         * histograms: how often each of stream.observed was seen */
        int64_t series
                [stream_series_max]; /* as Prometheus is told, in the order of promql_series() */
        int64_t started;             /* process_start_time_seconds */
        int64_t gate;                /* a must-hit's gauge, or STREAM_ABSENT */
};

struct stream_operation {
        uint32_t from, to; /* open at the steps from .. to - 1 */
};

struct stream {
        uint64_t seed;
        const struct stream_form *form;
        struct toc_record record;
        uint32_t scrape_s;
        uint32_t steps;
        bool from_start;
        int64_t observed[stream_cells_max];
        struct stream_operation operation[stream_operations_max];
        uint32_t operation_count;
        struct stream_step step[stream_steps_max];
};

/* What a stream of that seed is about, and all there is. */
const struct stream_form *stream_form_of(uint64_t seed);
const struct stream_form *stream_form(size_t n); /* NULL past the last */

void stream_make(struct stream *stream, uint64_t seed);

/* ---- A random number after the other ------------------------------------------------------*/

struct dice {
        uint64_t state;
};

/* 0 .. below - 1 */
uint64_t dice_below(struct dice *dice, uint64_t below);

/* least .. most */
int64_t dice_between(struct dice *dice, int64_t least, int64_t most);

/* Once in so many. */
bool dice_once_in(struct dice *dice, uint64_t n);

#endif
