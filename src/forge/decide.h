/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.h - what to do next: a pure function of the state, and so of the ledger.
 *
 * The policy, in order:
 *
 *   1. What stands in the way ends the run: limits reached (budget), a contract that changed or is
 *      unsound or that two independent attempts called contradictory (contract), an endpoint or a
 *      gate that does not answer (infra).
 *   2. A candidate is written fresh, and repaired at most twice, the better one of a lineage each
 *      time; before the second repair a model one tier up says what is wrong. So the diagnosis is
 *      escalated before the writer. Then a new lineage is begun, with nothing of the old one but
 *      the names of what it failed on.
 *      Source: repair pays for two rounds and decays by 60 to 80 % (arXiv 2506.18403, 2604.10508);
 *      a stronger model's diagnosis helps more than another try (arXiv 2306.09896).
 *   3. A tier is exhausted by a sign that more of the same will not do (signal), or by its number
 *      of calls (calls_max). Then the next tier writes.
 *   4. When the last tier is exhausted: by a signal it is a ceiling, by the number alone a budget.
 *      "It failed n times" proves no ceiling; what it does bound is printed.
 *
 * Signals, of one tier:
 *   format     decide_unusable_max answers in a row without the files, or two in a row cut off
 *   repeat     decide_repeats_max candidates that were there before, byte for byte
 *   core       decide_lineages_min lineages, and one finding (rule and case) in every candidate
 *   plateau    decide_lineages_min lineages, and the last decide_vain_max repairs raised no score
 *
 * Units:     permille. Ownership: reasons are the decision's own; evidence is a new reference.
 * Threads:   any. Errors: none; without memory evidence is NULL. Limits: below.
 */
#ifndef FORGE_DECIDE_H
#define FORGE_DECIDE_H

#include "forge/state.h"

enum {
        decide_repairs_max = 2,
        decide_conflicts_max = 2,
        decide_unusable_max = 3,
        decide_cut_max = 2,
        decide_repeats_max = 3,
        decide_lineages_min = 3,
        decide_vain_max = 4,
        decide_reason_max = 600,
};

enum decide_action { DECIDE_PREFLIGHT, DECIDE_CALL, DECIDE_GATE, DECIDE_STOP };

struct decision {
        enum decide_action action;
        bool is_under_way; /* decided before, and not done */
        /* Of a call: */
        enum prompt_stage stage;
        unsigned slot, tier, lineage, parent;
        /* Of the gate: */
        unsigned candidate;
        /* Of a stop: */
        enum state_outcome outcome;
        const char *signal; /* of a ceiling: "core"...; else NULL */
        unsigned signal_tier;
        char reason[decide_reason_max];
};

/* The run must have begun and not be over. */
void decide(const struct state *state, struct decision *ret_decision);

/* As a record of the ledger; NULL without memory. With the evidence, if it ends the run. */
json_t *decide_record(const struct state *state, const struct decision *decision);

/* If n independent attempts all fail, the rate of success is below this, with 95 % confidence:
 * 1 - 0.05^(1/n), in permille, rounded up. 1000 for n = 0. */
unsigned decide_bound_permille(unsigned attempts);

#endif
