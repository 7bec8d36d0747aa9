/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because the compiler can name a site by its line only, and the name of an alert must
 * outlive an edit above it. What a site says is what people know it by. */
#include "rule/rule.h"

#include <string.h>

static const char *stem_of(const struct toc_record *record)
{
        static const char sometimes[] = "sometimes_";

        if (record->kind == toc_kind_expectation)
                return "expect";
        if (record->kind == toc_kind_error || record->kind == toc_kind_warning)
                return record->kind == toc_kind_error ? "error" : "warning";
        if (record->kind == toc_kind_must_hit)
                return strncmp(record->name, sometimes, strlen(sometimes)) == 0 ? "sometimes"
                                                                                : "reached";
        return NULL;
}

/* The character as it stands in a name; '_' for all that has no place in one. */
static char letter_of(char c)
{
        if (c >= 'A' && c <= 'Z')
                return (char)(c - 'A' + 'a');
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '_';
}

/* What stands before the next word: %zu is none, or another type would be another alert. */
static const char *next_word(const char *text, bool is_format)
{
        while (*text && letter_of(*text) == '_') {
                bool is_conversion = is_format && *text == '%';

                text++;
                if (is_conversion)
                        text += strspn(text, "0123456789 #+-.*'hljztLq");
                if (is_conversion && *text)
                        text++;
        }
        return text;
}

/* Appends words of the text, each after a '_', for as long as whole ones fit. Of a first word that
 * does not fit, what does. */
static void append_words(const char *text, bool is_format, char *name, size_t size)
{
        size_t used = strlen(name);
        size_t stem = used;

        while (used + 2 < size) {
                size_t room = size - used - 2;
                size_t length = 0;

                text = next_word(text, is_format);
                while (text[length] && letter_of(text[length]) != '_')
                        length++;
                if (!length || (length > room && used > stem))
                        break;
                name[used++] = '_';
                for (size_t i = 0; i < length && i < room; i++)
                        name[used++] = letter_of(text[i]);
                text += length;
        }
        name[used] = '\0';
}

void rule_site_name(struct toc_record *record)
{
        char name[sizeof(record->name)] = "";
        const char *stem = stem_of(record);
        bool is_log = record->kind == toc_kind_error || record->kind == toc_kind_warning;

        if (!stem)
                return;
        memcpy(name, stem, strlen(stem));
        append_words(is_log ? record->help : record->rule[0].meaning, is_log, name, sizeof(name));
        if (strlen(name) > strlen(stem)) /* else it says nothing in ASCII, and keeps its line */
                memcpy(record->name, name, sizeof(name));
}
