/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a rule that has rung in an ALARM case has shown that it can ring, and not that
 * anybody would hear of a leak. */
#include "gate/detect.h"

#include "gate/lineup.h"
#include "rule/rule.h"
#include "tocsin/case.h"

#include <errno.h>
#include <inttypes.h>

static const uint64_t hang_ns = 2 * CLOCK_S_NS; /* for a case that does not come back */

/* What a second of rule time takes. On the fast clock a machine that stands still for 50 ms looks
 * like a call that hangs for five seconds, which the slower ones tell from a rule that rings. */
static const uint64_t fast_ns = 10 * CLOCK_MS_NS;
static const uint64_t slowest_ns = 160 * CLOCK_MS_NS;
enum { slower = 4, again_seconds = 10 };

struct fault {
        const char *name;
        enum session_fault fault;
        uint64_t fail_at; /* that allocation of each case and all that follow */
        uint32_t kinds;   /* bits 1 << enum toc_case_kind_ of cases that bear it */
        const char *what;
};

static const struct fault faults[] = {
        { "leak", SESSION_LEAK, 0, 1U << TOC_CASE_STRESS_, "nothing that it frees is given back" },
        { "deadlock", SESSION_DEADLOCK, 0, 1U << TOC_CASE_STRESS_,
          "from the 100th on its locks are not given back" },
        { "slow", SESSION_SLOW, 0, 1U << TOC_CASE_STRESS_,
          "each allocation, lock, read and write takes 5 ms longer" },
        { "alloc_failure", SESSION_NO_FAULT, 3, 1U << TOC_CASE_FAULT_ | 1U << TOC_CASE_STRESS_,
          "from the third on all its allocations fail" },
        { "descriptor", SESSION_DESCRIPTOR, 0, 1U << TOC_CASE_STRESS_,
          "nothing that it closes is closed" },
};

struct trial {
        struct stage_context *context;
        const char *program;
        const struct fault *fault; /* NULL: the control run */
        uint64_t second_ns;        /* of rule time */
        uint64_t seconds;          /* of it, in which the fault may be heard */
        const struct session_case *cases[detect_case_max];
        struct session_run runs[detect_case_max];
        size_t count;
        struct session_rang *usual; /* rang without any fault */
        size_t usual_count;
        bool has_struck;
        bool is_unknown;
        struct text why;
        struct session_rang heard; /* the first one that the fault made ring */
        const char *heard_in;      /* NULL: none */
};

/* ---- One run --------------------------------------------------------------------------------- */

static bool is_usual(const struct trial *trial, const struct session_rang *rang)
{
        for (size_t i = 0; i < trial->usual_count; i++)
                if (memcmp(&trial->usual[i].record, &rang->record, sizeof(rang->record)) == 0 &&
                    memcmp(&trial->usual[i].rule, &rang->rule, sizeof(rang->rule)) == 0)
                        return true;
        return false;
}

/* Others' rules, and rules that only inform, are nobody's to hear. */
static bool counts(const struct trial *trial, const struct session_rang *rang)
{
        return strcmp(rang->record.module, trial->context->contract->module) == 0 &&
               rang->rule.severity >= TOC_WARN;
}

static int remember_usual(struct trial *trial, const struct session_verdict *verdict)
{
        struct session_rang *more = reallocarray(
                trial->usual, trial->usual_count + verdict->rang_count + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        trial->usual = more;
        for (size_t i = 0; i < verdict->rang_count; i++)
                if (counts(trial, &verdict->rang[i]))
                        trial->usual[trial->usual_count++] = verdict->rang[i];
        return 0;
}

static void hear(struct trial *trial, const struct session_case *test_case,
                 const struct session_verdict *verdict)
{
        for (size_t i = 0; i < verdict->rang_count && !trial->heard_in; i++) {
                const struct session_rang *rang = &verdict->rang[i];

                if (!counts(trial, rang) || is_usual(trial, rang))
                        continue;
                trial->heard = *rang;
                trial->heard_in = test_case->name;
        }
}

enum { heard = 1 };

/* How the case ended is no matter: under a fault it may hang, crash or fail its checks. */
static int see(void *context, const struct session_run *run, const struct session_verdict *verdict)
{
        struct trial *trial = context;

        if (strcmp(verdict->kind, "tool") == 0) {
                trial->is_unknown = true;
                text_printf(&trial->why, "case %s could not be watched: %s", run->name,
                            verdict->message);
                return heard;
        }
        if (!trial->fault)
                return remember_usual(trial, verdict);
        trial->has_struck |= verdict->fired > 0;
        hear(trial, trial->cases[run - trial->runs], verdict);
        return trial->heard_in ? heard : 0;
}

static void plan(struct trial *trial, const struct session_case *test_case)
{
        const struct stage_context *context = trial->context;
        struct session_run *run = &trial->runs[trial->count];

        *run = (struct session_run){ .name = test_case->name,
                                     .seed = context->seed,
                                     .second_ns = trial->second_ns,
                                     .run_ns = trial->seconds * trial->second_ns,
                                     .sample_ns = trial->second_ns };
        run->wall_max_ns = run->run_ns + hang_ns;
        if (trial->fault) {
                run->fault = trial->fault->fault;
                run->fail_at = trial->fault->fail_at;
                run->is_sticky = trial->fault->fail_at > 0;
        }
        if (test_case->kind == TOC_CASE_STRESS_)
                run->threads = context->contract->threads == CONTRACT_THREADS_NONE ? 1 : 2;
        trial->cases[trial->count++] = test_case;
}

/* Runs all cases that bear it, or only one. */
static int run_trial(struct trial *trial, const struct fault *fault, const char *only)
{
        const uint32_t kinds =
                fault ? fault->kinds : 1U << TOC_CASE_STRESS_ | 1U << TOC_CASE_FAULT_;
        const struct stage_context *context = trial->context;
        const struct session_plan session = { .program = trial->program,
                                              .build = BUILD_RELEASE,
                                              .limits = &context->contract->limits,
                                              .watches_segments = true,
                                              .sees_inside = true };
        int outcome;

        trial->fault = fault;
        trial->count = 0;
        trial->has_struck = false;
        trial->heard_in = NULL;
        for (size_t i = 0; i < context->case_count && trial->count < detect_case_max; i++)
                if (kinds & 1U << context->cases[i].kind &&
                    (!only || strcmp(only, context->cases[i].name) == 0))
                        plan(trial, &context->cases[i]);
        outcome =
                session_run_all(context->sandbox, &session, trial->runs, trial->count, see, trial);
        return outcome < 0 ? outcome : 0;
}

/* What rings on the fastest clock that leaves the rules alone, which is kept for the faults; or on
 * the slowest. */
static int run_control(struct trial *trial)
{
        int failed = 0;

        trial->seconds = detect_seconds_max;
        for (trial->second_ns = fast_ns;; trial->second_ns *= slower) {
                trial->usual_count = 0;
                failed = run_trial(trial, NULL, NULL);
                if (failed || trial->is_unknown || trial->usual_count == 0 ||
                    trial->second_ns >= slowest_ns)
                        return failed;
        }
}

/* Whoever heard it must hear it again on a slower clock, in about the same time of rules. */
static int run_fault(struct trial *trial, const struct fault *fault)
{
        const uint64_t second_ns = trial->second_ns;
        int failed;

        trial->seconds = detect_seconds_max;
        failed = run_trial(trial, fault, NULL);
        if (failed || trial->is_unknown || !trial->heard_in)
                return failed;
        trial->second_ns *= slower;
        trial->seconds = 2 * trial->heard.at_s + again_seconds;
        failed = run_trial(trial, fault, trial->heard_in);
        trial->second_ns = second_ns;
        return failed;
}

/* ---- What it means --------------------------------------------------------------------------- */

static json_t *measure(const struct trial *trial)
{
        if (!trial->count)
                return json_string("no case to try it in");
        if (!trial->has_struck)
                return json_string("did not strike");
        if (!trial->heard_in)
                return json_string("not heard");
        return json_pack("{s:s, s:s, s:s, s:I}", "case", trial->heard_in, "probe",
                         trial->heard.record.name, "signal",
                         rule_signal_name(trial->heard.rule.signal), "seconds",
                         (json_int_t)trial->heard.at_s);
}

static void judge(struct trial *trial, struct stage_result *result)
{
        const struct fault *fault = trial->fault;
        struct finding *finding;

        if (!trial->count) {
                (void)finding_add(
                        result, "observe.undetected",
                        "detects: %s cannot be tried: the contract has no %s case", fault->name,
                        fault->kinds & 1U << TOC_CASE_FAULT_ ? "FAULT or STRESS" : "STRESS");
                return;
        }
        if (!trial->has_struck || trial->heard_in)
                return;
        finding = finding_add(result, "observe.undetected",
                              "%s in case %s: %s, and no warn or page rule of module %s rang "
                              "within %d s of rule time",
                              fault->name, trial->cases[0]->name, fault->what,
                              trial->context->contract->module, (int)detect_seconds_max);
        finding_at(finding, trial->cases[0]->file, trial->cases[0]->line);
}

static const struct fault *find(const char *name)
{
        for (size_t i = 0; i < BASE_COUNT(faults); i++)
                if (strcmp(faults[i].name, name) == 0)
                        return &faults[i];
        return NULL;
}

static int judge_one(struct trial *trial, const char *name, struct stage_result *result,
                     json_t *measures)
{
        const struct fault *fault = find(name);
        int failed;

        if (!fault)
                return json_object_set_new(measures, name, json_string("by ALARM cases")) ? -ENOMEM
                                                                                          : 0;
        stage_progress(trial->context, "observe: %s, injected", name);
        failed = run_fault(trial, fault);
        if (failed)
                return failed;
        if (trial->is_unknown)
                stage_unknown(result, "%s", text_view(&trial->why));
        else
                judge(trial, result);
        return json_object_set_new(measures, name, measure(trial)) ? -ENOMEM : 0;
}

int detect_judge(struct stage_context *context, struct stage_result *result, const char *program,
                 json_t **ret_measures)
{
        const struct contract_list *detects = &context->contract->detects;
        struct trial trial = { .context = context, .program = program, .why = TEXT_INIT(2048) };
        json_t *measures;
        int failed = 0;

        if (!detects->count)
                return 0;
        measures = json_object();
        if (!measures)
                return -ENOMEM;
        stage_progress(context, "observe: what rings without a fault");
        failed = run_control(&trial);
        for (size_t i = 0; i < detects->count && !failed && !trial.is_unknown; i++)
                failed = judge_one(&trial, detects->items[i], result, measures);
        if (trial.is_unknown && !result->is_unknown)
                stage_unknown(result, "%s", text_view(&trial.why));
        free(trial.usual);
        text_fini(&trial.why);
        if (failed) {
                json_decref(measures);
                return failed;
        }
        *ret_measures = measures;
        return 0;
}
