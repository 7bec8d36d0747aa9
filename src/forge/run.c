/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a session has one way to begin and one to remember: what is not in the ledger did
 * not happen, and what is in it has been believed only after state_apply() took it.
 */
#include "forge/run.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/say.h"
#include "forge/catalogue.h"
#include "gate/digest.h"
#include "gate/stop.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        path_text_max = 4096,
        run_why_max = 16 << 10,
        earlier_max = 10,
        packet_fetch_max = 64 << 10
};

/* ---- Contract, models, prompts ------------------------------------------------------------ */

/* Each line of what is wrong is a sentence of its own. */
static void say_lines(const char *lines)
{
        while (*lines) {
                size_t length = strcspn(lines, "\n");

                say_error("%.*s", (int)length, lines);
                lines += length + (lines[length] == '\n');
        }
}

static int load_contract(struct run *run)
{
        int failed = contract_load(run->request->contract, &run->contract, &run->why);

        if (failed == CONTRACT_WRONG) {
                say_lines(text_view(&run->why));
                return RUN_CONTRACT;
        }
        if (failed)
                text_printf(&run->why, "cannot read the contract '%s': %s", run->request->contract,
                            error_text(failed));
        run->has_contract = !failed;
        return failed ? RUN_UNKNOWN : 0;
}

static bool is_there(const char *path)
{
        return access(path, F_OK) == 0;
}

/* models.yaml here, or the user's. */
static void find_models(const struct run *run, struct text *into)
{
        const char *config = getenv("XDG_CONFIG_HOME");
        const char *home = getenv("HOME");

        if (run->request->models) {
                text_append(into, run->request->models);
                return;
        }
        if (!is_there("models.yaml") && config && *config == '/')
                text_printf(into, "%s/tocsin/models.yaml", config);
        else if (!is_there("models.yaml") && home && *home == '/')
                text_printf(into, "%s/.config/tocsin/models.yaml", home);
        if (!into->length || !is_there(text_view(into))) {
                text_clear(into);
                text_append(into, "models.yaml");
        }
}

static int load_models(struct run *run)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(path_text_max);
        int failed;

        find_models(run, &path);
        if (!run->request->models && !is_there(text_view(&path))) {
                text_append(&run->why,
                            "there is no models.yaml, neither here nor in ~/.config/tocsin: say "
                            "which models there are (tocsin-forge(1) shows how), or name the file "
                            "with --models");
                return RUN_WRONG;
        }
        failed = models_load(text_view(&path), &run->models, &run->why);
        if (failed == MODELS_WRONG) {
                say_lines(text_view(&run->why));
                return RUN_CONTRACT;
        }
        if (failed && !run->why.length)
                text_printf(&run->why, "cannot read '%s': %s", text_view(&path),
                            error_text(failed));
        return !failed ? 0 : failed == -ENOENT || failed == -EACCES ? RUN_WRONG : RUN_UNKNOWN;
}

int run_prepare(struct run *run, const struct forge_request *request)
{
        const struct prompt_options options = { request->prompts, request->shows_cases };
        int failed;

        *run = (struct run){ .request = request,
                             .contract = { .dir_fd = -1 },
                             .since_ns = clock_monotonic_ns(),
                             .why = TEXT_INIT(run_why_max) };
        state_init(&run->state);
        failed = load_contract(run);
        if (!failed)
                failed = load_models(run);
        if (failed)
                return failed;
        failed = prompt_kit_load(&run->contract, &options, &run->kit, &run->why);
        if (failed < 0 && !run->why.length)
                text_printf(&run->why, "cannot prepare the prompts: %s", error_text(failed));
        return !failed ? 0 : failed > 0 ? RUN_WRONG : RUN_UNKNOWN;
}

void run_close(struct run *run)
{
        for (size_t i = 0; i < models_tiers_max; i++)
                provider_free(&run->providers[i]);
        state_fini(&run->state);
        ledger_close(&run->ledger);
        prompt_kit_free(&run->kit);
        models_fini(&run->models);
        if (run->has_contract)
                contract_fini(&run->contract);
        free(run->folder);
        text_fini(&run->why);
}

/* ---- Records ----------------------------------------------------------------------------- */

int run_record(struct run *run, const char *type, json_t *fields)
{
        int failed = fields ? ledger_append(run->ledger, type, fields) : -ENOMEM;

        if (failed) {
                text_clear(&run->why);
                text_printf(&run->why, "cannot write to %s/ledger.jsonl: %s", run->folder,
                            error_text(failed));
                return failed;
        }
        return state_apply(&run->state, ledger_record(run->ledger, ledger_count(run->ledger) - 1));
}

uint64_t run_deadline_ns(const struct run *run)
{
        uint64_t total_ms = run->state.limits.seconds * 1000;
        uint64_t left_ms = total_ms > run->before_ms ? total_ms - run->before_ms : 0;

        return run->since_ns + left_ms * CLOCK_MS_NS;
}

/* ---- A new run, or one that goes on ------------------------------------------------------ */

static json_t *price_json(const struct model *model)
{
        const struct money_price *price = &model->price;

        if (price->is_free)
                return json_string("free");
        return json_pack("{s:I, s:I, s:I}", "input", (json_int_t)price->input, "cached",
                         (json_int_t)price->cached, "output", (json_int_t)price->output);
}

static json_t *tiers_json(const struct models *models)
{
        json_t *list = json_array();

        for (size_t i = 0; i < models->count; i++) {
                const struct model *model = &models->tiers[i];

                (void)json_array_append_new(
                        list, json_pack("{s:s, s:s, s:s?, s:o, s:I}", "name", model->name,
                                        "provider", models_provider_name(model->provider), "model",
                                        model->model, "price", price_json(model), "calls_max",
                                        (json_int_t)model->calls_max));
        }
        return list;
}

static json_t *limits_json(const struct state_limits *limits)
{
        return json_pack("{s:I, s:I, s:I}", "calls", (json_int_t)limits->calls, "cost_microusd",
                         (json_int_t)limits->cost_microusd, "seconds", (json_int_t)limits->seconds);
}

/* The contract's path as the person wrote it: a ledger names no machine. */
static int begin(struct run *run)
{
        const struct forge_request *request = run->request;
        const char *slash = strrchr(run->folder, '/');
        uint64_t seed = request->seed;

        if (!request->has_seed && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
                return error_last();
        return run_record(
                run, "run.start",
                json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:o, s:o, s:o, s:s}", "tocsin",
                          request->version, "module", run->contract.module, "run",
                          slash ? slash + 1 : run->folder, "contract", "path", request->contract,
                          "sha256", run->contract.sha256, "seed", json_sprintf("%" PRIu64, seed),
                          "tiers", tiers_json(&run->models), "limits",
                          limits_json(&request->limits), "prompts", prompt_kit_sha256(run->kit)));
}

static int create(struct run *run)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(path_text_max);
        const char *out = run->request->output ? run->request->output : CATALOGUE_OUT;
        int failed = catalogue_make(out, run->contract.module, &path);

        if (!failed) {
                run->folder = strdup(text_view(&path));
                failed =
                        run->folder ? ledger_create(run->folder, &run->ledger, &run->why) : -ENOMEM;
        }
        if (!failed)
                return begin(run);
        if (!run->why.length)
                text_printf(&run->why, "cannot make a folder for the run: %s", error_text(failed));
        return failed == -EACCES || failed == -ENOTDIR || failed == -EINVAL || failed == -EROFS
                       ? RUN_WRONG
                       : RUN_UNKNOWN;
}

static int add_up(struct run *run)
{
        for (size_t i = 0; i < ledger_count(run->ledger); i++) {
                int failed = state_apply(&run->state, ledger_record(run->ledger, i));

                if (!failed)
                        continue;
                text_printf(&run->why,
                            "%s/ledger.jsonl:%zu: the record does not follow from those before it",
                            run->folder, i + 1);
                return RUN_UNKNOWN;
        }
        if (run->state.has_begun)
                return 0;
        text_printf(&run->why, "the run in %s ended before it began; begin a new one", run->folder);
        return RUN_WRONG;
}

/* A run is one question: asked of other models, or in other words, it is another. */
static int check_same(struct run *run)
{
        const json_t *recorded = json_object_get(ledger_record(run->ledger, 0), "tiers");
        json_t *tiers = tiers_json(&run->models);
        bool is_same = json_equal((json_t *)recorded, tiers); /* compared, not written */

        json_decref(tiers);
        if (!is_same)
                text_printf(&run->why,
                            "the models are not those that the run in %s began with; name them "
                            "with --models, or begin a new run",
                            run->folder);
        else if (strcmp(run->state.prompts, prompt_kit_sha256(run->kit)) != 0 &&
                 strcmp(run->state.contract, run->contract.sha256) == 0)
                text_printf(&run->why,
                            "the prompts are not those that the run in %s began with; begin a new "
                            "run",
                            run->folder);
        else
                return 0;
        return RUN_WRONG;
}

static int go_on(struct run *run)
{
        const struct forge_request *request = run->request;
        struct state_limits limits = run->state.limits;

        if (request->has_calls)
                limits.calls = request->limits.calls;
        if (request->has_cost)
                limits.cost_microusd = request->limits.cost_microusd;
        if (request->has_seconds)
                limits.seconds = request->limits.seconds;
        run->before_ms = run->state.elapsed_ms;
        if (run->state.outcome == STATE_ACCEPTED || run->state.outcome == STATE_CEILING ||
            run->state.outcome == STATE_CONTRACT) {
                if (strcmp(run->state.contract, run->contract.sha256) == 0)
                        return 0; /* nothing more can come of it */
                text_printf(&run->why,
                            "%s; what it came to is of another question: begin a new one",
                            RUN_CONTRACT_CHANGED);
                return RUN_WRONG;
        }
        return run_record(run, "resume", json_pack("{s:o}", "limits", limits_json(&limits)));
}

/* What stands in a ledger is believed: it has to be our own. */
static int check_owner(struct run *run)
{
        struct stat is;

        if (fstat(ledger_folder_fd(run->ledger), &is))
                return error_last();
        if (is.st_uid == geteuid() && !(is.st_mode & (S_IWGRP | S_IWOTH)))
                return 0;
        text_printf(&run->why,
                    "the run in %s belongs to somebody else, or others may write to it; whoever "
                    "began it has to go on",
                    run->folder);
        return RUN_WRONG;
}

static int find(struct run *run, enum ledger_mode mode)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(path_text_max);
        const char *out = run->request->output ? run->request->output : CATALOGUE_OUT;
        int failed =
                catalogue_find(out, run->contract.module, run->request->resume, &path, &run->why);

        if (!failed) {
                run->folder = strdup(text_view(&path));
                failed = run->folder ? ledger_open(run->folder, mode, &run->ledger, &run->why)
                                     : -ENOMEM;
        }
        if (failed && !run->why.length)
                text_printf(&run->why, "cannot open the run '%s': %s", run->request->resume,
                            error_text(failed));
        if (failed == LEDGER_BROKEN)
                text_printf(&run->why, " (the run in %s; begin a new one)", run->folder);
        if (failed)
                return failed == LEDGER_BROKEN || (failed < 0 && failed != -ENOENT) ? RUN_UNKNOWN
                                                                                    : RUN_WRONG;
        failed = check_owner(run);
        return failed ? failed : add_up(run);
}

int run_look(struct run *run)
{
        int failed = find(run, LEDGER_READ);

        return failed ? failed : check_same(run);
}

int run_open(struct run *run)
{
        int failed;

        if (!run->request->resume)
                return create(run);
        failed = find(run, LEDGER_WRITE);
        if (!failed)
                failed = check_same(run);
        return failed ? failed : go_on(run);
}

/* ---- Candidates -------------------------------------------------------------------------- */

struct files {
        const char *names[contract_list_max];
        struct text texts[contract_list_max];
        const struct text *views[contract_list_max];
        size_t count;
};

static void files_free(struct files **files)
{
        for (size_t i = 0; *files && i < (*files)->count; i++)
                text_fini(&(*files)->texts[i]);
        free(*files);
}

/* A ledger may come from anybody: what it calls files are those of the contract, or none. */
static bool are_supplied(const struct contract_list *supplies, const json_t *files)
{
        bool all = json_array_size(files) == supplies->count;

        for (size_t i = 0; all && i < supplies->count; i++) {
                const char *path =
                        json_string_value(json_object_get(json_array_get(files, i), "path"));

                all = path && strcmp(path, supplies->items[i]) == 0;
        }
        return all;
}

int run_candidate(struct run *run, unsigned id, struct candidate *ret_candidate)
{
        struct files *files BASE_SCOPE(files_free) = calloc(1, sizeof(*files));
        const struct state_candidate *of = state_candidate(&run->state, id);
        const json_t *entry;
        char name[24];
        size_t at;

        if (!files || !of)
                return files ? -EPROTO : -ENOMEM;
        if (!are_supplied(&run->contract.supplies, of->files))
                return -EPROTO;
        json_array_foreach(of->files, at, entry)
        {
                const char *path = json_string_value(json_object_get(entry, "path"));
                const char *hex = json_string_value(json_object_get(entry, "sha256"));
                struct text *text = &files->texts[files->count];
                int failed;

                if (!path || !hex || files->count == contract_list_max)
                        return -EPROTO;
                text_init(text, candidate_file_bytes_max);
                files->names[files->count] = path;
                files->views[files->count++] = text;
                failed = ledger_fetch(run->ledger, hex, text);
                if (failed)
                        return failed;
        }
        (void)snprintf(name, sizeof(name), "%u", id); /* fits */
        return candidate_make(name, files->names, files->views, files->count, ret_candidate);
}

/* The name is one of the contract's: no folder can stand in it. What an earlier session left there,
 * drafts of files that it was killed over, goes first: a candidate is exactly its files. */
int run_write_files(struct run *run, const struct candidate *candidate, const char *below)
{
        BASE_SCOPE(text_fini) struct text path = TEXT_INIT(path_text_max);
        size_t stem;
        int failed = 0;

        text_printf(&path, "%s/%s", run->folder, below);
        failed = path.error ? path.error : file_remove_tree(AT_FDCWD, text_view(&path));
        if (failed == -ENOENT)
                failed = 0;
        for (size_t i = strlen(run->folder) + 1; i < path.length && !failed; i++)
                if (path.bytes[i] == '/') {
                        path.bytes[i] = '\0';
                        failed = mkdir(path.bytes, 0700) && errno != EEXIST ? error_last() : 0;
                        path.bytes[i] = '/';
                }
        if (!failed && mkdir(text_view(&path), 0700) && errno != EEXIST)
                failed = error_last();
        stem = path.length;
        for (size_t i = 0; i < candidate->file_count && !failed; i++) {
                const struct candidate_file *file = &candidate->files[i];

                path.length = stem;
                text_printf(&path, "/%s", file->name);
                failed = path.error ? path.error
                                    : file_replace(AT_FDCWD, text_view(&path), file->bytes,
                                                   file->length, 0600);
        }
        if (failed) {
                text_clear(&run->why);
                text_printf(&run->why, "cannot write below %s: %s", run->folder,
                            error_text(failed));
        }
        return failed;
}

/* ---- Prompts ----------------------------------------------------------------------------- */

static bool has_line(const struct text *lines, const char *line)
{
        BASE_SCOPE(text_fini) struct text wanted = TEXT_INIT(4096);

        text_printf(&wanted, "- %s\n", line);
        return strstr(text_view(lines), text_view(&wanted));
}

/* What the best of each earlier lineage failed on: names only, each once. */
static void append_earlier(const struct state *state, unsigned lineage, struct text *into)
{
        size_t count = 0;

        for (unsigned i = 1; i < lineage; i++) {
                const struct state_candidate *best =
                        state_candidate(state, state_lineage(state, i)->best);
                const json_t *key;
                size_t at;

                json_array_foreach(best ? best->keys : NULL, at, key)
                {
                        const char *line = json_string_value(key);

                        if (!line || count == earlier_max || has_line(into, line))
                                continue;
                        text_append(into, "- ");
                        text_append_escaped(into, line, strlen(line));
                        text_append(into, "\n");
                        count++;
                }
        }
}

int run_prompt(struct run *run, enum prompt_stage stage, unsigned lineage, unsigned parent,
               struct prompt *ret_prompt)
{
        BASE_SCOPE(text_fini) struct text packet = TEXT_INIT(packet_fetch_max);
        BASE_SCOPE(text_fini) struct text diagnosis = TEXT_INIT(packet_fetch_max);
        BASE_SCOPE(text_fini) struct text earlier = TEXT_INIT(packet_fetch_max);
        const struct state_candidate *base = state_candidate(&run->state, parent);
        const struct state_lineage *line = state_lineage(&run->state, lineage);
        BASE_SCOPE(candidate_fini) struct candidate candidate = { .name = NULL };
        struct prompt_parts parts = { .candidate = NULL };
        int failed = 0;

        if (stage == PROMPT_WRITE) {
                append_earlier(&run->state, lineage, &earlier);
                parts.earlier = earlier.length ? text_view(&earlier) : NULL;
                return prompt_make(run->kit, stage, &parts, ret_prompt, &run->why);
        }
        failed = run_candidate(run, parent, &candidate);
        if (!failed && base->packet[0])
                failed = ledger_fetch(run->ledger, base->packet, &packet);
        if (!failed && stage == PROMPT_REPAIR && line && line->diagnosis[0])
                failed = ledger_fetch(run->ledger, line->diagnosis, &diagnosis);
        if (failed) {
                text_printf(&run->why, "cannot read a blob of %s: %s", run->folder,
                            error_text(failed));
                return failed;
        }
        parts.candidate = &candidate;
        parts.packet = text_view(&packet);
        parts.diagnosis = diagnosis.length ? text_view(&diagnosis) : NULL;
        return prompt_make(run->kit, stage, &parts, ret_prompt, &run->why);
}

/* Two fresh samples of one prompt must differ; the same run asks the same again. */
static uint64_t seed_of(const struct run *run, unsigned slot)
{
        char words[64];
        char hex[digest_hex_size];

        (void)snprintf(words, sizeof(words), "%" PRIu64 " call %u", run->state.seed, slot);
        if (digest_of(words, strlen(words), hex))
                return slot;
        return digest_seed(hex) & INT32_MAX;
}

void run_question(const struct run *run, enum prompt_stage stage, unsigned slot, unsigned tier,
                  const struct prompt *prompt, struct provider_question *ret_question)
{
        *ret_question = (struct provider_question){
                .stage = prompt_stage_name(stage),
                .system = text_view(&prompt->system),
                .user = text_view(&prompt->user),
                .slot = slot,
                .has_seed = true,
                .seed = seed_of(run, slot),
                .is_repair = stage != PROMPT_WRITE,
                .output_tokens_max = run->models.tiers[tier].output_tokens_max,
                .deadline_ns = run_deadline_ns(run),
                .stop_fd = stop_descriptor(),
        };
}
