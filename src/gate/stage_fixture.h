/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage_fixture.h - for tests of stages: a contract of tests/gate/fixtures, a real sandbox, and
 * candidates from texts.
 *
 * Ownership: static, one test program. Errors: a test that cannot be set up fails. Threads: one.
 */
#ifndef GATE_STAGE_FIXTURE_H
#define GATE_STAGE_FIXTURE_H

#include "gate/stage.h"

#include <errno.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct sandbox *fixture_sandbox;
static struct gate_options fixture_options = { .jobs = 2 };

/* A group set-up; also builds the tables of which layers are had. */
static inline int fixture_begin(void **state)
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        const struct sandbox_settings settings = { .stop_fd = -1 };

        (void)state;
        if (sandbox_new(&settings, &fixture_sandbox, &why))
                fail_msg("no sandbox: %s", text_view(&why));
        return 0;
}

static inline int fixture_end(void **state)
{
        (void)state;
        sandbox_free(&fixture_sandbox);
        return 0;
}

/* tests/gate/fixtures/NAME */
static inline void fixture_contract(const char *name, struct contract *ret_contract)
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        const struct parts *parts = parts_find(&why);

        assert_non_null(parts->include);
        text_printf(&path, "%s/../tests/gate/fixtures/%s", parts->include, name);
        if (contract_load(text_view(&path), ret_contract, &why))
                fail_msg("%s: %s", text_view(&path), text_view(&why));
}

/* One file with that text; for a contract that supplies one. */
static inline void fixture_candidate(const struct contract *contract, const char *source,
                                     struct candidate *ret_candidate)
{
        struct text bytes BASE_SCOPE(text_fini) = TEXT_INIT(candidate_file_bytes_max);
        const struct text *texts[1] = { &bytes };

        text_append(&bytes, source);
        assert_int_equal(candidate_make("test", (const char *const *)contract->supplies.items,
                                        texts, 1, ret_candidate),
                         0);
}

/* The stage's return value; the caller frees the result. */
static inline int fixture_run(stage_run *stage, const struct contract *contract,
                              const struct candidate *candidate, struct stage_result *ret_result)
{
        struct stage_context context = {
                .contract = contract,
                .candidate = candidate,
                .sandbox = fixture_sandbox,
                .options = &fixture_options,
                .seed = 1,
        };
        int outcome;

        stage_result_init(ret_result);
        outcome = workshop_new(fixture_sandbox, contract, candidate, &context.workshop);
        if (outcome)
                fail_msg("no workshop: %s", sandbox_why());
        outcome = stage(&context, ret_result);
        workshop_free(&context.workshop);
        return outcome;
}

/* NULL: no finding of that rule. */
static inline const struct finding *fixture_finding(const struct stage_result *result,
                                                    const char *rule)
{
        for (size_t i = 0; i < result->finding_count; i++)
                if (strcmp(result->findings[i].rule, rule) == 0)
                        return &result->findings[i];
        return NULL;
}

/* A stage shown a source: passes when rule is NULL, else rejects by it, message with `words`. */
static inline void fixture_expect(stage_run *stage, const struct contract *contract,
                                  const char *source, const char *rule, const char *words)
{
        struct candidate candidate;
        struct stage_result result;
        const struct finding *finding;
        int outcome;

        fixture_candidate(contract, source, &candidate);
        outcome = fixture_run(stage, contract, &candidate, &result);
        if (outcome || result.is_unknown)
                fail_msg("%s: %s for: %s", text_view(&result.why), sandbox_why(), source);
        if (!rule && result.finding_count)
                fail_msg("%s: %s for: %s", result.findings[0].rule, result.findings[0].message,
                         source);
        if (rule) {
                finding = fixture_finding(&result, rule);
                if (!finding)
                        fail_msg("%s%s%s, and not %s for: %s",
                                 result.finding_count ? result.findings[0].rule : "passed",
                                 result.finding_count ? ": " : "",
                                 result.finding_count ? result.findings[0].message : "", rule,
                                 source);
                if (words && !strstr(finding->message, words))
                        fail_msg("message of %s: %s", rule, finding->message);
        }
        stage_result_fini(&result);
        candidate_fini(&candidate);
}

#endif
