/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is judged never depends on the order in which people ask: a stage that runs alone, to repeat
 * a finding, gets the seed, the cases and the builds that it had in the whole run. Only stage
 * interface always comes before it, because it is what makes code fit to be linked and run at all.
 */
#include "gate/judge.h"
#include "base/error.h"
#include "base/file.h"
#include "base/option.h"
#include "gate/digest.h"
#include "gate/stub.h"

#include <errno.h>
#include <inttypes.h>

enum { part_bytes_max = 256 << 20, judge_why_max = 4096 };

/* Less than this is left of --quick: a stage is not begun. */
#define QUICK_LEAST_NS (1 * CLOCK_S_NS)

/* What is judged: a candidate, or with stage contract the stub. */
struct subject {
        const struct candidate *candidate; /* NULL: the stub, made when it is needed */
        struct workshop **workshop;
        uint64_t seed;
};

/* ---- Keys of the cache ------------------------------------------------------------------- */

static int digest_file(struct digest *digest, const char *path)
{
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(part_bytes_max);
        int failed = file_read(AT_FDCWD, path, &bytes);

        digest_text(digest, path);
        if (!failed)
                digest_field(digest, text_view(&bytes), bytes.length);
        return failed;
}

static int digest_json(struct digest *digest, const json_t *json)
{
        char *dump = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

        if (!dump)
                return -ENOMEM;
        digest_text(digest, dump);
        free(dump);
        return 0;
}

/* Everything of ours that takes part, byte by byte: a rebuilt tocsin judges anew. */
static int make_base_key(struct judge *judge, const struct parts *parts)
{
        BASE_SCOPE(text_fini) struct text header = TEXT_INIT(8192);
        BASE_SCOPE(text_fini) struct text machine = TEXT_INIT(8192);
        BASE_SCOPE(text_fini) struct text case_header = TEXT_INIT(8192);
        const char *files[] = { "/proc/self/exe",
                                parts->case_library,
                                parts->library,
                                parts->inside,
                                parts->lens,
                                NULL,
                                NULL,
                                NULL };
        struct digest digest;
        int failed = 0;
        int outcome;

        text_printf(&header, "%s/tocsin.h", parts->include);
        text_printf(&machine, "%s/tocsin-machine.h", parts->include);
        text_printf(&case_header, "%s/tocsin/case.h", parts->include);
        files[5] = text_view(&header);
        files[6] = text_view(&case_header);
        files[7] = text_view(&machine);
        digest_begin(&digest);
        for (size_t i = 0; i < BASE_COUNT(files) && !failed; i++)
                failed = digest_file(&digest, files[i]);
        if (!failed)
                failed = digest_json(&digest, judge->surroundings->tools);
        if (!failed)
                failed = digest_json(&digest, judge->surroundings->sandbox);
        if (!failed)
                failed = digest_json(&digest, judge->surroundings->host);
        digest_text(&digest, judge->contract->sha256);
        outcome = digest_end(&digest, judge->base_key);
        return failed ? failed : outcome;
}

static int make_key(const struct judge *judge, const struct subject *subject, size_t stage,
                    char ret_key[digest_hex_size])
{
        const struct gate_options *options = &judge->request->options;
        char numbers[160];
        struct digest digest;

        (void)snprintf(numbers, sizeof(numbers), "%" PRIu64 " %d %" PRIu64 " %d", subject->seed,
                       options->is_quick, options->fail_at, options->is_sticky); /* fits */
        digest_begin(&digest);
        digest_text(&digest, judge->base_key);
        digest_text(&digest, stages[stage].name);
        digest_text(&digest, subject->candidate ? subject->candidate->sha256 : "");
        digest_text(&digest, numbers);
        digest_text(&digest, options->test_case ? options->test_case : "");
        digest_text(&digest, options->build ? options->build : "");
        return digest_end(&digest, ret_key);
}

int judge_init(struct judge *judge, const struct parts *parts, struct text *why)
{
        int failed = make_base_key(judge, parts);

        if (failed)
                text_printf(why, "cannot read the parts of tocsin: %s", error_text(failed));
        stage_result_init(&judge->contract_result);
        return failed;
}

void judge_fini(struct judge *judge)
{
        stage_result_fini(&judge->contract_result);
        workshop_free(&judge->stub_workshop);
        if (judge->has_stub)
                candidate_fini(&judge->stub);
        free(judge->cases);
}

/* ---- The stub, and the cases that are listed with it ------------------------------------- */

static int need_stub(struct judge *judge, struct stage_result *result)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(judge_why_max);
        int outcome;

        if (judge->stub_workshop)
                return 0;
        if (!judge->has_stub) {
                outcome = stub_make(judge->sandbox, judge->contract, &judge->stub, &why);
                if (outcome == STUB_UNSOUND) {
                        struct finding *finding =
                                finding_add(result, "contract.stub", "%s", text_view(&why));

                        finding_at(finding, judge->contract->header, 0);
                        result->is_unsound = true;
                        return -EINVAL;
                }
                if (outcome) {
                        stage_unknown(result, "cannot make the stub: %s",
                                      why.length ? text_view(&why) : error_text(outcome));
                        return outcome;
                }
                judge->has_stub = true;
        }
        outcome =
                workshop_new(judge->sandbox, judge->contract, &judge->stub, &judge->stub_workshop);
        if (outcome)
                stage_unknown(result, "cannot prepare the stub: %s", workshop_why());
        return outcome;
}

static int copy_cases(struct judge *judge, const char *program)
{
        const struct session_plan plan = { .program = program, .build = BUILD_RELEASE };
        const struct session_case *cases;
        struct session *session = NULL;
        size_t count = 0;
        int outcome = session_open(judge->sandbox, &plan, &session);

        if (outcome)
                return outcome;
        outcome = session_list(session, &cases, &count);
        if (!outcome) {
                judge->cases = calloc(count + 1, sizeof(*judge->cases));
                if (judge->cases) {
                        memcpy(judge->cases, cases, count * sizeof(*cases));
                        judge->case_count = count;
                        judge->has_cases = true;
                } else {
                        outcome = -ENOMEM;
                }
        }
        session_close(&session, NULL);
        return outcome;
}

/* The stub's program is asked, for it does what we wrote and nothing else. */
static int need_cases(struct judge *judge, struct stage_result *result)
{
        const struct workshop_product *product = NULL;
        int outcome;

        if (judge->has_cases)
                return 0;
        outcome = need_stub(judge, result);
        if (outcome)
                return outcome;
        outcome = workshop_program(judge->stub_workshop, BUILD_RELEASE, &product);
        if (outcome > 0) {
                struct finding *finding = finding_add(result, "contract.cases",
                                                      "the cases do not compile with the stub");

                finding_evidence(finding, product->output, product->output_length);
                result->is_unsound = true;
                return -EINVAL;
        }
        if (!outcome)
                outcome = copy_cases(judge, product->path);
        if (outcome > 0) {
                stage_unknown(result, "the program of the cases does not list them");
                return -EPROTO;
        }
        if (outcome)
                stage_unknown(result, "cannot list the cases: %s", sandbox_why());
        return outcome;
}

/* Nothing was run is not "passed". */
static int find_asked_case(const struct judge *judge, struct stage_result *result)
{
        const char *asked = judge->request->options.test_case;
        const char *names[512];
        const char *nearest;
        size_t count = 0;

        for (; asked && count < judge->case_count && count < BASE_COUNT(names); count++) {
                names[count] = judge->cases[count].name;
                if (strcmp(names[count], asked) == 0)
                        return 0;
        }
        if (!asked)
                return 0;
        nearest = option_nearest(asked, names, count);
        stage_unknown(result, "the contract has no case '%.60s'%s%s", asked,
                      nearest ? "; did you mean " : "", nearest ? nearest : "");
        return -ENOENT;
}

/* ---- One stage --------------------------------------------------------------------------- */

static void settle(struct stage_result *result, int outcome)
{
        if (outcome == -ECANCELED)
                stage_unknown(result, "stopped before it ended");
        else if (outcome < 0 && *workshop_why())
                stage_unknown(result, "%s", workshop_why());
        else if (outcome < 0)
                stage_unknown(result, "%s", error_text(outcome));
        else if (outcome > 0)
                stage_unknown(result, "ended with an outcome that nobody knows: %d", outcome);
        if (result->finding_count || result->findings_dropped || result->is_unsound)
                result->verdict = STAGE_FAIL;
        else
                result->verdict = result->is_unknown ? STAGE_UNKNOWN : STAGE_PASS;
}

static int prepare(struct judge *judge, const struct subject *subject, size_t stage,
                   struct stage_context *context, struct stage_result *result)
{
        int outcome = 0;

        if (!subject->candidate) {
                outcome = need_stub(judge, result);
                context->candidate = &judge->stub;
                context->workshop = judge->stub_workshop;
                return outcome;
        }
        if (!*subject->workshop)
                outcome = workshop_new(judge->sandbox, judge->contract, subject->candidate,
                                       subject->workshop);
        if (outcome) {
                stage_unknown(result, "cannot prepare the candidate: %s", workshop_why());
                return outcome;
        }
        context->workshop = *subject->workshop;
        if (stage > STAGE_ID_build)
                outcome = need_cases(judge, result);
        context->cases = judge->cases;
        context->case_count = judge->case_count;
        if (!outcome && stage > STAGE_ID_build)
                outcome = find_asked_case(judge, result);
        return outcome;
}

static void run_stage(struct judge *judge, const struct subject *subject, size_t stage,
                      struct stage_result *result)
{
        struct stage_context context = {
                .contract = judge->contract,
                .candidate = subject->candidate,
                .sandbox = judge->sandbox,
                .options = &judge->request->options,
                .seed = subject->seed,
                .progress = terminal_progress,
                .progress_context = judge->terminal,
        };
        uint64_t began_ns = clock_monotonic_ns();
        int outcome;

        terminal_begin(judge->terminal, stages[stage].name);
        outcome = prepare(judge, subject, stage, &context, result);
        if (!outcome)
                outcome = stages[stage].run(&context, result);
        if (outcome == -ECANCELED && judge->end_ns && clock_monotonic_ns() >= judge->end_ns)
                stage_unknown(result, "the time of --quick was over before it ended, and nothing "
                                      "was found until then; run it without");
        settle(result, outcome);
        result->seconds = (double)(clock_monotonic_ns() - began_ns) / (double)CLOCK_S_NS;
}

static bool is_out_of_time(const struct judge *judge, struct stage_result *result)
{
        uint64_t now_ns = clock_monotonic_ns();

        if (!judge->end_ns || now_ns + QUICK_LEAST_NS < judge->end_ns)
                return false;
        stage_unknown(result, "no time was left in --quick; run it without");
        result->verdict = STAGE_UNKNOWN;
        return true;
}

static int judge_stage(struct judge *judge, const struct subject *subject, size_t stage,
                       struct stage_result *result)
{
        char key[digest_hex_size];
        int failed = make_key(judge, subject, stage, key);

        if (failed || cache_find(judge->cache, key, result) || is_out_of_time(judge, result))
                return failed;
        run_stage(judge, subject, stage, result);
        cache_keep(judge->cache, key, result);
        return 0;
}

/* ---- All of them ------------------------------------------------------------------------- */

static int choose_seed(const struct judge *judge, const char *sha256, uint64_t *ret_seed)
{
        char hex[digest_hex_size];
        struct digest digest;
        int failed = 0;

        if (judge->request->options.has_seed) {
                *ret_seed = judge->request->options.seed;
                return 0;
        }
        digest_begin(&digest);
        digest_text(&digest, judge->contract->sha256);
        digest_text(&digest, sha256);
        failed = digest_end(&digest, hex);
        if (!failed)
                *ret_seed = digest_seed(hex);
        return failed;
}

static bool comes_first(const struct judge *judge, size_t stage)
{
        if (stage != STAGE_ID_interface)
                return false;
        for (size_t i = stage + 1; i < STAGE_COUNT; i++)
                if (judge->asked[i])
                        return true;
        return false;
}

int judge_contract(struct judge *judge)
{
        struct subject subject = { 0 };
        int failed = choose_seed(judge, "", &subject.seed);

        return failed ? failed
                      : judge_stage(judge, &subject, STAGE_ID_contract, &judge->contract_result);
}

static int try_stage(struct judge *judge, struct trial *trial, size_t stage)
{
        const struct subject subject = { &trial->candidate, &trial->workshop, trial->verdict.seed };

        stage_result_init(&trial->results[stage]);
        trial->verdict.results[stage] = &trial->results[stage];
        return judge_stage(judge, &subject, stage, &trial->results[stage]);
}

int judge_try(struct judge *judge, struct trial *trial)
{
        int failed = choose_seed(judge, trial->candidate.sha256, &trial->verdict.seed);

        for (size_t i = STAGE_ID_contract + 1; i < STAGE_COUNT && !failed; i++) {
                bool has_stopped = verdict_stopped_at(&trial->verdict) < STAGE_COUNT;

                if (!has_stopped && (judge->asked[i] || comes_first(judge, i)))
                        failed = try_stage(judge, trial, i);
                if (!failed && (judge->asked[i] || trial->verdict.results[i]))
                        terminal_stage(judge->terminal, &trial->verdict, i);
        }
        return failed;
}

void trial_init(const struct judge *judge, struct trial *trial, const char *given)
{
        *trial = (struct trial){ .verdict = { .request = judge->request,
                                              .contract = judge->contract,
                                              .candidate = &trial->candidate,
                                              .surroundings = judge->surroundings,
                                              .is_partial = judge->is_partial,
                                              .given = given } };
}

void trial_fini(struct trial *trial)
{
        workshop_free(&trial->workshop);
        candidate_fini(&trial->candidate);
        for (size_t i = 0; i < STAGE_COUNT; i++)
                if (trial->verdict.results[i] == &trial->results[i])
                        stage_result_fini(&trial->results[i]);
}
