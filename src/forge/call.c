/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that money moves in one place, in an order that a crash at any point leaves right.
 */
#include "forge/call.h"
#include "base/clock.h"
#include "base/error.h"
#include "forge/reply.h"
#include "forge/retry.h"
#include "gate/stop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>

enum { prose_bytes_max = 6 << 10 };

static json_t *text_json(const char *string)
{
        BASE_SCOPE(text_fini) struct text safe = TEXT_INIT(provider_why_max);

        text_append_escaped(&safe, string, strlen(string));
        return json_string(text_view(&safe));
}

static uint64_t ms_since(uint64_t begin_ns)
{
        return (clock_monotonic_ns() - begin_ns) / CLOCK_MS_NS;
}

/* ---- Limits ------------------------------------------------------------------------------ */

static int record_limit(struct run *run, const char *kind, const struct text *why)
{
        return run_record(run, "limit",
                          json_pack("{s:s, s:o}", "kind", kind, "why", text_json(text_view(why))));
}

/* Sets ret_is_over when a limit stands against the call, which is then in the ledger. */
static int check_limits(struct run *run, uint64_t reserve, bool *ret_is_over)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(provider_why_max);
        const struct state *state = &run->state;
        const struct state_limits *limits = &state->limits;
        const char *kind = "calls";

        if (state->slots > limits->calls) {
                text_printf(&why, "all %" PRIu64 " calls were made; raise --max-calls",
                            limits->calls);
        } else if (clock_monotonic_ns() >= run_deadline_ns(run)) {
                kind = "seconds";
                text_printf(&why, "the %" PRIu64 " seconds are over; raise --max-seconds",
                            limits->seconds);
        } else if (state->spent_microusd + reserve > limits->cost_microusd) {
                kind = "cost";
                text_append(&why, "the next call may cost up to ");
                money_append(&why, reserve);
                text_append(&why, ", and ");
                money_append(&why, state->spent_microusd);
                text_append(&why, " of ");
                money_append(&why, limits->cost_microusd);
                text_append(&why, " are spent; raise --max-cost");
        }
        *ret_is_over = why.length;
        return why.length ? record_limit(run, kind, &why) : 0;
}

/* ---- One attempt ------------------------------------------------------------------------- */

struct attempt {
        struct provider_answer answer;
        struct text why;
        uint64_t reserve;
        uint64_t begin_ns;
        int outcome;
};

static int open_provider(struct run *run, size_t tier)
{
        int failed;

        if (run->providers[tier])
                return 0;
        text_clear(&run->why);
        failed = provider_new(&run->models.tiers[tier], &run->providers[tier], &run->why);
        return failed == PROVIDER_STOPPED ? RUN_STOPPED
               : failed == PROVIDER_WRONG ? RUN_WRONG
               : failed > 0               ? RUN_UNKNOWN
                                          : failed;
}

int call_providers(struct run *run)
{
        int failed = 0;

        for (size_t i = 0; i < run->models.count && !failed; i++)
                failed = open_provider(run, i);
        return failed;
}

static json_t *usage_json(const struct money_usage *usage)
{
        if (!usage->is_known)
                return json_null();
        return json_pack("{s:I, s:I, s:I, s:I}", "input", (json_int_t)usage->input, "cached",
                         (json_int_t)usage->cached, "output", (json_int_t)usage->output,
                         "reasoning", (json_int_t)usage->reasoning);
}

/* The whole prompt lies beside the record, under the name by which a replay finds it. */
static int record_intent(struct run *run, const struct prompt *prompt, uint64_t reserve)
{
        BASE_SCOPE(text_fini) struct text plain = TEXT_INIT(2 * prompt_bytes_max + 2);
        const struct state_call *call = &run->state.call;
        const struct model *model = &run->models.tiers[call->tier];
        char blob[65];
        int failed;

        text_append_bytes(&plain, text_view(&prompt->system), prompt->system.length);
        text_append(&plain, "\n\n");
        text_append_bytes(&plain, text_view(&prompt->user), prompt->user.length);
        failed = plain.error ? plain.error
                             : ledger_keep(run->ledger, text_view(&plain), plain.length, blob);
        if (!failed)
                failed = ledger_reserve(run->ledger, provider_answer_bytes_max);
        if (failed) {
                text_clear(&run->why);
                text_printf(&run->why, "there is no room for an answer in %s: %s; nothing was sent",
                            run->folder, error_text(failed));
                return failed;
        }
        return run_record(run, "call.intent",
                          json_pack("{s:i, s:i, s:s, s:i, s:s?, s:s, s:I}", "slot", (int)call->slot,
                                    "attempt", (int)call->attempts + 1, "stage",
                                    prompt_stage_name(call->stage), "tier", (int)call->tier,
                                    "model", model->model, "prompt", blob, "reserve_microusd",
                                    (json_int_t)reserve));
}

/* What is not known is taken for the worst case, and said to be. */
static int record_result(struct run *run, const struct attempt *attempt)
{
        const struct provider_answer *answer = &attempt->answer;
        const struct state_call *call = &run->state.call;
        const struct money_price *price = &run->models.tiers[call->tier].price;
        bool is_known = answer->usage.is_known || price->is_free;
        uint64_t cost = !is_known        ? attempt->reserve
                        : price->is_free ? 0
                                         : money_cost(price, &answer->usage);
        char blob[65];
        int failed =
                ledger_keep(run->ledger, text_view(&answer->bytes), answer->bytes.length, blob);

        if (failed)
                return failed;
        return run_record(run, "call.result",
                          json_pack("{s:i, s:i, s:s, s:s, s:o, s:I, s:b, s:o, s:o, s:b, s:I}",
                                    "slot", (int)call->slot, "attempt", (int)call->attempts,
                                    "answer", blob, "finish", provider_finish_name(answer->finish),
                                    "usage", usage_json(&answer->usage), "cost_microusd",
                                    (json_int_t)cost, "estimated", !is_known, "model",
                                    text_json(answer->model), "request_id",
                                    text_json(answer->request_id), "differs", answer->differs, "ms",
                                    (json_int_t)ms_since(attempt->begin_ns)));
}

static int record_fail(struct run *run, const struct attempt *attempt, bool is_final,
                       uint64_t wait_ns)
{
        const struct state_call *call = &run->state.call;
        uint64_t cost = attempt->answer.was_billed ? attempt->reserve : 0;

        return run_record(run, "call.fail",
                          json_pack("{s:i, s:i, s:s, s:I, s:o, s:I, s:I}", "slot", (int)call->slot,
                                    "attempt", (int)call->attempts, "kind",
                                    is_final ? "final" : "retry", "cost_microusd", (json_int_t)cost,
                                    "why", text_json(text_view(&attempt->why)), "wait_ms",
                                    (json_int_t)(wait_ns / CLOCK_MS_NS), "ms",
                                    (json_int_t)ms_since(attempt->begin_ns)));
}

/* ---- Attempts ---------------------------------------------------------------------------- */

/* Until somebody asks us to stop, or the run's time is over. */
static int wait_for(struct run *run, uint64_t ns)
{
        uint64_t end_ns = clock_monotonic_ns() + ns;

        if (end_ns > run_deadline_ns(run))
                end_ns = run_deadline_ns(run);
        while (!stop_is_asked()) {
                struct pollfd polled = { .fd = stop_descriptor(), .events = POLLIN };
                uint64_t now_ns = clock_monotonic_ns();

                if (now_ns >= end_ns)
                        return 0;
                if (poll(&polled, 1, (int)((end_ns - now_ns) / CLOCK_MS_NS) + 1) < 0 &&
                    errno != EINTR)
                        return error_last();
        }
        return RUN_STOPPED;
}

/* Nobody waits beyond the end of the run. */
static uint64_t bounded_wait(const struct run *run, uint64_t wait_ns)
{
        uint64_t now_ns = clock_monotonic_ns();
        uint64_t end_ns = run_deadline_ns(run);
        uint64_t left_ns = end_ns > now_ns ? end_ns - now_ns : 0;

        return wait_ns < left_ns ? wait_ns : left_ns;
}

static int settle_failure(struct run *run, struct attempt *attempt)
{
        bool is_final =
                attempt->outcome != PROVIDER_RETRY || run->state.call.tries >= call_tries_max;
        uint64_t wait_ns = attempt->answer.retry_ns;
        int failed;

        if (attempt->outcome < 0)
                text_printf(&attempt->why, "%s%s", attempt->why.length ? ": " : "",
                            error_text(attempt->outcome));
        if (!is_final && !wait_ns)
                wait_ns = retry_backoff_ns(run->state.call.tries - 1,
                                           run->state.seed ^ clock_monotonic_ns());
        if (!is_final && wait_ns > call_wait_max_ns) {
                text_printf(&attempt->why, "; it wants us to wait for %" PRIu64 " s",
                            wait_ns / CLOCK_S_NS);
                is_final = true;
        }
        wait_ns = bounded_wait(run, wait_ns);
        failed = record_fail(run, attempt, is_final, is_final ? 0 : wait_ns);
        if (failed || is_final)
                return failed;
        screen_say(run->screen, SCREEN_YELLOW, "   attempt %u failed: %s; again in %.1f s",
                   run->state.call.attempts, text_view(&attempt->why),
                   (double)wait_ns / (double)CLOCK_S_NS);
        return wait_for(run, wait_ns);
}

static void say_result(struct run *run, const struct attempt *attempt, uint64_t before_microusd)
{
        BASE_SCOPE(text_fini) struct text cost = TEXT_INIT(200);
        const struct provider_answer *answer = &attempt->answer;
        const struct state_call *call = &run->state.call;
        const struct model *model = &run->models.tiers[call->tier];

        if (answer->usage.is_known)
                text_printf(&cost, "%" PRIu64 " -> %" PRIu64 " tokens  ", answer->usage.input,
                            answer->usage.output);
        else
                text_printf(&cost, "%zu bytes  ", answer->bytes.length);
        if (!model->price.is_free) {
                text_append(&cost, answer->usage.is_known ? "" : "~");
                money_append(&cost, run->state.spent_microusd - before_microusd);
        }
        screen_say(run->screen, SCREEN_PLAIN, "%2u %-8s  %s  %s  %.1f s%s", call->slot,
                   prompt_stage_name(call->stage), model->name, text_view(&cost),
                   (double)ms_since(attempt->begin_ns) / 1000,
                   model->provider == MODELS_REPLAY ? "  (recorded)" : "");
        if (answer->differs)
                screen_say(run->screen, SCREEN_DIM,
                           "   the prompt is not, byte for byte, the one that was recorded");
}

static int attempt_it(struct run *run, const struct provider_question *question,
                      struct attempt *attempt)
{
        const struct state_call *call = &run->state.call;
        uint64_t before_microusd = run->state.spent_microusd - attempt->reserve;
        int failed;

        attempt->begin_ns = clock_monotonic_ns();
        screen_begin(run->screen, "%2u %-8s  %s", call->slot, prompt_stage_name(call->stage),
                     run->models.tiers[call->tier].name);
        attempt->outcome =
                provider_ask(run->providers[call->tier], question, &attempt->answer, &attempt->why);
        if (attempt->outcome == PROVIDER_STOPPED || stop_is_asked())
                if (attempt->outcome)
                        return RUN_STOPPED; /* what it cost is not known: the reserve stays */
        if (attempt->outcome)
                return settle_failure(run, attempt);
        failed = record_result(run, attempt);
        if (!failed)
                say_result(run, attempt, before_microusd);
        return failed;
}

static int try_once(struct run *run, const struct prompt *prompt,
                    const struct provider_question *question, uint64_t reserve)
{
        struct attempt attempt = { .why = TEXT_INIT(provider_why_max), .reserve = reserve };
        int failed = record_intent(run, prompt, reserve);

        provider_answer_init(&attempt.answer);
        if (!failed)
                failed = attempt_it(run, question, &attempt);
        provider_answer_fini(&attempt.answer);
        text_fini(&attempt.why);
        return failed;
}

static int get_answer(struct run *run, const struct decision *decision, const struct prompt *prompt)
{
        const struct model *model = &run->models.tiers[decision->tier];
        size_t bytes = prompt->system.length + prompt->user.length;
        uint64_t reserve = model->price.is_free
                                   ? 0
                                   : money_reserve(&model->price, bytes, model->output_tokens_max);
        struct provider_question question;
        int failed = open_provider(run, decision->tier);

        while (!failed && !run->state.call.answer[0] && !run->state.is_troubled) {
                bool is_over = false;

                failed = check_limits(run, reserve, &is_over);
                if (failed || is_over)
                        return failed;
                run_question(run, decision->stage, decision->slot, decision->tier, prompt,
                             &question);
                question.progress = screen_progress;
                question.progress_context = run->screen;
                failed = try_once(run, prompt, &question, reserve);
        }
        return failed;
}

/* ---- What it brought --------------------------------------------------------------------- */

static int record_useless(struct run *run, int outcome, const struct text *why)
{
        screen_say(run->screen, SCREEN_YELLOW, "   %s", text_view(why));
        return run_record(run, "reply",
                          json_pack("{s:i, s:s, s:o}", "slot", (int)run->state.call.slot, "result",
                                    reply_outcome_name(outcome), "why", text_json(text_view(why))));
}

static int keep_files(struct run *run, const struct reply *reply, json_t *list)
{
        for (size_t i = 0; i < reply->count; i++) {
                const struct reply_file *file = &reply->files[i];
                char blob[65];
                int failed =
                        ledger_keep(run->ledger, text_view(&file->bytes), file->bytes.length, blob);

                if (failed)
                        return failed;
                (void)json_array_append_new(
                        list, json_pack("{s:s, s:s}", "path", file->name, "sha256", blob));
        }
        return 0;
}

/* The digest is the gate's, so that a verdict can be matched with it. */
static int digest_files(const struct reply *reply, char ret_hex[65])
{
        const char *names[contract_list_max];
        const struct text *views[contract_list_max];
        struct candidate candidate;
        int failed;

        for (size_t i = 0; i < reply->count; i++) {
                names[i] = reply->files[i].name;
                views[i] = &reply->files[i].bytes;
        }
        failed = candidate_make("reply", names, views, reply->count, &candidate);
        if (failed)
                return failed;
        memcpy(ret_hex, candidate.sha256, 65);
        candidate_fini(&candidate);
        return 0;
}

static int record_files(struct run *run, const struct reply *reply)
{
        json_t *files = json_array();
        char sha256[65];
        int failed = keep_files(run, reply, files);

        if (!failed)
                failed = digest_files(reply, sha256);
        if (failed) {
                json_decref(files);
                return failed;
        }
        if (reply->ignored.length)
                screen_say(run->screen, SCREEN_DIM, "   %s", text_view(&reply->ignored));
        return run_record(run, "reply",
                          json_pack("{s:i, s:s, s:i, s:o, s:s, s:o}", "slot",
                                    (int)run->state.call.slot, "result", "files", "candidate",
                                    (int)run->state.candidate_count + 1, "files", files, "sha256",
                                    sha256, "ignored", text_json(text_view(&reply->ignored))));
}

static int take_prose(struct run *run, const struct text *answer)
{
        BASE_SCOPE(text_fini) struct text prose = TEXT_INIT(prose_bytes_max);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(provider_why_max);
        char blob[65];
        int outcome = reply_prose(text_view(answer), answer->length, run->state.call.finish,
                                  prose_bytes_max, &prose, &why);

        if (outcome > 0)
                return record_useless(run, outcome, &why);
        if (!outcome)
                outcome = ledger_keep(run->ledger, text_view(&prose), prose.length, blob);
        if (outcome)
                return outcome;
        return run_record(run, "reply",
                          json_pack("{s:i, s:s, s:s}", "slot", (int)run->state.call.slot, "result",
                                    "prose", "prose", blob));
}

static int take_files(struct run *run, const struct text *answer)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(provider_why_max);
        struct reply reply;
        int outcome = reply_read(text_view(answer), answer->length, run->state.call.finish,
                                 &run->contract.supplies, &reply, &why);

        if (outcome > 0)
                return record_useless(run, outcome, &why);
        if (outcome)
                return outcome;
        outcome = record_files(run, &reply);
        reply_fini(&reply);
        return outcome;
}

static int take_answer(struct run *run)
{
        BASE_SCOPE(text_fini) struct text answer = TEXT_INIT(provider_answer_bytes_max);
        int failed = ledger_fetch(run->ledger, run->state.call.answer, &answer);

        if (failed)
                return failed;
        return run->state.call.stage == PROMPT_DIAGNOSE ? take_prose(run, &answer)
                                                        : take_files(run, &answer);
}

int call_make(struct run *run, const struct decision *decision)
{
        BASE_SCOPE(prompt_fini) struct prompt prompt = { .stable_length = 0 };
        int failed = 0;

        if (!run->state.call.answer[0]) {
                failed = run_prompt(run, decision->stage, decision->lineage, decision->parent,
                                    &prompt);
                if (!failed)
                        failed = get_answer(run, decision, &prompt);
                else if (failed == PROMPT_WRONG)
                        failed = RUN_WRONG;
        }
        if (failed || !run->state.call.answer[0])
                return failed;
        return take_answer(run);
}
