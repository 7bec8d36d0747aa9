/* SPDX-License-Identifier: Apache-2.0 */
/* script.h - what happens in a stream, step by step, and what is seen of it.
 *
 * Units: events, and steps of the stream. Errors: none. Threads: one stream, one thread. */
#ifndef CONFORM_SCRIPT_H
#define CONFORM_SCRIPT_H

#include "stream.h"

enum lives {
        LIVES_ONE,
        LIVES_RESET,   /* within the process: a cell falls, or comes back to what it was */
        LIVES_RESTART, /* another process under the same name. The engine is told the sum of all, as
                        * if it were one: a window in Prometheus reaches across a restart */
        LIVES_FRESH,   /* another process, and a new row to the engine */
};

/* So many events now; what comes next is decided when `left` is 0. */
struct pattern {
        unsigned is;
        uint32_t left;
        uint32_t at;
        int64_t amount;
};

struct script {
        struct stream *stream;
        struct dice *dice;
        enum lives lives;
        uint32_t window_steps;
        int64_t aim; /* how many events in a window are just not too many */
        struct pattern pattern;
        bool is_seen;  /* a sample was taken; before that nobody would know of a restart */
        uint32_t born; /* the step at which this process began */
        int64_t life[stream_cells_max];  /* counted in this process since its start or reset */
        int64_t carry[stream_cells_max]; /* and in those before */
        int64_t level;                   /* values: where it stands */
        int64_t seen[stream_cells_max];  /* in the latest sample */
        int64_t stamp;                   /* the time that a timestamp shows */
        int64_t skew;                    /* a flow: counted in, and not yet held */
};

/* Of the lives that such a stream may have, one. */
void script_choose_lives(struct script *script, struct stream *stream, struct dice *dice);

/* Fills in stream->step. What is sampled is known. */
void script_run(struct script *script, struct stream *stream, struct dice *dice);

/* The number of events that the next step brings (pattern.c). */
int64_t pattern_next(struct script *script);

/* Values around a limit (pattern.c). */
int64_t pattern_value(struct script *script, const struct toc_rule *rule);

/* Moves the capacity to where a line hits it, and away from where doubles cannot tell (line.c). */
void line_settle(struct stream *stream, struct dice *dice);

#endif
