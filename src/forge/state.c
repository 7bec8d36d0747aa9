/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that there is one place where a record means something. A ledger may come from anybody:
 * each field is looked at before it is believed, and what does not follow is refused.
 */
#include "forge/state.h"

#include <errno.h>

void state_init(struct state *state)
{
        *state = (struct state){ .why = TEXT_INIT(state_why_max) };
}

void state_fini(struct state *state)
{
        for (unsigned i = 0; i < state->tier_count; i++)
                free(state->tiers[i].name);
        free(state->candidates);
        free(state->lineages);
        text_fini(&state->why);
        state_init(state);
}

static const char *const outcome_names[STATE_OUTCOME_COUNT] = {
        [STATE_RUNNING] = "running", [STATE_ACCEPTED] = "accepted", [STATE_BUDGET] = "budget",
        [STATE_CEILING] = "ceiling", [STATE_CONTRACT] = "contract", [STATE_INFRA] = "infra",
};

const char *state_outcome_name(enum state_outcome outcome)
{
        return outcome_names[outcome];
}

struct state_candidate *state_candidate(const struct state *state, unsigned id)
{
        return id && id <= state->candidate_count ? &state->candidates[id - 1] : NULL;
}

struct state_lineage *state_lineage(const struct state *state, unsigned id)
{
        return id && id <= state->lineage_count ? &state->lineages[id - 1] : NULL;
}

/* ---- Fields ------------------------------------------------------------------------------ */

/* "" when it is not there. */
static const char *word(const json_t *record, const char *key)
{
        const char *value = json_string_value(json_object_get(record, key));

        return value ? value : "";
}

/* 0 when it is not there, or is no number from 0 on. */
static uint64_t number(const json_t *record, const char *key)
{
        json_int_t value = json_integer_value(json_object_get(record, key));

        return value > 0 ? (uint64_t)value : 0;
}

static unsigned small(const json_t *record, const char *key)
{
        uint64_t value = number(record, key);

        return value < UINT32_MAX ? (unsigned)value : UINT32_MAX;
}

static bool is_word(const json_t *record, const char *key, const char *value)
{
        return strcmp(word(record, key), value) == 0;
}

/* 64 hexadecimal digits, or nothing. */
static void take_hex(char into[65], const char *hex)
{
        into[0] = '\0';
        if (strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64)
                memcpy(into, hex, 65);
}

static int find_stage(const char *name, enum prompt_stage *ret_stage)
{
        for (unsigned i = 0; i < PROMPT_STAGE_COUNT; i++)
                if (strcmp(prompt_stage_name((enum prompt_stage)i), name) == 0) {
                        *ret_stage = (enum prompt_stage)i;
                        return 0;
                }
        return -EPROTO;
}

static void because(struct state *state, const char *why)
{
        text_clear(&state->why);
        text_append(&state->why, why);
}

/* ---- Beginning, and going on -------------------------------------------------------------- */

static void take_limits(struct state *state, const json_t *limits)
{
        if (!json_is_object(limits))
                return;
        state->limits = (struct state_limits){ .calls = number(limits, "calls"),
                                               .cost_microusd = number(limits, "cost_microusd"),
                                               .seconds = number(limits, "seconds") };
}

static int apply_start(struct state *state, const json_t *record)
{
        const json_t *tiers = json_object_get(record, "tiers");
        size_t count = json_array_size(tiers);

        if (state->has_begun || !count || count > models_tiers_max)
                return -EPROTO;
        for (size_t i = 0; i < count; i++) {
                const json_t *tier = json_array_get(tiers, i);

                state->tiers[i].name = strdup(word(tier, "name"));
                if (!state->tiers[i].name)
                        return -ENOMEM;
                state->tiers[i].calls_max = number(tier, "calls_max");
                state->tier_count++;
        }
        take_hex(state->contract, word(json_object_get(record, "contract"), "sha256"));
        take_hex(state->prompts, word(record, "prompts"));
        if (text_parse_u64(word(record, "seed"), 0, UINT64_MAX, &state->seed))
                return -EPROTO;
        take_limits(state, json_object_get(record, "limits"));
        state->has_begun = true;
        return 0;
}

/* What stood in the way may be gone. What was under way when the run broke off, and may have been
 * paid, stays counted as if it had been. */
static int apply_resume(struct state *state, const json_t *record)
{
        take_limits(state, json_object_get(record, "limits"));
        state->is_estimated |= state->call.open_microusd > 0;
        state->call.is_open = false;
        state->call.open_microusd = 0;
        state->call.tries = 0;
        if (state->outcome == STATE_INFRA || state->outcome == STATE_BUDGET)
                state->outcome = STATE_RUNNING;
        if (state->is_troubled && state->preflight == STATE_PREFLIGHT_UNKNOWN)
                state->preflight = STATE_PREFLIGHT_NONE;
        state->is_limited = state->is_troubled = false;
        return 0;
}

/* Of a gate that could not find out: it is asked again when the run goes on. */
static void trouble(struct state *state, const char *why)
{
        state->is_troubled = true;
        because(state, why);
}

static int apply_preflight(struct state *state, const json_t *record)
{
        if (!state->is_preflight_due)
                return -EPROTO;
        state->is_preflight_due = false;
        state->elapsed_ms += number(record, "ms");
        if (is_word(record, "result", "sound")) {
                state->preflight = STATE_PREFLIGHT_SOUND;
        } else if (is_word(record, "result", "unsound")) {
                state->preflight = STATE_PREFLIGHT_UNSOUND;
                because(state, word(record, "why"));
        } else {
                state->preflight = STATE_PREFLIGHT_UNKNOWN;
                trouble(state, word(record, "why"));
        }
        return 0;
}

/* ---- Decisions --------------------------------------------------------------------------- */

static int add_lineage(struct state *state, unsigned tier)
{
        struct state_lineage *lineages;

        if (state->lineage_count == state_lineages_max)
                return -EPROTO;
        lineages = realloc(state->lineages, (state->lineage_count + 1) * sizeof(*lineages));
        if (!lineages)
                return -ENOMEM;
        state->lineages = lineages;
        lineages[state->lineage_count++] = (struct state_lineage){ .tier = tier };
        state->tiers[tier].lineages++;
        return 0;
}

static int take_call(struct state *state, const json_t *record)
{
        struct state_call call = { .slot = small(record, "slot"),
                                   .tier = small(record, "tier"),
                                   .lineage = small(record, "lineage"),
                                   .parent = small(record, "parent") };
        int failed = find_stage(word(record, "stage"), &call.stage);

        if (failed || state->call.slot || call.slot != state->slots + 1 ||
            call.tier >= state->tier_count)
                return -EPROTO;
        if (call.stage == PROMPT_WRITE && call.lineage == state->lineage_count + 1)
                failed = add_lineage(state, call.tier);
        if (failed)
                return failed;
        if (!state_lineage(state, call.lineage) ||
            (call.stage != PROMPT_WRITE && !state_candidate(state, call.parent)))
                return -EPROTO;
        if (call.stage == PROMPT_REPAIR)
                state_lineage(state, call.lineage)->repairs++;
        if (call.stage == PROMPT_DIAGNOSE)
                state_lineage(state, call.lineage)->diagnoses++;
        else
                state->writer = call.tier;
        state->call = call;
        state->slots++;
        state->tiers[call.tier].calls++;
        return 0;
}

static int take_stop(struct state *state, const json_t *record)
{
        for (unsigned i = STATE_ACCEPTED; i < STATE_OUTCOME_COUNT; i++)
                if (is_word(record, "outcome", outcome_names[i])) {
                        state->outcome = (enum state_outcome)i;
                        return 0;
                }
        return -EPROTO;
}

static int apply_decision(struct state *state, const json_t *record)
{
        if (!state->has_begun || state->outcome)
                return -EPROTO;
        if (is_word(record, "action", "preflight")) {
                state->is_preflight_due = true;
                return 0;
        }
        if (is_word(record, "action", "gate")) {
                if (!state_candidate(state, small(record, "candidate")))
                        return -EPROTO;
                state->gate_due = small(record, "candidate");
                return 0;
        }
        if (is_word(record, "action", "call"))
                return take_call(state, record);
        return is_word(record, "action", "stop") ? take_stop(state, record) : -EPROTO;
}

/* ---- Calls ------------------------------------------------------------------------------- */

static bool is_of_call(const struct state *state, const json_t *record)
{
        return state->call.slot && state->call.slot == small(record, "slot");
}

static int apply_intent(struct state *state, const json_t *record)
{
        struct state_call *call = &state->call;

        if (!is_of_call(state, record) || call->answer[0])
                return -EPROTO;
        state->calls += !call->attempts;
        call->attempts++;
        call->tries++;
        call->is_open = true;
        call->open_microusd = number(record, "reserve_microusd");
        state->spent_microusd += call->open_microusd;
        return 0;
}

/* The reserve is given back, and what it came to is taken. */
static int settle(struct state *state, const json_t *record)
{
        struct state_call *call = &state->call;

        if (!is_of_call(state, record) || !call->is_open)
                return -EPROTO;
        state->spent_microusd -= call->open_microusd;
        state->spent_microusd += number(record, "cost_microusd");
        state->is_estimated |= number(record, "cost_microusd") > 0 &&
                               (is_word(record, "type", "call.fail") ||
                                json_is_true(json_object_get(record, "estimated")));
        state->elapsed_ms += number(record, "ms") + number(record, "wait_ms");
        call->is_open = false;
        call->open_microusd = 0;
        return 0;
}

static int apply_result(struct state *state, const json_t *record)
{
        int failed = settle(state, record);

        if (failed)
                return failed;
        take_hex(state->call.answer, word(record, "answer"));
        state->call.finish = is_word(record, "finish", "length")     ? PROVIDER_FINISH_LENGTH
                             : is_word(record, "finish", "filtered") ? PROVIDER_FINISH_FILTERED
                             : is_word(record, "finish", "too-long") ? PROVIDER_FINISH_TOO_LONG
                                                                     : PROVIDER_FINISH_STOP;
        return state->call.answer[0] ? 0 : -EPROTO;
}

static int apply_fail(struct state *state, const json_t *record)
{
        int failed = settle(state, record);

        if (!failed && is_word(record, "kind", "final"))
                trouble(state, word(record, "why"));
        return failed;
}

/* ---- What a call brought ----------------------------------------------------------------- */

static bool was_there(const struct state *state, const char *sha256)
{
        for (unsigned i = 0; i < state->candidate_count; i++)
                if (strcmp(state->candidates[i].sha256, sha256) == 0)
                        return true;
        return false;
}

/* One of the names that a contract can list, so that no folder stands in it. */
static bool is_file_name(const char *name)
{
        static const char fit[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.";

        return name[0] && name[0] != '.' && strlen(name) <= contract_name_max &&
               !name[strspn(name, fit)];
}

static bool are_files(const json_t *files)
{
        const json_t *file;
        size_t at;

        json_array_foreach(files, at, file)
        {
                char hex[65];

                take_hex(hex, word(file, "sha256"));
                if (!hex[0] || !is_file_name(word(file, "path")))
                        return false;
        }
        return json_array_size(files) > 0;
}

static int add_candidate(struct state *state, const json_t *record)
{
        const struct state_call *call = &state->call;
        struct state_candidate candidate = { .lineage = call->lineage,
                                             .parent = call->parent,
                                             .tier = call->tier,
                                             .stage = call->stage,
                                             .files = json_object_get(record, "files") };
        struct state_candidate *candidates;

        take_hex(candidate.sha256, word(record, "sha256"));
        if (!candidate.sha256[0] || !are_files(candidate.files) ||
            small(record, "candidate") != state->candidate_count + 1 ||
            state->candidate_count == state_candidates_max)
                return -EPROTO;
        candidates = realloc(state->candidates, (state->candidate_count + 1) * sizeof(*candidates));
        if (!candidates)
                return -ENOMEM;
        state->candidates = candidates;
        state_lineage(state, call->lineage)->repeats = was_there(state, candidate.sha256);
        state->tiers[call->tier].repeats += was_there(state, candidate.sha256);
        candidates[state->candidate_count++] = candidate;
        state->tiers[call->tier].candidates++;
        state_lineage(state, call->lineage)->last = state->candidate_count;
        return 0;
}

static void note_unusable(struct state *state, bool was_cut)
{
        struct state_tier *tier = &state->tiers[state->call.tier];

        tier->unusable_in_row++;
        tier->cut_in_row = was_cut ? tier->cut_in_row + 1 : 0;
}

static int apply_reply(struct state *state, const json_t *record)
{
        struct state_lineage *lineage = state_lineage(state, state->call.lineage);
        int failed = 0;

        if (!is_of_call(state, record) || !state->call.answer[0])
                return -EPROTO;
        lineage->was_answered = true;
        if (is_word(record, "result", "conflict") && state->last_conflict != state->call.lineage) {
                state->conflicts++;
                state->last_conflict = state->call.lineage;
                because(state, word(record, "why"));
        }
        if (is_word(record, "result", "files")) {
                failed = state->call.stage == PROMPT_DIAGNOSE ? -EPROTO
                                                              : add_candidate(state, record);
        } else if (is_word(record, "result", "prose")) {
                if (state->call.stage != PROMPT_DIAGNOSE)
                        return -EPROTO;
                take_hex(lineage->diagnosis, word(record, "prose"));
        } else {
                note_unusable(state, is_word(record, "result", "cut"));
        }
        if (is_word(record, "result", "files") || is_word(record, "result", "prose"))
                state->tiers[state->call.tier].unusable_in_row =
                        state->tiers[state->call.tier].cut_in_row = 0;
        state->call = (struct state_call){ 0 };
        return failed;
}

/* ---- What the gate said ------------------------------------------------------------------ */

/* A repair that does not bring more than what there was is in vain. */
static void rank(struct state *state, unsigned id)
{
        struct state_candidate *candidate = state_candidate(state, id);
        struct state_lineage *lineage = state_lineage(state, candidate->lineage);
        const struct state_candidate *best = state_candidate(state, lineage->best);
        struct state_tier *tier = &state->tiers[candidate->tier];

        if (candidate->stage == PROMPT_REPAIR)
                tier->vain_repairs = best && candidate->score_permille > best->score_permille
                                             ? 0
                                             : tier->vain_repairs + 1;
        if (best && candidate->score_permille < best->score_permille)
                return;
        lineage->best = id;
        lineage->diagnosis[0] = '\0';
}

static int apply_verdict(struct state *state, const json_t *record)
{
        struct state_candidate *candidate = state_candidate(state, small(record, "candidate"));

        if (!candidate || !state->gate_due || state->gate_due != small(record, "candidate"))
                return -EPROTO;
        state->gate_due = 0;
        state->elapsed_ms += number(record, "ms");
        candidate->score_permille = small(record, "score_permille");
        take_hex(candidate->packet, word(record, "packet"));
        candidate->keys = json_object_get(record, "keys");
        if (is_word(record, "verdict", "accepted")) {
                candidate->judgement = STATE_IS_ACCEPTED;
                state->accepted = small(record, "candidate");
        } else if (is_word(record, "verdict", "rejected")) {
                candidate->judgement = STATE_IS_REJECTED;
                rank(state, small(record, "candidate"));
        } else if (is_word(record, "verdict", "unsound")) {
                candidate->judgement = STATE_IS_UNSOUND;
                because(state, word(record, "why"));
        } else {
                candidate->judgement = STATE_NOT_JUDGED;
                trouble(state, word(record, "why"));
        }
        return 0;
}

/* ---- All of them ------------------------------------------------------------------------- */

static int apply_limit(struct state *state, const json_t *record)
{
        state->is_limited = true;
        because(state, word(record, "why"));
        return 0;
}

static int apply_change(struct state *state, const json_t *record)
{
        state->is_changed = true;
        because(state, word(record, "why"));
        return 0;
}

static int apply_accept(struct state *state, const json_t *record)
{
        if (!state->accepted || state->accepted != small(record, "candidate"))
                return -EPROTO;
        state->is_delivered = true;
        return 0;
}

/* Somebody pressed Ctrl-C; what was under way may have been paid, as after a crash. */
static int apply_interrupt(struct state *state, const json_t *record)
{
        state->elapsed_ms += number(record, "ms");
        state->is_estimated |= state->call.open_microusd > 0;
        return 0;
}

int state_apply(struct state *state, const json_t *record)
{
        static const struct {
                const char *type;
                int (*apply)(struct state *state, const json_t *record);
        } kinds[] = {
                { "run.start", apply_start },     { "resume", apply_resume },
                { "preflight", apply_preflight }, { "decision", apply_decision },
                { "call.intent", apply_intent },  { "call.result", apply_result },
                { "call.fail", apply_fail },      { "reply", apply_reply },
                { "verdict", apply_verdict },     { "limit", apply_limit },
                { "interrupt", apply_interrupt }, { "change", apply_change },
                { "accept", apply_accept },
        };

        for (size_t i = 0; i < BASE_COUNT(kinds); i++)
                if (is_word(record, "type", kinds[i].type))
                        return !state->has_begun && i ? -EPROTO : kinds[i].apply(state, record);
        return -EPROTO;
}
