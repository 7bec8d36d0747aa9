/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.h - one candidate through the stages: cache, preparation, order, and when to stop.
 *
 * Ownership: a judge borrows what is set in it, owns the rest until judge_fini(); a trial owns
 *            its candidate, workshop and results; what it borrows of the judge must outlive it.
 * Threads: one. Units: nanoseconds. Limits: those of stages.
 * Errors:    0; -errno when something of our own failed; how stages ended is in the verdict,
 *            whatever that was.
 */
#ifndef GATE_JUDGE_H
#define GATE_JUDGE_H

#include "gate/cache.h"
#include "gate/terminal.h"
#include "gate/verdict.h"

struct judge {
        const struct gate_request *request;
        const struct contract *contract;
        struct sandbox *sandbox;
        struct cache *cache; /* NULL: none */
        struct terminal *terminal;
        const struct surroundings *surroundings;
        bool asked[STAGE_COUNT];
        bool is_partial;
        uint64_t end_ns; /* of --quick, monotonic; 0: none */

        /* Once for all candidates. */
        char base_key[65]; /* of all that every result depends on */
        struct candidate stub;
        struct workshop *stub_workshop;
        bool has_stub;
        struct session_case *cases;
        size_t case_count;
        bool has_cases;
        struct stage_result contract_result;
};

struct trial {
        struct candidate candidate;
        struct workshop *workshop;
        struct verdict verdict;
        struct stage_result results[STAGE_COUNT];
};

int judge_init(struct judge *judge, const struct parts *parts, struct text *why);
void judge_fini(struct judge *judge);

/* Stage contract, on the stub; once. Its result is in the judge. */
int judge_contract(struct judge *judge);

/* The candidate is then loaded by the caller into its place. given: as the person named it. */
void trial_init(const struct judge *judge, struct trial *trial, const char *given);
void trial_fini(struct trial *trial);

/* The other stages that are asked for, in order, until one does not pass; a line each. */
int judge_try(struct judge *judge, struct trial *trial);

#endif
