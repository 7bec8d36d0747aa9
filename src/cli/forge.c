/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tocsin forge - options only; what they ask for is done by forge/forge.h.
 */
#include "forge/forge.h"
#include "base/error.h"
#include "base/option.h"
#include "base/say.h"
#include "cli/command.h"

#include <errno.h>

enum { calls_usual = 40, calls_max = 10000, seconds_usual = 3600, seconds_max = 30 * 86400 };

static const char cost_usual[] = "2";

static const char examples[] =
        "tocsin forge modules/lru\n"
        "    ask the models of ./models.yaml until a candidate is accepted\n"
        "tocsin forge modules/lru --dry-run\n"
        "    who would be asked, and what it may cost; nothing is sent\n"
        "tocsin forge modules/lru --prompt write\n"
        "    the bytes that would be sent first\n"
        "tocsin forge modules/lru --max-cost 0.50 --max-calls 10\n"
        "    stop before the call that could exceed either\n"
        "tocsin forge modules/lru --resume last --max-cost 1\n"
        "    go on after Ctrl-C, a crash, or a limit; nothing is paid twice\n";

static const char summary[] =
        "Drives one or several models through the gate: a model writes what the contract asks for, "
        "the gate judges it, what it found goes back, until a candidate is accepted or there is a "
        "reason to end. Each act stands in a ledger before it is done (tocsin ledger shows it). "
        "Exit status: 0 accepted; 1 not, within the limits (budget) or with these models "
        "(ceiling); 2 the request or the contract is wrong; 3 could not find out: an endpoint, the "
        "gate or the disk; 130 interrupted, and --resume goes on.";

struct request {
        struct forge_request forge;
        const char *cost;
        const char *calls;
        const char *seconds;
        const char *seed;
        const char *prompt;
        bool is_dry;
};

static int parse(int argc, char **argv, struct request *request, struct option_operands *operands)
{
        struct forge_request *to = &request->forge;
        const struct option options[] = {
                OPTION_HEADING("Who is asked"),
                OPTION_TEXT("models", 'm', "FILE",
                            "the models and their prices (./models.yaml, else "
                            "~/.config/tocsin/models.yaml)",
                            &to->models),
                OPTION_TEXT("prompts", 0, "DIR", "templates instead of tocsin's own", &to->prompts),
                OPTION_FLAG("show-cases", 0, "let the prompts hold the contract's cases",
                            &to->shows_cases),
                OPTION_TEXT("seed", 0, "N", "of all that is drawn (a random one, in the ledger)",
                            &request->seed),
                OPTION_HEADING("How far it may go"),
                OPTION_TEXT("max-calls", 0, "N", "calls of models (40)", &request->calls),
                OPTION_TEXT("max-cost", 0, "USD", "dollars, put aside before each call (2)",
                            &request->cost),
                OPTION_TEXT("max-seconds", 0, "N", "of calls and judging (3600)",
                            &request->seconds),
                OPTION_HEADING("Which run"),
                OPTION_TEXT("output", 'o', "DIR",
                            "where runs lie (tocsin-forge); a new one is DIR/MODULE/N",
                            &to->output),
                OPTION_TEXT("resume", 0, "RUN", "go on with this one: last, N or a folder",
                            &to->resume),
                OPTION_HEADING("Without asking anybody"),
                OPTION_FLAG("dry-run", 'n', "show who would be asked, and what it may cost",
                            &request->is_dry),
                OPTION_TEXT("prompt", 0, "STAGE",
                            "print the bytes that write, diagnose or repair would send; the last "
                            "two need --resume",
                            &request->prompt),
                OPTION_HEADING("What comes out"),
                OPTION_FLAG("json", 0, "the whole run as one JSON object on standard output",
                            &to->is_json),
        };
        const struct option_page page = {
                .command = "tocsin forge",
                .operands = "CONTRACT",
                .summary = summary,
                .options = options,
                .option_count = BASE_COUNT(options),
                .operand_min = 1,
                .operand_max = 1,
                .examples = examples,
        };

        return option_parse_or_say(&page, argc, argv, operands);
}

static int check_number(const char *option, const char *word, uint64_t max, uint64_t *to)
{
        if (!word || !text_parse_u64(word, 1, max, to))
                return 0;
        say_error("--%s: '%s' is not a number from 1 to %llu", option, word,
                  (unsigned long long)max);
        return -EINVAL;
}

static int check_stage(const char *word, enum prompt_stage *ret_stage)
{
        for (unsigned i = 0; i < PROMPT_STAGE_COUNT; i++) {
                *ret_stage = (enum prompt_stage)i;
                if (strcmp(prompt_stage_name(*ret_stage), word) == 0)
                        return 0;
        }
        say_error("--prompt: '%s' sends nothing; those that do are write, diagnose and repair",
                  word);
        return -EINVAL;
}

static int check(struct request *request)
{
        struct forge_request *forge = &request->forge;
        const char *cost = request->cost ? request->cost : cost_usual;

        forge->limits = (struct state_limits){ .calls = calls_usual, .seconds = seconds_usual };
        forge->has_calls = request->calls;
        forge->has_cost = request->cost;
        forge->has_seconds = request->seconds;
        forge->has_seed = request->seed;
        if (money_parse(cost, &forge->limits.cost_microusd)) {
                say_error("--max-cost: '%s' is no amount of dollars; one looks like 0.50", cost);
                return -EINVAL;
        }
        if (check_number("max-calls", request->calls, calls_max, &forge->limits.calls) ||
            check_number("max-seconds", request->seconds, seconds_max, &forge->limits.seconds))
                return -EINVAL;
        if (request->seed && text_parse_u64(request->seed, 0, UINT64_MAX, &forge->seed)) {
                say_error("--seed: '%s' is not a number", request->seed);
                return -EINVAL;
        }
        if (forge->is_json && (request->is_dry || request->prompt)) {
                say_error("--json is of a run; leave it out, or --dry-run and --prompt");
                return -EINVAL;
        }
        if (request->seed && forge->resume) {
                say_error("--seed: a run that goes on has its seed; leave it out");
                return -EINVAL;
        }
        return 0;
}

int cmd_forge(int argc, char **argv)
{
        struct request request = { .forge = { .version = TOCSIN_VERSION } };
        struct option_operands operands;
        enum prompt_stage stage;
        int outcome = parse(argc, argv, &request, &operands);

        if (outcome)
                return option_exit(outcome);
        if (check(&request) || (request.prompt && check_stage(request.prompt, &stage)))
                return ERROR_EXIT_USAGE;
        request.forge.contract = operands.values[0];
        if (request.prompt)
                return forge_print_prompt(&request.forge, stage);
        return request.is_dry ? forge_dry_run(&request.forge) : forge_run(&request.forge);
}
