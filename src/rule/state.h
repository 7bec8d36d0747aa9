/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - the alert state machine: Prometheus's, and a state for having no value.
 *
 * It is fed one input an evaluation. Whether a value holds while firing (hysteresis) was decided
 * before, by the caller.
 *
 * Units:   nanoseconds, never going back.
 * Errors:  none. */
#ifndef RULE_STATE_H
#define RULE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "rule/rule.h"

enum state_input { STATE_NO_VALUE, STATE_MISSES, STATE_HOLDS };

struct state {
        enum rule_state is;
        bool is_kept;        /* fires although it does not hold, because of keep_ns */
        uint64_t since_ns;   /* when it entered `is` */
        uint64_t active_ns;  /* PENDING, FIRING: when it began to hold */
        uint64_t missing_ns; /* is_kept: since when it does not hold */
        uint64_t hold_ns;    /* of the rule, like the next: Prometheus's `for` ... */
        uint64_t keep_ns;    /* ... and `keep_firing_for` */
};

/* True if the state is another one now. NOT_AVAILABLE is not this machine's: it never moves. */
bool state_step(struct state *state, enum state_input input, uint64_t t_ns);

#endif
