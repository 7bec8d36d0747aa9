/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that the alert states are one table that can be read against Prometheus's source
 * (rules/alerting.go, AlertingRule.Eval): the same firing timeline, and UNDEF besides, because
 * there "no data" is indistinguishable from "healthy". */
#include "rule/state.h"

#include <assert.h>

static enum rule_state to_undef(struct state *state, uint64_t t_ns)
{
        (void)state;
        (void)t_ns;
        return RULE_UNDEF;
}

/* From PENDING too: one miss and the time it has held is forgotten. */
static enum rule_state to_ok(struct state *state, uint64_t t_ns)
{
        (void)state;
        (void)t_ns;
        return RULE_OK;
}

static enum rule_state ripen(struct state *state, uint64_t t_ns)
{
        return t_ns - state->active_ns >= state->hold_ns ? RULE_FIRING : RULE_PENDING;
}

/* Without hold it fires in the same evaluation. */
static enum rule_state begin(struct state *state, uint64_t t_ns)
{
        state->active_ns = t_ns;
        return ripen(state, t_ns);
}

/* Holding again, if only once, starts the time that it is kept anew. */
static enum rule_state renew(struct state *state, uint64_t t_ns)
{
        (void)t_ns;
        state->is_kept = false;
        return RULE_FIRING;
}

static enum rule_state keep_or(struct state *state, uint64_t t_ns, enum rule_state next)
{
        if (!state->is_kept)
                state->missing_ns = t_ns;
        state->is_kept = t_ns - state->missing_ns < state->keep_ns;
        return state->is_kept ? RULE_FIRING : next;
}

static enum rule_state keep_or_ok(struct state *state, uint64_t t_ns)
{
        return keep_or(state, t_ns, RULE_OK);
}

static enum rule_state keep_or_undef(struct state *state, uint64_t t_ns)
{
        return keep_or(state, t_ns, RULE_UNDEF);
}

/* clang-format off */
static enum rule_state (*const actions[][STATE_HOLDS + 1])(struct state *, uint64_t) = {
        /*                 STATE_NO_VALUE  STATE_MISSES  STATE_HOLDS */
        [RULE_UNDEF]   = { to_undef,       to_ok,        begin },
        [RULE_OK]      = { to_undef,       to_ok,        begin },
        [RULE_PENDING] = { to_undef,       to_ok,        ripen },
        [RULE_FIRING]  = { keep_or_undef,  keep_or_ok,   renew },
};
/* clang-format on */

bool state_step(struct state *state, enum state_input input, uint64_t t_ns)
{
        enum rule_state before = state->is;

        assert(before <= RULE_FIRING && input <= STATE_HOLDS);
        state->is = actions[before][input](state, t_ns);
        if (state->is != before)
                state->since_ns = t_ns;
        return state->is != before;
}
