/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that what a model is told lies in files that people can read and change, and so that a
 * slip in them is said instead of being sent.
 */
#include "forge/template.h"

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || c == '_';
}

static const struct template_value *find_value(const struct template_value *values, size_t count,
                                               const char *name, size_t length)
{
        for (size_t i = 0; i < count; i++)
                if (strlen(values[i].name) == length && memcmp(values[i].name, name, length) == 0)
                        return &values[i];
        return NULL;
}

static void append_names(const struct template_value *values, size_t count, struct text *why)
{
        const char *before = " ";

        for (size_t i = 0; i < count; i++) {
                if (!values[i].value)
                        continue;
                text_printf(why, "%s%s", before, values[i].name);
                before = ", ";
        }
}

/* What begins at the @: how many bytes it takes, 0 if it is wrong, which is then said. */
static size_t fill_one(const char *at, const struct template_value *values, size_t count,
                       struct text *into, struct text *why)
{
        const struct template_value *value;
        size_t length = 0;

        if (at[1] == '@') {
                text_append(into, "@");
                return 2;
        }
        while (is_letter(at[1 + length]))
                length++;
        if (!length || length > template_name_max || at[1 + length] != '@') {
                text_printf(why,
                            "an @ begins no name; a name is up to %d lower-case letters "
                            "between two @, and @@ is one @",
                            template_name_max);
                return 0;
        }
        value = find_value(values, count, at + 1, length);
        if (!value) {
                text_printf(why, "there is no name @%.*s@; names are", (int)length, at + 1);
                append_names(values, count, why);
                return 0;
        }
        if (!value->value) {
                text_printf(why, "there is no @%.*s@ in this prompt; leave it out", (int)length,
                            at + 1);
                return 0;
        }
        text_append(into, value->value);
        return length + 2;
}

static unsigned count_lines(const char *bytes, size_t length)
{
        unsigned count = 0;

        for (size_t i = 0; i < length; i++)
                count += bytes[i] == '\n';
        return count;
}

int template_fill(const char *file, const char *source, const struct template_value *values,
                  size_t count, struct text *into, struct text *why)
{
        BASE_SCOPE(text_fini) struct text wrong = TEXT_INIT(4096);
        unsigned line = 1;

        if (strlen(source) > template_bytes_max) {
                text_printf(why, "%s: it has more than %d bytes; make it shorter", file,
                            template_bytes_max);
                return TEMPLATE_WRONG;
        }
        while (*source) {
                size_t taken = strcspn(source, "@");

                text_append_bytes(into, source, taken);
                line += count_lines(source, taken);
                if (!taken)
                        taken = fill_one(source, values, count, into, &wrong);
                if (!taken) {
                        text_printf(why, "%s:%u: %s", file, line, text_view(&wrong));
                        return TEMPLATE_WRONG;
                }
                source += taken;
        }
        return into->error;
}
