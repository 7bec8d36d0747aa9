/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a contract decides what counts as right: a key that nobody noticed was misspelled
 * is a promise that nobody keeps. So whatever is not understood in full is refused, with its line.
 */
#include "gate/schema.h"
#include "base/option.h"
#include "gate/symbols.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>

enum { summary_length_max = 200, path_length_max = 255, module_length_max = 23 };

static const char page[] = "doc/contracts.md";

/* ---- What a word may be ------------------------------------------------------------------- */

static bool is_name(const char *word)
{
        return document_is_c_name(word, contract_name_max);
}

static bool is_module(const char *word)
{
        return document_is_c_name(word, module_length_max);
}

static bool is_sentence(const char *word)
{
        return word[0] && !strchr(word, '\n') && strlen(word) <= summary_length_max;
}

/* Letters, digits, _ - + and dots inside: nothing that a shell, a compiler or a page reads. */
static bool is_file_name(const char *word)
{
        size_t length = 0;

        if (!isalnum((unsigned char)word[0]) && word[0] != '_')
                return false;
        while (isalnum((unsigned char)word[length]) ||
               (word[length] && strchr("_-+.", word[length])))
                length++;
        return !word[length] && length <= contract_name_max;
}

static bool ends_with(const char *word, const char *end)
{
        return strlen(word) > strlen(end) && strcmp(word + strlen(word) - strlen(end), end) == 0;
}

static bool is_header_name(const char *word)
{
        return is_file_name(word) && ends_with(word, ".h");
}

static bool is_source_name(const char *word)
{
        return is_file_name(word) && (ends_with(word, ".c") || ends_with(word, ".h"));
}

/* File names parted by single slashes: neither absolute nor upwards. */
static bool is_path(const char *word)
{
        char part[contract_name_max + 2];
        size_t length;

        if (strlen(word) > path_length_max)
                return false;
        for (;; word += length + 1) {
                length = strcspn(word, "/");
                if (length >= sizeof(part))
                        return false;
                memcpy(part, word, length);
                part[length] = '\0';
                if (!is_file_name(part))
                        return false;
                if (!word[length])
                        return true;
        }
}

static bool is_include(const char *word)
{
        return is_path(word) && ends_with(word, ".h");
}

/* A word next to a preset is a slip, not a function. */
static bool is_symbol(const char *word)
{
        return symbols_known(word) && (symbols_is_preset(word) || symbols_has_function(word) ||
                                       !symbols_nearest_preset(word));
}

/* ---- Choices ------------------------------------------------------------------------------ */

static const struct document_choice growth_items[] = {
        { "constant", CONTRACT_GROWTH_CONSTANT },   { "log", CONTRACT_GROWTH_LOG },
        { "linear", CONTRACT_GROWTH_LINEAR },       { "nlogn", CONTRACT_GROWTH_NLOGN },
        { "quadratic", CONTRACT_GROWTH_QUADRATIC },
};
static const struct document_choices growths = { growth_items, BASE_COUNT(growth_items),
                                                 "constant, log, linear, nlogn or quadratic" };

static const struct document_choice threads_items[] = {
        { "none", CONTRACT_THREADS_NONE },
        { "one_per_object", CONTRACT_THREADS_ONE_PER_OBJECT },
        { "any", CONTRACT_THREADS_ANY },
};
static const struct document_choices threads = { threads_items, BASE_COUNT(threads_items),
                                                 "none, one_per_object or any" };

static const char *const standards[] = { "c99", "c11", "c17", "gnu99", "gnu11", "gnu17" };
static const char *const detects[] = { "leak",          "deadlock",   "slow",
                                       "alloc_failure", "descriptor", "invariant" };

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(words[i], word) == 0)
                        return true;
        return false;
}

static bool is_standard(const char *word)
{
        return is_one_of(word, standards, BASE_COUNT(standards));
}

static bool is_detected(const char *word)
{
        return is_one_of(word, detects, BASE_COUNT(detects));
}

/* ---- Setters ------------------------------------------------------------------------------ */

static void set_version(struct document *document, const struct document_key *key,
                        const yaml_node_t *value, void *field)
{
        const char *word = document_value(document, key, value);

        (void)field; /* there is one version, and nothing to remember */
        if (word && strcmp(word, "1") != 0)
                document_wrong(document, document_line(value),
                               "version '%.*s' of contracts is unknown; this Tocsin reads "
                               "'tocsin: 1'",
                               DOCUMENT_SHOWN(word));
}

static void set_all(struct document *document, const struct document_key *key,
                    const yaml_node_t *value, void *field)
{
        const char *word = document_value(document, key, value);

        if (word && strcmp(word, "all") != 0)
                document_wrong(document, document_line(value),
                               "probes '%.*s' is not understood; write probes: all",
                               DOCUMENT_SHOWN(word));
        *(bool *)field = true;
}

bool schema_list_add(struct contract_list *list, const char *word, unsigned line)
{
        char **items = realloc(list->items, (list->count + 1) * sizeof(*items));
        unsigned *lines;

        if (!items)
                return false;
        list->items = items;
        lines = realloc(list->lines, (list->count + 1) * sizeof(*lines));
        if (!lines)
                return false;
        list->lines = lines;
        items[list->count] = strdup(word);
        if (!items[list->count])
                return false;
        lines[list->count++] = line;
        return true;
}

static void refuse_item(struct document *document, const struct document_key *key, unsigned line,
                        const char *word)
{
        const struct document_word_kind *kind = key->detail;
        const char *nearest = NULL;

        if (kind->holds == is_symbol)
                nearest = symbols_nearest_preset(word);
        if (kind->holds == is_detected)
                nearest = option_nearest(word, detects, BASE_COUNT(detects));
        if (nearest)
                document_wrong(document, line, "%s: unknown '%.*s'; did you mean %s?", key->name,
                               DOCUMENT_SHOWN(word), nearest);
        else
                document_wrong(document, line, "%s: '%.*s' is not %s", key->name,
                               DOCUMENT_SHOWN(word), key->wants);
}

static void set_list(struct document *document, const struct document_key *key,
                     const yaml_node_t *value, void *field)
{
        const struct document_word_kind *kind = key->detail;
        struct contract_list *list = field;

        if (!document_items(document, key, value, contract_list_max))
                return;
        for (size_t i = 0; i < document_item_count(value) && !document->error; i++) {
                const yaml_node_t *item = document_item(document, value, i);
                const char *word = document_word(item);
                const unsigned line = document_line(item);

                if (!word)
                        document_wrong(document, line, "%s: an entry is one word: %s", key->name,
                                       key->wants);
                else if (is_one_of(word, (const char *const *)list->items, list->count))
                        document_wrong(document, line, "%s: '%.*s' stands there twice; remove one",
                                       key->name, DOCUMENT_SHOWN(word));
                else if (!kind->holds(word))
                        refuse_item(document, key, line, word);
                else if (!schema_list_add(list, word, line))
                        document->error = -ENOMEM;
        }
}

/* ---- Budgets ------------------------------------------------------------------------------ */

static const struct document_word_kind name_kind = { is_name };
static const struct document_word_kind module_kind = { is_module };
static const struct document_word_kind sentence_kind = { is_sentence };
static const struct document_word_kind header_kind = { is_header_name };
static const struct document_word_kind source_kind = { is_source_name };
static const struct document_word_kind path_kind = { is_path };
static const struct document_word_kind include_kind = { is_include };
static const struct document_word_kind symbol_kind = { is_symbol };
static const struct document_word_kind standard_kind = { is_standard };
static const struct document_word_kind detected_kind = { is_detected };

#define KEY(key, required, wants, setter, of, field, detail)                     \
        {                                                                        \
                key, required, wants, setter, offsetof(struct of, field), detail \
        }
#define BUDGET(key, wants, setter, field, detail) \
        KEY(key, false, wants, setter, contract_budget, field, detail)

static const struct document_key budget_keys[] = {
        BUDGET("function", "a function of the header", document_set_word, function, &name_kind),
        BUDGET("object", "a word for people", document_set_word, object, &name_kind),
        BUDGET("case", "the name of a BENCH or STRESS", document_set_word, test_case, &name_kind),
        BUDGET("axis", "the axis of that BENCH", document_set_word, axis, &name_kind),
        BUDGET("probes", "all", set_all, probes, NULL),
        BUDGET("growth", "constant, log, linear, nlogn or quadratic", document_set_choice, growth,
               &growths),
        BUDGET("memory", "constant, log, linear, nlogn or quadratic", document_set_choice,
               memory_growth, &growths),
        BUDGET("instructions", "a number per call", document_set_number, instructions, NULL),
        BUDGET("allocations", "a number per call", document_set_number, allocations, NULL),
        BUDGET("bytes_per_entry", "a number of bytes", document_set_number, bytes_per_entry, NULL),
        BUDGET("live_bytes", "a number of bytes", document_set_number, live_bytes, NULL),
        BUDGET("overhead_percent", "a number", document_set_number, overhead_percent, NULL),
};
static const struct document_scope budget_scope = { "an entry of budgets", page, budget_keys,
                                                    BASE_COUNT(budget_keys) };

static bool has_limit(const struct contract_budget *budget)
{
        return budget->growth != CONTRACT_GROWTH_UNDECLARED ||
               budget->memory_growth != CONTRACT_GROWTH_UNDECLARED ||
               budget->instructions != CONTRACT_NO_LIMIT ||
               budget->allocations != CONTRACT_NO_LIMIT ||
               budget->bytes_per_entry != CONTRACT_NO_LIMIT ||
               budget->live_bytes != CONTRACT_NO_LIMIT;
}

/* Says what of an entry cannot be judged together. */
static void check_budget(struct document *document, const struct contract_budget *budget)
{
        if (budget->probes) {
                if (budget->overhead_percent == CONTRACT_NO_LIMIT)
                        document_wrong(document, budget->line,
                                       "'probes: all' needs a limit; add overhead_percent: 2");
                if (has_limit(budget) || budget->test_case || budget->axis || budget->function)
                        document_wrong(document, budget->line,
                                       "'probes: all' stands with overhead_percent only; put the "
                                       "rest into an entry of its own");
                return;
        }
        if (budget->overhead_percent != CONTRACT_NO_LIMIT)
                document_wrong(document, budget->line,
                               "overhead_percent is of the probes; add probes: all");
        if (!budget->test_case)
                document_wrong(document, budget->line,
                               "the budget lacks 'case'; add case: NAME of a BENCH or STRESS");
        if (budget->overhead_percent == CONTRACT_NO_LIMIT && !has_limit(budget))
                document_wrong(document, budget->line,
                               "the budget limits nothing; add growth, memory, instructions, "
                               "allocations, bytes_per_entry or live_bytes");
}

static void budget_fini(struct contract_budget *budget)
{
        free(budget->function);
        free(budget->object);
        free(budget->test_case);
        free(budget->axis);
}

static bool is_same_text(const char *left, const char *right)
{
        return left == right || (left && right && strcmp(left, right) == 0);
}

/* Two limits for one thing: nobody could say which counts. */
static void check_repeated(struct document *document, const struct contract *contract)
{
        const struct contract_budget *last = &contract->budgets[contract->budget_count - 1];

        for (const struct contract_budget *other = contract->budgets; other < last; other++)
                if (other->probes == last->probes &&
                    is_same_text(other->test_case, last->test_case) &&
                    (!other->axis || !last->axis || is_same_text(other->axis, last->axis))) {
                        document_wrong(document, last->line,
                                       "a budget for the same case stands in line %u; make them "
                                       "one entry",
                                       other->line);
                        return;
                }
}

static void set_budgets(struct document *document, const struct document_key *key,
                        const yaml_node_t *value, void *field)
{
        struct contract *contract = field;

        if (!document_items(document, key, value, contract_list_max))
                return;
        contract->budgets = calloc(document_item_count(value) + 1, sizeof(*contract->budgets));
        if (!contract->budgets) {
                document->error = -ENOMEM;
                return;
        }
        for (size_t i = 0; i < document_item_count(value); i++) {
                const yaml_node_t *item = document_item(document, value, i);
                struct contract_budget *budget = &contract->budgets[contract->budget_count++];
                const size_t wrong_before = document->wrong_count;

                *budget = (struct contract_budget){
                        .line = document_line(item),
                        .instructions = CONTRACT_NO_LIMIT,
                        .allocations = CONTRACT_NO_LIMIT,
                        .bytes_per_entry = CONTRACT_NO_LIMIT,
                        .live_bytes = CONTRACT_NO_LIMIT,
                        .overhead_percent = CONTRACT_NO_LIMIT,
                };
                document_read(document, item, &budget_scope, budget);
                if (document->wrong_count == wrong_before)
                        check_budget(document, budget);
                if (document->wrong_count == wrong_before)
                        check_repeated(document, contract);
        }
}

/* ---- Limits ------------------------------------------------------------------------------- */

static void set_size(struct document *document, const struct document_key *key,
                     const yaml_node_t *value, void *field)
{
        const char *word = document_value(document, key, value);

        if (word && text_parse_size(word, 8 << 20, UINT64_C(1) << 30, field))
                document_wrong(document, document_line(value),
                               "%s: '%.*s' is not %s; write 64M, say", key->name,
                               DOCUMENT_SHOWN(word), key->wants);
}

static void set_share(struct document *document, const struct document_key *key,
                      const yaml_node_t *value, void *field)
{
        const char *word = document_value(document, key, value);
        char digits[16] = "";
        uint64_t percent = 0;
        size_t length = word ? strlen(word) : 0;

        if (!word)
                return;
        if (length > 1 && length < sizeof(digits) && word[length - 1] == '%')
                memcpy(digits, word, length - 1);
        if (text_parse_u64(digits, 1, 100000, &percent))
                document_wrong(document, document_line(value),
                               "%s: '%.*s' is not %s; write 50%%, say", key->name,
                               DOCUMENT_SHOWN(word), key->wants);
        *(uint64_t *)field = percent * 10;
}

static void set_count(struct document *document, const struct document_key *key,
                      const yaml_node_t *value, void *field)
{
        const char *word = document_value(document, key, value);

        if (word && text_parse_u64(word, 8, 4096, field))
                document_wrong(document, document_line(value), "%s: '%.*s' is not %s", key->name,
                               DOCUMENT_SHOWN(word), key->wants);
}

#define LIMIT(key, wants, setter, field) \
        KEY(key, false, wants, setter, contract_limits, field, NULL)

static const struct document_key limit_keys[] = {
        LIMIT("memory", "a size from 8M to 1G", set_size, memory_bytes),
        LIMIT("cpu", "a share of one core, such as 50%", set_share, cpu_permille),
        LIMIT("pids", "a number from 8 to 4096", set_count, pids),
        LIMIT("files", "a number from 8 to 4096", set_count, files),
};
static const struct document_scope limit_scope = { "limits", page, limit_keys,
                                                   BASE_COUNT(limit_keys) };

static void set_limits(struct document *document, const struct document_key *key,
                       const yaml_node_t *value, void *field)
{
        (void)key;
        document_read(document, value, &limit_scope, field);
}

/* ---- The whole ---------------------------------------------------------------------------- */

#define NEEDED(key, wants, setter, field, detail) \
        KEY(key, true, wants, setter, contract, field, detail)
#define OPTIONAL(key, wants, setter, field, detail) \
        KEY(key, false, wants, setter, contract, field, detail)

/* set_version() and set_budgets() take the struct itself. */
static const struct document_key contract_keys[] = {
        { "tocsin", true, "1", set_version, 0, NULL },
        NEEDED("module", "a C name of at most 23 characters", document_set_word, module,
               &module_kind),
        NEEDED("summary", "one line of at most 200 bytes", document_set_word, summary,
               &sentence_kind),
        NEEDED("header", "a file name that ends in .h", document_set_word, header, &header_kind),
        NEEDED("supplies", "a file name that ends in .c or .h, without folders", set_list, supplies,
               &source_kind),
        OPTIONAL("reference", "a path below the contract, such as candidates/reference",
                 document_set_word, reference, &path_kind),
        OPTIONAL("headers", "a header as in #include <...>, such as string.h", set_list, headers,
                 &include_kind),
        OPTIONAL("symbols", "a preset, such as heap, or the name of one function", set_list,
                 symbols, &symbol_kind),
        NEEDED("threads", "none, one_per_object or any", document_set_choice, threads, &threads),
        OPTIONAL("invariant", "a function of the header", document_set_word, invariant, &name_kind),
        OPTIONAL("standard", "c99, c11, c17, gnu99, gnu11 or gnu17", document_set_word, standard,
                 &standard_kind),
        { "budgets", false, "a list of entries", set_budgets, 0, NULL },
        OPTIONAL("limits", "{memory: 64M, cpu: 50%, pids: 16, files: 64}", set_limits, limits,
                 NULL),
        OPTIONAL("detects", "leak, deadlock, slow, alloc_failure, descriptor or invariant",
                 set_list, detects, &detected_kind),
};
static const struct document_scope contract_scope = { "a contract", page, contract_keys,
                                                      BASE_COUNT(contract_keys) };

/* What one key cannot know of another. */
static void check_together(struct document *document, const struct contract *contract)
{
        bool has_source = false;

        for (size_t i = 0; i < contract->supplies.count; i++) {
                has_source |= ends_with(contract->supplies.items[i], ".c");
                if (is_same_text(contract->supplies.items[i], contract->header))
                        document_wrong(document, contract->supplies.lines[i],
                                       "supplies: '%s' is the contract's header; a candidate must "
                                       "not bring its own",
                                       contract->header);
        }
        if (!has_source && !document->wrong_count)
                document_wrong(document, 1, "supplies names no .c file; add one: supplies: [%s.c]",
                               contract->module);
        for (size_t i = 0; i < contract->headers.count; i++)
                if (is_same_text(contract->headers.items[i], contract->header))
                        document_wrong(document, contract->headers.lines[i],
                                       "headers: '%s' may be included anyway; remove it",
                                       contract->header);
}

void schema_read(struct document *document, struct contract *contract)
{
        const yaml_node_t *root = document_root(document);

        if (!root) {
                document_wrong(document, 1, "the file is empty; begin with 'tocsin: 1'");
                return;
        }
        document_read(document, root, &contract_scope, contract);
        if (!contract->standard && !document->error) {
                contract->standard = strdup("c11");
                if (!contract->standard)
                        document->error = -ENOMEM;
        }
        if (!document->error)
                check_together(document, contract);
}

void schema_list_fini(struct contract_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                free(list->items[i]);
        free(list->items);
        free(list->lines);
        *list = (struct contract_list){ NULL, NULL, 0 };
}

void schema_fini(struct contract *contract)
{
        free(contract->module);
        free(contract->summary);
        free(contract->header);
        free(contract->reference);
        free(contract->standard);
        free(contract->invariant);
        schema_list_fini(&contract->supplies);
        schema_list_fini(&contract->headers);
        schema_list_fini(&contract->symbols);
        schema_list_fini(&contract->detects);
        schema_list_fini(&contract->cases);
        for (size_t i = 0; i < contract->budget_count; i++)
                budget_fini(&contract->budgets[i]);
        free(contract->budgets);
}
