/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - what a run knows: its ledger, added up.
 *
 *         struct state state;
 *
 *         state_init(&state);
 *         for (size_t i = 0; i < ledger_count(ledger) && !failed; i++)
 *                 failed = state_apply(&state, ledger_record(ledger, i));
 *
 * Nothing else is remembered anywhere: whoever adds up the same records knows the same, and decides
 * the same (decide.h). So a run that was killed goes on where its ledger ends, and a ledger can be
 * checked by anybody. doc/forge.md lists the records.
 *
 * Units:     micro-dollars, milliseconds, permille. Candidates, lineages and slots count from 1;
 *            0 is none. Tiers count from 0.
 * Ownership: the struct's until state_fini(); records are only read.
 * Errors:    0; -ENOMEM; -EPROTO: a record that does not follow from those before it.
 * Threads:   one. Limits: state_candidates_max, state_lineages_max.
 */
#ifndef FORGE_STATE_H
#define FORGE_STATE_H

#include "forge/models.h"
#include "forge/packet.h"
#include "forge/prompt.h"
#include "forge/provider.h"

enum { state_candidates_max = 1000, state_lineages_max = 1000, state_why_max = 2000 };

enum state_outcome {
        STATE_RUNNING,
        STATE_ACCEPTED,
        STATE_BUDGET,   /* calls, money or time ran out; nothing says that more would not do */
        STATE_CEILING,  /* these models cannot do it, and what they did says so */
        STATE_CONTRACT, /* the question is wrong, or was changed */
        STATE_INFRA,    /* an endpoint, the gate or the disk; nobody knows */
        STATE_OUTCOME_COUNT,
};

enum state_preflight {
        STATE_PREFLIGHT_NONE,
        STATE_PREFLIGHT_SOUND,
        STATE_PREFLIGHT_UNSOUND,
        STATE_PREFLIGHT_UNKNOWN,
};

enum state_judgement {
        STATE_NOT_JUDGED,
        STATE_IS_ACCEPTED,
        STATE_IS_REJECTED,
        STATE_IS_UNKNOWN,
        STATE_IS_UNSOUND, /* the gate says that the contract is */
};

struct state_limits {
        uint64_t calls;
        uint64_t cost_microusd;
        uint64_t seconds;
};

struct state_candidate {
        unsigned lineage;
        unsigned parent;
        unsigned tier;
        enum prompt_stage stage; /* of the call that brought it */
        enum state_judgement judgement;
        unsigned score_permille;
        char sha256[65];
        char packet[65];     /* a blob */
        const json_t *files; /* [{path, sha256}]: blobs */
        const json_t *keys;  /* ["unit.leak put"] */
};

struct state_lineage {
        unsigned tier;
        unsigned repairs;   /* asked for, whatever came */
        unsigned best;      /* candidate: the highest score, of equals the last */
        unsigned last;      /* candidate */
        unsigned diagnoses; /* asked for */
        bool was_answered;  /* at least one answer has come */
        bool repeats;       /* its last candidate is, byte for byte, an earlier one */
        char diagnosis[65]; /* a blob, of its best; "": none */
};

struct state_tier {
        char *name;
        uint64_t calls_max;
        uint64_t calls;
        unsigned lineages;
        unsigned candidates;
        unsigned unusable_in_row;
        unsigned cut_in_row;
        unsigned repeats;      /* candidates that were there before */
        unsigned vain_repairs; /* in a row, without a higher score */
};

/* A call that was decided and is not over. */
struct state_call {
        unsigned slot; /* 0: none */
        enum prompt_stage stage;
        unsigned tier;
        unsigned lineage;
        unsigned parent;
        unsigned attempts;      /* numbers them */
        unsigned tries;         /* attempts since the run was begun or resumed */
        bool is_open;           /* an intent without an end: perhaps paid */
        uint64_t open_microusd; /* its reserve */
        char answer[65];        /* a blob; "": not answered yet */
        enum provider_finish finish;
};

struct state {
        bool has_begun;
        char contract[65];
        char prompts[65];
        uint64_t seed;
        struct state_limits limits;
        struct state_tier tiers[models_tiers_max];
        unsigned tier_count;
        unsigned writer; /* the tier that writes now */
        enum state_preflight preflight;

        struct state_candidate *candidates; /* [0] is candidate 1 */
        unsigned candidate_count;
        struct state_lineage *lineages;
        unsigned lineage_count;
        unsigned conflicts; /* lineages that found the contract contradictory */
        unsigned last_conflict;

        bool is_preflight_due; /* decided, not done */
        unsigned gate_due;     /* candidate */
        struct state_call call;

        unsigned slots;          /* decided */
        unsigned calls;          /* of them, those that were begun */
        bool is_estimated;       /* some of spent_microusd is a worst case */
        uint64_t spent_microusd; /* what is open counts */
        uint64_t elapsed_ms;

        bool is_limited;
        bool is_changed;
        bool is_troubled;
        struct text why; /* of the last three, of an unsound contract, of a conflict */

        enum state_outcome outcome;
        unsigned accepted; /* candidate */
        bool is_delivered; /* its files are in their place */
};

void state_init(struct state *state);
void state_fini(struct state *state);

/* The record must outlive the state. */
int state_apply(struct state *state, const json_t *record);

const char *state_outcome_name(enum state_outcome outcome); /* running, accepted, budget... */

struct state_candidate *state_candidate(const struct state *state, unsigned id);
struct state_lineage *state_lineage(const struct state *state, unsigned id);

#endif
