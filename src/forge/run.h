/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - a run while it is open: its ledger, what that adds up to, and whom it asks.
 *
 *         DIR/ledger.jsonl, DIR/blobs/   ledger.h
 *         DIR/candidates/7/              the files of candidate 7, as the gate judges them
 *         DIR/reports/7/                 what the gate says of it, and of reports/contract
 *         DIR/accepted/                  the files that were accepted
 *         DIR/index.html                 the story of it all
 *
 * All but the first is made from the ledger and can be made again.
 *
 * Ownership: the struct's until run_close(); request and screen are borrowed. Threads: one.
 * Units: nanoseconds monotonic. Errors: 0; -errno of the ledger or of memory, which end the session
 * but not the run; RUN_x with the sentence in `why`. Limits: those of ledger, models, prompts.
 */
#ifndef FORGE_RUN_H
#define FORGE_RUN_H

#include "forge/decide.h"
#include "forge/forge.h"
#include "forge/ledger.h"
#include "forge/prompt.h"
#include "forge/screen.h"

#define RUN_CONTRACT_CHANGED "the contract is no longer the one that the run began with"

enum run_outcome {
        RUN_WRONG = 1, /* the request: exit 2 */
        RUN_UNKNOWN,   /* could not find out: exit 3 */
        RUN_STOPPED,   /* asked to end by a signal */
        RUN_CONTRACT,  /* the contract cannot be read, or is wrong: said already, exit 2 */
};

struct run {
        const struct forge_request *request;
        struct screen *screen;
        struct contract contract;
        bool has_contract;
        struct models models;
        struct prompt_kit *kit;
        struct ledger *ledger;
        struct state state;
        char *folder; /* of the run */
        struct provider *providers[models_tiers_max];
        uint64_t since_ns;  /* when the session began */
        uint64_t before_ms; /* what earlier sessions took, and this one until since_ns */
        struct text why;
};

/* Contract, models and prompts: what a dry run needs too. */
int run_prepare(struct run *run, const struct forge_request *request);
/* A new folder and ledger, or the one that the request names. */
int run_open(struct run *run);
/* The run that the request names, only to be looked at: nothing is locked or written. */
int run_look(struct run *run);
void run_close(struct run *run);

/* Into the ledger, then into the state. Takes the fields. */
int run_record(struct run *run, const char *type, json_t *fields);

/* Monotonic time at which the run's seconds are over. */
uint64_t run_deadline_ns(const struct run *run);

/* The prompt of a call: from the contract, and the blobs that the state names. */
int run_prompt(struct run *run, enum prompt_stage stage, unsigned lineage, unsigned parent,
               struct prompt *ret_prompt);

/* What is asked of a provider; the texts are those of the prompt. */
void run_question(const struct run *run, enum prompt_stage stage, unsigned slot, unsigned tier,
                  const struct prompt *prompt, struct provider_question *ret_question);

/* A candidate's files from their blobs. */
int run_candidate(struct run *run, unsigned id, struct candidate *ret_candidate);

/* Makes the files of a candidate anew in a folder below the run's. */
int run_write_files(struct run *run, const struct candidate *candidate, const char *below);

#endif
