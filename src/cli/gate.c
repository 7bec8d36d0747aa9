/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tocsin gate - options only; what they ask for is done by gate/gate.h.
 */
#include "gate/gate.h"
#include "base/error.h"
#include "base/option.h"
#include "base/say.h"
#include "cli/command.h"

#include <errno.h>
#include <unistd.h>

enum { jobs_max = 64 };

static const char examples[] =
        "tocsin gate modules/lru\n"
        "    judge every candidate below modules/lru/candidates\n"
        "tocsin gate modules/lru ./answer-7\n"
        "    judge the folder ./answer-7; the report goes to tocsin-report/lru/answer-7\n"
        "tocsin gate modules/lru leaky --until unit\n"
        "    only the stages up to unit: no verdict, but sooner\n"
        "tocsin gate modules/lru leaky --stage unit --case evicts --build asan --fault 3+\n"
        "    one case in one build, with the third allocation and all after it failing\n"
        "tocsin gate --json modules/lru leaky | jq -r .verdict\n"
        "    a verdict a line on standard output, everything else on standard error\n";

static const char summary[] =
        "Judges candidates, folders of C files that anyone wrote, against a contract: stage by "
        "stage, in a sandbox, until one does not pass. Every finding names the command that "
        "repeats it. Exit status: 0 all were accepted; 1 one was rejected; 2 the request or the "
        "contract is wrong; 3 could not find out, which is never mistaken for yes. With --stage, "
        "--until, --case, --build, --fault or --quick there is no verdict: 0 what was asked "
        "passed, 1 it did not.";

struct request {
        struct gate_options options;
        const char *fault;
        const char *seed;
        uint64_t jobs;
};

static int parse(int argc, char **argv, struct request *request, struct option_operands *operands)
{
        struct gate_options *to = &request->options;
        const struct option options[] = {
                OPTION_HEADING("What is judged"),
                OPTION_TEXT("stage", 0, "NAME", "only this stage", &to->stage),
                OPTION_TEXT("until", 0, "NAME", "the stages up to this one", &to->until),
                OPTION_TEXT("case", 0, "NAME", "only this case", &to->test_case),
                OPTION_TEXT("build", 0, "NAME",
                            "only this build or tool: release, asan, valgrind...", &to->build),
                OPTION_TEXT("fault", 0, "N",
                            "only with the N-th allocation failing; N+: it and all after it",
                            &request->fault),
                OPTION_FLAG("quick", 0, "about 10 s a candidate: fewer builds, sizes and failures",
                            &to->is_quick),
                OPTION_TEXT("seed", 0, "N", "of all cases (drawn from contract and candidate)",
                            &request->seed),
                OPTION_HEADING("How"),
                OPTION_NUMBER("jobs", 'j', "N", "run N things at once (one for each processor)",
                              &request->jobs, 1, jobs_max),
                OPTION_FLAG("no-cache", 0, "judge anew what was judged before", &to->no_cache),
                OPTION_FLAG("require-sandbox", 0,
                            "end with 3 if a layer of the sandbox cannot be had",
                            &to->needs_sandbox),
                OPTION_HEADING("What comes out"),
                OPTION_TEXT("report", 0, "DIR",
                            "the report's folder (tocsin-report/MODULE/CANDIDATE); of several "
                            "candidates, a folder each below it",
                            &to->report),
                OPTION_FLAG("json", 0, "the verdict as JSON on standard output, a line a candidate",
                            &to->json),
        };
        const struct option_page page = {
                .command = "tocsin gate",
                .operands = "CONTRACT [CANDIDATE]...",
                .summary = summary,
                .options = options,
                .option_count = BASE_COUNT(options),
                .operand_min = 1,
                .operand_max = 257,
                .examples = examples,
        };

        return option_parse_or_say(&page, argc, argv, operands);
}

static int check_stage(const char *option, const char *name)
{
        const char *names[STAGE_COUNT];
        const char *nearest;

        for (size_t i = 0; i < STAGE_COUNT; i++) {
                names[i] = stages[i].name;
                if (!name || strcmp(name, names[i]) == 0)
                        return 0;
        }
        nearest = option_nearest(name, names, STAGE_COUNT);
        if (nearest)
                say_error("%s: there is no stage '%s'; did you mean %s?", option, name, nearest);
        else
                say_error("%s: there is no stage '%s'; there are contract, interface, build, unit, "
                          "bench, stress and observe",
                          option, name);
        return -EINVAL;
}

/* A build, or one of the tools that run the debug build. */
static int check_build(const char *name)
{
        const char *names[BUILD_COUNT + 2] = { "valgrind", "dirty" };
        const char *nearest;

        for (size_t i = 0; i < BUILD_COUNT; i++)
                names[i + 2] = builds[i].name;
        for (size_t i = 0; i < BASE_COUNT(names); i++)
                if (!name || strcmp(name, names[i]) == 0)
                        return 0;
        nearest = option_nearest(name, names, BASE_COUNT(names));
        say_error("--build: there is no build or tool '%s'; %s%s", name,
                  nearest ? "did you mean " : "among them are release, asan, tsan, debug, valgrind",
                  nearest ? nearest : "");
        return -EINVAL;
}

static int check_fault(struct request *request)
{
        BASE_SCOPE(text_fini) struct text number = TEXT_INIT(64);
        size_t length = request->fault ? strlen(request->fault) : 0;

        if (!request->fault)
                return 0;
        request->options.is_sticky = length && request->fault[length - 1] == '+';
        text_append_bytes(&number, request->fault, length - request->options.is_sticky);
        if (!number.error &&
            !text_parse_u64(text_view(&number), 1, UINT32_MAX, &request->options.fail_at))
                return 0;
        say_error("--fault: '%s' is not a number from 1 on, with or without a +", request->fault);
        return -EINVAL;
}

static int check(struct request *request)
{
        struct gate_options *options = &request->options;

        if (check_stage("--stage", options->stage) || check_stage("--until", options->until) ||
            check_build(options->build) || check_fault(request))
                return -EINVAL;
        if (options->stage && options->until) {
                say_error("--stage and --until exclude each other");
                return -EINVAL;
        }
        if (options->report && !*options->report) {
                say_error("--report: the name of the folder is empty");
                return -EINVAL;
        }
        options->has_seed = request->seed;
        if (request->seed && text_parse_u64(request->seed, 0, UINT64_MAX, &options->seed)) {
                say_error("--seed: '%s' is not a number", request->seed);
                return -EINVAL;
        }
        options->jobs = (unsigned)request->jobs;
        return 0;
}

static uint64_t processors(void)
{
        long count = sysconf(_SC_NPROCESSORS_ONLN);

        if (count < 1)
                return 1;
        return count < jobs_max ? (uint64_t)count : jobs_max;
}

int cmd_gate(int argc, char **argv)
{
        struct request request = { .jobs = processors() };
        struct option_operands operands;
        int outcome = parse(argc, argv, &request, &operands);

        if (outcome)
                return option_exit(outcome);
        if (check(&request))
                return ERROR_EXIT_USAGE;

        const struct gate_request wanted = {
                .contract = operands.values[0],
                .candidates = (const char *const *)&operands.values[1],
                .candidate_count = operands.count - 1,
                .options = request.options,
                .version = TOCSIN_VERSION,
                .program = program_invocation_name,
        };

        return (int)gate_judge(&wanted);
}
