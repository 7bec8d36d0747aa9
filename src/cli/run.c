/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tocsin run - options only; what they ask for is done by watch/supervisor.h.
 */
#include "base/error.h"
#include "base/option.h"
#include "base/say.h"
#include "cli/command.h"
#include "watch/command.h"
#include "watch/eventlog.h"
#include "watch/preload.h"
#include "watch/supervisor.h"
#include "watch/webhook.h"

enum { receiver_each_max = 8 };

static const char examples[] =
        "tocsin run -- ./kvd --port 6379\n"
        "    alerts on standard error, between the lines of the program\n"
        "tocsin run --webhook https://alerts.example/hook -- ./kvd\n"
        "    each alert is posted as JSON; while the webhook is down they wait\n"
        "tocsin run --on-alert 'jq -r .meaning | mail -s alert ops' -- ./kvd\n"
        "    each alert goes to a command, as JSON on its standard input\n"
        "tocsin run --memory 256M --cpu 50% --pids 64 --no-network -- ./worker\n"
        "    limits around it; that it comes near one, or hits it, is an alert\n"
        "tocsin run --inside -- redis-server\n"
        "    leaks, deadlocks, lost descriptors of a program that carries no probes\n"
        "tocsin run --events events.jsonl --fail-on-alert -- ./soak-test\n"
        "    everything that happened as JSON lines; exit status 1 if an alert rang\n";

static const char summary[] =
        "Starts a program, watches the probes in it and its error output, and tells when an alert "
        "rule holds. Standard input and output stay the program's own. The exit status is the "
        "program's, 128 + N if signal N ended it; 125 if tocsin failed, 126 if the program cannot "
        "be executed, 127 if it is not there. A program ended by a signal that nobody asked for "
        "has crashed, which is an alert too; TERM, INT, HUP, PIPE and what was sent through tocsin "
        "are asked for.";

struct request {
        const char *webhooks[receiver_each_max];
        const char *commands[receiver_each_max];
        struct option_list webhook_list;
        struct option_list command_list;
        const char *events;
        const char *dir;
        bool has_no_logs;
        bool fails_on_alert;
        bool is_quiet;
        bool sees_inside;
        struct fence_limits limits;
        const char *cpu;
        struct option_list writable_list;
};

static int parse(int argc, char **argv, struct request *request, struct option_operands *operands)
{
        const struct option options[] = {
                OPTION_HEADING("Who is told"),
                OPTION_LIST(
                        "on-alert", 0, "CMD",
                        "run CMD with /bin/sh at each alert, the event on its input; repeatable",
                        &request->command_list),
                OPTION_LIST("webhook", 0, "URL", "post each alert to URL; repeatable",
                            &request->webhook_list),
                OPTION_TEXT("events", 0, "FILE", "append all events to FILE, a JSON object a line",
                            &request->events),
                OPTION_FLAG("quiet", 'q', "no alerts on standard error", &request->is_quiet),
                OPTION_HEADING("What is watched"),
                OPTION_FLAG(
                        "no-logs", 0,
                        "leave the program's error output alone: it keeps its terminal, and its "
                        "lines are not counted",
                        &request->has_no_logs),
                OPTION_FLAG(
                        "inside", 0,
                        "put libtocsin-inside.so in front of the program's libraries: heap, locks, "
                        "descriptors, calls, threads and CPU time by module",
                        &request->sees_inside),
                OPTION_HEADING("What it may use"),
                OPTION_SIZE("memory", 0, "SIZE", "memory of it and all that it starts",
                            &request->limits.memory_bytes, 1 << 20, UINT64_C(1) << 50),
                OPTION_TEXT("cpu", 0, "PERCENT", "of one core: 50%, 200%", &request->cpu),
                OPTION_SIZE("io", 0, "SIZE", "read, and as much written, a second",
                            &request->limits.io_bytes, 4096, UINT64_C(1) << 50),
                OPTION_NUMBER("pids", 0, "N", "processes and threads", &request->limits.processes,
                              1, 1 << 22),
                OPTION_NUMBER("files", 0, "N", "descriptors of each process",
                              &request->limits.files, 8, 1 << 30),
                OPTION_FLAG("no-network", 0, "a network of its own, with nobody in it",
                            &request->limits.has_no_network),
                OPTION_FLAG("read-only", 0, "all files can be read and none written",
                            &request->limits.is_read_only),
                OPTION_LIST("writable", 0, "DIR", "but those below DIR can; repeatable",
                            &request->writable_list),
                OPTION_FLAG("require-fence", 0, "run only if all of that can be enforced",
                            &request->limits.is_required),
                OPTION_HEADING("Other"),
                OPTION_FLAG("fail-on-alert", 0,
                            "exit with 1 if a warning or a page rang and the program exited with 0",
                            &request->fails_on_alert),
                OPTION_TEXT(
                        "dir", 0, "DIR",
                        "put the run's directory below DIR ($XDG_RUNTIME_DIR/tocsin, /run/tocsin "
                        "or /dev/shm/tocsin-UID)",
                        &request->dir),
        };
        const struct option_page page = {
                .command = "tocsin run",
                .operands = "-- PROGRAM [ARG]...",
                .summary = summary,
                .options = options,
                .option_count = BASE_COUNT(options),
                .operand_min = 1,
                .operand_max = SIZE_MAX,
                .stops_at_operand = true,
                .examples = examples,
        };

        request->writable_list =
                (struct option_list){ request->limits.writable, 0, fence_writable_max };
        request->webhook_list = (struct option_list){ request->webhooks, 0, receiver_each_max };
        request->command_list = (struct option_list){ request->commands, 0, receiver_each_max };
        return option_parse_or_say(&page, argc, argv, operands);
}

/* ---- Receivers ------------------------------------------------------------ */

struct receivers {
        struct receiver *list[2 * receiver_each_max + 1];
        size_t count;
};

static void receivers_fini(struct receivers *receivers)
{
        while (receivers->count)
                receiver_free(&receivers->list[--receivers->count]);
}

static int add_webhooks(const struct request *request, struct receivers *receivers,
                        struct text *why)
{
        int failed = 0;

        for (size_t i = 0; i < request->webhook_list.count && !failed; i++) {
                failed = webhook_new(request->webhooks[i], &receivers->list[receivers->count], why);
                receivers->count += !failed;
        }
        return failed;
}

static int add_commands(const struct request *request, struct receivers *receivers)
{
        int failed = 0;

        for (size_t i = 0; i < request->command_list.count && !failed; i++) {
                failed = command_new(request->commands[i], &receivers->list[receivers->count]);
                receivers->count += !failed;
        }
        return failed;
}

static int add_events(const struct request *request, struct receivers *receivers, struct text *why)
{
        int failed;

        if (!request->events)
                return 0;
        failed = eventlog_new(request->events, &receivers->list[receivers->count]);
        receivers->count += !failed;
        if (failed)
                text_printf(why,
                            "cannot append to --events '%s': %s; give a file that you may write",
                            request->events, error_text(failed));
        return failed;
}

static int make_receivers(const struct request *request, struct receivers *receivers)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(4096);
        int failed = add_events(request, receivers, &why);

        if (!failed)
                failed = add_webhooks(request, receivers, &why);
        if (!failed)
                failed = add_commands(request, receivers);
        if (failed)
                say_error("%s", why.length ? text_view(&why) : error_text(failed));
        return failed;
}

/* "50%", of one core. False: that was said. */
static bool take_limits(struct request *request)
{
        size_t length = request->cpu ? strlen(request->cpu) : 0;
        char digits[16] = "";
        uint64_t percent = 0;

        request->limits.writable_count = request->writable_list.count;
        if (request->limits.writable_count && !request->limits.is_read_only) {
                say_error("--writable says what of --read-only is not; give both");
                return false;
        }
        if (!request->cpu)
                return true;
        if (length && length < sizeof(digits) && request->cpu[length - 1] == '%')
                memcpy(digits, request->cpu, length - 1);
        if (text_parse_u64(digits, 1, 100000, &percent)) {
                say_error("--cpu '%s' is no share of a core; give 50%% or 200%%", request->cpu);
                return false;
        }
        request->limits.cpu_permille = percent * 10;
        return true;
}

/* -1: it cannot be, and that was said. */
static int find_inside(const struct request *request, const char *program, struct text *ret_path)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(8192);
        int outcome;

        if (!request->sees_inside)
                return 0;
        outcome = preload_find(ret_path, &why);
        if (!outcome)
                outcome = preload_check(program, &why);
        if (outcome)
                say_error("--inside: %s", outcome > 0 ? text_view(&why) : error_text(outcome));
        return outcome ? -1 : 0;
}

int cmd_run(int argc, char **argv)
{
        BASE_SCOPE(text_fini) struct text inside = TEXT_INIT(8192);
        struct request request = { 0 };
        struct receivers receivers = { 0 };
        struct option_operands operands;
        int outcome = parse(argc, argv, &request, &operands);
        int status = ERROR_EXIT_RUN;

        if (outcome == OPTION_HELP)
                return ERROR_EXIT_YES;
        if (outcome)
                return ERROR_EXIT_RUN; /* any other status would be the program's */
        if (!take_limits(&request) || find_inside(&request, operands.values[0], &inside))
                return ERROR_EXIT_RUN;
        if (!make_receivers(&request, &receivers)) {
                const struct supervisor_request wanted = {
                        .argv = operands.values,
                        .dir = request.dir,
                        .preload = request.sees_inside ? text_view(&inside) : NULL,
                        .receivers = receivers.list,
                        .receiver_count = receivers.count,
                        .limits = request.limits,
                        .reads_logs = !request.has_no_logs,
                        .is_quiet = request.is_quiet,
                        .fails_on_alert = request.fails_on_alert,
                };

                status = supervisor_run(&wanted);
                receivers.count = 0; /* used up */
        }
        receivers_fini(&receivers);
        return status;
}
