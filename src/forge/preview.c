/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would be sent, and what it may cost, without sending it: nobody should have to pay to see
 * what a prompt says.
 */
#include "base/say.h"
#include "forge/provider.h"
#include "forge/run.h"
#include "gate/stop.h"

#include <errno.h>
#include <inttypes.h>

enum { render_bytes_max = 8 << 20 };

static int refuse(struct run *run, int failed)
{
        if (failed == RUN_CONTRACT)
                return ERROR_EXIT_USAGE;
        say_error("%s", run->why.length ? text_view(&run->why) : error_text(failed));
        return failed == RUN_WRONG || failed == PROMPT_WRONG ? ERROR_EXIT_USAGE
                                                             : ERROR_EXIT_UNKNOWN;
}

static const struct state_candidate *last_rejected(const struct state *state)
{
        for (unsigned id = state->candidate_count; id; id--)
                if (state_candidate(state, id)->judgement == STATE_IS_REJECTED)
                        return state_candidate(state, id);
        return NULL;
}

/* What a call of that stage would be now: the run's next one, or as it would be after the last
 * rejection. */
static int aim(struct run *run, enum prompt_stage stage, struct decision *ret_decision)
{
        const struct state_candidate *last = last_rejected(&run->state);
        struct decision next = { .action = DECIDE_STOP };

        if (run->state.has_begun && !run->state.outcome)
                decide(&run->state, &next);
        if (next.action == DECIDE_CALL && next.stage == stage) {
                *ret_decision = next;
                return 0;
        }
        *ret_decision = (struct decision){ .action = DECIDE_CALL,
                                           .stage = stage,
                                           .slot = run->state.slots + 1,
                                           .tier = run->state.writer,
                                           .lineage = run->state.lineage_count + 1 };
        if (stage == PROMPT_WRITE)
                return 0;
        if (!last) {
                text_printf(&run->why,
                            "a %s prompt speaks of a candidate that was rejected, and there is "
                            "none; name a run that has one with --resume",
                            prompt_stage_name(stage));
                return RUN_WRONG;
        }
        ret_decision->lineage = last->lineage;
        ret_decision->parent = state_lineage(&run->state, last->lineage)->best;
        if (stage == PROMPT_DIAGNOSE && ret_decision->tier + 1 < run->models.count)
                ret_decision->tier++;
        return 0;
}

static int print(const struct text *bytes)
{
        if (!bytes->error && fwrite(text_view(bytes), 1, bytes->length, stdout) == bytes->length &&
            !fflush(stdout))
                return ERROR_EXIT_YES;
        say_error("cannot write the prompt: %s",
                  error_text(bytes->error ? bytes->error : error_last()));
        return ERROR_EXIT_UNKNOWN;
}

static int show(struct run *run, enum prompt_stage stage)
{
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(render_bytes_max);
        BASE_SCOPE(prompt_fini) struct prompt prompt = { .stable_length = 0 };
        struct provider_question question;
        struct decision decision;
        int failed = run->request->resume ? run_look(run) : 0;

        if (!run->state.has_begun && run->request->has_seed)
                run->state.seed = run->request->seed;
        if (!failed)
                failed = aim(run, stage, &decision);
        if (!failed)
                failed =
                        run_prompt(run, decision.stage, decision.lineage, decision.parent, &prompt);
        if (failed)
                return refuse(run, failed);
        run_question(run, decision.stage, decision.slot, decision.tier, &prompt, &question);
        failed = provider_render(&run->models.tiers[decision.tier], &question, &bytes);
        return failed ? refuse(run, failed) : print(&bytes);
}

int forge_print_prompt(const struct forge_request *request, enum prompt_stage stage)
{
        struct run run;
        int failed = run_prepare(&run, request);
        int status = failed ? refuse(&run, failed) : show(&run, stage);

        run_close(&run);
        return status;
}

/* ---- A dry run --------------------------------------------------------------------------- */

static void append_price(struct text *into, const struct money_price *price)
{
        if (price->is_free) {
                text_append(into, "free");
                return;
        }
        money_append(into, price->input);
        text_append(into, " in, ");
        money_append(into, price->output);
        text_append(into, " out, for a million tokens");
}

static int list(struct run *run, const struct prompt *prompt)
{
        const struct state_limits *limits = &run->request->limits;
        size_t bytes = prompt->system.length + prompt->user.length;
        BASE_SCOPE(text_fini) struct text lines = TEXT_INIT(64 << 10);

        text_printf(&lines, "contract  %s (%s), sha256 %.12s...\n", run->contract.module,
                    run->request->contract, run->contract.sha256);
        text_printf(&lines, "limits    %" PRIu64 " calls, ", limits->calls);
        money_append(&lines, limits->cost_microusd);
        text_printf(&lines, ", %" PRIu64 " s\n", limits->seconds);
        text_printf(
                &lines,
                "prompt    write: %zu bytes, of which the first %zu are the same in each call\n",
                bytes, prompt->system.length + prompt->stable_length);
        for (size_t i = 0; i < run->models.count; i++) {
                const struct model *model = &run->models.tiers[i];

                text_printf(&lines, "tier %zu    %s: %s%s%s, ", i + 1, model->name,
                            models_provider_name(model->provider), model->model ? " " : "",
                            model->model ? model->model : "");
                append_price(&lines, &model->price);
                text_printf(&lines, "; at most %" PRIu64 " calls, each at most ", model->calls_max);
                money_append(&lines, money_reserve(&model->price, bytes, model->output_tokens_max));
                if (model->key_env && !getenv(model->key_env))
                        text_printf(&lines, "; %s IS NOT SET", model->key_env);
                text_append(&lines, "\n");
        }
        text_printf(&lines, "nothing was sent; tocsin forge %s --prompt write shows the bytes\n",
                    run->request->contract);
        return print(&lines);
}

/* Addresses, recordings and keys, as a run would look at them. A command that prints a key is not
 * run for nothing; a variable that is not set is only said. */
static int try_providers(struct run *run)
{
        for (size_t i = 0; i < run->models.count; i++) {
                const struct model *model = &run->models.tiers[i];
                struct provider *provider = NULL;
                int failed;

                if (model->key_command || (model->key_env && !getenv(model->key_env)))
                        continue;
                failed = provider_new(model, &provider, &run->why);
                provider_free(&provider);
                if (failed)
                        return failed == PROVIDER_WRONG ? RUN_WRONG : RUN_UNKNOWN;
        }
        return 0;
}

int forge_dry_run(const struct forge_request *request)
{
        BASE_SCOPE(prompt_fini) struct prompt prompt = { .stable_length = 0 };
        struct run run;
        int failed = run_prepare(&run, request);
        int status;

        if (!failed)
                failed = try_providers(&run);
        if (!failed)
                failed = run_prompt(&run, PROMPT_WRITE, 1, 0, &prompt);
        status = failed ? refuse(&run, failed) : list(&run, &prompt);
        run_close(&run);
        return status;
}
