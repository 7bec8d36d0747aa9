/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tocsin ledger - what was tried, what it cost, and whether somebody changed what was recorded.
 */
#include "base/error.h"
#include "base/option.h"
#include "base/say.h"
#include "cli/command.h"
#include "forge/catalogue.h"
#include "forge/listing.h"
#include "forge/page.h"
#include "forge/story.h"
#include "forge/verify.h"

#include <errno.h>
#include <unistd.h>

enum { output_bytes_max = 256 << 20, why_bytes_max = 2000 };

static const char examples[] = "tocsin ledger\n"
                               "    every run below tocsin-forge, a line each\n"
                               "tocsin ledger last\n"
                               "    calls, candidates, decisions and cost of the newest run\n"
                               "tocsin ledger --verify lru/3\n"
                               "    is the record of run 3 of lru as it was written?\n"
                               "tocsin ledger --json | jq '[.[].totals.cost_microusd] | add'\n"
                               "    millionths of a dollar spent on all of them\n";

static const char summary[] =
        "Shows runs of tocsin forge: all of them, or one. RUN is MODULE/N, the folder of a run, or "
        "last. Exit status: 0; 1 somebody changed the ledger, or a blob of it; 2 there is no such "
        "run; 3 could not read it.";

struct request {
        const char *out;
        bool json;
        bool verify;
        bool page;
        bool has_colour;
};

static int parse(int argc, char **argv, struct request *request, struct option_operands *operands)
{
        const struct option options[] = {
                OPTION_FLAG("verify", 0,
                            "check the chain of records, every blob, and each decision",
                            &request->verify),
                OPTION_FLAG("page", 0, "write the page of a run, index.html in its folder, anew",
                            &request->page),
                OPTION_FLAG("json", 0, "print an array of runs, or one run, as JSON",
                            &request->json),
                OPTION_TEXT("output", 'o', "DIR", "where runs lie (" CATALOGUE_OUT ")",
                            &request->out),
        };
        const struct option_page page = {
                .command = "tocsin ledger",
                .operands = "[RUN]",
                .summary = summary,
                .options = options,
                .option_count = BASE_COUNT(options),
                .operand_max = 1,
                .examples = examples,
        };

        return option_parse_or_say(&page, argc, argv, operands);
}

/* ---- Printing ---------------------------------------------------------------------------- */

static int print(const char *bytes, size_t length)
{
        if (fwrite(bytes, 1, length, stdout) == length && !fflush(stdout))
                return ERROR_EXIT_YES;
        say_error("cannot write: %s", error_text(error_last()));
        return ERROR_EXIT_UNKNOWN;
}

static int print_text(const struct text *text)
{
        if (!text->error)
                return print(text_view(text), text->length);
        say_error("cannot show that much: %s; ask for --json", error_text(text->error));
        return ERROR_EXIT_UNKNOWN;
}

static int print_json(const json_t *json)
{
        char *dump = json_dumps(json, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        int exit_status;

        if (!dump) {
                say_error("%s", error_text(-ENOMEM));
                return ERROR_EXIT_UNKNOWN;
        }
        exit_status = print(dump, strlen(dump));
        free(dump);
        return exit_status ? exit_status : print("\n", 1);
}

/* ---- One run ----------------------------------------------------------------------------- */

static int complain(const char *path, int outcome, const struct text *why)
{
        if (outcome == LEDGER_NONE) {
                say_error("%s", text_view(why));
                return ERROR_EXIT_USAGE;
        }
        if (outcome > 0) {
                say_error("%s: %s", path, text_view(why));
                return ERROR_EXIT_NO;
        }
        say_error("cannot read the run '%s': %s", path, error_text(outcome));
        return ERROR_EXIT_UNKNOWN;
}

/* What a person would write to name it again. */
static json_t *name_of(const char *path, const char *out)
{
        size_t length = strlen(out);
        bool is_below = strncmp(path, out, length) == 0 && path[length] == '/';
        const char *name = is_below ? path + length + 1 : path;

        if (text_is_utf8(name, strlen(name)))
                return json_string(name);

        BASE_SCOPE(text_fini) struct text escaped = TEXT_INIT(5 * catalogue_path_max);

        text_append_escaped(&escaped, name, strlen(name));
        return json_string(text_view(&escaped));
}

/* NULL without memory. */
static json_t *tell(const struct ledger *ledger, const char *out)
{
        json_t *story = story_json(ledger);
        const char *state = ledger_is_busy(ledger) ? "running" : "interrupted";

        if (!story)
                return NULL;
        if (json_object_set_new(story, "name", name_of(ledger_folder(ledger), out)) ||
            (!json_is_string(json_object_get(story, "outcome")) &&
             json_object_set_new(story, "outcome", json_string(state)))) {
                json_decref(story);
                return NULL;
        }
        return story;
}

static int show(const struct ledger *ledger, const struct request *request)
{
        BASE_SCOPE(text_fini) struct text text = TEXT_INIT(output_bytes_max);
        json_t *story = tell(ledger, request->out);
        int exit_status;

        if (!story) {
                say_error("%s", error_text(-ENOMEM));
                return ERROR_EXIT_UNKNOWN;
        }
        if (request->json) {
                exit_status = print_json(story);
        } else {
                listing_append_run(story, request->has_colour, &text);
                exit_status = print_text(&text);
        }
        json_decref(story);
        return exit_status;
}

static int verify(const struct ledger *ledger, const struct request *request)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(why_bytes_max);
        const char *path = ledger_folder(ledger);
        int outcome = verify_run(ledger, &why);

        if (outcome)
                return complain(path, outcome == VERIFY_FAILS ? LEDGER_BROKEN : outcome, &why);
        if (ledger_was_torn(ledger))
                say_note("%s: the last line was torn by a crash, and is passed over", path);
        if (request->json) {
                json_t *json = json_pack(
                        "{s:o, s:b, s:I, s:s}", "name", name_of(path, request->out), "holds", true,
                        "records", (json_int_t)ledger_count(ledger), "head", ledger_head(ledger));
                int exit_status = print_json(json);

                json_decref(json);
                return exit_status;
        }

        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(5 * catalogue_path_max);

        text_append_escaped(&line, path, strlen(path));
        text_printf(&line, ": holds; %zu records, head %s\n", ledger_count(ledger),
                    ledger_head(ledger));
        return print_text(&line);
}

static int write_page(const struct ledger *ledger)
{
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(5 * catalogue_path_max);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(2 * catalogue_path_max);

        if (page_write(ledger, &why)) {
                say_error("%s", text_view(&why));
                return ERROR_EXIT_UNKNOWN;
        }
        text_append_escaped(&line, ledger_folder(ledger), strlen(ledger_folder(ledger)));
        text_append(&line, "/index.html\n");
        return print_text(&line);
}

static int one(const char *word, const struct request *request)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(catalogue_path_max);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(why_bytes_max);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        int outcome = catalogue_find(request->out, NULL, word, &path, &why);

        if (outcome == CATALOGUE_NONE)
                return complain(word, LEDGER_NONE, &why);
        if (outcome)
                return complain(word, outcome, &why);
        outcome = ledger_open(text_view(&path), LEDGER_READ, &ledger, &why);
        if (outcome)
                return complain(text_view(&path), outcome, &why);
        if (request->page)
                return write_page(ledger);
        return request->verify ? verify(ledger, request) : show(ledger, request);
}

/* ---- All runs ---------------------------------------------------------------------------- */

/* A run that cannot be told stands in the list all the same. */
static json_t *tell_one(const struct catalogue_run *run, const char *out, bool *ret_is_unknown)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(why_bytes_max);
        BASE_SCOPE(ledger_close) struct ledger *ledger = NULL;
        int outcome = ledger_open(run->path, LEDGER_READ, &ledger, &why);

        if (!outcome)
                return tell(ledger, out);
        if (outcome < 0)
                text_append(&why, error_text(outcome));
        say_warning("%s: %s", run->path, text_view(&why));
        *ret_is_unknown = true;
        return json_pack("{s:o, s:s, s:s}", "name", name_of(run->path, out), "outcome",
                         outcome == LEDGER_BROKEN ? "changed" : "unknown", "why", text_view(&why));
}

static int show_all(const json_t *stories, const struct request *request)
{
        BASE_SCOPE(text_fini) struct text text = TEXT_INIT(output_bytes_max);

        if (request->json)
                return print_json(stories);
        if (!json_array_size(stories)) {
                say_note("there is no run below '%s'; tocsin forge CONTRACT begins one",
                         request->out);
                return ERROR_EXIT_YES;
        }
        listing_append_runs(stories, request->has_colour, &text);
        return print_text(&text);
}

static int all(const struct request *request)
{
        BASE_SCOPE(catalogue_fini) struct catalogue catalogue = { 0 };
        int failed = catalogue_list(request->out, &catalogue);
        bool is_unknown = false;
        json_t *stories;
        int exit_status;

        if (failed) {
                say_error("cannot read '%s': %s", request->out, error_text(failed));
                return ERROR_EXIT_UNKNOWN;
        }
        stories = json_array();
        for (size_t i = 0; i < catalogue.count && !failed; i++)
                failed = json_array_append_new(
                        stories, tell_one(&catalogue.runs[i], request->out, &is_unknown));
        if (failed || !stories) {
                json_decref(stories);
                say_error("%s", error_text(-ENOMEM));
                return ERROR_EXIT_UNKNOWN;
        }
        if (catalogue.has_more)
                say_warning("there are more than %d runs below '%s'; the others are not shown",
                            catalogue_runs_max, request->out);
        exit_status = show_all(stories, request);
        json_decref(stories);
        return !exit_status && is_unknown ? ERROR_EXIT_UNKNOWN : exit_status;
}

int cmd_ledger(int argc, char **argv)
{
        struct request request = {
                .out = CATALOGUE_OUT,
                .has_colour = say_wants_colour(STDOUT_FILENO),
        };
        struct option_operands operands;
        int outcome = parse(argc, argv, &request, &operands);

        if (outcome)
                return option_exit(outcome);
        if (!*request.out) {
                say_error("--output: the name of the folder is empty");
                return ERROR_EXIT_USAGE;
        }
        if (request.page && (request.verify || request.json)) {
                say_error("--page goes with neither --verify nor --json");
                return ERROR_EXIT_USAGE;
        }
        if (operands.count)
                return one(operands.values[0], &request);
        if (!request.verify && !request.page)
                return all(&request);
        say_error("--%s wants a RUN: MODULE/N, the folder of a run, or last",
                  request.verify ? "verify" : "page");
        return ERROR_EXIT_USAGE;
}
