/* SPDX-License-Identifier: Apache-2.0 */
/* A run told as its records say, and one whose records say anything at all. */
#include "forge/story.h"
#include "forge/ledger_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void add(struct ledger *ledger, const char *type, json_t *fields)
{
        assert_non_null(fields);
        assert_int_equal(ledger_append(ledger, type, fields), 0);
}

static struct ledger *begin(const struct place *place)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(500);
        struct ledger *ledger = NULL;

        assert_int_equal(ledger_create(place->path, &ledger, &why), 0);
        return ledger;
}

static json_int_t number(const json_t *object, const char *key)
{
        assert_true(json_is_integer(json_object_get(object, key)));
        return json_integer_value(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key)
{
        const char *value = json_string_value(json_object_get(object, key));

        return value ? value : "none";
}

static const json_t *part(const json_t *story, const char *key, size_t index)
{
        const json_t *it = json_array_get(json_object_get(story, key), index);

        assert_non_null(it);
        return it;
}

static void ask(struct ledger *ledger, int slot)
{
        add(ledger, "decision",
            json_pack("{s:s, s:s, s:i, s:i, s:n, s:i, s:s}", "action", "call", "stage", "write",
                      "tier", 0, "lineage", 1, "parent", "slot", slot, "reason", "as planned"));
        add(ledger, "call.intent",
            json_pack("{s:i, s:i, s:s, s:i, s:i}", "slot", slot, "attempt", 1, "stage", "write",
                      "tier", 0, "reserve_microusd", 1000));
}

static void answer(struct ledger *ledger, int slot)
{
        add(ledger, "call.result",
            json_pack("{s:i, s:i, s:s, s:s, s:{s:i, s:i}, s:i, s:b, s:i}", "slot", slot, "attempt",
                      1, "answer", "aa", "finish", "stop", "usage", "input", 30, "output", 20,
                      "cost_microusd", 7, "estimated", 0, "ms", 1500));
}

static void test_an_empty_ledger_has_a_story(void **state)
{
        BASE_SCOPE(ledger_close) struct ledger *ledger = begin(*state);
        json_t *story = story_json(ledger);

        assert_true(json_is_null(json_object_get(story, "outcome")));
        assert_true(json_is_null(json_object_get(story, "accepted")));
        assert_int_equal(json_array_size(json_object_get(story, "calls")), 0);
        assert_int_equal(number(json_object_get(story, "totals"), "cost_microusd"), 0);
        assert_string_equal(string(story, "head"), ledger_head(ledger));
        json_decref(story);
}

static void test_a_run_is_told(void **state)
{
        BASE_SCOPE(ledger_close) struct ledger *ledger = begin(*state);
        json_t *story;

        add(ledger, "run.start",
            json_pack("{s:s, s:i, s:[{s:s}], s:{s:i}}", "module", "lru", "run", 3, "tiers", "name",
                      "small", "limits", "calls", 9));
        ask(ledger, 1);
        answer(ledger, 1);
        add(ledger, "reply",
            json_pack("{s:i, s:s, s:i}", "slot", 1, "result", "files", "candidate", 5));
        add(ledger, "verdict",
            json_pack("{s:i, s:s, s:i, s:s, s:[s], s:s, s:i}", "candidate", 5, "verdict",
                      "rejected", "score_permille", 640, "stage", "unit", "keys", "unit.leak put",
                      "headline", "a leak", "ms", 2500));
        ask(ledger, 2); /* and no more: it may have been billed */
        add(ledger, "decision",
            json_pack("{s:s, s:s, s:s}", "action", "stop", "outcome", "budget", "why", "spent"));
        story = story_json(ledger);
        assert_string_equal(string(story, "module"), "lru");
        assert_int_equal(number(story, "run"), 3);
        assert_string_equal(string(story, "outcome"), "budget");
        assert_string_equal(string(story, "why"), "spent");
        assert_string_equal(string(part(story, "calls", 0), "result"), "answered");
        assert_string_equal(string(part(story, "calls", 0), "tier"), "small");
        assert_string_equal(string(part(story, "calls", 0), "reason"), "as planned");
        assert_int_equal(number(part(story, "calls", 0), "cost_microusd"), 7);
        assert_int_equal(number(part(story, "calls", 0), "lineage"), 1);
        assert_string_equal(string(part(story, "calls", 1), "result"), "unfinished");
        assert_true(json_is_true(json_object_get(part(story, "calls", 1), "estimated")));
        assert_int_equal(number(part(story, "candidates", 0), "id"), 5);
        assert_int_equal(number(part(story, "candidates", 0), "lineage"), 1);
        assert_string_equal(string(part(story, "candidates", 0), "stage"), "write");
        assert_string_equal(string(part(story, "candidates", 0), "failed_stage"), "unit");
        assert_true(json_real_value(json_object_get(part(story, "candidates", 0), "seconds")) ==
                    2.5);
        assert_int_equal(number(json_object_get(story, "totals"), "cost_microusd"), 1007);
        assert_int_equal(number(json_object_get(story, "totals"), "input"), 30);
        assert_int_equal(number(json_object_get(story, "totals"), "calls"), 2);
        json_decref(story);
}

static void test_a_resume_takes_the_outcome_back(void **state)
{
        BASE_SCOPE(ledger_close) struct ledger *ledger = begin(*state);
        json_t *story;

        add(ledger, "decision", json_pack("{s:s, s:s}", "action", "stop", "outcome", "budget"));
        add(ledger, "resume", json_pack("{s:{s:i}}", "limits", "calls", 50));
        story = story_json(ledger);
        assert_true(json_is_null(json_object_get(story, "outcome")));
        assert_int_equal(number(json_object_get(story, "limits"), "calls"), 50);
        json_decref(story);
        add(ledger, "interrupt", json_object());
        story = story_json(ledger);
        assert_string_equal(string(story, "outcome"), "interrupted");
        json_decref(story);
}

/* Sums stay within 64 bits, whatever the records say. */
static void test_absurd_amounts_count_nothing(void **state)
{
        BASE_SCOPE(ledger_close) struct ledger *ledger = begin(*state);
        static const json_int_t amounts[] = { 1000000000000, 1000000000001, -1,
                                              9223372036854775807 };
        json_t *story;

        for (size_t i = 0; i < BASE_COUNT(amounts); i++)
                add(ledger, "call.intent",
                    json_pack("{s:i, s:i, s:I}", "slot", (int)i, "attempt", 1, "reserve_microusd",
                              amounts[i]));
        story = story_json(ledger);
        assert_int_equal(number(json_object_get(story, "totals"), "cost_microusd"), 1000000000000);
        json_decref(story);
}

static json_t *anything(size_t kind)
{
        switch (kind) {
        case 0:
                return json_null();
        case 1:
                return json_integer(-5);
        case 2:
                return json_real(0.5);
        case 3:
                return json_pack("[n, {}, [i]]", 1);
        case 4:
                return json_pack("{s:[]}", "name");
        case 5:
                return json_string("");
        default:
                return json_string("</script><!--\xe2\x80\xa8\x1b");
        }
}

static void test_any_value_in_any_field(void **state)
{
        static const char *const types[] = { "run.start",   "resume",    "preflight",   "decision",
                                             "call.intent", "call.fail", "call.result", "reply",
                                             "verdict",     "limit",     "interrupt",   "change",
                                             "accept",      "unheard" };
        static const char *const fields[] = { "contract", "tiers",   "limits",    "action", "slot",
                                              "attempt",  "usage",   "candidate", "keys",   "files",
                                              "tier",     "outcome", "evidence",  "ms",     "run" };
        BASE_SCOPE(ledger_close) struct ledger *ledger = begin(*state);
        json_t *story;

        for (size_t kind = 0; kind < 7; kind++)
                for (size_t i = 0; i < BASE_COUNT(types); i++) {
                        json_t *record = json_object();

                        for (size_t j = 0; j < BASE_COUNT(fields); j++)
                                (void)json_object_set_new(record, fields[j],
                                                          anything((kind + i + j) % 7));
                        add(ledger, types[i], record);
                        add(ledger, types[i], json_object());
                }
        story = story_json(ledger);
        assert_non_null(story);
        assert_int_equal(number(story, "records"), ledger_count(ledger));
        json_decref(story);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_an_empty_ledger_has_a_story, enter, leave),
                cmocka_unit_test_setup_teardown(test_a_run_is_told, enter, leave),
                cmocka_unit_test_setup_teardown(test_a_resume_takes_the_outcome_back, enter, leave),
                cmocka_unit_test_setup_teardown(test_absurd_amounts_count_nothing, enter, leave),
                cmocka_unit_test_setup_teardown(test_any_value_in_any_field, enter, leave),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
