/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does it compile clean? Two compilers at several levels see different things, and the release
 * flags are what ships. One fault seen by five builds is one finding that names them.
 *
 * Whatever a compiler says is held against the candidate: a line that has not the form of a
 * diagnostic is kept as evidence, never skipped, so that strange words cannot hide a warning.
 */
#include "gate/stage.h"

#include <errno.h>
#include <stdatomic.h>

enum { diagnostic_max = 4096, message_max = 400, builds_text_max = 128 };

struct diagnostic {
        const char *rule;
        char *file;
        char *flag;    /* "-Wshadow"; "" */
        char *message; /* without the flag */
        unsigned line;
        unsigned builds; /* bit i: builds[judged[i]] */
};

struct inspection {
        struct stage_context *context;
        enum build_id judged[BUILD_COUNT];
        int outcomes[BUILD_COUNT];
        const struct workshop_product *products[BUILD_COUNT];
        struct text whys[BUILD_COUNT];
        size_t count;
        atomic_bool is_late; /* one build did not end: the others are not tried any more */
        struct diagnostic *diagnostics;
        size_t diagnostic_count;
};

/* ---- What compilers print ------------------------------------------------------------------- */

/* "lru.c:12:3: warning: text [-Wx]", cut into its parts in place; false: another line. */
static bool split(char *line, struct diagnostic *parts)
{
        static const struct {
                const char *word;
                const char *rule;
        } kinds[] = {
                { ": warning: ", "build.warning" },
                { ": fatal error: ", "build.error" },
                { ": error: ", "build.error" },
        };
        static char none[] = "";
        char *at = NULL;
        char *number;
        char *end;
        size_t which = 0;

        for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
                char *found = strstr(line, kinds[i].word);

                if (found && (!at || found < at)) {
                        at = found;
                        which = i;
                }
        }
        if (!at)
                return false;
        *at = '\0';
        *parts = (struct diagnostic){
                .rule = kinds[which].rule,
                .file = strncmp(line, "/contract/", 10) == 0 ? line + 10 : line,
                .flag = none,
                .message = at + strlen(kinds[which].word),
        };
        number = strchr(line, ':');
        if (number) {
                *number++ = '\0';
                parts->line = (unsigned)strtoul(number, NULL, 10); /* 0: none, which is allowed */
        }
        end = strrchr(parts->message, '[');
        if (end && end > parts->message && strncmp(end, "[-W", 3) == 0 &&
            end[strlen(end) - 1] == ']') {
                end[strlen(end) - 1] = '\0';
                parts->flag = end + 1;
                end[-1] = '\0';
        }
        return true;
}

static struct diagnostic *same(struct inspection *inspection, const struct diagnostic *parts)
{
        for (size_t i = 0; i < inspection->diagnostic_count; i++) {
                struct diagnostic *known = &inspection->diagnostics[i];
                bool is_named = parts->flag[0] && strcmp(known->flag, parts->flag) == 0;

                if (known->line == parts->line && strcmp(known->rule, parts->rule) == 0 &&
                    strcmp(known->file, parts->file) == 0 &&
                    (is_named || strcmp(known->message, parts->message) == 0))
                        return known;
        }
        return NULL;
}

static int keep(struct inspection *inspection, const struct diagnostic *parts, size_t build)
{
        struct diagnostic *known = same(inspection, parts);

        if (!known && inspection->diagnostic_count == diagnostic_max)
                return 0; /* more than anybody is shown; those kept reject already */
        if (!known) {
                struct diagnostic *all =
                        reallocarray(inspection->diagnostics, inspection->diagnostic_count + 1,
                                     sizeof(*inspection->diagnostics));

                if (!all)
                        return -ENOMEM;
                inspection->diagnostics = all;
                known = &all[inspection->diagnostic_count];
                *known = *parts;
                known->file = strdup(parts->file);
                known->flag = strdup(parts->flag);
                known->message = strndup(parts->message, message_max);
                inspection->diagnostic_count++;
                if (!known->file || !known->flag || !known->message)
                        return -ENOMEM;
        }
        known->builds |= 1U << build;
        return 0;
}

/* How many diagnostics a build's output holds, each kept; -errno. */
static int read_output(struct inspection *inspection, size_t build, unsigned *ret_count)
{
        const struct workshop_product *product = inspection->products[build];
        struct text copy BASE_SCOPE(text_fini) = TEXT_INIT(workshop_output_max);
        char *rest;
        char *line;
        int outcome = 0;

        *ret_count = 0;
        text_append_bytes(&copy, product->output, product->output_length);
        rest = copy.bytes;
        while (!outcome && (line = strsep(&rest, "\n"))) {
                struct diagnostic parts;

                if (!split(line, &parts))
                        continue;
                (*ret_count)++;
                outcome = keep(inspection, &parts, build);
        }
        return outcome;
}

/* ---- Findings ------------------------------------------------------------------------------- */

static void name_builds(const struct inspection *inspection, unsigned bits, struct text *into)
{
        bool is_first = true;

        for (size_t i = 0; i < inspection->count; i++)
                if (bits & 1U << i) {
                        text_printf(into, "%s%s", is_first ? "" : ", ",
                                    builds[inspection->judged[i]].name);
                        is_first = false;
                }
}

static const char *first_build(const struct inspection *inspection, unsigned bits, size_t *ret_at)
{
        for (size_t i = 0; i < inspection->count; i++)
                if (bits & 1U << i) {
                        *ret_at = i;
                        return builds[inspection->judged[i]].name;
                }
        return NULL;
}

static void report_diagnostics(const struct inspection *inspection, struct stage_result *result)
{
        for (size_t i = 0; i < inspection->diagnostic_count; i++) {
                const struct diagnostic *known = &inspection->diagnostics[i];
                struct text names BASE_SCOPE(text_fini) = TEXT_INIT(builds_text_max);
                size_t at = 0;
                const char *first = first_build(inspection, known->builds, &at);
                const struct workshop_product *product = inspection->products[at];
                struct finding *finding;

                name_builds(inspection, known->builds, &names);
                finding = finding_add(result, known->rule, "%s%s%s%s (%s)", known->message,
                                      known->flag[0] ? " [" : "", known->flag,
                                      known->flag[0] ? "]" : "", text_view(&names));
                if (known->file[0])
                        finding_at(finding, known->file, known->line);
                finding_evidence(finding, product->output, product->output_length);
                finding_case(finding, NULL, first);
        }
}

/* What is wrong with a build as a whole. */
static int report_build(struct inspection *inspection, size_t i, struct stage_result *result)
{
        const struct workshop_product *product = inspection->products[i];
        const char *name = builds[inspection->judged[i]].name;
        struct finding *finding = NULL;
        unsigned said = 0;
        int outcome = read_output(inspection, i, &said);

        if (outcome)
                return outcome;
        if (product->was_late)
                finding = finding_add(result, "build.late", "the compiler did not end in time (%s)",
                                      name);
        else if (product->was_flooded)
                finding = finding_add(result, "build.flood",
                                      "the compiler had more to say than %d bytes (%s)",
                                      workshop_output_max, name);
        else if (inspection->outcomes[i] == WORKSHOP_REJECTED && !said)
                finding = finding_add(result, "build.error",
                                      "refused without a diagnostic; see the evidence (%s)", name);
        else if (inspection->outcomes[i] == 0 && !said && product->output_length)
                finding = finding_add(result, "build.warning",
                                      "not silent, though nothing of it has the form of a "
                                      "warning; see the evidence (%s)",
                                      name);
        if (finding) {
                finding_evidence(finding, product->output, product->output_length);
                finding_case(finding, NULL, name);
        }
        return 0;
}

static int compile(void *context, size_t i)
{
        struct inspection *inspection = context;
        enum build_id id = inspection->judged[i];
        int outcome;

        if (atomic_load(&inspection->is_late))
                return 0;
        outcome = workshop_object(inspection->context->workshop, id, &inspection->products[i]);
        if (outcome >= 0 && inspection->products[i]->was_late)
                atomic_store(&inspection->is_late, true);

        stage_progress(inspection->context, "build: %s", builds[id].name);
        inspection->outcomes[i] = outcome;
        if (outcome < 0)
                text_append(&inspection->whys[i], sandbox_why());
        return outcome == -ECANCELED ? outcome : 0; /* one missing compiler stops no other */
}

static int inspect(struct inspection *inspection, struct stage_result *result)
{
        json_t *list = json_array();
        int outcome =
                stage_in_parallel(inspection->context, inspection->count, compile, inspection);

        for (size_t i = 0; i < inspection->count && !outcome; i++) {
                const char *name = builds[inspection->judged[i]].name;

                if (inspection->outcomes[i] < 0) {
                        stage_unknown(result, "%s could not be built: %s", name,
                                      text_view(&inspection->whys[i]));
                        continue;
                }
                if (!inspection->products[i])
                        continue; /* another was late: rejected already */
                outcome = report_build(inspection, i, result);
                (void)json_array_append_new(list, json_pack("{s: s, s: f}", "name", name, "seconds",
                                                            inspection->products[i]->seconds));
        }
        if (!outcome)
                report_diagnostics(inspection, result);
        (void)json_object_set_new(result->measures, "builds", list);
        return outcome;
}

int stage_build(struct stage_context *context, struct stage_result *result)
{
        struct inspection inspection = { .context = context };
        int outcome;

        for (unsigned id = 0; id < BUILD_COUNT; id++)
                if (builds[id].roles & BUILD_JUDGED && stage_wants_build(context, builds[id].name))
                        inspection.judged[inspection.count++] = (enum build_id)id;
        for (size_t i = 0; i < inspection.count; i++)
                text_init(&inspection.whys[i], 1024);
        if (!inspection.count) {
                stage_unknown(result, "no build of that name is judged for warnings");
                return 0;
        }
        outcome = inspect(&inspection, result);
        for (size_t i = 0; i < inspection.count; i++)
                text_fini(&inspection.whys[i]);
        for (size_t i = 0; i < inspection.diagnostic_count; i++) {
                free(inspection.diagnostics[i].file);
                free(inspection.diagnostics[i].flag);
                free(inspection.diagnostics[i].message);
        }
        free(inspection.diagnostics);
        return outcome;
}
