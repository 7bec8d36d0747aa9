/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that a verdict enters the ledger by one door: from the report that the gate wrote, read
 * as carefully as anything that a candidate had a hand in.
 */
#include "forge/gatekeeper.h"
#include "base/child.h"
#include "base/error.h"
#include "gate/digest.h"
#include "gate/stop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { path_text_max = 4096, words_max = 16, environment_max = 24, mark_digits = 16 };

#define GATE_END_NS (10 * CLOCK_S_NS) /* for it to take away what it made */

/* What a gate needs to find its tools, its cache and its terminal: nothing else of ours. */
static const char *const passed_on[] = {
        "PATH",     "HOME", "USER",   "LOGNAME", "TERM",           "COLUMNS",
        "NO_COLOR", "LANG", "LC_ALL", "TMPDIR",  "XDG_CACHE_HOME", "XDG_RUNTIME_DIR",
};

struct visit {
        const char *words[words_max]; /* of the command */
        size_t count;
        struct text paths[4];
        struct text environment[BASE_COUNT(passed_on)];
        const char *environment_views[environment_max];
        char program[PATH_MAX];
};

static void visit_free(struct visit **visit)
{
        for (size_t i = 0; *visit && i < BASE_COUNT((*visit)->paths); i++)
                text_fini(&(*visit)->paths[i]);
        for (size_t i = 0; *visit && i < BASE_COUNT(passed_on); i++)
                text_fini(&(*visit)->environment[i]);
        free(*visit);
}

static void add(struct visit *visit, const char *word)
{
        if (visit->count + 1 < words_max)
                visit->words[visit->count++] = word;
}

/* As the person wrote it, if that is still this program: it stands in commands to be repeated. */
static int find_program(struct visit *visit)
{
        const char *written = program_invocation_name;
        struct stat by_name, self;
        ssize_t length;

        if (strchr(written, '/') && strlen(written) < sizeof(visit->program) &&
            !stat(written, &by_name) && !stat("/proc/self/exe", &self) &&
            by_name.st_dev == self.st_dev && by_name.st_ino == self.st_ino) {
                memcpy(visit->program, written, strlen(written) + 1);
                return 0;
        }
        length = readlink("/proc/self/exe", visit->program, sizeof(visit->program) - 1);
        if (length <= 0)
                return error_last();
        visit->program[length] = '\0';
        /* Another version was installed meanwhile: the one that runs is still to be had there. */
        if (access(visit->program, X_OK))
                (void)snprintf(visit->program, sizeof(visit->program), "/proc/self/exe"); /* fits */
        return 0;
}

static int prepare(struct visit *visit)
{
        int failed = find_program(visit);
        size_t count = 0;

        if (failed)
                return failed;
        for (size_t i = 0; i < BASE_COUNT(visit->paths); i++)
                text_init(&visit->paths[i], path_text_max);
        for (size_t i = 0; i < BASE_COUNT(passed_on); i++) {
                const char *value = getenv(passed_on[i]);

                text_init(&visit->environment[i], 64 << 10);
                if (!value)
                        continue;
                text_printf(&visit->environment[i], "%s=%s", passed_on[i], value);
                if (!visit->environment[i].error)
                        visit->environment_views[count++] = text_view(&visit->environment[i]);
        }
        add(visit, visit->program);
        add(visit, "gate");
        add(visit, "--json"); /* its lines go to standard error, where ours are */
        add(visit, "--report");
        return 0;
}

static int run_it(struct run *run, struct visit *visit, struct child_result *ret_result)
{
        const int stop_fd = stop_descriptor();
        uint64_t now_ns = clock_monotonic_ns();
        uint64_t deadline_ns = run_deadline_ns(run);
        const struct child_request request = {
                .argv = visit->words,
                .time_max_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 1,
                .environment = visit->environment_views,
                .shows_errors = true,
                .stop_fd = &stop_fd,
                .end_signal = SIGTERM,
                .end_max_ns = GATE_END_NS,
        };

        int failed = child_run(&request, ret_result);

        if (failed)
                text_printf(&run->why, "cannot run the gate, %s: %s", visit->program,
                            error_text(failed));
        return failed;
}

/* A relative path that begins with a dash would be an option. */
static void append_path(struct text *into, const char *path)
{
        text_printf(into, "%s%s", *path == '-' ? "./" : "", path);
}

static uint64_t ms_since(uint64_t begin_ns)
{
        return (clock_monotonic_ns() - begin_ns) / CLOCK_MS_NS;
}

static int record_change(struct run *run)
{
        return run_record(run, "change", json_pack("{s:s}", "why", RUN_CONTRACT_CHANGED));
}

int gatekeeper_check_contract(struct run *run)
{
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(8192);
        struct contract now;
        bool is_same;

        if (run->state.is_changed)
                return 0;
        if (contract_load(run->request->contract, &now, &why)) {
                is_same = false;
        } else {
                is_same = strcmp(now.sha256, run->state.contract) == 0;
                contract_fini(&now);
        }
        return is_same ? 0 : record_change(run);
}

/* Its time was over: so is the run's. */
static int record_late(struct run *run)
{
        return run_record(run, "limit",
                          json_pack("{s:s, s:s}", "kind", "seconds", "why",
                                    "the time was over while the gate was judging; raise "
                                    "--max-seconds"));
}

/* ---- The question ------------------------------------------------------------------------ */

static int ask_about_contract(struct run *run, struct visit *visit, struct child_result *ret_result)
{
        const struct contract *contract = &run->contract;
        int failed = prepare(visit);

        if (failed)
                return failed;
        text_printf(&visit->paths[0], "%s/reports/contract", run->folder);
        append_path(&visit->paths[1], run->request->contract);
        if (contract->reference) {
                append_path(&visit->paths[2], run->request->contract);
                text_printf(&visit->paths[2], "/%s", contract->reference);
        } else {
                const struct candidate nothing = { .name = NULL };

                text_printf(&visit->paths[2], "%s/candidates/none", run->folder);
                failed = run_write_files(run, &nothing, "candidates/none");
        }
        add(visit, text_view(&visit->paths[0]));
        if (!contract->reference) {
                add(visit, "--stage");
                add(visit, "contract");
        }
        add(visit, text_view(&visit->paths[1]));
        add(visit, text_view(&visit->paths[2]));
        return failed ? failed : run_it(run, visit, ret_result);
}

static const char *preflight_word(const struct child_result *result, const char **ret_why)
{
        *ret_why = "";
        if (child_succeeded(result))
                return "sound";
        if (result->end == CHILD_EXITED && result->code == ERROR_EXIT_USAGE) {
                *ret_why = "the gate calls the contract unsound; its lines above say where";
                return "unsound";
        }
        *ret_why = "the gate could not find out whether the contract is sound; its lines above say "
                   "why";
        return "unknown";
}

int gatekeeper_preflight(struct run *run)
{
        struct visit *visit BASE_SCOPE(visit_free) = calloc(1, sizeof(*visit));
        uint64_t begin_ns = clock_monotonic_ns();
        struct child_result result;
        const char *why, *word;
        int failed = visit ? ask_about_contract(run, visit, &result) : -ENOMEM;

        if (failed)
                return failed;
        if (result.end == CHILD_STOPPED || stop_is_asked())
                return RUN_STOPPED;
        if (result.end == CHILD_LATE)
                return record_late(run);
        word = preflight_word(&result, &why);
        return run_record(run, "preflight",
                          json_pack("{s:s, s:s, s:I}", "result", word, "why", why, "ms",
                                    (json_int_t)ms_since(begin_ns)));
}

/* ---- A candidate ------------------------------------------------------------------------- */

/* Depends on what it surrounds: nobody can write it into a file beforehand. */
static int make_mark(const struct run *run, unsigned id, char ret_mark[digest_hex_size])
{
        struct digest digest;
        int failed;

        digest_begin(&digest);
        digest_text(&digest, run->state.contract);
        digest_text(&digest, state_candidate(&run->state, id)->sha256);
        failed = digest_end(&digest, ret_mark);
        ret_mark[mark_digits] = '\0';
        return failed;
}

static int ask_about_candidate(struct run *run, unsigned id, struct visit *visit,
                               struct child_result *ret_result)
{
        BASE_SCOPE(candidate_fini) struct candidate candidate = { .name = NULL };
        char below[40];
        int failed = run_candidate(run, id, &candidate);

        (void)snprintf(below, sizeof(below), "candidates/%u", id); /* fits */
        if (!failed)
                failed = run_write_files(run, &candidate, below);
        if (!failed)
                failed = prepare(visit);
        if (failed)
                return failed;
        text_printf(&visit->paths[0], "%s/reports/%u", run->folder, id);
        append_path(&visit->paths[1], run->request->contract);
        append_path(&visit->paths[2], run->folder);
        text_printf(&visit->paths[2], "/%s", below);
        for (size_t i = 0; i < 3; i++)
                add(visit, text_view(&visit->paths[i]));
        return run_it(run, visit, ret_result);
}

static json_t *escaped(const struct text *text)
{
        BASE_SCOPE(text_fini) struct text safe = TEXT_INIT(2000);

        text_append_escaped(&safe, text_view(text), text->length);
        return json_string(text_view(&safe));
}

/* No report, or none that can be read: nobody knows, whatever the exit status was. */
static int record_unknown(struct run *run, unsigned id, const struct child_result *result,
                          const char *why, uint64_t ms)
{
        BASE_SCOPE(text_fini) struct text end = TEXT_INIT(2000);

        text_printf(&end, "the gate could not find out about candidate %u (", id);
        child_append_end(result, &end);
        text_printf(&end, ")%s%s", *why ? ": " : "; its lines above say why", why);
        return run_record(run, "verdict",
                          json_pack("{s:i, s:s, s:o, s:I}", "candidate", (int)id, "verdict",
                                    "unknown", "why", escaped(&end), "ms", (json_int_t)ms));
}

static int record_packet(struct run *run, unsigned id, struct packet *packet, uint64_t ms)
{
        bool is_accepted = packet->verdict == PACKET_ACCEPTED;
        char blob[65] = "";
        char report[40];
        int failed = 0;

        (void)snprintf(report, sizeof(report), "reports/%u", id); /* fits */
        if (packet->text.length)
                failed = ledger_keep(run->ledger, text_view(&packet->text), packet->text.length,
                                     blob);
        if (failed)
                return failed;
        return run_record(run, "verdict",
                          json_pack("{s:i, s:s, s:i, s:s, s:s, s:O, s:s, s:o, s:s, s:I}",
                                    "candidate", (int)id, "verdict",
                                    is_accepted ? "accepted" : "rejected", "score_permille",
                                    (int)packet->score_permille, "stage", packet->stage,
                                    "signature", packet->signature, "keys", packet->keys, "packet",
                                    blob, "headline", escaped(&packet->headline), "report", report,
                                    "ms", (json_int_t)ms));
}

/* The exit status and the report have to say the same. */
static int record_verdict(struct run *run, unsigned id, const struct child_result *result,
                          uint64_t ms)
{
        BASE_SCOPE(text_fini) struct text report = TEXT_INIT(path_text_max);
        BASE_SCOPE(text_fini) struct text why = TEXT_INIT(2000);
        int code = result->end == CHILD_EXITED ? result->code : ERROR_EXIT_UNKNOWN;
        struct packet packet;
        BASE_SCOPE(candidate_fini) struct candidate candidate = { .name = NULL };
        char mark[digest_hex_size];
        int failed;

        if (code == ERROR_EXIT_USAGE)
                return run_record(run, "verdict",
                                  json_pack("{s:i, s:s, s:s, s:I}", "candidate", (int)id, "verdict",
                                            "unsound", "why",
                                            "the gate calls the contract unsound; its lines above "
                                            "say where",
                                            "ms", (json_int_t)ms));
        if (code != ERROR_EXIT_YES && code != ERROR_EXIT_NO)
                return record_unknown(run, id, result, "", ms);
        text_printf(&report, "%s/reports/%u", run->folder, id);
        failed = make_mark(run, id, mark);
        if (!failed)
                failed = run_candidate(run, id, &candidate);
        if (!failed)
                failed = packet_read(text_view(&report), &run->contract, &candidate, mark, &packet,
                                     &why);
        if (failed < 0)
                return failed;
        if (failed)
                return record_unknown(run, id, result, text_view(&why), ms);
        if (strcmp(packet.contract, run->state.contract) != 0)
                failed = record_change(run);
        else if (strcmp(packet.candidate, state_candidate(&run->state, id)->sha256) != 0)
                failed = record_unknown(run, id, result, "it judged other files", ms);
        else if (packet.verdict != (code ? PACKET_REJECTED : PACKET_ACCEPTED))
                failed = record_unknown(run, id, result, "its report says otherwise", ms);
        else
                failed = record_packet(run, id, &packet, ms);
        packet_fini(&packet);
        return failed;
}

int gatekeeper_judge(struct run *run, unsigned id)
{
        struct visit *visit BASE_SCOPE(visit_free) = calloc(1, sizeof(*visit));
        uint64_t begin_ns = clock_monotonic_ns();
        struct child_result result;
        int failed = visit ? ask_about_candidate(run, id, visit, &result) : -ENOMEM;

        if (failed)
                return failed;
        if (result.end == CHILD_STOPPED || stop_is_asked())
                return RUN_STOPPED;
        if (result.end == CHILD_LATE)
                return record_late(run);
        failed = gatekeeper_check_contract(run);
        if (failed || run->state.is_changed)
                return failed;
        return record_verdict(run, id, &result, ms_since(begin_ns));
}
