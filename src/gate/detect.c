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
enum { slower = 4 };

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

struct rang {
        struct session_rang *items;
        size_t count;
};

/* One case under one fault. */
struct trial {
        struct stage_context *context;
        const char *program;
        const struct fault *fault; /* NULL: the control run */
        uint64_t *clocks;          /* of each case of the context: a second of rule time */
        uint64_t second_ns;        /* the one in use */
        uint64_t seconds;          /* of it, in which something may ring */
        size_t case_count;         /* that bear the fault */
        const struct session_case *first_case;
        struct rang usual; /* without any fault */
        struct rang fresh; /* by the fault, in this run */
        bool has_struck;
        bool is_unknown;
        struct text why;
        struct session_rang heard;
        const char *heard_in; /* a case; NULL: not heard */
};

/* ---- One run --------------------------------------------------------------------------------- */

static const struct session_rang *rang_find(const struct rang *rang,
                                            const struct session_rang *sought)
{
        for (size_t i = 0; i < rang->count; i++)
                if (memcmp(&rang->items[i].record, &sought->record, sizeof(sought->record)) == 0 &&
                    memcmp(&rang->items[i].rule, &sought->rule, sizeof(sought->rule)) == 0)
                        return &rang->items[i];
        return NULL;
}

static int rang_add(struct rang *rang, const struct session_rang *item)
{
        struct session_rang *items =
                reallocarray(rang->items, rang->count + 1, sizeof(*rang->items));

        if (!items)
                return -ENOMEM;
        rang->items = items;
        rang->items[rang->count++] = *item;
        return 0;
}

static void rang_fini(struct rang *rang)
{
        free(rang->items);
        *rang = (struct rang){ .items = NULL };
}

/* How long to wait until one of them rings again. On a slower clock it takes no more of rule time,
 * unless it starts late. */
static uint64_t again_s(const struct rang *rang)
{
        uint64_t latest_s = 0;

        for (size_t i = 0; i < rang->count; i++)
                if (rang->items[i].at_s > latest_s)
                        latest_s = rang->items[i].at_s;
        return latest_s + latest_s / 2 + 5;
}

enum { stop = 1 };

/* How the case ended is no matter: under a fault it may hang, crash or fail its checks. Others'
 * rules, and rules that only inform, are nobody's to hear. */
static int see(void *context, const struct session_run *run, const struct session_verdict *verdict)
{
        struct trial *trial = context;
        int failed = 0;

        if (strcmp(verdict->kind, "tool") == 0) {
                trial->is_unknown = true;
                text_printf(&trial->why, "case %s could not be watched: %s", run->name,
                            verdict->message);
                return stop;
        }
        trial->has_struck |= verdict->fired > 0;
        for (size_t i = 0; i < verdict->rang_count && !failed; i++) {
                const struct session_rang *rang = &verdict->rang[i];

                if (strcmp(rang->record.module, trial->context->contract->module) == 0 &&
                    rang->rule.severity >= TOC_WARN && !rang_find(&trial->usual, rang))
                        failed = rang_add(&trial->fresh, rang);
        }
        return failed;
}

static int run_case(struct trial *trial, const struct session_case *test_case)
{
        const struct stage_context *context = trial->context;
        const struct session_plan session = { .program = trial->program,
                                              .build = BUILD_RELEASE,
                                              .limits = &context->contract->limits,
                                              .watches_segments = true,
                                              .sees_inside = true };
        struct session_run run = { .name = test_case->name,
                                   .seed = context->seed,
                                   .second_ns = trial->second_ns,
                                   .run_ns = trial->seconds * trial->second_ns,
                                   .sample_ns = trial->second_ns };
        int outcome;

        run.wall_max_ns = run.run_ns + hang_ns;
        if (trial->fault) {
                run.fault = trial->fault->fault;
                run.fail_at = trial->fault->fail_at;
                run.is_sticky = trial->fault->fail_at > 0;
        }
        if (test_case->kind == TOC_CASE_STRESS_)
                run.threads = context->contract->threads == CONTRACT_THREADS_NONE ? 1 : 2;
        rang_fini(&trial->fresh);
        outcome = session_run_all(context->sandbox, &session, &run, 1, see, trial);
        return outcome < 0 ? outcome : 0;
}

/* ---- What rings without a fault, and with it ------------------------------------------------- */

/* It is tried again on slower clocks, for as long as it takes what rang to ring again. */
static int run_control(struct trial *trial, const struct session_case *test_case,
                       uint64_t *ret_second_ns)
{
        int failed;

        trial->seconds = detect_seconds_max;
        for (trial->second_ns = fast_ns;; trial->second_ns *= slower) {
                failed = run_case(trial, test_case);
                if (failed || trial->is_unknown || trial->fresh.count == 0 ||
                    trial->second_ns >= slowest_ns)
                        break;
                trial->seconds = again_s(&trial->fresh);
        }
        *ret_second_ns = trial->second_ns;
        for (size_t i = 0; i < trial->fresh.count && !failed; i++)
                failed = rang_add(&trial->usual, &trial->fresh.items[i]);
        return failed;
}

/* One of those that rang has to ring again on a slower clock. */
static int confirm(struct trial *trial, const struct session_case *test_case)
{
        struct rang before = trial->fresh;
        const uint64_t second_ns = trial->second_ns;
        int failed;

        trial->fresh = (struct rang){ .items = NULL };
        trial->second_ns *= slower;
        trial->seconds = again_s(&before);
        failed = run_case(trial, test_case);
        trial->second_ns = second_ns;
        for (size_t i = 0; i < before.count && !trial->heard_in; i++) {
                if (!rang_find(&trial->fresh, &before.items[i]))
                        continue;
                trial->heard = before.items[i];
                trial->heard_in = test_case->name;
        }
        rang_fini(&before);
        return failed;
}

static int run_fault(struct trial *trial, const struct session_case *test_case)
{
        int failed;

        trial->seconds = detect_seconds_max;
        failed = run_case(trial, test_case);
        if (failed || trial->is_unknown || trial->fresh.count == 0)
                return failed;
        return confirm(trial, test_case);
}

/* Whether it is one of the first cases of these kinds. */
static bool bears(const struct stage_context *context, size_t number, uint32_t kinds)
{
        size_t before = 0;

        for (size_t i = 0; i < number; i++)
                before += (kinds & 1U << context->cases[i].kind) != 0;
        return (kinds & 1U << context->cases[number].kind) && before < detect_case_max;
}

/* Of all cases that may bear some fault. */
static int run_controls(struct trial *trial)
{
        const struct stage_context *context = trial->context;
        const uint32_t stress = 1U << TOC_CASE_STRESS_, both = stress | 1U << TOC_CASE_FAULT_;
        int failed = 0;

        trial->clocks = calloc(context->case_count + 1, sizeof(*trial->clocks));
        if (!trial->clocks)
                return -ENOMEM;
        for (size_t i = 0; i < context->case_count && !failed && !trial->is_unknown; i++)
                if (bears(context, i, stress) || bears(context, i, both))
                        failed = run_control(trial, &context->cases[i], &trial->clocks[i]);
        return failed;
}

/* All cases that bear it, until it is heard; each on the clock of its control: on a slower one
 * rules would ring that count what is done in a second. */
static int run_trials(struct trial *trial, const struct fault *fault)
{
        const struct stage_context *context = trial->context;
        int failed = 0;

        trial->fault = fault;
        trial->case_count = 0;
        trial->has_struck = false;
        trial->heard_in = NULL;
        for (size_t i = 0;
             i < context->case_count && !failed && !trial->is_unknown && !trial->heard_in; i++) {
                if (!bears(context, i, fault->kinds))
                        continue;
                if (!trial->case_count++)
                        trial->first_case = &context->cases[i];
                trial->second_ns = trial->clocks[i];
                failed = run_fault(trial, &context->cases[i]);
        }
        return failed;
}

/* ---- What it means --------------------------------------------------------------------------- */

static json_t *measure(const struct trial *trial)
{
        if (!trial->case_count)
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

        if (!trial->case_count) {
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
                              fault->name, trial->first_case->name, fault->what,
                              trial->context->contract->module, (int)detect_seconds_max);
        finding_at(finding, trial->first_case->file, trial->first_case->line);
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
        failed = run_trials(trial, fault);
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
        failed = run_controls(&trial);
        for (size_t i = 0; i < detects->count && !failed && !trial.is_unknown; i++)
                failed = judge_one(&trial, detects->items[i], result, measures);
        if (trial.is_unknown && !result->is_unknown)
                stage_unknown(result, "%s", text_view(&trial.why));
        free(trial.clocks);
        rang_fini(&trial.usual);
        rang_fini(&trial.fresh);
        text_fini(&trial.why);
        if (failed) {
                json_decref(measures);
                return failed;
        }
        *ret_measures = measures;
        return 0;
}
