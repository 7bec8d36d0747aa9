/* SPDX-License-Identifier: Apache-2.0 */
/* judge.h - what a rule_set says to a stream, and what promtool says.
 *
 * A timeline is one letter a step and rule: F firing, P pending, '.' neither, ' ' no sample.
 *
 * Ownership: the caller's. Threads: one timeline, one thread. */
#ifndef CONFORM_JUDGE_H
#define CONFORM_JUDGE_H

#include "stream.h"

struct timeline {
        char letter[2][stream_steps_max + 1];
};

/* 0, or -errno: the engine refuses the record, or a tick. */
int judge_engine(const struct stream *stream, struct timeline *ret_timeline);

enum { JUDGE_NO_PROMTOOL = 1 };

/* What promtool says to streams with the same scrape_s, given what is to be expected. 0; -errno;
 * JUDGE_NO_PROMTOOL: it is missing or failed, and `why` says how. */
int judge_promtool(const struct stream *streams, const struct timeline *expected, size_t count,
                   struct timeline *ret_timelines, struct text *why);

#endif
