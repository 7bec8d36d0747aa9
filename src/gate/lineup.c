/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that the stages that measure ask alike, and are unknown alike.
 */
#include "gate/lineup.h"

#include "base/error.h"

#include <errno.h>

static int lineup_fail(struct stage_result *result, int outcome, const char *what,
                       const char *build, const char *why)
{
        if (outcome != -ECANCELED)
                stage_unknown(result, "%s %s: %s", what, build, *why ? why : error_text(outcome));
        return outcome;
}

int lineup_program(struct stage_context *context, struct stage_result *result, enum build_id build,
                   const char *rule, const char **ret_program)
{
        const struct workshop_product *product = NULL;
        struct finding *finding;
        int outcome;

        stage_progress(context, "building %s", builds[build].name);
        outcome = workshop_program(context->workshop, build, &product);
        if (outcome < 0)
                return lineup_fail(result, outcome, "cannot build", builds[build].name,
                                   workshop_why());
        if (outcome == WORKSHOP_REJECTED) {
                finding = finding_add(result, rule, "does not compile or link as %s",
                                      builds[build].name);
                finding_evidence(finding, product->output, product->output_length);
                finding_case(finding, NULL, builds[build].name);
                return LINEUP_NONE;
        }
        if (outcome) {
                stage_unknown(result,
                              "the contract's cases do not compile as %s; stage contract says why",
                              builds[build].name);
                return LINEUP_NONE;
        }
        *ret_program = product->path;
        return 0;
}

int lineup_cases(struct stage_context *context, struct stage_result *result, const char *program,
                 struct lineup *ret_lineup)
{
        const struct session_plan plan = { .program = program, .build = BUILD_RELEASE };
        const struct session_case *cases = NULL;
        struct session *session = NULL;
        struct session_case *asked = NULL;
        size_t count = 0;
        int outcome;

        if (context->case_count > 0) {
                *ret_lineup =
                        (struct lineup){ .cases = context->cases, .count = context->case_count };
                return 0;
        }
        outcome = session_open(context->sandbox, &plan, &session);
        if (outcome == 0)
                outcome = session_list(session, &cases, &count);
        if (outcome == 0) {
                asked = calloc(count + 1, sizeof(*asked));
                if (asked && count > 0)
                        memcpy(asked, cases, count * sizeof(*asked));
                outcome = asked ? 0 : -ENOMEM;
        }
        if (session)
                session_close(&session, NULL);
        if (outcome < 0)
                return lineup_fail(result, outcome, "cannot ask the program for its cases, build",
                                   builds[BUILD_RELEASE].name, sandbox_why());
        if (outcome) {
                stage_unknown(result, "the program with this candidate does not tell its cases; "
                                      "stage unit says why");
                return LINEUP_NONE;
        }
        *ret_lineup = (struct lineup){ .cases = asked, .count = count, .asked = asked };
        return 0;
}

void lineup_fini(struct lineup *lineup)
{
        free(lineup->asked);
        *lineup = (struct lineup){ 0 };
}
