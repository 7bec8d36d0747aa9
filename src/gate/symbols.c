/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because an object does not refer to what its author wrote: errno is a function there, a
 * fortified memcpy another, and a contract should be written in words of the source.
 */
#include "gate/symbols.h"
#include "base/option.h"

#include <ctype.h>

static const struct row {
        const char *preset;
        const char *names;
} rows[] = {
#define X(preset, names) { preset, names },
#include "gate/symbols.def"
#undef X
};

/* What gcc and clang emit for code that calls nothing: copies of structs, stack protection, tables
 * of positions, thread-local cells, arithmetic wider than the machine's. */
static const char compiler_names[] =
        "memcpy memmove memset memcmp __stack_chk_fail __stack_chk_guard _GLOBAL_OFFSET_TABLE_ "
        "__tls_get_addr __divti3 __modti3 __udivti3 __umodti3 __multi3 __muloti4 __mulodi4 "
        "__popcountdi2 __popcountsi2 __clzdi2 __ctzdi2 __clzti2 __ctzti2 __bswapdi2 __ffsdi2 "
        "__floattidf __floatuntidf __floattisf __floatuntisf __fixdfti __fixunsdfti __fixsfti "
        "__fixunssfti __floattixf __floatuntixf __fixxfti __fixunsxfti __powidf2 __powisf2 "
        "__muldc3 __mulsc3 __divdc3 __divsc3";

/* What the macros of tocsin.h refer to. */
static const char tocsin_names[] =
        "toc_register_ toc_unregister_ toc_attach_thread_ toc_attach_shared_ toc_miss_ toc_report_ "
        "toc_stop_ toc_now_ toc_enter_first_ "
        "toc_delta_ toc_dso_ __start_toc_probes_1 __stop_toc_probes_1 __start_toc_cells_1 "
        "__stop_toc_cells_1 __start_toc_shared_1 __stop_toc_shared_1";
static const char tocsin_part[] = "one_file_must_have_TOC_MODULE_";

/* What glibc makes of a name by rule. */
static const struct {
        const char *before;
        const char *after;
} by_rule[] = { { "", "" }, { "__", "_chk" }, { "__isoc99_", "" }, { "__isoc23_", "" } };

static bool is_word(const char *word, size_t length, const char *text)
{
        return strlen(text) == length && memcmp(word, text, length) == 0;
}

static bool has_word(const char *words, const char *wanted)
{
        while (*words) {
                size_t length = strcspn(words, " ");

                if (is_word(words, length, wanted))
                        return true;
                words += length;
                words += *words == ' ';
        }
        return false;
}

/* Whether the object's symbol is the name, or what glibc makes of it. */
static bool becomes(const char *name, size_t length, const char *symbol)
{
        const size_t symbol_length = strlen(symbol);

        for (size_t i = 0; i < BASE_COUNT(by_rule); i++) {
                const size_t before = strlen(by_rule[i].before), after = strlen(by_rule[i].after);

                if (symbol_length == before + length + after &&
                    memcmp(symbol, by_rule[i].before, before) == 0 &&
                    memcmp(symbol + before, name, length) == 0 &&
                    memcmp(symbol + before + length, by_rule[i].after, after) == 0)
                        return true;
        }
        return false;
}

/* Whether one of "NAME:LINK:LINK" is the symbol. */
static bool entry_becomes(const char *entry, size_t length, const char *symbol)
{
        size_t name_length = strcspn(entry, ": ");

        if (becomes(entry, name_length, symbol))
                return true;
        for (size_t at = name_length; at < length && entry[at] == ':';) {
                size_t link = strcspn(entry + at + 1, ": ");

                if (is_word(entry + at + 1, link, symbol))
                        return true;
                at += 1 + link;
        }
        return false;
}

/* The entry of a row that becomes the symbol, and if `name` is not NULL has that name; NULL. */
static const char *find_entry(const char *names, const char *name, const char *symbol)
{
        while (*names) {
                size_t length = strcspn(names, " ");

                if ((!name || is_word(names, strcspn(names, ": "), name)) &&
                    entry_becomes(names, length, symbol))
                        return names;
                names += length;
                names += *names == ' ';
        }
        return NULL;
}

bool symbols_is_preset(const char *name)
{
        for (size_t i = 0; i < BASE_COUNT(rows); i++)
                if (strcmp(rows[i].preset, name) == 0)
                        return true;
        return false;
}

bool symbols_known(const char *name)
{
        size_t length = 0;

        if (!isalpha((unsigned char)name[0]) && name[0] != '_')
                return false;
        while (isalnum((unsigned char)name[length]) || name[length] == '_')
                length++;
        return !name[length] && length <= symbols_name_max;
}

bool symbols_has_function(const char *name)
{
        for (size_t i = 0; i < BASE_COUNT(rows); i++)
                if (find_entry(rows[i].names, name, name))
                        return true;
        return false;
}

const char *symbols_nearest_preset(const char *name)
{
        const char *presets[BASE_COUNT(rows)];

        for (size_t i = 0; i < BASE_COUNT(rows); i++)
                presets[i] = rows[i].preset;
        return option_nearest(name, presets, BASE_COUNT(presets));
}

/* "NAME:LINK:LINK ...": names, and those links that an author writes too, such as fabsf. */
static void append_row(const char *names, struct text *into)
{
        while (*names) {
                size_t length = strcspn(names, ": ");

                if (length && names[0] != '_')
                        text_printf(into, "%s%.*s", into->length ? " " : "", (int)length, names);
                names += length;
                names += *names != '\0';
        }
}

void symbols_append_names(const char *word, struct text *into)
{
        BASE_SCOPE(text_fini) struct text names = TEXT_INIT(into->length_max);

        for (size_t i = 0; i < BASE_COUNT(rows); i++)
                if (strcmp(rows[i].preset, word) == 0)
                        append_row(rows[i].names, &names);
        text_append(into, names.length ? text_view(&names) : word);
}

/* What one word of the contract allows. */
static bool word_allows(const char *word, const char *symbol)
{
        const bool is_preset = symbols_is_preset(word);

        for (size_t i = 0; i < BASE_COUNT(rows); i++)
                if ((!is_preset || strcmp(rows[i].preset, word) == 0) &&
                    find_entry(rows[i].names, is_preset ? NULL : word, symbol))
                        return true;
        return !is_preset && becomes(word, strlen(word), symbol);
}

static bool needs_tocsin(const char *symbol)
{
        return has_word(tocsin_names, symbol) ||
               strncmp(symbol, tocsin_part, sizeof(tocsin_part) - 1) == 0;
}

bool symbols_allows(const struct contract *contract, const char *link_symbol)
{
        if (has_word(compiler_names, link_symbol))
                return true;
        for (size_t i = 0; i < contract->headers.count; i++)
                if (strcmp(contract->headers.items[i], "tocsin.h") == 0 &&
                    needs_tocsin(link_symbol))
                        return true;
        for (size_t i = 0; i < contract->symbols.count; i++)
                if (word_allows(contract->symbols.items[i], link_symbol))
                        return true;
        return false;
}

const char *symbols_source_of(const char *link_symbol)
{
        static _Thread_local char source[symbols_name_max + 1];

        for (size_t i = 0; i < BASE_COUNT(rows); i++) {
                const char *entry = find_entry(rows[i].names, NULL, link_symbol);
                const size_t length = entry ? strcspn(entry, ": ") : 0;

                if (!entry || length >= sizeof(source))
                        continue;
                memcpy(source, entry, length);
                source[length] = '\0';
                return source;
        }
        return link_symbol;
}
