/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict.h - what all stages of one candidate add up to, and verdict.json.
 *
 * Accepted is only what passed every stage. A stage that failed, with a finding, rejects; anything
 * else is unknown: a stage that could not find out, one that was not reached, a partial run.
 *
 * Ownership: the struct borrows everything; verdict_json() returns a new reference, NULL without
 *            memory. Threads: one. Units: seconds in results; a score from 0 to 1 in JSON.
 * Errors:    0 or -ENOMEM. Limits: those of stages and findings.
 */
#ifndef GATE_VERDICT_H
#define GATE_VERDICT_H

#include "gate/gate.h"

enum verdict_word { VERDICT_ACCEPTED, VERDICT_REJECTED, VERDICT_UNKNOWN, VERDICT_UNSOUND };

/* Where it was judged: objects for verdict.json. */
struct surroundings {
        json_t *host;
        json_t *tools;
        json_t *sandbox;
};

struct verdict {
        const struct gate_request *request;
        const struct contract *contract;
        const struct candidate *candidate;
        const struct surroundings *surroundings;
        const struct verdict *reference; /* of the contract; NULL: none, or not judged */
        uint64_t seed;
        bool is_partial;                           /* not all stages, cases or builds were asked */
        const char *given;                         /* the candidate as the person named it */
        struct stage_result *results[STAGE_COUNT]; /* NULL: was not run */
};

/* VERDICT_UNSOUND: the contract's own fault. A partial run is never accepted. */
enum verdict_word verdict_word(const struct verdict *verdict);
const char *verdict_word_name(enum verdict_word word); /* accepted, rejected, unknown */

/* The first stage that did not pass; STAGE_COUNT: all that were run passed. */
size_t verdict_stopped_at(const struct verdict *verdict);

/* The command that repeats a finding, quoted for the shell. */
void verdict_append_repeat(const struct verdict *verdict, size_t stage,
                           const struct finding *finding, struct text *into);

/* With excerpts of the evidence, for the page. */
json_t *verdict_json(const struct verdict *verdict, bool has_excerpts);

#endif
