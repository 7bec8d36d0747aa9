/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the question sound? A contract whose cases pass on a stub that returns zero from everything
 * asks nothing, and one whose header does not compile cannot be answered. What is found here is
 * held against the contract, not the candidate: exit 2.
 *
 * That the reference passes is asked by the core, which judges it as a candidate like any other.
 */
#include "gate/lens_read.h"
#include "gate/stage.h"
#include "gate/stub.h"

#include "tocsin/case.h"

#include <errno.h>
#include <unistd.h>

struct inspection {
        struct stage_context *context;
        struct stage_result *result;
        struct workshop *workshop; /* of the stub */
        const char *program;
        const struct session_case *cases;
        size_t case_count;
};

/* A fault of the contract at contract.yaml or another of its files. */
static struct finding *fault(struct stage_result *result, const char *rule, const char *file,
                             unsigned line, const char *format, ...) BASE_PRINTF(5, 6);

static struct finding *fault(struct stage_result *result, const char *rule, const char *file,
                             unsigned line, const char *format, ...)
{
        struct text message BASE_SCOPE(text_fini) = TEXT_INIT(1024);
        struct finding *finding;
        va_list arguments;

        va_start(arguments, format);
        text_vprintf(&message, format, arguments);
        va_end(arguments);
        result->is_unsound = true;
        finding = finding_add(result, rule, "%s", text_view(&message));
        finding_at(finding, file, line);
        return finding;
}

/* ---- The header ------------------------------------------------------------------------------ */

static int compile_header(struct inspection *inspection, const char *compiler)
{
        const struct contract *contract = inspection->context->contract;
        struct text standard BASE_SCOPE(text_fini) = TEXT_INIT(64);
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(64);
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(workshop_output_max);
        const struct sandbox_bind binds[] = {
                { workshop_header(inspection->workshop), "/contract", false },
                { workshop_include(inspection->workshop), "/include", false },
        };
        struct sandbox_end end;
        struct sandbox_request request = {
                .directory = "/contract",
                .binds = binds,
                .bind_count = BASE_COUNT(binds),
                .output = &output,
        };
        int outcome;

        text_printf(&path, "/usr/bin/%s", compiler);
        text_printf(&standard, "-std=%s", contract->standard);
        if (access(text_view(&path), X_OK)) {
                stage_unknown(inspection->result, "%s is missing; install package %s",
                              text_view(&path), compiler);
                return 0;
        }
        request.argv = (const char *const[]){ text_view(&path),
                                              "-fdiagnostics-color=never",
                                              "-fsyntax-only",
                                              "-Wall",
                                              "-Wextra",
                                              "-Werror",
                                              "-Wstrict-prototypes",
                                              text_view(&standard),
                                              "-isystem",
                                              "/include",
                                              "-xc",
                                              contract->header,
                                              NULL };
        outcome = sandbox_run(inspection->context->sandbox, &request, &end);
        if (outcome)
                return outcome;
        if (end.how != SANDBOX_EXITED || end.code) {
                struct finding *finding =
                        fault(inspection->result, "contract.header", contract->header, 0,
                              "the header does not compile alone (%s); see the evidence", compiler);

                finding_evidence(finding, text_view(&output), output.length);
        }
        return 0;
}

static int judge_header(struct inspection *inspection)
{
        const struct contract *contract = inspection->context->contract;
        struct lens lens BASE_SCOPE(lens_fini) = LENS_NULL;
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(1024);
        int outcome = compile_header(inspection, "gcc");

        if (!outcome)
                outcome = compile_header(inspection, "clang");
        if (!outcome)
                outcome = lens_declarations(inspection->context->sandbox, contract, &lens, &why);
        if (outcome == LENS_REFUSED) {
                (void)fault(inspection->result, "contract.header", contract->header, 0, "%s",
                            text_view(&why));
                return 0;
        }
        if (outcome)
                return outcome;
        if (contract->invariant && !lens_function_of(&lens, contract->invariant))
                (void)fault(inspection->result, "contract.invariant", "contract.yaml", 0,
                            "invariant '%s' is not a function that %s declares",
                            contract->invariant, contract->header);
        for (size_t i = 0; i < contract->budget_count; i++) {
                const struct contract_budget *budget = &contract->budgets[i];

                if (budget->function && !lens_function_of(&lens, budget->function))
                        (void)fault(inspection->result, "contract.budget", "contract.yaml",
                                    budget->line, "function '%s' is not declared in %s",
                                    budget->function, contract->header);
        }
        return 0;
}

/* ---- The cases ------------------------------------------------------------------------------- */

static const struct session_case *case_of(const struct inspection *inspection, const char *name)
{
        for (size_t i = 0; i < inspection->case_count; i++)
                if (strcmp(inspection->cases[i].name, name) == 0)
                        return &inspection->cases[i];
        return NULL;
}

static bool has_kind(const struct inspection *inspection, unsigned kind)
{
        for (size_t i = 0; i < inspection->case_count; i++)
                if (inspection->cases[i].kind == kind)
                        return true;
        return false;
}

static void judge_budgets(struct inspection *inspection)
{
        const struct contract *contract = inspection->context->contract;

        for (size_t i = 0; i < contract->budget_count; i++) {
                const struct contract_budget *budget = &contract->budgets[i];
                const struct session_case *found =
                        budget->test_case ? case_of(inspection, budget->test_case) : NULL;

                if (!budget->test_case)
                        continue;
                if (!found || (found->kind != TOC_CASE_BENCH_ && found->kind != TOC_CASE_STRESS_))
                        (void)fault(inspection->result, "contract.budget", "contract.yaml",
                                    budget->line, "case '%s' is not a BENCH or STRESS of the cases",
                                    budget->test_case);
                else if (budget->axis && strcmp(found->axis, budget->axis) != 0)
                        (void)fault(inspection->result, "contract.budget", "contract.yaml",
                                    budget->line, "case '%s' has axis '%s', not '%s'",
                                    budget->test_case, found->axis, budget->axis);
        }
}

static void judge_list(struct inspection *inspection)
{
        for (size_t i = 0; i < inspection->case_count; i++) {
                const struct session_case *one = &inspection->cases[i];
                const struct session_case *first = case_of(inspection, one->name);

                if (first != one)
                        (void)fault(inspection->result, "contract.duplicate-case", one->file,
                                    one->line, "case '%s' exists already at %s:%u", one->name,
                                    first->file, first->line);
        }
        if (!has_kind(inspection, TOC_CASE_TEST_))
                (void)fault(inspection->result, "contract.no-test", "cases", 0,
                            "no TEST: nothing says what the module does");
        if (!has_kind(inspection, TOC_CASE_ALARM_))
                (void)fault(inspection->result, "contract.no-alarm", "cases", 0,
                            "no ALARM: nothing says that trouble must be heard of");
        if (!has_kind(inspection, TOC_CASE_CALM_))
                (void)fault(inspection->result, "contract.no-calm", "cases", 0,
                            "no CALM: nothing says when the module must be silent");
        judge_budgets(inspection);
}

/* A case that passes on the stub asks nothing. An ALARM passes when something rings. */
static int judge_stub_run(void *context, const struct session_run *run,
                          const struct session_verdict *verdict)
{
        struct inspection *inspection = context;
        const struct session_case *one = case_of(inspection, run->name);
        bool is_alarm = one->kind == TOC_CASE_ALARM_;
        bool rang = false;

        for (size_t i = 0; i < verdict->rang_count; i++)
                rang = rang || verdict->rang[i].rule.severity >= TOC_WARN;
        if (verdict->state == SESSION_PASSED && (!is_alarm || rang))
                finding_case(fault(inspection->result, "contract.vacuous", one->file, one->line,
                                   "%s '%s' passes on a stub that returns zero from everything; "
                                   "check something that a working module does",
                                   is_alarm ? "ALARM" : "TEST", one->name),
                             one->name, builds[BUILD_RELEASE].name);
        stage_progress(inspection->context, "contract: %s fails on the stub", run->name);
        return 0;
}

static int judge_on_stub(struct inspection *inspection)
{
        const struct session_plan plan = {
                .program = inspection->program,
                .build = BUILD_RELEASE,
                .watches_segments = true,
        };
        struct session_run *runs = calloc(inspection->case_count + 1, sizeof(*runs));
        size_t count = 0;
        int outcome;

        if (!runs)
                return -ENOMEM;
        for (size_t i = 0; i < inspection->case_count; i++) {
                const struct session_case *one = &inspection->cases[i];

                if ((one->kind == TOC_CASE_TEST_ || one->kind == TOC_CASE_ALARM_) &&
                    case_of(inspection, one->name) == one)
                        runs[count++] = (struct session_run){
                                .name = one->name,
                                .seed = inspection->context->seed,
                        };
        }
        outcome = session_run_all(inspection->context->sandbox, &plan, runs, count, judge_stub_run,
                                  inspection);
        free(runs);
        return outcome;
}

static int judge_cases(struct inspection *inspection)
{
        const struct session_plan plan = {
                .program = inspection->program,
                .build = BUILD_RELEASE,
        };
        struct session *session = NULL;
        int outcome = session_open(inspection->context->sandbox, &plan, &session);

        if (outcome)
                return outcome;
        outcome = session_list(session, &inspection->cases, &inspection->case_count);
        if (outcome == SESSION_NO_CASES) {
                (void)fault(inspection->result, "contract.cases", "cases", 0,
                            "the harness does not list its cases; does a case run code of its own "
                            "before main?");
                outcome = 0;
        } else if (!outcome) {
                judge_list(inspection);
                outcome = judge_on_stub(inspection);
        }
        session_close(&session, NULL);
        return outcome;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static int judge_with_stub(struct inspection *inspection)
{
        const struct workshop_product *product = NULL;
        int outcome;

        stage_progress(inspection->context, "contract: the header");
        outcome = judge_header(inspection);
        if (outcome || inspection->result->is_unsound)
                return outcome;
        stage_progress(inspection->context, "contract: the cases");
        outcome = workshop_program(inspection->workshop, BUILD_RELEASE, &product);
        if (outcome == WORKSHOP_REJECTED || outcome == WORKSHOP_UNSOUND) {
                struct finding *finding =
                        fault(inspection->result, "contract.cases", "cases", 0,
                              outcome == WORKSHOP_UNSOUND
                                      ? "the cases do not compile; see the evidence"
                                      : "the cases do not link with a stub of the header; see the "
                                        "evidence");

                finding_evidence(finding, product->output, product->output_length);
                return 0;
        }
        if (outcome) {
                if (outcome != -ECANCELED)
                        stage_unknown(inspection->result, "cannot compile the cases: %s",
                                      sandbox_why());
                return outcome;
        }
        inspection->program = product->path;
        return judge_cases(inspection);
}

int stage_contract(struct stage_context *context, struct stage_result *result)
{
        struct inspection inspection = { .context = context, .result = result };
        struct candidate stub = { .name = NULL };
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(1024);
        int outcome = stub_make(context->sandbox, context->contract, &stub, &why);

        if (outcome == STUB_UNSOUND) {
                (void)fault(result, "contract.header", context->contract->header, 0, "%s",
                            text_view(&why));
                return 0;
        }
        if (outcome) {
                stage_unknown(result, "cannot make a stub: %s", text_view(&why));
                return outcome;
        }
        outcome = workshop_new(context->sandbox, context->contract, &stub, &inspection.workshop);
        if (outcome)
                stage_unknown(result, "cannot compile: %s", sandbox_why());
        else
                outcome = judge_with_stub(&inspection);
        workshop_free(&inspection.workshop);
        candidate_fini(&stub);
        return outcome;
}
