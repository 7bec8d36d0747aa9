/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because models cannot count lines: a place is worth something to them only with the text
 * that stands there.
 */
#include "forge/excerpt.h"
#include "base/file.h"
#include "forge/fence.h"

#include <ctype.h>

enum { path_bytes_max = 512 };

static const char *const kinds[] = { "TEST", "FAULT", "BENCH", "STRESS", "ALARM", "CALM" };

/* How compilers quote; 0: it is something else. */
static char quote_of(const char *bytes, size_t length)
{
        if (length < 3 || memcmp(bytes, "\xe2\x80", 2) != 0)
                return 0;
        switch ((unsigned char)bytes[2]) {
        case 0x98:
        case 0x99:
                return '\'';
        case 0x9c:
        case 0x9d:
                return '"';
        default:
                return 0;
        }
}

void excerpt_append_plain(const char *bytes, size_t length, size_t length_max, struct text *into)
{
        for (size_t i = 0; i < length && i < length_max; i++) {
                const unsigned char c = (unsigned char)bytes[i];
                const char quote = quote_of(bytes + i, length - i);

                if (quote) {
                        text_append_bytes(into, &quote, 1);
                        i += 2;
                } else if (c == '\t') {
                        text_append(into, "        ");
                } else if (c >= 0x20 && c < 0x7f) {
                        text_append_bytes(into, &bytes[i], 1);
                } else {
                        text_printf(into, "\\x%02x", c);
                }
        }
        if (length > length_max)
                text_append(into, "...");
}

/* ---- Files ------------------------------------------------------------------------------- */

static bool lists(const struct contract_list *list, const char *name)
{
        for (size_t i = 0; i < list->count; i++)
                if (strcmp(list->items[i], name) == 0)
                        return true;
        return false;
}

bool excerpt_find(const struct excerpt *excerpt, const char *name, struct text *ret_file)
{
        static const char *const folders[] = { "/src/", "/contract/" };
        const struct contract *contract = excerpt->contract;

        for (size_t i = 0; i < BASE_COUNT(folders); i++)
                if (strncmp(name, folders[i], strlen(folders[i])) == 0)
                        name += strlen(folders[i]);
        if (lists(&contract->supplies, name) || strcmp(name, contract->header) == 0 ||
            strcmp(name, "contract.yaml") == 0) {
                text_append(ret_file, name);
                return true;
        }
        if (strncmp(name, "cases/", 6) == 0)
                name += 6;
        if (!lists(&contract->cases, name))
                return false;
        text_printf(ret_file, "cases/%s", name);
        return true;
}

/* The bytes of a file that excerpt_find() named. */
static bool read_listed(const struct excerpt *excerpt, const char *file, struct text *into)
{
        const struct candidate *candidate = excerpt->candidate;

        for (size_t i = 0; candidate && i < candidate->file_count; i++) {
                if (strcmp(candidate->files[i].name, file) != 0)
                        continue;
                text_append_bytes(into, candidate->files[i].bytes, candidate->files[i].length);
                return true;
        }
        return !lists(&excerpt->contract->supplies, file) &&
               file_read(excerpt->contract->dir_fd, file, into) == 0;
}

void excerpt_append_line(const struct excerpt *excerpt, const char *file, unsigned line,
                         struct text *into)
{
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(contract_file_bytes_max);
        struct span rest, found = { NULL, NULL };
        unsigned number = 0;

        text_append(into, file);
        if (!line)
                return;
        text_printf(into, ":%u", line);
        if (!read_listed(excerpt, file, &bytes))
                return;
        rest = (struct span){ text_view(&bytes), text_view(&bytes) + bytes.length };
        while (number < line && span_next_line(&rest, &found))
                number++;
        found = span_trimmed(found, " \t");
        if (number < line || !span_length(found))
                return;
        text_append(into, "  `");
        excerpt_append_plain(found.at, span_length(found), excerpt_line_max, into);
        text_append(into, "`");
}

/* ---- Functions --------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
        for (size_t i = 0; name[i]; i++)
                if (!isalnum((unsigned char)name[i]) && name[i] != '_')
                        return false;
        return *name != '\0';
}

/* KIND(NAME) or KIND(NAME, ...); NULL: any name. */
static bool begins_case(struct span line, const char *name)
{
        struct span rest = line;

        for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
                const size_t length = strlen(kinds[i]);

                if (span_length(line) <= length || memcmp(line.at, kinds[i], length) != 0 ||
                    line.at[length] != '(')
                        continue;
                rest.at = line.at + length + 1;
                rest = span_trimmed(rest, " \t");
                return !name || (span_length(rest) > strlen(name) &&
                                 memcmp(rest.at, name, strlen(name)) == 0 &&
                                 strchr(",) \t", rest.at[strlen(name)]));
        }
        return false;
}

/* From a line on to the brace in column 1. */
static void append_function(struct span rest, unsigned number, struct text *into)
{
        const size_t start = into->length;
        struct span line;

        for (; span_next_line(&rest, &line); number++) {
                BASE_SCOPE(text_fini) struct text plain = TEXT_INIT(8 * excerpt_line_max);

                excerpt_append_plain(line.at, span_length(line), excerpt_line_max, &plain);
                text_printf(&plain, "\n");
                if (into->length - start + plain.length + 6 > excerpt_case_max) {
                        text_append(into, "(cut)\n");
                        return;
                }
                text_printf(into, "%4u  %s", number, text_view(&plain));
                if (span_length(line) && *line.at == '}')
                        return;
        }
}

void excerpt_append_case(const struct excerpt *excerpt, const char *name, struct text *into)
{
        const struct contract_list *cases = &excerpt->contract->cases;

        for (size_t i = 0; is_name(name) && i < cases->count; i++) {
                BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(contract_file_bytes_max);
                BASE_SCOPE(text_fini) struct text file = TEXT_INIT(path_bytes_max);
                struct span rest, line, from;

                text_printf(&file, "cases/%s", cases->items[i]);
                if (!read_listed(excerpt, text_view(&file), &bytes))
                        continue;
                rest = (struct span){ text_view(&bytes), text_view(&bytes) + bytes.length };
                from = rest;
                for (unsigned number = 1; span_next_line(&rest, &line); number++, from = rest) {
                        if (!begins_case(line, name))
                                continue;
                        text_printf(into, "%s:\n", text_view(&file));
                        append_function(from, number, into);
                        return;
                }
        }
}

void excerpt_append_helper(const struct excerpt *excerpt, const char *file, unsigned line,
                           struct text *into)
{
        BASE_SCOPE(text_fini) struct text bytes = TEXT_INIT(contract_file_bytes_max);
        struct span rest, shown, from, begun = { NULL, NULL };
        unsigned begun_at = 0;

        if (strncmp(file, "cases/", 6) != 0 || !read_listed(excerpt, file, &bytes))
                return;
        rest = (struct span){ text_view(&bytes), text_view(&bytes) + bytes.length };
        from = rest;
        for (unsigned number = 1; number <= line && span_next_line(&rest, &shown);
             number++, from = rest) {
                const char first = span_length(shown) ? *shown.at : ' ';

                if (isalpha((unsigned char)first)) {
                        begun = from;
                        begun_at = number;
                } else if (first == '}' && number < line) {
                        begun_at = 0;
                }
        }
        if (!begun_at || !span_next_line(&(struct span){ begun.at, begun.end }, &shown) ||
            begins_case(shown, NULL))
                return;
        text_printf(into, "%s:\n", file);
        append_function(begun, begun_at, into);
}
