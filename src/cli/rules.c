/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tocsin rules - what would ring, and when, as it stands in a file that nobody has to run.
 */
#include "base/error.h"
#include "base/option.h"
#include "base/say.h"
#include "cli/command.h"
#include "cli/rules.h"
#include "rule/promql.h"

#include <errno.h>

enum { file_count_max = 4096 };

/* The worst of all exit statuses, or a negative error. Into `files` if they are to be JSON. */
static int list_files(const struct option_operands *operands, json_t **files)
{
        int worst = ERROR_EXIT_YES;

        for (size_t i = 0; i < operands->count; i++) {
                struct listing listing BASE_SCOPE(listing_fini) = LISTING_NULL;
                struct text problem BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
                const char *path = operands->values[i];
                int status = listing_add(&listing, path, &problem);
                int error = listing_arrange(&listing);

                worst = status > worst ? status : worst;
                if (!error && *files) {
                        rules_put_json(files, rules_json(&listing, path, &problem));
                        error = *files ? 0 : -ENOMEM;
                } else if (!error && listing.row_count) {
                        error = rules_print_table(&listing, operands->count > 1 ? path : NULL);
                }
                if (error)
                        return error;
        }
        return worst;
}

static int list(const struct option_operands *operands, bool wants_json)
{
        json_t *files = wants_json ? json_array() : NULL;
        int status = wants_json && !files ? -ENOMEM : list_files(operands, &files);
        int error = status < 0 ? status : 0; /* of memory, and then there are no files */

        if (!error && wants_json)
                error = rules_print_json(files);
        if (!error && fflush(stdout))
                error = error_last();
        if (error)
                say_error("cannot write the list: %s", error_text(error));
        return error ? ERROR_EXIT_UNKNOWN : status;
}

/* The forms in which all files are printed as one. */
static const struct form {
        const char *option;
        const char *help;
        int (*print)(const struct listing *listing, uint32_t scrape_s); /* NULL: tests */
} forms[] = {
        { "prometheus", "print a rule file for Prometheus", rules_print_prometheus },
        { "tests", "print tests of that file, for promtool test rules", NULL },
        { "markdown", "print a sheet for who is on call", rules_print_markdown },
        { "grafana", "print a dashboard to import into Grafana", rules_print_grafana },
};

/* All files as one; what they have in common stands there once. */
static int export(const struct option_operands *operands, const struct form *form,
                  uint32_t scrape_s, const char *rules_file)
{
        struct listing listing BASE_SCOPE(listing_fini) = LISTING_NULL;
        int worst = ERROR_EXIT_YES;
        int error;

        for (size_t i = 0; i < operands->count; i++) {
                struct text problem BASE_SCOPE(text_fini) = TEXT_INIT(listing_line_bytes_max);
                int status = listing_add(&listing, operands->values[i], &problem);

                worst = status > worst ? status : worst;
        }
        if (worst == ERROR_EXIT_UNKNOWN || listing.found.refused_count) {
                say_error("nothing is printed: rules would be missing, and what reads it would not "
                          "know");
                return worst;
        }
        error = listing_arrange(&listing);
        if (!error)
                error = listing_make_distinct(&listing);
        if (!error)
                error = listing_name_alerts(&listing);
        if (!error)
                error = form->print ? form->print(&listing, scrape_s)
                                    : rules_print_tests(&listing, scrape_s, rules_file);
        if (!error && fflush(stdout))
                error = error_last();
        if (error)
                say_error("cannot write the rules: %s", error_text(error));
        return error ? ERROR_EXIT_UNKNOWN : worst;
}

int cmd_rules(int argc, char **argv)
{
        bool wants_json = false;
        bool wants[BASE_COUNT(forms)] = { false };
        uint64_t scrape_s = 15;
        const char *rules_file = "rules.yml";
        struct option options[3 + BASE_COUNT(forms)] = {
                OPTION_FLAG("json", 'j', "print JSON instead of a table", &wants_json),
                OPTION_NUMBER("scrape-interval", 0, "SECONDS",
                              "how often Prometheus scrapes, and evaluates the rules (15)",
                              &scrape_s, 1, PROMQL_SCRAPE_MAX_S),
                OPTION_TEXT("rules-file", 0, "NAME",
                            "how --tests calls what --prometheus printed (rules.yml)", &rules_file),
        };
        const struct option_page page = {
                .command = "tocsin rules",
                .operands = "ELF...",
                .summary = "List the probes in programs, libraries, objects and archives, and the "
                           "rules by which they ring. Nothing is run. Exits with 1 if a file has "
                           "no probes or one that cannot be judged, 3 if a file cannot be read.",
                .options = options,
                .option_count = BASE_COUNT(options),
                .operand_min = 1,
                .operand_max = file_count_max,
                .examples = "tocsin rules ./kvd\n"
                            "tocsin rules --json ./kvd ./liblru.so | jq '.files[].modules[].name'\n"
                            "tocsin rules --prometheus ./kvd >kvd.rules.yaml\n"
                            "tocsin rules --markdown ./kvd >ONCALL.md\n",
        };
        struct option_operands operands;
        size_t chosen = BASE_COUNT(forms);
        size_t count;
        int outcome;

        for (size_t i = 0; i < BASE_COUNT(forms); i++)
                options[3 + i] =
                        (struct option)OPTION_FLAG(forms[i].option, 0, forms[i].help, &wants[i]);
        outcome = option_parse_or_say(&page, argc, argv, &operands);
        if (outcome)
                return option_exit(outcome);
        count = wants_json;
        for (size_t i = 0; i < BASE_COUNT(forms); i++) {
                count += wants[i];
                chosen = wants[i] ? i : chosen;
        }
        if (count > 1) {
                say_error("the list can be printed in one form at a time; see tocsin rules --help");
                return ERROR_EXIT_USAGE;
        }
        return chosen < BASE_COUNT(forms)
                       ? export(&operands, &forms[chosen], (uint32_t)scrape_s, rules_file)
                       : list(&operands, wants_json);
}
