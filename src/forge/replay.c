/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because "the same ledger leads to the same decisions" is a promise, and somebody may want
 * to see it kept.
 */
#include "forge/replay.h"
#include "forge/decide.h"

#include <errno.h>

enum { shown_max = 300 };

static void append_json(struct text *into, const json_t *json)
{
        char *dump = json_dumps(json, JSON_COMPACT);

        text_append_escaped(into, dump ? dump : "?", dump ? strlen(dump) : 1);
        free(dump);
}

/* Each line of a ledger has these, whatever it says. */
static json_t *without_frame(const json_t *record)
{
        static const char *const frame[] = { "n", "prev", "t", "type" };
        json_t *copy = json_copy((json_t *)record); /* read, not written */

        for (size_t i = 0; i < BASE_COUNT(frame); i++)
                (void)json_object_del(copy, frame[i]);
        return copy;
}

static int check_decision(const struct state *state, const json_t *record, size_t line,
                          struct text *why)
{
        struct decision decision;
        json_t *wanted, *found = without_frame(record);
        int outcome = 0;

        decide(state, &decision);
        wanted = decide_record(state, &decision);
        if (!wanted || !found)
                outcome = -ENOMEM;
        else if (decision.is_under_way || !json_equal(wanted, found))
                outcome = REPLAY_DIFFERS;
        if (outcome == REPLAY_DIFFERS) {
                BASE_SCOPE(text_fini) struct text shown = TEXT_INIT(shown_max);

                append_json(&shown, wanted);
                text_printf(why,
                            "ledger.jsonl:%zu: this decision does not follow from the records "
                            "before it; they lead to %s%s",
                            line, decision.is_under_way ? "going on with " : "", text_view(&shown));
        }
        json_decref(wanted);
        json_decref(found);
        return outcome;
}

static int check(struct state *state, const struct ledger *ledger, struct text *why)
{
        for (size_t i = 0; i < ledger_count(ledger); i++) {
                const json_t *record = ledger_record(ledger, i);
                const char *type = json_string_value(json_object_get(record, "type"));
                int failed = 0;

                if (state->has_begun && !state->outcome && type && strcmp(type, "decision") == 0)
                        failed = check_decision(state, record, i + 1, why);
                if (failed)
                        return failed;
                failed = state_apply(state, record);
                if (failed == -EPROTO) {
                        text_printf(why,
                                    "ledger.jsonl:%zu: the record does not follow from those "
                                    "before it",
                                    i + 1);
                        return REPLAY_DIFFERS;
                }
                if (failed)
                        return failed;
        }
        return 0;
}

int replay_check(const struct ledger *ledger, struct text *why)
{
        struct state state;
        int outcome;

        state_init(&state);
        outcome = check(&state, ledger, why);
        state_fini(&state);
        return outcome;
}
