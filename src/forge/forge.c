/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to turn the wheel: decide, write it down, do it, write down what came of it. Everything
 * that it knows is in the ledger, so that it may be stopped between any two lines.
 */
#include "forge/forge.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/say.h"
#include "forge/call.h"
#include "forge/gatekeeper.h"
#include "forge/page.h"
#include "forge/run.h"
#include "forge/story.h"
#include "gate/stop.h"

#include <errno.h>
#include <inttypes.h>

enum { line_max = 4096, signal_status = 128 };

/* ---- What people see --------------------------------------------------------------------- */

static void say_beginning(const struct run *run)
{
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(line_max);
        const struct state_limits *limits = &run->state.limits;

        for (size_t i = 0; i < run->models.count; i++) {
                const struct model *model = &run->models.tiers[i];

                text_printf(&line, "%s%s (%s%s%s)", i ? ", " : "", model->name,
                            models_provider_name(model->provider), model->model ? " " : "",
                            model->model ? model->model : "");
        }
        screen_say(run->screen, SCREEN_BOLD, "%s: %s", run->contract.module, text_view(&line));
        text_clear(&line);
        money_append(&line, limits->cost_microusd);
        screen_say(run->screen, SCREEN_DIM,
                   "   at most %" PRIu64 " calls, %s, %" PRIu64 " s; run %s%s", limits->calls,
                   text_view(&line), limits->seconds, run->folder,
                   run->request->resume ? ", resumed" : "");
        for (size_t i = 0; i < run->models.count; i++)
                if (run->models.tiers[i].provider == MODELS_REPLAY)
                        screen_say(run->screen, SCREEN_YELLOW,
                                   "   %s is a recording: no model is asked, %s answers",
                                   run->models.tiers[i].name, run->models.tiers[i].recording);
}

static void say_verdict(const struct run *run, unsigned id)
{
        const struct state_candidate *candidate = state_candidate(&run->state, id);
        const char *first = json_string_value(json_array_get(candidate->keys, 0));

        if (candidate->judgement == STATE_IS_ACCEPTED)
                screen_say(run->screen, SCREEN_GREEN, "   candidate %u is accepted", id);
        else if (candidate->judgement == STATE_IS_REJECTED)
                screen_say(run->screen, SCREEN_RED,
                           "   candidate %u is rejected: %.*s, score .%03u", id,
                           (int)strcspn(first ? first : "?", " "), first ? first : "?",
                           candidate->score_permille);
}

static void append_totals(const struct run *run, struct text *into)
{
        text_printf(into, "%u candidate%s, %u call%s", run->state.candidate_count,
                    run->state.candidate_count == 1 ? "" : "s", run->state.calls,
                    run->state.calls == 1 ? "" : "s");
        if (run->state.spent_microusd) {
                text_append(into, run->state.is_estimated ? ", ~" : ", ");
                money_append(into, run->state.spent_microusd);
        }
        text_printf(into, ", %" PRIu64 " s", (run->state.elapsed_ms + 500) / 1000);
}

static void say_how_to_go_on(const struct run *run)
{
        BASE_SCOPE(text_fini) struct text command = TEXT_INIT(line_max);
        const struct forge_request *request = run->request;

        text_append(&command, "tocsin forge");
        text_append_shell_word(&command, request->contract);
        if (request->models) {
                text_append(&command, " --models");
                text_append_shell_word(&command, request->models);
        }
        if (request->prompts) {
                text_append(&command, " --prompts");
                text_append_shell_word(&command, request->prompts);
        }
        text_append(&command, request->shows_cases ? " --show-cases --resume" : " --resume");
        text_append_shell_word(&command, run->folder);
        screen_say(run->screen, SCREEN_PLAIN, "   go on: %s", text_view(&command));
}

static void say_evidence(const struct run *run, const json_t *stop)
{
        const json_t *evidence = json_object_get(stop, "evidence");
        bool has_failed = run->state.outcome == STATE_CEILING || run->state.outcome == STATE_BUDGET;
        const char *advice = json_string_value(json_object_get(evidence, "advice"));
        const json_t *entry;
        size_t at;

        json_array_foreach(json_object_get(evidence, "never_passed"), at,
                           entry) if (run->state.outcome == STATE_CEILING && at < 10)
                screen_say(run->screen, SCREEN_PLAIN, "   never passed: %s",
                           json_string_value(entry));
        json_array_foreach(json_object_get(evidence, "bounds"), at, entry)
        {
                json_int_t bound = json_integer_value(json_object_get(entry, "bound_permille"));

                if (has_failed)
                        screen_say(run->screen, SCREEN_PLAIN,
                                   "   %s: 0 of %" JSON_INTEGER_FORMAT
                                   " attempts from scratch were accepted: its rate of success is "
                                   "below %" JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT
                                   " %%, with 95 %% confidence",
                                   json_string_value(json_object_get(entry, "tier")),
                                   json_integer_value(json_object_get(entry, "lineages")),
                                   bound / 10, bound % 10);
        }
        if (advice)
                screen_say(run->screen, SCREEN_PLAIN, "   %s", advice);
}

static const json_t *last_stop(const struct run *run)
{
        for (size_t i = ledger_count(run->ledger); i--;) {
                const json_t *record = ledger_record(run->ledger, i);
                const char *action = json_string_value(json_object_get(record, "action"));

                if (action && strcmp(action, "stop") == 0)
                        return record;
        }
        return NULL;
}

static void say_outcome(const struct run *run)
{
        BASE_SCOPE(text_fini) struct text totals = TEXT_INIT(line_max);
        const json_t *stop = last_stop(run);
        const char *why = json_string_value(json_object_get(stop, "why"));
        bool is_accepted = run->state.outcome == STATE_ACCEPTED;

        append_totals(run, &totals);
        screen_say(run->screen, SCREEN_BOLD, "%s: %s", state_outcome_name(run->state.outcome),
                   why ? why : "");
        say_evidence(run, stop);
        screen_say(run->screen, SCREEN_PLAIN, "   %s", text_view(&totals));
        screen_say(run->screen, SCREEN_PLAIN, "   the whole story: %s/index.html", run->folder);
        if (run->state.outcome == STATE_BUDGET || run->state.outcome == STATE_INFRA)
                say_how_to_go_on(run);
        if (is_accepted)
                screen_say(run->screen, SCREEN_PLAIN,
                           "   the gate's report: %s/reports/%u/index.html", run->folder,
                           run->state.accepted);
}

/* ---- One step ---------------------------------------------------------------------------- */

static int act(struct run *run, const struct decision *decision)
{
        int failed;

        switch (decision->action) {
        case DECIDE_PREFLIGHT:
                return gatekeeper_preflight(run);
        case DECIDE_CALL:
                return call_make(run, decision);
        case DECIDE_GATE:
                failed = gatekeeper_judge(run, decision->candidate);
                if (!failed)
                        say_verdict(run, decision->candidate);
                return failed;
        case DECIDE_STOP:
                break;
        }
        return 0;
}

/* How often it came to that may be bounded by time alone. */
static int check_time(struct run *run)
{
        const struct state *state = &run->state;

        if (state->is_limited || state->accepted || clock_monotonic_ns() < run_deadline_ns(run))
                return 0;
        return run_record(run, "limit",
                          json_pack("{s:s, s:o}", "kind", "seconds", "why",
                                    json_sprintf("the %" PRIu64 " seconds are over; raise "
                                                 "--max-seconds",
                                                 state->limits.seconds)));
}

static int step(struct run *run)
{
        struct decision decision;
        int failed = stop_is_asked() ? RUN_STOPPED : gatekeeper_check_contract(run);

        if (!failed)
                failed = check_time(run);
        if (failed)
                return failed;
        decide(&run->state, &decision);
        if (!decision.is_under_way)
                failed = run_record(run, "decision", decide_record(&run->state, &decision));
        if (failed)
                return failed;
        if (decision.action == DECIDE_CALL && decision.reason[0])
                screen_say(run->screen, SCREEN_DIM, "   %s", decision.reason);
        return act(run, &decision);
}

/* ---- The end ----------------------------------------------------------------------------- */

/* Copied only now, from blobs whose digests are in the ledger: nothing that a gate's job, or
 * anybody, did to the candidate's folder since is in it. */
static int deliver(struct run *run)
{
        BASE_SCOPE(candidate_fini) struct candidate candidate = { .name = NULL };
        json_t *files = NULL;
        int failed;

        failed = run_candidate(run, run->state.accepted, &candidate);
        if (!failed)
                failed = run_write_files(run, &candidate, "accepted");
        if (failed || run->state.is_delivered)
                return failed;
        files = json_deep_copy(state_candidate(&run->state, run->state.accepted)->files);
        return run_record(
                run, "accept",
                json_pack("{s:i, s:o}", "candidate", (int)run->state.accepted, "files", files));
}

/* MODULE/N, as tocsin ledger calls it. */
static json_t *name_json(const struct run *run)
{
        const char *slash = strrchr(run->folder, '/');

        return json_sprintf("%s/%s", run->contract.module, slash ? slash + 1 : run->folder);
}

static int print_json(const struct run *run)
{
        json_t *story = story_json(run->ledger);
        bool has_name = story && !json_object_set_new(story, "name", name_json(run));
        char *dump = story ? json_dumps(story, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
        bool failed = !has_name || !dump || puts(dump) < 0 || fflush(stdout);

        free(dump);
        json_decref(story);
        return failed ? -EIO : 0;
}

static int print_paths(const struct run *run)
{
        const json_t *entry;
        size_t at;
        bool failed = false;

        if (run->state.outcome != STATE_ACCEPTED)
                return 0;
        json_array_foreach(state_candidate(&run->state, run->state.accepted)->files, at, entry)
                failed |= printf("%s/accepted/%s\n", run->folder,
                                 json_string_value(json_object_get(entry, "path"))) < 0;
        return failed || fflush(stdout) ? -EIO : 0;
}

static int publish(struct run *run)
{
        int failed = run->state.outcome == STATE_ACCEPTED ? deliver(run) : 0;

        text_clear(&run->why);
        if (!failed)
                failed = page_write(run->ledger, &run->why);
        if (failed)
                return failed;
        say_outcome(run);
        failed = run->request->is_json ? print_json(run) : print_paths(run);
        if (failed)
                text_append(&run->why, "cannot write to standard output");
        return failed;
}

static int exit_of(const struct run *run)
{
        switch (run->state.outcome) {
        case STATE_ACCEPTED:
                return ERROR_EXIT_YES;
        case STATE_BUDGET:
        case STATE_CEILING:
                return ERROR_EXIT_NO;
        case STATE_CONTRACT:
                return ERROR_EXIT_USAGE;
        default:
                return ERROR_EXIT_UNKNOWN;
        }
}

static void say_resume(const struct run *run)
{
        BASE_SCOPE(text_fini) struct text totals = TEXT_INIT(line_max);

        append_totals(run, &totals);
        screen_say(run->screen, SCREEN_YELLOW, "interrupted after %s", text_view(&totals));
        say_how_to_go_on(run);
}

/* What has been paid is in the ledger; a disk that is full takes not even that we were asked. */
static int interrupted(struct run *run)
{
        uint64_t ms = run->before_ms + (clock_monotonic_ns() - run->since_ns) / CLOCK_MS_NS;

        /* What no record has counted yet. */
        ms = ms > run->state.elapsed_ms ? ms - run->state.elapsed_ms : 0;
        if (run_record(run, "interrupt", json_pack("{s:I}", "ms", (json_int_t)ms)))
                say_error("%s", text_view(&run->why));
        say_resume(run);
        return signal_status + stop_signal();
}

static int report(struct run *run, int failed)
{
        if (failed == RUN_CONTRACT)
                return ERROR_EXIT_USAGE;
        if (run->why.length)
                say_error("%s", text_view(&run->why));
        else
                say_error("the run in %s cannot go on: %s", run->folder ? run->folder : "?",
                          failed < 0 ? error_text(failed) : "for a reason unknown");
        if (failed == RUN_WRONG)
                return ERROR_EXIT_USAGE;
        if (run->folder && run->state.has_begun)
                say_how_to_go_on(run);
        return ERROR_EXIT_UNKNOWN;
}

/* A key that is missing is said before anything runs. Who goes on may not need it any more. */
static int live(struct run *run)
{
        int failed = run->request->resume ? 0 : call_providers(run);

        if (failed == RUN_STOPPED)
                return signal_status + stop_signal(); /* there is no run yet */
        if (!failed)
                failed = run_open(run);
        if (failed)
                return report(run, failed);
        say_beginning(run);
        while (!failed && !run->state.outcome)
                failed = step(run);
        if (failed == RUN_STOPPED)
                return interrupted(run);
        if (!failed)
                failed = publish(run);
        return failed ? report(run, failed) : exit_of(run);
}

int forge_run(const struct forge_request *request)
{
        struct screen screen;
        struct run run;
        int status = stop_listen();

        if (status) {
                say_error("cannot listen for signals: %s", error_text(status));
                return ERROR_EXIT_UNKNOWN;
        }
        screen_open(&screen);
        status = run_prepare(&run, request);
        run.screen = &screen;
        status = status ? report(&run, status) : live(&run);
        run_close(&run);
        return status;
}
