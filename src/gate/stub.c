/* SPDX-License-Identifier: Apache-2.0 */
/* __typeof__ takes any type as C spells it, a pointer to a function too, which no pasting of a
 * spelling before a name could. */
#include "gate/stub.h"
#include "gate/lens_read.h"

#include <errno.h>

enum { stub_bytes_max = 1 << 20 };

static void write_function(const struct lens_function *function, struct text *into)
{
        text_printf(into, "__typeof__(%s) %s(", function->result, function->name);
        for (size_t i = 0; i < function->parameter_count; i++)
                text_printf(into, "%s%s", i ? ", " : "", function->parameters[i]);
        if (function->is_variadic)
                text_append(into, ", ...");
        else if (!function->parameter_count)
                text_append(into, "void");
        if (strcmp(function->result, "void") == 0)
                text_append(into, ")\n{\n}\n\n");
        else
                text_printf(into,
                            ")\n{\n        static __typeof__(%s) zero;\n\n"
                            "        return zero;\n}\n\n",
                            function->result);
}

static bool has_tocsin(const struct contract *contract)
{
        for (size_t i = 0; i < contract->headers.count; i++)
                if (strcmp(contract->headers.items[i], "tocsin.h") == 0)
                        return true;
        return false;
}

static void write_stub(const struct contract *contract, const struct lens *lens, struct text *into)
{
        text_printf(into, "#include \"%s\"\n", contract->header);
        if (has_tocsin(contract))
                text_printf(into, "#include <tocsin.h>\nTOC_MODULE(%s, \"Stub of a module\");\n",
                            contract->module);
        text_append(into, "\n");
        for (size_t i = 0; i < lens->function_count; i++)
                write_function(&lens->functions[i], into);
        for (size_t i = 0; i < lens->object_count; i++)
                if (!strstr(lens->objects[i].type, "[]"))
                        text_printf(into, "__typeof__(%s) %s;\n", lens->objects[i].type,
                                    lens->objects[i].name);
}

/* All in the first source; the other files are there and empty. */
int stub_make(struct sandbox *sandbox, const struct contract *contract, struct candidate *ret_stub,
              struct text *why)
{
        struct text all BASE_SCOPE(text_fini) = TEXT_INIT(stub_bytes_max);
        struct text none BASE_SCOPE(text_fini) = TEXT_INIT(64);
        const struct text *bytes[contract_list_max];
        struct lens lens BASE_SCOPE(lens_fini) = LENS_NULL;
        bool is_written = false;
        int outcome = lens_declarations(sandbox, contract, &lens, why);

        if (outcome == LENS_REFUSED)
                return STUB_UNSOUND;
        if (outcome)
                return outcome;
        if (lens.function_count == 0) {
                text_printf(why, "%s declares no function; a module has at least one",
                            contract->header);
                return STUB_UNSOUND;
        }
        write_stub(contract, &lens, &all);
        text_append(&none, "/* empty: a stub */\n");
        if (all.error || none.error)
                return all.error ? all.error : none.error;
        for (size_t i = 0; i < contract->supplies.count && i < contract_list_max; i++) {
                size_t length = strlen(contract->supplies.items[i]);
                bool is_source =
                        length > 2 && strcmp(contract->supplies.items[i] + length - 2, ".c") == 0;

                bytes[i] = is_source && !is_written ? &all : &none;
                is_written = is_written || is_source;
        }
        if (!is_written) {
                text_append(why, "supplies names no .c file; a candidate has at least one");
                return STUB_UNSOUND;
        }
        return candidate_make("stub", (const char *const *)contract->supplies.items, bytes,
                              contract->supplies.count, ret_stub);
}
