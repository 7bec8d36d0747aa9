/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists apart from everything that acts, so that each rule of the policy can be tested on records
 * alone, and a ledger can be asked whether its decisions were those of the policy.
 */
#include "forge/decide.h"

#include <math.h>

static const char *const action_names[] = {
        [DECIDE_PREFLIGHT] = "preflight",
        [DECIDE_CALL] = "call",
        [DECIDE_GATE] = "gate",
        [DECIDE_STOP] = "stop",
};

unsigned decide_bound_permille(unsigned attempts)
{
        return attempts ? (unsigned)ceil(1000 * (1 - pow(0.05, 1.0 / attempts))) : 1000;
}

static void say(struct decision *decision, const char *format, ...) BASE_PRINTF(2, 3);
static void say(struct decision *decision, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(decision->reason, sizeof(decision->reason), format, arguments); /* or cut */
        va_end(arguments);
}

static void stop(struct decision *decision, enum state_outcome outcome, const char *why)
{
        decision->action = DECIDE_STOP;
        decision->outcome = outcome;
        say(decision, "%s", why);
}

/* ---- Signals ----------------------------------------------------------------------------- */

static bool holds_key(const json_t *keys, const char *key)
{
        const json_t *value;
        size_t i;

        json_array_foreach(keys, i,
                           value) if (json_is_string(value) &&
                                      strcmp(json_string_value(value), key) == 0) return true;
        return false;
}

/* Whether every rejected candidate of the tier, or of all (tier_count), has that finding. */
static bool is_common(const struct state *state, unsigned tier, const char *key)
{
        for (unsigned i = 0; i < state->candidate_count; i++) {
                const struct state_candidate *candidate = &state->candidates[i];

                if (candidate->judgement == STATE_IS_REJECTED &&
                    (candidate->tier == tier || tier == state->tier_count) &&
                    !holds_key(candidate->keys, key))
                        return false;
        }
        return true;
}

/* Findings that every candidate of the tier has; the keys of any one of them are enough to ask. */
static json_t *core_of(const struct state *state, unsigned tier)
{
        json_t *core = json_array();
        const json_t *key;
        size_t at;

        for (unsigned i = 0; i < state->candidate_count; i++) {
                const struct state_candidate *candidate = &state->candidates[i];

                if (candidate->judgement != STATE_IS_REJECTED ||
                    (candidate->tier != tier && tier != state->tier_count))
                        continue;
                json_array_foreach(candidate->keys, at,
                                   key) if (json_is_string(key) &&
                                            is_common(state, tier, json_string_value(key)))(void)
                        json_array_append(core, (json_t *)key); /* counted, not written */
                break;
        }
        return core;
}

static bool has_core(const struct state *state, unsigned tier)
{
        json_t *core = core_of(state, tier);
        bool has = json_array_size(core) > 0;

        json_decref(core);
        return has;
}

/* NULL: nothing speaks against going on. wants_fresh: a lineage has just ended. */
static const char *signal_of(const struct state *state, unsigned index, bool wants_fresh)
{
        const struct state_tier *tier = &state->tiers[index];

        if (tier->unusable_in_row >= decide_unusable_max || tier->cut_in_row >= decide_cut_max)
                return "format";
        if (tier->repeats >= decide_repeats_max)
                return "repeat";
        if (!wants_fresh || tier->lineages < decide_lineages_min ||
            tier->candidates < decide_lineages_min)
                return NULL;
        if (has_core(state, index))
                return "core";
        return tier->vain_repairs >= decide_vain_max ? "plateau" : NULL;
}

static bool is_capped(const struct state *state, unsigned tier)
{
        return state->tiers[tier].calls >= state->tiers[tier].calls_max;
}

/* ---- The next call ----------------------------------------------------------------------- */

static void call(const struct state *state, struct decision *decision, enum prompt_stage stage,
                 unsigned tier, unsigned parent)
{
        decision->action = DECIDE_CALL;
        decision->stage = stage;
        decision->slot = state->slots + 1;
        decision->tier = tier;
        decision->lineage = stage == PROMPT_WRITE ? state->lineage_count + 1 : state->lineage_count;
        decision->parent = parent;
}

static void write_fresh(const struct state *state, struct decision *decision, unsigned tier)
{
        const struct state_lineage *last = state_lineage(state, state->lineage_count);

        call(state, decision, PROMPT_WRITE, tier, 0);
        if (!last)
                say(decision, "the first attempt");
        else if (tier != last->tier)
                say(decision, "%s is exhausted (%s): %s writes", state->tiers[last->tier].name,
                    decision->signal ? decision->signal : "calls_max", state->tiers[tier].name);
        else if (!last->best)
                say(decision, "the last answer was unusable: a fresh attempt");
        else if (last->repeats)
                say(decision, "the last candidate was an earlier one again: a fresh attempt");
        else
                say(decision, "%u repairs did not do: a fresh attempt", last->repairs);
}

/* The next step of the lineage that is being worked on; false: it is over. */
static bool go_on(const struct state *state, struct decision *decision)
{
        const struct state_lineage *lineage = state_lineage(state, state->lineage_count);
        unsigned above;

        if (!lineage || !lineage->best || lineage->repeats ||
            lineage->repairs >= decide_repairs_max)
                return false;
        if (lineage->repairs == 0) {
                call(state, decision, PROMPT_REPAIR, lineage->tier, lineage->best);
                say(decision, "candidate %u was rejected: repair it", lineage->best);
                return true;
        }
        above = lineage->tier + 1 < state->tier_count ? lineage->tier + 1 : lineage->tier;
        if (!lineage->diagnoses && !is_capped(state, above)) {
                call(state, decision, PROMPT_DIAGNOSE, above, lineage->best);
                say(decision, "one repair did not do: %s says what is wrong with candidate %u",
                    state->tiers[above].name, lineage->best);
                return true;
        }
        call(state, decision, PROMPT_REPAIR, lineage->tier, lineage->best);
        say(decision, "repair candidate %u once more, %s", lineage->best,
            lineage->diagnosis[0] ? "by the diagnosis" : "without a diagnosis");
        return true;
}

static void give_up(const struct state *state, struct decision *decision, unsigned tier,
                    const char *signal)
{
        const char *name = state->tiers[tier].name;

        if (!signal) {
                stop(decision, STATE_BUDGET, "");
                say(decision, "%s has had its %llu calls, and nothing says that more would not do",
                    name, (unsigned long long)state->tiers[tier].calls_max);
                return;
        }
        stop(decision, STATE_CEILING, "");
        decision->signal = signal;
        decision->signal_tier = tier;
        if (strcmp(signal, "format") == 0)
                say(decision, "%s does not give back the files as asked", name);
        else if (strcmp(signal, "repeat") == 0)
                say(decision, "%s writes the same candidates again", name);
        else if (strcmp(signal, "core") == 0)
                say(decision, "every candidate of %s fails on the same finding", name);
        else
                say(decision, "repairs by %s no longer bring anything", name);
}

/* Where the writer is exhausted the next one writes, and nothing of the old lineage goes along. */
static void choose_call(const struct state *state, struct decision *decision)
{
        unsigned tier = state->writer;
        const char *signal = signal_of(state, tier, false);

        if (!signal && !is_capped(state, tier) && go_on(state, decision))
                return;
        if (!signal)
                signal = signal_of(state, tier, true);
        while (signal || is_capped(state, tier)) {
                if (tier + 1 == state->tier_count) {
                        give_up(state, decision, tier, signal);
                        return;
                }
                decision->signal = signal;
                signal = signal_of(state, ++tier, true);
        }
        write_fresh(state, decision, tier);
}

/* ---- The whole --------------------------------------------------------------------------- */

/* What ends a run whatever was under way. */
static bool must_stop(const struct state *state, struct decision *decision)
{
        const struct state_candidate *last = state_candidate(state, state->candidate_count);
        const char *why = text_view(&state->why);

        if (state->accepted)
                stop(decision, STATE_ACCEPTED, "every stage passed");
        else if (state->is_changed || state->preflight == STATE_PREFLIGHT_UNSOUND ||
                 (last && last->judgement == STATE_IS_UNSOUND) ||
                 state->conflicts >= decide_conflicts_max)
                stop(decision, STATE_CONTRACT, why);
        else if (state->is_limited)
                stop(decision, STATE_BUDGET, why);
        else if (state->is_troubled)
                stop(decision, STATE_INFRA, why);
        else
                return false;
        return true;
}

static bool take_up(const struct state *state, struct decision *decision)
{
        decision->is_under_way = true;
        if (state->is_preflight_due) {
                decision->action = DECIDE_PREFLIGHT;
                return true;
        }
        if (state->gate_due) {
                decision->action = DECIDE_GATE;
                decision->candidate = state->gate_due;
                return true;
        }
        if (state->call.slot) {
                decision->action = DECIDE_CALL;
                decision->slot = state->call.slot;
                decision->stage = state->call.stage;
                decision->tier = state->call.tier;
                decision->lineage = state->call.lineage;
                decision->parent = state->call.parent;
                return true;
        }
        decision->is_under_way = false;
        return false;
}

void decide(const struct state *state, struct decision *ret_decision)
{
        const struct state_candidate *last = state_candidate(state, state->candidate_count);

        *ret_decision = (struct decision){ .action = DECIDE_STOP };
        if (must_stop(state, ret_decision) || take_up(state, ret_decision))
                return;
        if (!state->preflight) {
                ret_decision->action = DECIDE_PREFLIGHT;
                say(ret_decision, "is the question sound?");
        } else if (last && last->judgement == STATE_NOT_JUDGED) {
                ret_decision->action = DECIDE_GATE;
                ret_decision->candidate = state->candidate_count;
                say(ret_decision, "a candidate is judged as a whole, whatever it came from");
        } else {
                choose_call(state, ret_decision);
        }
}

/* ---- As a record ------------------------------------------------------------------------- */

/* Whatever a reason quotes, and wherever it was cut. */
static json_t *text_json(const char *string)
{
        BASE_SCOPE(text_fini) struct text safe = TEXT_INIT(4 * decide_reason_max);

        text_append_escaped(&safe, string, strlen(string));
        return json_string(text_view(&safe));
}

static json_t *id_json(unsigned id)
{
        return id ? json_integer(id) : json_null();
}

/* What has not been answered has not failed. */
static unsigned attempts_of(const struct state *state, unsigned tier)
{
        unsigned count = 0;

        for (unsigned id = 1; id <= state->lineage_count; id++)
                count += state_lineage(state, id)->tier == tier &&
                         state_lineage(state, id)->was_answered;
        return count;
}

static json_t *bounds(const struct state *state)
{
        json_t *list = json_array();

        for (unsigned i = 0; i < state->tier_count; i++)
                if (attempts_of(state, i))
                        (void)json_array_append_new(
                                list,
                                json_pack("{s:s, s:i, s:i, s:i}", "tier", state->tiers[i].name,
                                          "lineages", (int)attempts_of(state, i), "candidates",
                                          (int)state->tiers[i].candidates, "bound_permille",
                                          (int)decide_bound_permille(attempts_of(state, i))));
        return list;
}

static const char *advice_of(const struct decision *decision, bool is_common_to_all)
{
        const char *signal = decision->signal ? decision->signal : "";

        if (decision->outcome == STATE_BUDGET)
                return "allow more, and go on with --resume";
        if (decision->outcome == STATE_INFRA)
                return "mend what is in the way, and go on with --resume";
        if (decision->outcome == STATE_CONTRACT)
                return "mend the contract, and begin a new run";
        if (strcmp(signal, "format") == 0)
                return "see why its answers were of no use, or take another model";
        if (strcmp(signal, "repeat") == 0)
                return "raise the temperature, or take another model";
        if (is_common_to_all)
                return "take a stronger model, or put the algorithm it lacks into the header";
        return "what one candidate passes another fails: split the contract into smaller ones";
}

/* And not about the form in which it came. */
static bool is_about_code(const char *signal)
{
        return signal && (strcmp(signal, "core") == 0 || strcmp(signal, "plateau") == 0);
}

static json_t *evidence(const struct state *state, const struct decision *decision)
{
        json_t *json = json_object(), *core;
        const char *advice;

        if (decision->outcome == STATE_ACCEPTED)
                return json;
        core = core_of(state, state->tier_count);
        advice = advice_of(decision, json_array_size(core) > 0);
        if (decision->signal)
                (void)json_object_set_new(json, "signal", json_string(decision->signal));
        if (decision->signal)
                (void)json_object_set_new(json, "tier",
                                          json_string(state->tiers[decision->signal_tier].name));
        if (decision->outcome == STATE_CEILING && is_about_code(decision->signal))
                (void)json_object_set_new(
                        json, "kind",
                        json_string(json_array_size(core) ? "capability" : "composition"));
        (void)json_object_set_new(json, "never_passed", core);
        (void)json_object_set_new(json, "bounds", bounds(state));
        (void)json_object_set_new(json, "advice", json_string(advice));
        return json;
}

json_t *decide_record(const struct state *state, const struct decision *decision)
{
        json_t *json = json_pack("{s:s}", "action", action_names[decision->action]);

        switch (decision->action) {
        case DECIDE_CALL:
                (void)json_object_set_new(json, "stage",
                                          json_string(prompt_stage_name(decision->stage)));
                (void)json_object_set_new(json, "slot", json_integer(decision->slot));
                (void)json_object_set_new(json, "tier", json_integer(decision->tier));
                (void)json_object_set_new(json, "lineage", json_integer(decision->lineage));
                (void)json_object_set_new(json, "parent", id_json(decision->parent));
                break;
        case DECIDE_GATE:
                (void)json_object_set_new(json, "candidate", json_integer(decision->candidate));
                break;
        case DECIDE_STOP:
                (void)json_object_set_new(json, "outcome",
                                          json_string(state_outcome_name(decision->outcome)));
                if (decision->outcome == STATE_ACCEPTED)
                        (void)json_object_set_new(json, "candidate", json_integer(state->accepted));
                (void)json_object_set_new(json, "evidence", evidence(state, decision));
                break;
        case DECIDE_PREFLIGHT:
                break;
        }
        (void)json_object_set_new(json, decision->action == DECIDE_STOP ? "why" : "reason",
                                  text_json(decision->reason));
        return json;
}
