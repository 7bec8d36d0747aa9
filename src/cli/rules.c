/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tocsin rules - what would ring, and when, as it stands in a file that nobody has to run.
 */
#include "base/error.h"
#include "base/option.h"
#include "base/say.h"
#include "cli/command.h"
#include "cli/rules.h"

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

int cmd_rules(int argc, char **argv)
{
        bool wants_json = false;
        const struct option options[] = {
                OPTION_FLAG("json", 'j', "print JSON instead of a table", &wants_json),
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
                            "tocsin rules build/liblru.a\n",
        };
        struct option_operands operands;
        int outcome = option_parse_or_say(&page, argc, argv, &operands);

        return outcome ? option_exit(outcome) : list(&operands, wants_json);
}
