/* SPDX-License-Identifier: Apache-2.0 */
/* scenario.h - for one rule, a run that makes it ring, and one that stays as near to its limit as
 * it can without.
 *
 *         struct scenario loud;
 *
 *         if (scenario_make(&record, 0, SCENARIO_LOUD, 15, &loud) == SCENARIO_MADE)
 *                 for (uint32_t i = 0; i < loud.steps; i++)
 *                         scenario_at(&loud, i, &cells);
 *
 * Step i is i * step_s after the process began, and is a tick and a scrape. From the definition of
 * the signal alone it follows when the rule must ring: no rule_set is asked, so that one can be
 * held against it. In the near run no step rings, not even PENDING becomes FIRING.
 *
 * A loud run is: near the limit, beyond it until it rings, near it again if the rule has a clear
 * level that keeps it ringing there, and then where it must end. What cannot fall, such as a total,
 * does not end.
 *
 * Units:     steps. Amounts as the cells'. Ownership: the record stays the caller's and outlives
 *            the scenario. It has passed rule_check.
 * Errors:    outcomes, and no others. Threads: any.
 * Limits:    scenario_rate_max events a second are the most that is believed of a counter, and
 *            INT64_MAX - 1 in all; nothing is silent, stalled or open for more than 30 days. A
 *            growth that in the whole run would leave the numbers of a gauge is not made. */
#ifndef RULE_SCENARIO_H
#define RULE_SCENARIO_H

#include "rule/signal.h"

#define SCENARIO_RATE_MAX INT64_C(1000000000000)
#define SCENARIO_NEVER    UINT32_MAX

enum { scenario_steps_aim = 4000, scenario_phase_max = 4 };

enum scenario_run { SCENARIO_LOUD, SCENARIO_NEAR };

enum scenario_outcome {
        SCENARIO_MADE,
        SCENARIO_NO_RULE,
        SCENARIO_CANNOT_RING,  /* at no value that the signal can have */
        SCENARIO_ALWAYS_RINGS, /* there is no near run: it holds at all values, or from the start */
        SCENARIO_NOT_MADE,     /* nobody measures it, or it is beyond what is made up here */
};

/* From `begin` on: `amount` (and `whole`) at the first step and each `period` steps later. */
struct scenario_phase {
        uint32_t begin;
        uint32_t period; /* 0: at no step */
        int64_t amount;
        int64_t whole;
};

struct scenario {
        const struct toc_record *record;
        const struct signal *signal;
        uint32_t slot;
        uint32_t step_s;
        uint32_t steps;
        uint32_t rings_at; /* FIRING from this step on, not before, until ...; or SCENARIO_NEVER */
        uint32_t ends_at;  /* ... this one; or SCENARIO_NEVER */
        uint32_t phase_count;
        struct scenario_phase phase[scenario_phase_max];
};

/* What stands in the cells of the row at one step. */
struct scenario_cells {
        /* timer, sizes: how many over rule 0, over rule 1, in all, and their sum; share: part,
         * whole; operation: begun, ended; flow: in, out, dropped, held; else the one cell. */
        uint64_t cell[4];
        uint64_t open;  /* an operation: the number of the one that is open */
        uint32_t since; /* the step of the last beat, of the begin of what is open, of the flow's
                         * last move */
        int64_t gate;   /* what the gauge of a TOC_WHEN stands at */
};

/* step_s: 0 for one second, or as many as keep the run near scenario_steps_aim. Windows shorter
 * than a step are as long as one. */
enum scenario_outcome scenario_make(const struct toc_record *record, uint32_t slot,
                                    enum scenario_run run, uint32_t step_s,
                                    struct scenario *ret_scenario);

void scenario_at(const struct scenario *scenario, uint32_t step, struct scenario_cells *ret_cells);

/* The same as the words of a row: toc_words_(kind) of them; of log lines, of one of their sites. */
void scenario_spread(const struct scenario *scenario, const struct scenario_cells *cells,
                     uint64_t *ret_words);

#endif
