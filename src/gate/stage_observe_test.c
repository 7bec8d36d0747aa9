/* SPDX-License-Identifier: Apache-2.0 */
/* Stage observe: the reference of modules/lru, spoilt in one place at a time. The stage must name
 * that fault and no other. Sandbox, compilers and callgrind are the real ones. */
#include "base/error.h"
#include "base/file.h"
#include "gate/stage.h"

#include <fcntl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define CONTRACT GATE_SOURCE_ROOT "/modules/lru"

static const char evictions[] = "TOC_ALERT(per_minute, >, 6000, TOC_WARN,";
static const char capacity[] = "raise the capacity\")";
static const char hits_rule[] =
        "\"Keys asked for that were there\", TOC_QUIET(\"feeds the chart of "
        "the hit ratio\")";

#define ROTATE "static uint64_t rotate(uint64_t x, unsigned by)\n{\n"
#define GATED(mode)                                                                            \
        "TOC_GAUGE(mode, \"What is asked for\", TOC_QUIET(\"only a gate\"));\n" ROTATE         \
        "        toc_set(mode, " mode ");\n"                                                   \
        "        (void)TOC_SOMETIMES(x == by, TOC_NOTE, \"two numbers are never the same\",\n" \
        "                            TOC_WHEN(mode));\n"

static const struct spoilt {
        const char *name;
        const char *was; /* in candidates/reference/lru.c */
        const char *becomes;
        const char *test_case; /* looked at alone; NULL: all, quickly */
        const char *rule;      /* of all findings; NULL: there is none */
        const char *says;      /* in the message of the first */
} table[] = {
        { "is as it was", evictions, evictions, NULL, NULL, NULL },
        { "wakes nobody", evictions, "TOC_ALERT(per_minute, >, 6000, TOC_NOTE,",
          "an_eviction_storm", "observe.alarm-silent", "no warn or page rule of module lru" },
        { "asks for too much", evictions, "TOC_ALERT(per_minute, >, 20000, TOC_WARN,",
          "an_eviction_storm", "observe.alarm-silent", "within 120 s" },
        { "holds just short enough", capacity, "raise the capacity\", .hold_s = 80)",
          "an_eviction_storm", NULL, NULL },
        { "holds too long", capacity, "raise the capacity\", .hold_s = 100)", "an_eviction_storm",
          "observe.alarm-silent", "within 120 s" },
        { "rings for a burst", evictions, "TOC_ALERT(per_minute, >, 500, TOC_WARN,",
          "a_burst_now_and_then", "observe.calm-rang", "per_minute > 500 of probe evictions" },
        { "notes a burst", evictions, "TOC_ALERT(per_minute, >, 500, TOC_NOTE,",
          "a_burst_now_and_then", NULL, NULL },
        { "waits for what cannot be", hits_rule,
          "\"Keys asked for that were there\",\n"
          "TOC_ALERT(per_second, >, INT64_MAX, TOC_NOTE, \"more than can be\")",
          NULL, "observe.rule-cannot-fire", "of probe hits" },
        { "never ends", hits_rule,
          "\"Keys asked for that were there\",\n"
          "TOC_ALERT(total, >=, 0, TOC_NOTE, \"there are hits or none\")",
          NULL, "observe.rule-cannot-clear", "of probe hits" },
        { "counts nothing", "        toc_count(hits);\n", "", NULL, "observe.probe-unmoved",
          "counter hits" },
        { "never comes by", "        toc_count(hits);\n",
          "        toc_count(hits);\n"
          "        (void)TOC_SOMETIMES(cache->mask == 6, TOC_NOTE, \"it is never full\");\n",
          NULL, "observe.must-hit", "happened in no case: it is never full" },
        { "comes by", "        toc_count(hits);\n",
          "        toc_count(hits);\n        TOC_REACHED(TOC_NOTE, \"nobody ever finds a key\");\n",
          NULL, NULL, NULL },
        { "is not asked for behind a gate that stays shut", ROTATE, GATED("0"), NULL,
          "observe.probe-unmoved", "gauge mode" },
        { "is asked for behind a gate that was open", ROTATE, GATED("1"), NULL, "observe.must-hit",
          "happened in no case: two numbers are never the same" },
        { "goes by another name", "TOC_MODULE(lru,", "TOC_MODULE(lru_helper,", "refusals",
          "observe.foreign-module", "lru_helper" },
};

struct judged {
        struct contract contract;
        struct sandbox *sandbox;
        struct text good;
};

static void spoil(const struct judged *judged, const struct spoilt *spoilt, struct text *into)
{
        const char *good = text_view(&judged->good);
        const char *at = strstr(good, spoilt->was);

        assert_non_null(at);
        text_append_bytes(into, good, (size_t)(at - good));
        text_append(into, spoilt->becomes);
        text_append(into, at + strlen(spoilt->was));
        assert_int_equal(into->error, 0);
}

static void judge(const struct judged *judged, const struct text *source,
                  const struct gate_options *options, struct stage_result *result)
{
        struct candidate candidate;
        struct workshop *workshop = NULL;
        struct stage_context context = { .contract = &judged->contract,
                                         .candidate = &candidate,
                                         .sandbox = judged->sandbox,
                                         .options = options,
                                         .seed = 20260131 };
        int outcome;

        assert_int_equal(candidate_make("spoilt", (const char *const[]){ "lru.c" },
                                        (const struct text *const[]){ source }, 1, &candidate),
                         0);
        assert_int_equal(workshop_new(judged->sandbox, &judged->contract, &candidate, &workshop),
                         0);
        context.workshop = workshop;
        stage_result_init(result);
        outcome = stage_observe(&context, result);
        if (outcome != 0)
                print_error("# stage: %s; %s\n", error_text(outcome), text_view(&result->why));
        assert_int_equal(outcome, 0);
        workshop_free(&workshop);
        candidate_fini(&candidate);
}

static void show(const struct stage_result *result)
{
        if (result->is_unknown)
                print_error("# unknown: %s\n", text_view(&result->why));
        for (size_t i = 0; i < result->finding_count; i++)
                print_error("# %s %s:%u %s\n", result->findings[i].rule,
                            result->findings[i].file ? result->findings[i].file : "-",
                            result->findings[i].line, result->findings[i].message);
}

static bool found_is(const struct stage_result *result, const struct spoilt *spoilt)
{
        if (result->is_unknown || (result->finding_count > 0) != (spoilt->rule != NULL))
                return false;
        for (size_t i = 0; i < result->finding_count; i++)
                if (strcmp(result->findings[i].rule, spoilt->rule) != 0)
                        return false;
        return !spoilt->says || strstr(result->findings[0].message, spoilt->says);
}

static int set_up(void **state)
{
        static struct judged judged = { .good = TEXT_INIT(1 << 20) };
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        const struct sandbox_settings settings = { .stop_fd = -1 };

        if (contract_load(CONTRACT, &judged.contract, &why) != 0 ||
            sandbox_new(&settings, &judged.sandbox, &why) != 0 ||
            file_read(AT_FDCWD, CONTRACT "/candidates/reference/lru.c", &judged.good) != 0) {
                print_error("# %s\n", text_view(&why));
                return -1;
        }
        *state = &judged;
        return 0;
}

static int tear_down(void **state)
{
        struct judged *judged = *state;

        if (!judged)
                return 0;
        sandbox_free(&judged->sandbox);
        contract_fini(&judged->contract);
        text_fini(&judged->good);
        return 0;
}

/* ---- Tests -------------------------------------------------------------------------------- */

static void names_each_fault(void **state)
{
        const struct judged *judged = *state;
        size_t missed = 0;

        for (size_t i = 0; i < BASE_COUNT(table); i++) {
                struct text source BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
                const struct gate_options options = { .jobs = 2,
                                                      .is_quick = true,
                                                      .test_case = table[i].test_case };
                struct stage_result result;

                spoil(judged, &table[i], &source);
                judge(judged, &source, &options, &result);
                if (!found_is(&result, &table[i])) {
                        print_error("# %s: wanted %s, got\n", table[i].name,
                                    table[i].rule ? table[i].rule : "nothing");
                        show(&result);
                        missed++;
                }
                stage_result_fini(&result);
        }
        assert_int_equal(missed, 0);
}

/* A hundred atomic additions a hit are no probe that anybody would leave in. */
static void sees_what_probes_cost(void **state)
{
        const struct judged *judged = *state;
        const struct spoilt dear = {
                .was = "        toc_count(hits);\n",
                .becomes =
                        "        for (int i = 0; i < 500; i++)\n                toc_count(hits);\n",
        };
        struct text source BASE_SCOPE(text_fini) = TEXT_INIT(1 << 20);
        const struct gate_options options = { .jobs = 2 };
        struct stage_result result;

        judge(judged, &judged->good, &options, &result);
        show(&result);
        assert_int_equal(result.finding_count, 0);
        assert_false(result.is_unknown);
        assert_true(json_real_value(json_object_get(result.measures, "overhead_percent")) < 6);
        stage_result_fini(&result);
        spoil(judged, &dear, &source);
        judge(judged, &source, &options, &result);
        show(&result);
        assert_int_equal(result.finding_count, 1);
        assert_string_equal(result.findings[0].rule, "observe.overhead");
        assert_non_null(strstr(result.findings[0].message, "in get;"));
        stage_result_fini(&result);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_each_fault),
                cmocka_unit_test(sees_what_probes_cost),
        };

        return cmocka_run_group_tests_name("observe", tests, set_up, tear_down);
}
