/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy on records alone: each test tells a story, and asks what comes next. The records are
 * those of doc/forge.md, written out here and not made by the code that is tested.
 */
#include "forge/decide.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct tale {
        struct state state;
        json_t *records;
        unsigned slot;
};

static int tell(struct tale *tale, const char *line)
{
        json_t *record = json_loads(line, 0, NULL);

        assert_non_null(record);
        assert_int_equal(json_array_append_new(tale->records, record), 0);
        return state_apply(&tale->state, record);
}

static void tell_all(struct tale *tale, const char *format, ...) BASE_PRINTF(2, 3);
static void tell_all(struct tale *tale, const char *format, ...)
{
        char line[2000];
        va_list arguments;

        va_start(arguments, format);
        assert_in_range(vsnprintf(line, sizeof(line), format, arguments), 1, sizeof(line) - 1);
        va_end(arguments);
        assert_int_equal(tell(tale, line), 0);
}

static const char two_tiers[] =
        "{\"type\":\"run.start\",\"seed\":\"7\",\"contract\":{\"path\":\"c\",\"sha256\":\"" HEX64
        "\"},\"tiers\":[{\"name\":\"small\",\"calls_max\":12},{\"name\":\"large\",\"calls_max\":"
        "12}],\"limits\":{\"calls\":40,\"cost_microusd\":1000000,\"seconds\":60}}";
static const char one_tier[] =
        "{\"type\":\"run.start\",\"seed\":\"7\",\"tiers\":[{\"name\":\"only\",\"calls_max\":12}],"
        "\"limits\":{\"calls\":40,\"cost_microusd\":1000000,\"seconds\":60}}";

static struct tale begin(const char *start)
{
        struct tale tale = { .records = json_array() };

        state_init(&tale.state);
        assert_int_equal(tell(&tale, start), 0);
        tell_all(&tale, "{\"type\":\"decision\",\"action\":\"preflight\"}");
        tell_all(&tale, "{\"type\":\"preflight\",\"result\":\"sound\"}");
        return tale;
}

static void end(struct tale *tale)
{
        state_fini(&tale->state);
        json_decref(tale->records);
}

/* What is decided goes into the tale, as the record that the ledger would hold. */
static struct decision next(struct tale *tale)
{
        struct decision decision;
        json_t *record;

        decide(&tale->state, &decision);
        if (decision.is_under_way)
                return decision;
        record = decide_record(&tale->state, &decision);
        assert_non_null(record);
        assert_int_equal(json_object_set_new(record, "type", json_string("decision")), 0);
        assert_int_equal(json_array_append_new(tale->records, record), 0);
        assert_int_equal(state_apply(&tale->state, record), 0);
        return decision;
}

static void wants(struct tale *tale, enum prompt_stage stage, unsigned tier, unsigned lineage,
                  unsigned parent)
{
        struct decision decision = next(tale);

        assert_int_equal(decision.action, DECIDE_CALL);
        assert_int_equal(decision.stage, stage);
        assert_int_equal(decision.tier, tier);
        assert_int_equal(decision.lineage, lineage);
        assert_int_equal(decision.parent, parent);
        tale->slot = decision.slot;
}

static void answers(struct tale *tale)
{
        tell_all(tale,
                 "{\"type\":\"call.intent\",\"slot\":%u,\"attempt\":1,\"reserve_microusd\":100}",
                 tale->slot);
        tell_all(tale,
                 "{\"type\":\"call.result\",\"slot\":%u,\"attempt\":1,\"answer\":\"" HEX64
                 "\",\"finish\":\"stop\",\"cost_microusd\":10,\"ms\":5}",
                 tale->slot);
}

/* A candidate whose digest begins with the given digit. */
static void brings(struct tale *tale, unsigned candidate, char digit)
{
        answers(tale);
        tell_all(tale,
                 "{\"type\":\"reply\",\"slot\":%u,\"result\":\"files\",\"candidate\":%u,\"files\":["
                 "{\"path\":\"x.c\",\"sha256\":\"" HEX64 "\"}],\"sha256\":\"%c%.63s\"}",
                 tale->slot, candidate, digit, HEX64);
}

static void brings_nothing(struct tale *tale, const char *result)
{
        answers(tale);
        tell_all(tale, "{\"type\":\"reply\",\"slot\":%u,\"result\":\"%s\",\"why\":\"a vs b\"}",
                 tale->slot, result);
}

static void explains(struct tale *tale)
{
        answers(tale);
        tell_all(tale,
                 "{\"type\":\"reply\",\"slot\":%u,\"result\":\"prose\",\"prose\":\"" HEX64 "\"}",
                 tale->slot);
}

static void judged(struct tale *tale, unsigned candidate, const char *verdict, unsigned score,
                   const char *key)
{
        struct decision decision = next(tale);

        assert_int_equal(decision.action, DECIDE_GATE);
        assert_int_equal(decision.candidate, candidate);
        tell_all(tale,
                 "{\"type\":\"verdict\",\"candidate\":%u,\"verdict\":\"%s\",\"score_permille\":%u,"
                 "\"keys\":[\"%s\"],\"packet\":\"" HEX64 "\",\"headline\":\"h\",\"ms\":1}",
                 candidate, verdict, score, key);
}

static struct decision stops(struct tale *tale, enum state_outcome outcome)
{
        struct decision decision = next(tale);

        assert_int_equal(decision.action, DECIDE_STOP);
        assert_int_equal(decision.outcome, outcome);
        assert_int_equal(tale->state.outcome, outcome);
        return decision;
}

/* ---- Tests ------------------------------------------------------------------------------- */

/* The story of ./demo: leaks, then quadratic, then accepted by a diagnosis from above. */
static void test_diagnosis_is_escalated_before_the_writer(void **state)
{
        struct tale tale = begin(two_tiers);

        (void)state;
        wants(&tale, PROMPT_WRITE, 0, 1, 0);
        brings(&tale, 1, '1');
        judged(&tale, 1, "rejected", 117, "unit.leak put");
        wants(&tale, PROMPT_REPAIR, 0, 1, 1);
        brings(&tale, 2, '2');
        judged(&tale, 2, "rejected", 647, "bench.growth put");
        wants(&tale, PROMPT_DIAGNOSE, 1, 1, 2);
        explains(&tale);
        wants(&tale, PROMPT_REPAIR, 0, 1, 2);
        brings(&tale, 3, '3');
        judged(&tale, 3, "accepted", 1000, "");
        (void)stops(&tale, STATE_ACCEPTED);
        assert_int_equal(tale.state.accepted, 3);
        assert_int_equal(tale.state.spent_microusd, 40);
        end(&tale);
}

static void test_two_repairs_then_fresh(void **state)
{
        struct tale tale = begin(one_tier);

        (void)state;
        wants(&tale, PROMPT_WRITE, 0, 1, 0);
        brings(&tale, 1, '1');
        judged(&tale, 1, "rejected", 500, "a");
        wants(&tale, PROMPT_REPAIR, 0, 1, 1);
        brings(&tale, 2, '2');
        judged(&tale, 2, "rejected", 100, "b");
        wants(&tale, PROMPT_DIAGNOSE, 0, 1, 1); /* the better one, by the highest tier there is */
        explains(&tale);
        wants(&tale, PROMPT_REPAIR, 0, 1, 1);
        brings(&tale, 3, '3');
        judged(&tale, 3, "rejected", 500, "c");
        wants(&tale, PROMPT_WRITE, 0, 2, 0);
        end(&tale);
}

/* An answer without files spends the repair; a candidate that was there ends the lineage. */
static void test_what_is_unusable_counts(void **state)
{
        struct tale tale = begin(two_tiers);

        (void)state;
        wants(&tale, PROMPT_WRITE, 0, 1, 0);
        brings_nothing(&tale, "no-files");
        wants(&tale, PROMPT_WRITE, 0, 2, 0);
        brings(&tale, 1, '1');
        judged(&tale, 1, "rejected", 500, "a");
        wants(&tale, PROMPT_REPAIR, 0, 2, 1);
        brings(&tale, 2, '1');
        judged(&tale, 2, "rejected", 500, "a");
        wants(&tale, PROMPT_WRITE, 0, 3, 0);
        end(&tale);
}

static void test_three_useless_answers_exhaust_a_tier(void **state)
{
        struct tale tale = begin(two_tiers);

        (void)state;
        for (unsigned i = 1; i <= 3; i++) {
                wants(&tale, PROMPT_WRITE, 0, i, 0);
                brings_nothing(&tale, "no-files");
        }
        for (unsigned i = 4; i <= 5; i++) { /* two that were cut off are enough */
                wants(&tale, PROMPT_WRITE, 1, i, 0);
                brings_nothing(&tale, "cut");
        }
        assert_string_equal(stops(&tale, STATE_CEILING).signal, "format");
        end(&tale);
}

/* One lineage that fails throughout on one finding, of course among others. */
static unsigned fails(struct tale *tale, unsigned candidate, unsigned lineage, unsigned tier,
                      const char *first, const char *later)
{
        wants(tale, PROMPT_WRITE, tier, lineage, 0);
        candidate++;
        brings(tale, candidate, (char)('0' + candidate));
        judged(tale, candidate, "rejected", 500, first);
        wants(tale, PROMPT_REPAIR, tier, lineage, candidate);
        candidate++;
        brings(tale, candidate, (char)('0' + candidate));
        judged(tale, candidate, "rejected", 500, later);
        wants(tale, PROMPT_DIAGNOSE, tier, lineage, candidate);
        explains(tale);
        wants(tale, PROMPT_REPAIR, tier, lineage, candidate);
        candidate++;
        brings(tale, candidate, (char)('0' + candidate));
        judged(tale, candidate, "rejected", 500, later);
        return candidate;
}

static void test_a_common_core_is_a_ceiling(void **state)
{
        struct tale tale = begin(one_tier);
        struct decision decision;
        json_t *record, *evidence;
        unsigned candidate = 0;

        (void)state;
        for (unsigned i = 1; i <= 3; i++)
                candidate = fails(&tale, candidate, i, 0, "unit.race use", "unit.race use");
        decide(&tale.state, &decision);
        record = decide_record(&tale.state, &decision);
        evidence = json_object_get(record, "evidence");
        assert_int_equal(decision.outcome, STATE_CEILING);
        assert_string_equal(decision.signal, "core");
        assert_string_equal(json_string_value(json_object_get(evidence, "kind")), "capability");
        assert_string_equal(
                json_string_value(json_array_get(json_object_get(evidence, "never_passed"), 0)),
                "unit.race use");
        /* 0 of 3: 1 - 0.05^(1/3) = 0.6316 */
        assert_int_equal(
                json_integer_value(json_object_get(
                        json_array_get(json_object_get(evidence, "bounds"), 0), "bound_permille")),
                632);
        json_decref(record);
        end(&tale);
}

static void test_no_core_but_vain_repairs_is_a_plateau(void **state)
{
        struct tale tale = begin(one_tier);
        unsigned candidate = 0;

        (void)state;
        for (unsigned i = 1; i <= 3; i++)
                candidate = fails(&tale, candidate, i, 0, i == 2 ? "other" : "one", "two");
        assert_string_equal(stops(&tale, STATE_CEILING).signal, "plateau");
        end(&tale);
}

/* The number of calls alone proves nothing. */
static void test_a_cap_is_a_budget_and_no_ceiling(void **state)
{
        static const char capped[] =
                "{\"type\":\"run.start\",\"seed\":\"7\",\"tiers\":["
                "{\"name\":\"s\",\"calls_max\":1},{\"name\":\"l\",\"calls_max\":1}],"
                "\"limits\":{\"calls\":9,\"cost_microusd\":9,\"seconds\":9}}";
        struct tale tale = begin(capped);

        (void)state;
        wants(&tale, PROMPT_WRITE, 0, 1, 0);
        brings(&tale, 1, '1');
        judged(&tale, 1, "rejected", 500, "a");
        wants(&tale, PROMPT_WRITE, 1, 2, 0);
        brings(&tale, 2, '2');
        judged(&tale, 2, "rejected", 500, "a");
        (void)stops(&tale, STATE_BUDGET);
        end(&tale);
}

static void test_two_conflicts_are_the_contracts_fault(void **state)
{
        struct tale tale = begin(two_tiers);

        (void)state;
        wants(&tale, PROMPT_WRITE, 0, 1, 0);
        brings_nothing(&tale, "conflict");
        wants(&tale, PROMPT_WRITE, 0, 2, 0);
        brings_nothing(&tale, "conflict");
        (void)stops(&tale, STATE_CONTRACT);
        end(&tale);
}

static void test_what_stands_in_the_way_ends_it(void **state)
{
        struct tale tale = begin(two_tiers);

        (void)state;
        wants(&tale, PROMPT_WRITE, 0, 1, 0);
        tell_all(&tale, "{\"type\":\"call.intent\",\"slot\":1,\"reserve_microusd\":100}");
        tell_all(&tale, "{\"type\":\"call.fail\",\"slot\":1,\"kind\":\"final\",\"why\":\"no\"}");
        assert_string_equal(stops(&tale, STATE_INFRA).reason, "no");
        /* Resumed, the same call is under way. */
        tell_all(&tale, "{\"type\":\"resume\"}");
        assert_true(next(&tale).is_under_way);
        tell_all(&tale, "{\"type\":\"limit\",\"kind\":\"cost\",\"why\":\"spent\"}");
        assert_string_equal(stops(&tale, STATE_BUDGET).reason, "spent");
        tell_all(&tale, "{\"type\":\"resume\",\"limits\":{\"calls\":1,\"cost_microusd\":2,"
                        "\"seconds\":3}}");
        assert_int_equal(tale.state.limits.cost_microusd, 2);
        tell_all(&tale, "{\"type\":\"change\",\"why\":\"changed\"}");
        (void)stops(&tale, STATE_CONTRACT);
        end(&tale);
}

/* A crash between intent and end: the money counts as gone, the slot is tried again. */
static void test_what_is_open_counts_as_paid(void **state)
{
        struct tale tale = begin(two_tiers);

        (void)state;
        wants(&tale, PROMPT_WRITE, 0, 1, 0);
        tell_all(&tale, "{\"type\":\"call.intent\",\"slot\":1,\"reserve_microusd\":100}");
        assert_int_equal(tale.state.spent_microusd, 100);
        tell_all(&tale, "{\"type\":\"resume\"}");
        assert_int_equal(tale.state.spent_microusd, 100);
        assert_int_equal(next(&tale).slot, 1);
        answers(&tale);
        assert_int_equal(tale.state.spent_microusd, 110);
        end(&tale);
}

static void test_an_unknown_verdict_is_asked_again(void **state)
{
        struct tale tale = begin(two_tiers);

        (void)state;
        wants(&tale, PROMPT_WRITE, 0, 1, 0);
        brings(&tale, 1, '1');
        judged(&tale, 1, "unknown", 0, "");
        (void)stops(&tale, STATE_INFRA);
        tell_all(&tale, "{\"type\":\"resume\"}");
        judged(&tale, 1, "accepted", 1000, "");
        (void)stops(&tale, STATE_ACCEPTED);
        end(&tale);
}

static void test_preflight_comes_before_money(void **state)
{
        struct tale tale = { .records = json_array() };

        (void)state;
        state_init(&tale.state);
        assert_int_equal(tell(&tale, two_tiers), 0);
        assert_int_equal(next(&tale).action, DECIDE_PREFLIGHT);
        assert_true(next(&tale).is_under_way);
        tell_all(&tale, "{\"type\":\"preflight\",\"result\":\"unsound\",\"why\":\"vacuous\"}");
        assert_string_equal(stops(&tale, STATE_CONTRACT).reason, "vacuous");
        end(&tale);
}

/* Records that follow from nothing are refused, and none of them crashes. */
static void test_what_does_not_follow_is_refused(void **state)
{
        static const char *const wrong[] = {
                "{\"type\":\"run.start\"}",
                "{\"type\":\"reply\",\"slot\":1,\"result\":\"files\"}",
                "{\"type\":\"call.result\",\"slot\":9}",
                "{\"type\":\"verdict\",\"candidate\":1}",
                "{\"type\":\"decision\",\"action\":\"call\",\"stage\":\"write\",\"slot\":5}",
                "{\"type\":\"decision\",\"action\":\"call\",\"stage\":\"repair\",\"slot\":1,"
                "\"lineage\":1,\"parent\":1}",
                "{\"type\":\"decision\",\"action\":\"call\",\"stage\":\"write\",\"slot\":1,"
                "\"lineage\":1,\"tier\":2}",
                "{\"type\":\"decision\",\"action\":\"gate\",\"candidate\":-1}",
                "{\"type\":\"decision\",\"action\":\"stop\",\"outcome\":\"running\"}",
                "{\"type\":\"decision\"}",
                "{\"type\":\"accept\",\"candidate\":1}",
                "{\"type\":7}",
                "{\"type\":\"nonsense\"}",
                "{}",
        };

        (void)state;
        for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
                struct tale tale = begin(two_tiers);

                assert_int_equal(tell(&tale, wrong[i]), -EPROTO);
                end(&tale);
        }
}

/* Published bounds: FORGE.md names 45, 31, 22, 14 and 10 percent. */
static void test_bounds_are_those_of_the_table(void **state)
{
        (void)state;
        assert_int_equal(decide_bound_permille(0), 1000);
        assert_int_equal(decide_bound_permille(1), 950);
        assert_int_equal(decide_bound_permille(5), 451);
        assert_int_equal(decide_bound_permille(8), 313);
        assert_int_equal(decide_bound_permille(12), 221);
        assert_int_equal(decide_bound_permille(20), 140);
        assert_int_equal(decide_bound_permille(29), 99);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_diagnosis_is_escalated_before_the_writer),
                cmocka_unit_test(test_two_repairs_then_fresh),
                cmocka_unit_test(test_what_is_unusable_counts),
                cmocka_unit_test(test_three_useless_answers_exhaust_a_tier),
                cmocka_unit_test(test_a_common_core_is_a_ceiling),
                cmocka_unit_test(test_no_core_but_vain_repairs_is_a_plateau),
                cmocka_unit_test(test_a_cap_is_a_budget_and_no_ceiling),
                cmocka_unit_test(test_two_conflicts_are_the_contracts_fault),
                cmocka_unit_test(test_what_stands_in_the_way_ends_it),
                cmocka_unit_test(test_what_is_open_counts_as_paid),
                cmocka_unit_test(test_an_unknown_verdict_is_asked_again),
                cmocka_unit_test(test_preflight_comes_before_money),
                cmocka_unit_test(test_what_does_not_follow_is_refused),
                cmocka_unit_test(test_bounds_are_those_of_the_table),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
