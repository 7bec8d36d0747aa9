/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that text, JSON and page tell the same: all that is known of a run is reckoned here,
 * record by record, from what may be anybody's ledger.
 */
#include "forge/story.h"
#include "forge/money.h"

#include <inttypes.h>

enum { key_bytes_max = 96 };

struct story {
        json_t *whole; /* owns what follows, as far as it is no index */
        json_t *calls;
        json_t *candidates;
        json_t *decisions;
        json_t *notes;
        json_t *tiers;
        json_t *plans;         /* index: by slot, the decision for a call */
        json_t *attempts;      /* index: by slot and attempt, the call */
        json_t *slots;         /* index: by slot, its latest call */
        json_t *candidate_ids; /* index: by id, the candidate */
        json_int_t began_ms;   /* of this sitting */
        json_int_t last_ms;
        json_int_t worked_ms; /* in the sittings before */
        bool failed;          /* no memory */
};

/* ---- Building, and what to do with anything odd ------------------------------------------ */

/* Takes the value. */
static void put(struct story *story, json_t *into, const char *key, json_t *value)
{
        if (!value || json_object_set_new(into, key, value))
                story->failed = true;
}

static void append(struct story *story, json_t *into, json_t *value)
{
        if (!value || json_array_append_new(into, value))
                story->failed = true;
}

static void copy(struct story *story, json_t *into, const char *key, const json_t *value)
{
        put(story, into, key, value ? json_incref((json_t *)value) : json_null());
}

static const json_t *string_of(const json_t *record, const char *key)
{
        const json_t *value = json_object_get(record, key);

        return json_is_string(value) ? value : NULL;
}

static const json_t *list_of(const json_t *record, const char *key)
{
        const json_t *value = json_object_get(record, key);

        return json_is_array(value) ? value : NULL;
}

static const json_t *object_of(const json_t *record, const char *key)
{
        const json_t *value = json_object_get(record, key);

        return json_is_object(value) ? value : NULL;
}

/* A name: a number or a string. */
static const json_t *id_of(const json_t *record, const char *key)
{
        const json_t *value = json_object_get(record, key);

        return json_is_integer(value) || json_is_string(value) ? value : NULL;
}

/* Within what sums can bear: a million lines of a million dollars each. */
static const json_t *count_of(const json_t *record, const char *key)
{
        const json_t *value = json_object_get(record, key);

        return json_is_integer(value) && json_integer_value(value) >= 0 &&
                               json_integer_value(value) <= (json_int_t)money_max
                       ? value
                       : NULL;
}

static json_int_t number_of(const json_t *record, const char *key)
{
        return json_integer_value(count_of(record, key)); /* 0 of NULL */
}

/* What an index is asked by: false if the id is none. */
static bool key_of(const json_t *id, char ret_key[static key_bytes_max])
{
        if (json_is_integer(id))
                (void)snprintf(ret_key, key_bytes_max, "%" JSON_INTEGER_FORMAT,
                               json_integer_value(id)); /* fits */
        else if (json_is_string(id) && json_string_length(id) < key_bytes_max)
                (void)snprintf(ret_key, key_bytes_max, "%s", json_string_value(id)); /* fits */
        else
                return false;
        return true;
}

static json_t *look_up(const json_t *index, const json_t *id)
{
        char key[key_bytes_max];

        return key_of(id, key) ? json_object_get(index, key) : NULL;
}

static void index_it(struct story *story, json_t *index, const json_t *id, json_t *value)
{
        char key[key_bytes_max];

        if (key_of(id, key) && json_object_set(index, key, value))
                story->failed = true;
}

/* The name of a tier, which records call by its place among the tiers. */
static const json_t *tier_of(const struct story *story, const json_t *record)
{
        const json_t *tier = id_of(record, "tier");
        const json_t *named =
                json_is_integer(tier) && json_integer_value(tier) >= 0
                        ? json_array_get(story->tiers, (size_t)json_integer_value(tier))
                        : NULL;
        const json_t *name = string_of(named, "name");

        return name ? name : tier;
}

/* ---- Time -------------------------------------------------------------------------------- */

/* Milliseconds since 1970 of "2026-01-31T23:59:59.999Z"; -1: it is no such time. */
static json_int_t time_of(const char *t)
{
        static const int days_before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
        unsigned year, month, day, hour, minute, second, ms;
        json_int_t days;

        if (!t || strlen(t) != 24 ||
            sscanf(t, "%4u-%2u-%2uT%2u:%2u:%2u.%3uZ", &year, &month, &day, &hour, &minute, &second,
                   &ms) != 7 ||
            year < 1970 || month < 1 || month > 12)
                return -1;
        days = (json_int_t)(year - 1970) * 365 + (year - 1969) / 4 - (year - 1901) / 100 +
               (year - 1601) / 400;
        days += days_before[month - 1] + (int)day - 1;
        if (month > 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
                days++;
        return ((days * 24 + hour) * 60 + minute) * 60000 + (json_int_t)second * 1000 + ms;
}

static void begin_sitting(struct story *story)
{
        story->worked_ms += story->last_ms - story->began_ms;
        story->began_ms = story->last_ms = 0;
}

static void take_time(struct story *story, const json_t *record)
{
        json_int_t ms = time_of(json_string_value(json_object_get(record, "t")));

        if (ms < 0)
                return;
        if (!story->began_ms)
                story->began_ms = story->last_ms = ms;
        if (ms > story->last_ms) /* a clock may be set back */
                story->last_ms = ms;
}

/* ---- Records ----------------------------------------------------------------------------- */

/* Something to tell that is neither call nor candidate. */
static void note(struct story *story, const json_t *record, const json_t *text)
{
        json_t *it = json_object();

        copy(story, it, "n", count_of(record, "n"));
        copy(story, it, "t", string_of(record, "t"));
        copy(story, it, "type", string_of(record, "type"));
        copy(story, it, "text", text);
        append(story, story->notes, it);
}

static void take_start(struct story *story, const json_t *record)
{
        const json_t *contract = object_of(record, "contract");
        const json_t *tiers = list_of(record, "tiers");
        const json_t *limits = object_of(record, "limits");
        json_t *it = json_object();

        copy(story, it, "path", string_of(contract, "path"));
        copy(story, it, "sha256", string_of(contract, "sha256"));
        put(story, story->whole, "contract", it);
        copy(story, story->whole, "run", id_of(record, "run"));
        copy(story, story->whole, "module", string_of(record, "module"));
        copy(story, story->whole, "tocsin", string_of(record, "tocsin"));
        copy(story, story->whole, "seed", id_of(record, "seed"));
        copy(story, story->whole, "began", string_of(record, "t"));
        if (tiers)
                copy(story, story->whole, "tiers", tiers);
        if (limits)
                copy(story, story->whole, "limits", limits);
        story->tiers = json_object_get(story->whole, "tiers");
}

static void forget_outcome(struct story *story)
{
        copy(story, story->whole, "outcome", NULL);
        copy(story, story->whole, "why", NULL);
        copy(story, story->whole, "ended", NULL);
        put(story, story->whole, "evidence", json_object());
}

static void take_resume(struct story *story, const json_t *record)
{
        const json_t *limits = object_of(record, "limits");

        forget_outcome(story);
        if (limits)
                copy(story, story->whole, "limits", limits);
        note(story, record, NULL);
}

static void take_preflight(struct story *story, const json_t *record)
{
        json_t *it = json_object();

        copy(story, it, "n", count_of(record, "n"));
        copy(story, it, "result", string_of(record, "result"));
        copy(story, it, "why", string_of(record, "why"));
        copy(story, it, "ms", count_of(record, "ms"));
        put(story, story->whole, "preflight", it);
}

static void take_stop(struct story *story, const json_t *record)
{
        const json_t *evidence = object_of(record, "evidence");

        copy(story, story->whole, "outcome", string_of(record, "outcome"));
        copy(story, story->whole, "why", string_of(record, "why"));
        copy(story, story->whole, "ended", string_of(record, "t"));
        if (evidence)
                copy(story, story->whole, "evidence", evidence);
}

static void take_decision(struct story *story, const json_t *record)
{
        static const char *const ids[] = { "lineage", "parent", "slot", "candidate" };
        const char *action = json_string_value(json_object_get(record, "action"));
        const json_t *reason = string_of(record, "reason");
        json_t *it = json_object();

        copy(story, it, "n", count_of(record, "n"));
        copy(story, it, "t", string_of(record, "t"));
        copy(story, it, "action", string_of(record, "action"));
        copy(story, it, "stage", string_of(record, "stage"));
        copy(story, it, "tier", tier_of(story, record));
        for (size_t i = 0; i < BASE_COUNT(ids); i++)
                copy(story, it, ids[i], id_of(record, ids[i]));
        copy(story, it, "outcome", string_of(record, "outcome"));
        copy(story, it, "reason", reason ? reason : string_of(record, "why"));
        append(story, story->decisions, it);
        if (action && strcmp(action, "call") == 0 && !story->failed)
                index_it(story, story->plans, id_of(record, "slot"), it);
        if (action && strcmp(action, "stop") == 0)
                take_stop(story, record);
}

/* The call of that slot and attempt. */
static bool attempt_key(const json_t *record, char ret_key[static 2 * key_bytes_max])
{
        char slot[key_bytes_max], attempt[key_bytes_max];

        if (!key_of(id_of(record, "slot"), slot))
                return false;
        if (!key_of(id_of(record, "attempt"), attempt))
                attempt[0] = '\0';
        (void)snprintf(ret_key, (size_t)2 * key_bytes_max, "%s.%s", slot, attempt); /* fits */
        return true;
}

static void take_intent(struct story *story, const json_t *record)
{
        static const char *const none[] = { "answer", "finish", "input", "output", "ms", "why" };
        const json_t *plan = look_up(story->plans, id_of(record, "slot"));
        const json_t *stage = string_of(record, "stage");
        json_t *it = json_object();
        char key[2 * key_bytes_max];

        copy(story, it, "n", count_of(record, "n"));
        copy(story, it, "slot", id_of(record, "slot"));
        copy(story, it, "attempt", id_of(record, "attempt"));
        copy(story, it, "stage", stage ? stage : string_of(plan, "stage"));
        copy(story, it, "tier", tier_of(story, record));
        copy(story, it, "model", string_of(record, "model"));
        copy(story, it, "lineage", id_of(plan, "lineage"));
        copy(story, it, "parent", id_of(plan, "parent"));
        copy(story, it, "reason", string_of(plan, "reason"));
        copy(story, it, "began", string_of(record, "t"));
        copy(story, it, "prompt", string_of(record, "prompt"));
        for (size_t i = 0; i < BASE_COUNT(none); i++)
                copy(story, it, none[i], NULL);
        put(story, it, "cost_microusd", json_integer(number_of(record, "reserve_microusd")));
        put(story, it, "estimated", json_true());
        put(story, it, "result", json_string("unfinished"));
        append(story, story->calls, it);
        if (story->failed)
                return;
        if (attempt_key(record, key) && json_object_set(story->attempts, key, it))
                story->failed = true;
        index_it(story, story->slots, id_of(record, "slot"), it);
}

static void end_call(struct story *story, json_t *call, const json_t *record, const char *result)
{
        put(story, call, "cost_microusd", json_integer(number_of(record, "cost_microusd")));
        put(story, call, "estimated",
            json_boolean(json_is_true(json_object_get(record, "estimated"))));
        put(story, call, "result", json_string(result));
        copy(story, call, "ms", count_of(record, "ms"));
        copy(story, call, "why", string_of(record, "why"));
}

static json_t *call_of(const struct story *story, const json_t *record)
{
        char key[2 * key_bytes_max];

        return attempt_key(record, key) ? json_object_get(story->attempts, key) : NULL;
}

static void take_result(struct story *story, const json_t *record)
{
        json_t *call = call_of(story, record);
        const json_t *usage = object_of(record, "usage");

        if (!call)
                return;
        end_call(story, call, record, "answered");
        copy(story, call, "answer", string_of(record, "answer"));
        copy(story, call, "finish", string_of(record, "finish"));
        copy(story, call, "input", count_of(usage, "input"));
        copy(story, call, "output", count_of(usage, "output"));
        if (string_of(record, "model") && json_string_length(string_of(record, "model")))
                copy(story, call, "model", string_of(record, "model"));
}

static void take_fail(struct story *story, const json_t *record)
{
        json_t *call = call_of(story, record);

        if (call)
                end_call(story, call, record, "failed");
}

/* The candidate of that id; a new one if there is none. NULL: that is no id. */
static json_t *candidate_of(struct story *story, const json_t *record)
{
        static const char *const none[] = { "lineage",      "parent",   "slot",    "stage",
                                            "tier",         "sha256",   "verdict", "score_permille",
                                            "failed_stage", "headline", "report",  "seconds" };
        const json_t *id = id_of(record, "candidate");
        json_t *it = look_up(story->candidate_ids, id);

        if (it || !id)
                return it;
        it = json_object();
        copy(story, it, "n", count_of(record, "n"));
        copy(story, it, "began", string_of(record, "t"));
        copy(story, it, "id", id);
        for (size_t i = 0; i < BASE_COUNT(none); i++)
                copy(story, it, none[i], NULL);
        put(story, it, "keys", json_array());
        append(story, story->candidates, it);
        if (story->failed)
                return NULL;
        index_it(story, story->candidate_ids, id, it);
        return it;
}

static void take_reply(struct story *story, const json_t *record)
{
        const char *result = json_string_value(json_object_get(record, "result"));
        json_t *it = candidate_of(story, record);
        const json_t *call = look_up(story->slots, id_of(record, "slot"));

        if (!it && result && strcmp(result, "prose") != 0)
                note(story, record, string_of(record, "why"));
        if (!it)
                return;
        copy(story, it, "slot", id_of(record, "slot"));
        copy(story, it, "sha256", string_of(record, "sha256"));
        copy(story, it, "lineage", id_of(call, "lineage"));
        copy(story, it, "parent", id_of(call, "parent"));
        copy(story, it, "stage", string_of(call, "stage"));
        copy(story, it, "tier", id_of(call, "tier"));
}

static void take_verdict(struct story *story, const json_t *record)
{
        json_t *it = candidate_of(story, record);
        const json_t *ms = count_of(record, "ms");

        if (!it)
                return;
        copy(story, it, "verdict", string_of(record, "verdict"));
        copy(story, it, "score_permille", count_of(record, "score_permille"));
        copy(story, it, "failed_stage", string_of(record, "stage"));
        copy(story, it, "headline",
             string_of(record, "headline") ? string_of(record, "headline")
                                           : string_of(record, "why"));
        copy(story, it, "report", string_of(record, "report"));
        if (list_of(record, "keys"))
                copy(story, it, "keys", list_of(record, "keys"));
        if (ms)
                put(story, it, "seconds", json_real((double)json_integer_value(ms) / 1000));
}

static void take_limit(struct story *story, const json_t *record)
{
        note(story, record, string_of(record, "why"));
}

static void take_interrupt(struct story *story, const json_t *record)
{
        put(story, story->whole, "outcome", json_string("interrupted"));
        note(story, record, NULL);
}

static void take_change(struct story *story, const json_t *record)
{
        note(story, record, string_of(record, "sha256"));
}

static void take_accept(struct story *story, const json_t *record)
{
        const json_t *files = list_of(record, "files");

        copy(story, story->whole, "accepted", id_of(record, "candidate"));
        if (files)
                copy(story, story->whole, "files", files);
}

/* ---- The whole --------------------------------------------------------------------------- */

static void take(struct story *story, const json_t *record)
{
        static const struct {
                const char *type;
                void (*take)(struct story *story, const json_t *record);
        } types[] = {
                { "run.start", take_start },     { "resume", take_resume },
                { "preflight", take_preflight }, { "decision", take_decision },
                { "call.intent", take_intent },  { "call.result", take_result },
                { "call.fail", take_fail },      { "reply", take_reply },
                { "verdict", take_verdict },     { "limit", take_limit },
                { "interrupt", take_interrupt }, { "change", take_change },
                { "accept", take_accept },
        };
        const char *type = json_string_value(json_object_get(record, "type"));

        if (type && strcmp(type, "resume") == 0)
                begin_sitting(story);
        take_time(story, record);
        for (size_t i = 0; type && i < BASE_COUNT(types); i++)
                if (strcmp(types[i].type, type) == 0)
                        types[i].take(story, record);
}

static void begin(struct story *story)
{
        static const char *const none[] = { "run",   "module", "tocsin",  "contract", "seed",
                                            "began", "ended",  "outcome", "why" };

        for (size_t i = 0; i < BASE_COUNT(none); i++)
                copy(story, story->whole, none[i], NULL);
        put(story, story->whole, "evidence", json_object());
        copy(story, story->whole, "preflight", NULL);
        put(story, story->whole, "tiers", json_array());
        put(story, story->whole, "limits", json_object());
        put(story, story->whole, "calls", story->calls = json_array());
        put(story, story->whole, "candidates", story->candidates = json_array());
        put(story, story->whole, "decisions", story->decisions = json_array());
        put(story, story->whole, "notes", story->notes = json_array());
        put(story, story->whole, "files", json_array());
        story->tiers = json_object_get(story->whole, "tiers");
        story->plans = json_object();
        story->attempts = json_object();
        story->slots = json_object();
        story->candidate_ids = json_object();
        if (!story->plans || !story->attempts || !story->slots || !story->candidate_ids)
                story->failed = true;
}

/* A call is one, however often it was attempted; attempts of one stand together. */
static json_int_t count_slots(const json_t *calls)
{
        json_int_t count = 0, last = 0;

        for (size_t i = 0; i < json_array_size(calls); i++) {
                json_int_t slot = number_of(json_array_get(calls, i), "slot");

                count += slot != last;
                last = slot;
        }
        return count;
}

static bool is_estimated(const json_t *calls)
{
        for (size_t i = 0; i < json_array_size(calls); i++) {
                const json_t *call = json_array_get(calls, i);

                if (json_is_true(json_object_get(call, "estimated")) &&
                    number_of(call, "cost_microusd") > 0)
                        return true;
        }
        return false;
}

static void sum_up(struct story *story)
{
        static const char *const sums[] = { "cost_microusd", "input", "output" };
        json_t *totals = json_object();

        put(story, totals, "calls", json_integer(count_slots(story->calls)));
        put(story, totals, "attempts", json_integer((json_int_t)json_array_size(story->calls)));
        put(story, totals, "estimated", json_boolean(is_estimated(story->calls)));
        put(story, totals, "candidates",
            json_integer((json_int_t)json_array_size(story->candidates)));
        for (size_t i = 0; i < BASE_COUNT(sums); i++) {
                json_int_t sum = 0;

                for (size_t j = 0; j < json_array_size(story->calls); j++)
                        sum += number_of(json_array_get(story->calls, j), sums[i]);
                put(story, totals, sums[i], json_integer(sum));
        }
        begin_sitting(story);
        put(story, totals, "seconds", json_real((double)story->worked_ms / 1000));
        put(story, story->whole, "totals", totals);
}

static void end(struct story *story)
{
        json_decref(story->plans);
        json_decref(story->attempts);
        json_decref(story->slots);
        json_decref(story->candidate_ids);
        if (story->failed)
                json_decref(story->whole);
}

json_t *story_json(const struct ledger *ledger)
{
        struct story story = { .whole = json_object() };

        begin(&story);
        for (size_t i = 0; i < ledger_count(ledger) && !story.failed; i++)
                take(&story, ledger_record(ledger, i));
        if (!story.failed) {
                sum_up(&story);
                if (!json_object_get(story.whole, "accepted"))
                        copy(&story, story.whole, "accepted", NULL);
                put(&story, story.whole, "records", json_integer((json_int_t)ledger_count(ledger)));
                put(&story, story.whole, "torn", json_boolean(ledger_was_torn(ledger)));
                put(&story, story.whole, "head", json_string(ledger_head(ledger)));
        }
        end(&story);
        return story.failed ? NULL : story.whole;
}
