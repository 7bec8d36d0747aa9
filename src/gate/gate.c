/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to put things in order: first whether the question is sound, which nobody but its author
 * can mend, then the candidates one by one, each with a report of its own.
 */
#include "gate/gate.h"
#include "base/error.h"
#include "base/file.h"
#include "base/say.h"
#include "gate/host.h"
#include "gate/judge.h"
#include "gate/report.h"
#include "gate/stop.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

enum { candidate_count_max = 256, path_text_max = 4096, gate_why_max = 16 << 10 };

#define QUICK_NS (9 * CLOCK_S_NS) /* and one for the rest */

const struct stage stages[STAGE_COUNT] = {
#define X(name, weight, role, question) { #name, question, weight, role, stage_##name },
#include "gate/stages.def"
#undef X
};

struct gate {
        const struct gate_request *request;
        struct contract contract;
        bool has_contract;
        struct surroundings surroundings;
        const struct parts *parts;
        struct judge judge;
        bool has_judge;
        struct trial reference;
        bool has_reference;
        char **paths; /* of candidates, as a person would name them */
        size_t path_count;
        enum error_exit worst;
};

/* A new candidate has the whole time again. */
static void set_quick_time(struct gate *gate)
{
        if (!gate->request->options.is_quick)
                return;
        gate->judge.end_ns = clock_monotonic_ns() + QUICK_NS;
        stop_at(QUICK_NS);
}

/* ---- Which candidates -------------------------------------------------------------------- */

static bool is_folder(const char *path)
{
        struct stat is;

        return !stat(path, &is) && S_ISDIR(is.st_mode);
}

static int add_path(struct gate *gate, const char *path)
{
        char *copy = strdup(path);

        if (!copy)
                return -ENOMEM;
        if (gate->path_count == candidate_count_max) {
                free(copy);
                return -E2BIG;
        }
        gate->paths[gate->path_count++] = copy;
        return 0;
}

static int add_below(struct gate *gate, const char *name)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(path_text_max);

        text_printf(&path, "%s/candidates/%s", gate->request->contract, name);
        return path.error ? path.error : add_path(gate, text_view(&path));
}

/* A folder, or the name of one below candidates/. */
static int add_given(struct gate *gate, const char *given)
{
        BASE_SCOPE(text_fini) struct text below = TEXT_INIT(path_text_max);

        text_printf(&below, "%s/candidates/%s", gate->request->contract, given);
        if (!is_folder(given) && !strchr(given, '/') && is_folder(text_view(&below)))
                return add_below(gate, given);
        return add_path(gate, given);
}

static int compare_paths(const void *left, const void *right)
{
        return strcmp(*(char *const *)left, *(char *const *)right);
}

static int is_candidate(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

static int add_all(struct gate *gate)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(path_text_max);
        struct dirent **entries = NULL;
        int failed = 0;
        int count;

        text_printf(&path, "%s/candidates", gate->request->contract);
        count = scandir(text_view(&path), &entries, is_candidate, NULL);
        if (count < 0)
                return errno == ENOENT ? 0 : error_last();
        for (int i = 0; i < count; i++) {
                if (!failed)
                        failed = add_below(gate, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        qsort(gate->paths, gate->path_count, sizeof(*gate->paths), compare_paths);
        return failed;
}

static int find_candidates(struct gate *gate)
{
        int failed = 0;

        gate->paths = calloc(candidate_count_max, sizeof(*gate->paths));
        if (!gate->paths)
                return -ENOMEM;
        for (size_t i = 0; i < gate->request->candidate_count && !failed; i++)
                failed = add_given(gate, gate->request->candidates[i]);
        if (!gate->request->candidate_count)
                failed = add_all(gate);
        return failed;
}

/* ---- Reports ----------------------------------------------------------------------------- */

/* A name that means itself in a path. */
static const char *folder_name(const struct candidate *candidate)
{
        if (!candidate->name || !*candidate->name || candidate->name[0] == '.' ||
            strchr(candidate->name, '/'))
                return candidate->sha256;
        return candidate->name;
}

/* What a part found never replaces the whole report. */
static void append_report_path(const struct gate *gate, const struct candidate *candidate,
                               struct text *into)
{
        const char *asked = gate->request->options.report;

        if (asked && gate->path_count <= 1) {
                size_t length = strlen(asked);

                while (length > 1 && asked[length - 1] == '/')
                        length--;
                text_append_bytes(into, asked, length);
                return;
        }
        if (asked)
                text_printf(into, "%s/%s", asked, folder_name(candidate));
        else
                text_printf(into, "tocsin-report/%s/%s%s", gate->contract.module,
                            folder_name(candidate), gate->judge.is_partial ? ".partial" : "");
}

static enum error_exit exit_of(const struct verdict *verdict)
{
        size_t stopped = verdict_stopped_at(verdict);

        switch (verdict_word(verdict)) {
        case VERDICT_ACCEPTED:
                return ERROR_EXIT_YES;
        case VERDICT_REJECTED:
                return ERROR_EXIT_NO;
        case VERDICT_UNSOUND:
                return ERROR_EXIT_USAGE;
        case VERDICT_UNKNOWN:
                break;
        }
        if (!verdict->is_partial)
                return ERROR_EXIT_UNKNOWN;
        if (stopped == STAGE_COUNT)
                return ERROR_EXIT_YES;
        return verdict->results[stopped]->verdict == STAGE_FAIL ? ERROR_EXIT_NO
                                                                : ERROR_EXIT_UNKNOWN;
}

/* Worse is what must not be overlooked: an unsound contract, then what is not known. */
static void remember(struct gate *gate, enum error_exit code)
{
        static const unsigned rank[] = { [ERROR_EXIT_YES] = 0,
                                         [ERROR_EXIT_NO] = 1,
                                         [ERROR_EXIT_UNKNOWN] = 2,
                                         [ERROR_EXIT_USAGE] = 3 };

        if (rank[code] > rank[gate->worst])
                gate->worst = code;
}

static void publish(struct gate *gate, const struct verdict *verdict)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(path_text_max);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(gate_why_max);
        int failed;

        if (stop_is_asked())
                return;
        append_report_path(gate, verdict->candidate, &path);
        failed = path.error ? path.error
                            : report_write(verdict, gate->parts->page, text_view(&path), &why);
        remember(gate, failed ? ERROR_EXIT_UNKNOWN : exit_of(verdict));
        terminal_verdict(gate->judge.terminal, verdict, failed ? NULL : text_view(&path));
        if (failed)
                say_error("%s", why.length ? text_view(&why) : error_text(failed));
        else if (gate->request->options.json)
                terminal_json(gate->judge.terminal, verdict);
}

/* ---- Whether the question is sound ------------------------------------------------------- */

static void blame_reference(struct gate *gate, struct stage_result *into)
{
        const struct verdict *verdict = &gate->reference.verdict;
        size_t stopped = verdict_stopped_at(verdict);
        const struct stage_result *result;
        const struct finding *first;
        struct finding *finding;

        if (stopped == STAGE_COUNT)
                return;
        result = verdict->results[stopped];
        if (result->verdict != STAGE_FAIL) {
                stage_unknown(into, "stage %s of the reference: %s", stages[stopped].name,
                              text_view(&result->why));
                into->verdict = STAGE_UNKNOWN;
                return;
        }
        first = result->finding_count ? &result->findings[0] : NULL;
        finding = finding_add(into, "contract.reference", "the reference fails stage %s: %s",
                              stages[stopped].name, first ? first->message : "see its own lines");
        if (finding && first) {
                finding_at(finding, first->file, first->line);
                finding_case(finding, first->test_case, first->build);
                finding->fail_at = first->fail_at;
                finding->is_sticky = first->is_sticky;
                finding_evidence(finding, first->evidence, first->evidence_length);
        }
        into->is_unsound = true;
        into->verdict = STAGE_FAIL;
}

static int try_reference(struct gate *gate)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(path_text_max);
        struct stage_result *into = &gate->judge.contract_result;
        char *given;
        int failed;

        text_printf(&path, "%s/%s", gate->request->contract, gate->contract.reference);
        given = strdup(text_view(&path)); /* lives as long as the trial */
        trial_init(&gate->judge, &gate->reference, given);
        failed = candidate_load(&gate->contract, text_view(&path), &gate->reference.candidate);
        if (failed) {
                struct finding *finding = finding_add(into, "contract.reference",
                                                      "cannot read the reference '%s': %s",
                                                      text_view(&path), error_text(failed));

                finding_at(finding, "contract.yaml", 0);
                into->verdict = STAGE_FAIL;
                free(given);
                return 0;
        }
        gate->has_reference = true;
        terminal_brief(gate->judge.terminal, true);
        terminal_title(gate->judge.terminal, gate->contract.module, "the reference");
        failed = judge_try(&gate->judge, &gate->reference);
        terminal_brief(gate->judge.terminal, false);
        if (!failed)
                blame_reference(gate, into);
        return failed;
}

/* The reference has to pass what candidates have to pass; in a part that is asked for to repeat
 * something there is no time for it. */
static bool wants_reference(const struct gate *gate)
{
        const struct gate_options *options = &gate->request->options;

        return gate->contract.reference && gate->judge.asked[STAGE_ID_contract] &&
               gate->judge.asked[STAGE_ID_interface] && !options->is_quick && !options->test_case &&
               !options->build && !options->fail_at;
}

static int try_contract(struct gate *gate)
{
        int failed = 0;

        if (!gate->judge.asked[STAGE_ID_contract])
                return 0;
        set_quick_time(gate);
        failed = judge_contract(&gate->judge);
        if (!failed && !stop_is_asked() && gate->judge.contract_result.verdict == STAGE_PASS &&
            wants_reference(gate))
                failed = try_reference(gate);
        return failed;
}

/* ---- One candidate after the other ------------------------------------------------------- */

static void take_contract_result(struct gate *gate, struct trial *trial)
{
        if (!gate->judge.asked[STAGE_ID_contract])
                return;
        trial->verdict.results[STAGE_ID_contract] = &gate->judge.contract_result;
        terminal_stage(gate->judge.terminal, &trial->verdict, STAGE_ID_contract);
        gate->judge.contract_result.was_cached = true; /* for those that follow */
}

static int judge_candidate(struct gate *gate, struct trial *trial)
{
        const struct trial *reference = gate->has_reference ? &gate->reference : NULL;

        if (!reference || strcmp(reference->candidate.sha256, trial->candidate.sha256) != 0)
                return judge_try(&gate->judge, trial);
        /* It is the reference: what that did counts. */
        trial->verdict.seed = reference->verdict.seed;
        for (size_t i = STAGE_ID_interface; i < STAGE_COUNT; i++) {
                trial->verdict.results[i] = reference->verdict.results[i];
                if (gate->judge.asked[i])
                        terminal_stage(gate->judge.terminal, &trial->verdict, i);
        }
        return 0;
}

static int try_candidate(struct gate *gate, const char *path)
{
        struct trial trial BASE_SCOPE(trial_fini);
        int failed;

        trial_init(&gate->judge, &trial, path);
        trial.verdict.reference = gate->has_reference ? &gate->reference.verdict : NULL;
        failed = candidate_load(&gate->contract, path, &trial.candidate);
        if (failed) {
                say_error("cannot read the candidate '%s': %s", path, error_text(failed));
                remember(gate, failed == -ENOENT || failed == -ENOTDIR ? ERROR_EXIT_USAGE
                                                                       : ERROR_EXIT_UNKNOWN);
                return 0;
        }
        set_quick_time(gate);
        terminal_title(gate->judge.terminal, gate->contract.module, path);
        take_contract_result(gate, &trial);
        failed = verdict_stopped_at(&trial.verdict) < STAGE_COUNT ? 0
                                                                  : judge_candidate(gate, &trial);
        if (!failed)
                publish(gate, &trial.verdict);
        return failed;
}

/* Without a candidate the contract alone can be asked about. */
static int try_nobody(struct gate *gate)
{
        struct trial trial BASE_SCOPE(trial_fini);

        trial_init(&gate->judge, &trial, NULL);
        trial.verdict.is_partial = true;
        terminal_title(gate->judge.terminal, gate->contract.module, "the contract alone");
        take_contract_result(gate, &trial);
        remember(gate, exit_of(&trial.verdict));
        terminal_verdict(gate->judge.terminal, &trial.verdict, NULL);
        if (gate->request->options.json)
                terminal_json(gate->judge.terminal, &trial.verdict);
        return 0;
}

static int try_all(struct gate *gate)
{
        int failed = try_contract(gate);

        if (!failed && !stop_is_asked() && !gate->path_count)
                return try_nobody(gate);
        for (size_t i = 0; i < gate->path_count && !failed && !stop_is_asked(); i++) {
                failed = try_candidate(gate, gate->paths[i]);
                if (gate->worst == ERROR_EXIT_USAGE)
                        break; /* the next would hear the same */
        }
        return failed;
}

/* ---- Before and after -------------------------------------------------------------------- */

static void choose_stages(struct gate *gate)
{
        const struct gate_options *options = &gate->request->options;
        bool is_over = false;

        for (size_t i = 0; i < STAGE_COUNT; i++) {
                gate->judge.asked[i] =
                        options->stage ? strcmp(options->stage, stages[i].name) == 0 : !is_over;
                is_over |= options->until && strcmp(options->until, stages[i].name) == 0;
        }
        gate->judge.is_partial = options->stage || options->until || options->test_case ||
                                 options->build || options->fail_at || options->is_quick;
}

static enum error_exit refuse(enum error_exit code, const struct text *why, int failed)
{
        say_error("%s", why->length ? text_view(why) : error_text(failed));
        return code;
}

/* Each line of a wrong contract is a sentence of its own. */
static enum error_exit refuse_contract(const struct text *why)
{
        const char *line = text_view(why);

        while (*line) {
                size_t length = strcspn(line, "\n");

                say_error("%.*s", (int)length, line);
                line += length + (line[length] == '\n');
        }
        return ERROR_EXIT_USAGE;
}

static enum error_exit open_contract(struct gate *gate, struct text *why)
{
        int failed = contract_load(gate->request->contract, &gate->contract, why);

        if (failed == CONTRACT_WRONG)
                return refuse_contract(why);
        if (failed == -ENOENT || failed == -ENOTDIR || failed == -EACCES) {
                say_error("there is no contract in '%s': %s", gate->request->contract,
                          error_text(failed));
                return ERROR_EXIT_USAGE;
        }
        if (failed)
                return refuse(ERROR_EXIT_UNKNOWN, why, failed);
        gate->has_contract = true;
        failed = find_candidates(gate);
        if (failed)
                return refuse(ERROR_EXIT_UNKNOWN, why, failed);
        if (!gate->path_count && !gate->request->options.stage)
                say_note("there is no candidate in '%s/candidates'; judging the contract alone",
                         gate->request->contract);
        return ERROR_EXIT_YES;
}

static struct candidate name_of(char *path)
{
        char *slash = strrchr(path, '/');

        return (struct candidate){ .name = slash ? slash + 1 : path };
}

/* One of two reports would replace the other. */
static bool is_named_twice(const struct gate *gate, size_t index, const char *report)
{
        for (size_t i = 0; i < index; i++) {
                struct candidate named = name_of(gate->paths[i]);
                BASE_SCOPE(text_fini) struct text other = TEXT_INIT(path_text_max);

                append_report_path(gate, &named, &other);
                if (strcmp(text_view(&other), report) == 0)
                        return true;
        }
        return false;
}

/* What is not there is said before anything runs, and so is where the report cannot go. */
static enum error_exit open_reports(const struct gate *gate, struct text *why)
{
        for (size_t i = 0; i < gate->path_count; i++) {
                struct candidate named = name_of(gate->paths[i]);
                BASE_SCOPE(text_fini) struct text path = TEXT_INIT(path_text_max);

                if (!is_folder(gate->paths[i])) {
                        say_error(
                                "there is no candidate '%s', neither here nor in '%s/candidates'; "
                                "a candidate is a folder",
                                gate->paths[i], gate->request->contract);
                        return ERROR_EXIT_USAGE;
                }
                append_report_path(gate, &named, &path);
                if (is_named_twice(gate, i, text_view(&path))) {
                        say_error("two candidates would write the report '%s'; judge them one by "
                                  "one, with --report",
                                  text_view(&path));
                        return ERROR_EXIT_USAGE;
                }
                if (report_may_stand(text_view(&path), why))
                        return refuse(ERROR_EXIT_USAGE, why, -EEXIST);
        }
        return ERROR_EXIT_YES;
}

static enum error_exit open_judge(struct gate *gate, struct text *why)
{
        const struct gate_options *options = &gate->request->options;
        const struct sandbox_settings settings = { stop_descriptor(), options->needs_sandbox };
        struct judge *judge = &gate->judge;
        int failed;

        gate->parts = parts_find(why);
        if (why->length)
                text_append(why, "; build or install tocsin again");
        if (!gate->parts || why->length)
                return refuse(ERROR_EXIT_UNKNOWN, why, -ENOENT);
        failed = sandbox_new(&settings, &judge->sandbox, why);
        if (!failed)
                failed = surroundings_find(judge->asked, judge->sandbox, &gate->surroundings, why);
        if (failed)
                return refuse(ERROR_EXIT_UNKNOWN, why, failed);
        judge->request = gate->request;
        judge->contract = &gate->contract;
        judge->surroundings = &gate->surroundings;
        judge->cache = options->no_cache ? NULL : cache_open();
        failed = judge_init(judge, gate->parts, why);
        gate->has_judge = true;
        if (!failed)
                failed = terminal_open(options->json, &judge->terminal);
        return failed ? refuse(ERROR_EXIT_UNKNOWN, why, failed) : ERROR_EXIT_YES;
}

static enum error_exit gate_open(struct gate *gate)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(gate_why_max);
        enum error_exit code = open_contract(gate, &why);

        if (!code) {
                choose_stages(gate);
                code = open_reports(gate, &why);
        }
        return code ? code : open_judge(gate, &why);
}

static void gate_close(struct gate *gate)
{
        int failed = terminal_close(&gate->judge.terminal);

        if (failed && !stop_is_asked()) {
                say_error("cannot write to standard output: %s", error_text(failed));
                remember(gate, ERROR_EXIT_UNKNOWN);
        }
        if (gate->has_reference) {
                char *given = (char *)gate->reference.verdict.given; /* ours, try_reference() */

                trial_fini(&gate->reference);
                free(given);
        }
        if (gate->has_judge)
                judge_fini(&gate->judge);
        sandbox_free(&gate->judge.sandbox);
        cache_close(&gate->judge.cache);
        surroundings_fini(&gate->surroundings);
        while (gate->path_count)
                free(gate->paths[--gate->path_count]);
        free(gate->paths);
        if (gate->has_contract)
                contract_fini(&gate->contract);
}

enum error_exit gate_judge(const struct gate_request *request)
{
        struct gate gate = { .request = request, .worst = ERROR_EXIT_YES };
        int failed = stop_listen();
        enum error_exit code;

        if (failed) {
                say_error("cannot listen for signals: %s", error_text(failed));
                return ERROR_EXIT_UNKNOWN;
        }
        code = gate_open(&gate);
        if (!code) {
                failed = try_all(&gate);
                if (failed && !stop_is_asked())
                        say_error("%s", error_text(failed));
                remember(&gate, failed ? ERROR_EXIT_UNKNOWN : ERROR_EXIT_YES);
        }
        gate_close(&gate);
        if (stop_is_asked())
                stop_die();
        return code ? code : gate.worst;
}
