/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because contract.yaml is written for a judge: a model that is to write the module needs
 * the functions instead of a preset, and a sentence instead of a mapping.
 */
#include "forge/brief.h"
#include "base/error.h"
#include "base/file.h"
#include "forge/fence.h"
#include "gate/symbols.h"
#include "gate/workshop.h"

#include <errno.h>
#include <inttypes.h>

const char *const brief_names[BRIEF_COUNT] = {
        [BRIEF_MODULE] = "module",
        [BRIEF_SUMMARY] = "summary",
        [BRIEF_HEADER_NAME] = "header_name",
        [BRIEF_HEADER] = "header",
        [BRIEF_FILES] = "files",
        [BRIEF_INCLUDES] = "includes",
        [BRIEF_FUNCTIONS] = "functions",
        [BRIEF_THREADS] = "threads",
        [BRIEF_STANDARD] = "standard",
        [BRIEF_BUDGETS] = "budgets",
        [BRIEF_CASES] = "cases",
        [BRIEF_INSTRUMENTING] = "instrumenting",
};

static const char *const threads_sentences[] = {
        [CONTRACT_THREADS_NONE] = "None: the module is used by one thread and starts none.",
        [CONTRACT_THREADS_ONE_PER_OBJECT] =
                "Each object is used by one thread at a time, different objects by different "
                "threads at once: what objects share must be protected.",
        [CONTRACT_THREADS_ANY] = "One object may be used by any number of threads at once, except "
                                 "where the header says otherwise.",
};

static const char *const growth_words[] = {
        [CONTRACT_GROWTH_UNDECLARED] = "",     [CONTRACT_GROWTH_CONSTANT] = "constant",
        [CONTRACT_GROWTH_LOG] = "logarithmic", [CONTRACT_GROWTH_LINEAR] = "linear",
        [CONTRACT_GROWTH_NLOGN] = "n log n",   [CONTRACT_GROWTH_QUADRATIC] = "quadratic",
};

/* ---- Words ------------------------------------------------------------------------------- */

static void add_names(const struct contract_list *list, const char *format_before,
                      const char *format_after, struct text *into)
{
        for (size_t i = 0; i < list->count; i++)
                text_printf(into, "%s%s%s%s", into->length ? ", " : "", format_before,
                            list->items[i], format_after);
}

static void add_includes(const struct contract *contract, struct text *into)
{
        text_printf(into, "\"%s\"", contract->header);
        for (size_t i = 0; i < contract->supplies.count; i++) {
                const char *name = contract->supplies.items[i];

                if (strcmp(name + strlen(name) - 2, ".h") == 0)
                        text_printf(into, ", \"%s\"", name);
        }
        add_names(&contract->headers, "<", ">", into);
        text_append(into, "; no others.");
}

/* A preset a line; single names in one. */
static void add_functions(const struct contract *contract, struct text *into)
{
        BASE_SCOPE(text_fini) struct text single = TEXT_INIT(brief_bytes_max);

        for (size_t i = 0; i < contract->symbols.count; i++) {
                const char *word = contract->symbols.items[i];
                BASE_SCOPE(text_fini) struct text names = TEXT_INIT(brief_bytes_max);

                if (!symbols_is_preset(word)) {
                        text_printf(&single, " %s", word);
                        continue;
                }
                symbols_append_names(word, &names);
                text_printf(into, "%s- %s: %s", into->length ? "\n" : "", word, text_view(&names));
        }
        if (single.length)
                text_printf(into, "%s-%s", into->length ? "\n" : "", text_view(&single));
        if (!into->length)
                text_append(into, "- none");
}

/* ---- Budgets ----------------------------------------------------------------------------- */

static const char *begin(struct text *line)
{
        return line->length ? ", " : "";
}

static void add_growth(const struct contract_budget *budget, struct text *line)
{
        const char *axis = budget->axis ? budget->axis : "size";

        if (budget->growth)
                text_printf(line, "%s in %s", growth_words[budget->growth], axis);
        if (budget->memory_growth)
                text_printf(line, "%slive memory %s in %s", begin(line),
                            growth_words[budget->memory_growth], axis);
}

static void add_limits(const struct contract_budget *budget, struct text *line)
{
        const bool has_both = budget->instructions != CONTRACT_NO_LIMIT &&
                              budget->allocations != CONTRACT_NO_LIMIT;

        if (has_both)
                text_printf(line,
                            "%sat most %" PRIu64 " instructions and %" PRIu64 " allocations a call",
                            begin(line), budget->instructions, budget->allocations);
        else if (budget->instructions != CONTRACT_NO_LIMIT)
                text_printf(line, "%sat most %" PRIu64 " instructions a call", begin(line),
                            budget->instructions);
        else if (budget->allocations != CONTRACT_NO_LIMIT)
                text_printf(line, "%sat most %" PRIu64 " allocations a call", begin(line),
                            budget->allocations);
        if (budget->bytes_per_entry != CONTRACT_NO_LIMIT)
                text_printf(line, "%sat most %" PRIu64 " live bytes an entry", begin(line),
                            budget->bytes_per_entry);
        if (budget->live_bytes != CONTRACT_NO_LIMIT)
                text_printf(line, "%sat most %" PRIu64 " live bytes at the peak", begin(line),
                            budget->live_bytes);
        if (budget->overhead_percent != CONTRACT_NO_LIMIT)
                text_printf(line,
                            "%sat most %" PRIu64
                            " percent more instructions than the same code without them",
                            begin(line), budget->overhead_percent);
}

static const char *subject_of(const struct contract_budget *budget)
{
        if (budget->probes)
                return "all probes together";
        if (budget->function)
                return budget->function;
        return budget->object ? budget->object : budget->test_case;
}

/* Several cases may ask for the same; that is said once. */
static void add_budget(const struct contract_budget *budget, struct text *lines)
{
        BASE_SCOPE(text_fini) struct text limits = TEXT_INIT(brief_bytes_max);
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(brief_bytes_max);

        add_growth(budget, &limits);
        add_limits(budget, &limits);
        text_printf(&line, "- %s: %s\n", subject_of(budget), text_view(&limits));
        if (!strstr(text_view(lines), text_view(&line)))
                text_append(lines, text_view(&line));
}

static void add_budgets(const struct contract *contract, struct text *into)
{
        BASE_SCOPE(text_fini) struct text lines = TEXT_INIT(brief_bytes_max);

        for (size_t i = 0; i < contract->budget_count; i++)
                add_budget(&contract->budgets[i], &lines);
        if (lines.length)
                text_append_bytes(into, text_view(&lines), lines.length - 1);
        else
                text_append(into, "- none is stated");
}

/* ---- Files ------------------------------------------------------------------------------- */

static int wrong(const char *what, int error, struct text *why)
{
        text_printf(why, "cannot read %s: %s", what, error_text(error));
        return error == -ENOMEM ? error : BRIEF_WRONG;
}

static int add_file(int dir_fd, const char *path, struct text *into, struct text *why)
{
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(brief_bytes_max);
        int failed = file_read(dir_fd, path, &bytes);

        if (failed)
                return wrong(path, failed, why);
        if (memchr(text_view(&bytes), '\0', bytes.length) ||
            !text_is_utf8(text_view(&bytes), bytes.length))
                return wrong(path, -EILSEQ, why);
        fence_append(into, "c", text_view(&bytes), bytes.length);
        return 0;
}

static int add_cases(const struct contract *contract, bool shows_cases, struct text *into,
                     struct text *why)
{
        if (!shows_cases) {
                text_append(into, "They are not shown. They draw their values from a seed that "
                                  "depends on the candidate, so none can be known beforehand.");
                return 0;
        }
        text_append(into, "These are the cases. Values come from a seed that depends on the "
                          "candidate; tocsin/case.h is the judge's.\n\n");
        for (size_t i = 0; i < contract->cases.count; i++) {
                BASE_SCOPE(text_fini) struct text path = TEXT_INIT(512);
                int failed;

                text_printf(&path, "cases/%s", contract->cases.items[i]);
                text_printf(into, "%s%s:\n", i ? "\n" : "", text_view(&path));
                failed = add_file(contract->dir_fd, text_view(&path), into, why);
                if (failed)
                        return failed;
        }
        return 0;
}

static int add_instrumenting(const struct contract *contract, struct text *into, struct text *why)
{
        BASE_SCOPE(text_fini) struct text missing = TEXT_INIT(8192);
        const char *page = parts_find(&missing)->instrumenting;
        int failed;

        for (size_t i = 0; i < contract->headers.count; i++) {
                if (strcmp(contract->headers.items[i], "tocsin.h") != 0)
                        continue;
                failed = page ? file_read(AT_FDCWD, page, into) : -ENOENT;
                return failed ? wrong("the page on probes that comes with tocsin, "
                                      "instrumenting.md",
                                      failed, why)
                              : 0;
        }
        text_append(into, "# Probes\n\nThis contract has none: tocsin.h is not among its "
                          "headers.");
        return 0;
}

static int fill(struct brief *brief, const struct contract *contract, bool shows_cases,
                struct text *why)
{
        struct text *values = brief->values;
        int failed;

        text_append(&values[BRIEF_MODULE], contract->module);
        text_append(&values[BRIEF_SUMMARY], contract->summary);
        text_append(&values[BRIEF_HEADER_NAME], contract->header);
        text_append(&values[BRIEF_STANDARD], contract->standard);
        text_append(&values[BRIEF_THREADS], threads_sentences[contract->threads]);
        add_names(&contract->supplies, "", "", &values[BRIEF_FILES]);
        add_includes(contract, &values[BRIEF_INCLUDES]);
        add_functions(contract, &values[BRIEF_FUNCTIONS]);
        add_budgets(contract, &values[BRIEF_BUDGETS]);
        failed = add_file(contract->dir_fd, contract->header, &values[BRIEF_HEADER], why);
        if (!failed)
                failed = add_cases(contract, shows_cases, &values[BRIEF_CASES], why);
        if (!failed)
                failed = add_instrumenting(contract, &values[BRIEF_INSTRUMENTING], why);
        return failed;
}

int brief_init(struct brief *brief, const struct contract *contract, bool shows_cases,
               struct text *why)
{
        int outcome;

        for (size_t i = 0; i < BRIEF_COUNT; i++)
                text_init(&brief->values[i], brief_bytes_max);
        outcome = fill(brief, contract, shows_cases, why);
        for (size_t i = 0; i < BRIEF_COUNT && !outcome; i++) {
                if (brief->values[i].error == -EOVERFLOW)
                        outcome = wrong(brief_names[i], -EFBIG, why);
                else
                        outcome = brief->values[i].error;
        }
        if (outcome)
                brief_fini(brief);
        return outcome;
}

void brief_fini(struct brief *brief)
{
        for (size_t i = 0; i < BRIEF_COUNT; i++)
                text_fini(&brief->values[i]);
}
