/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does it offer exactly this? What was handed in, what the author wrote, what the object defines
 * and refers to, and whether any instruction goes round libc. All before anything is linked, so
 * that no symbol of a candidate can take the place of the harness's or libc's.
 */
#include "gate/authored.h"
#include "gate/lens_read.h"
#include "gate/object.h"
#include "gate/stage.h"
#include "gate/symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
        disassembly_max = 96 << 20,
        opcodes_shown_max = 10,
        static_bytes_max = 256 << 10,
};

struct inspection {
        struct stage_context *context;
        struct stage_result *result;
        struct lens declared;
        struct object object;
        bool has_tocsin;
        bool has_parts; /* more than one source file */
};

static bool begins(const char *text, const char *start)
{
        return strncmp(text, start, strlen(start)) == 0;
}

static bool ends(const char *text, const char *end)
{
        size_t length = strlen(text);
        size_t span = strlen(end);

        return length >= span && strcmp(text + length - span, end) == 0;
}

static bool in_list(const struct contract_list *list, const char *word)
{
        for (size_t i = 0; i < list->count; i++)
                if (strcmp(list->items[i], word) == 0)
                        return true;
        return false;
}

/* ---- What was handed in ---------------------------------------------------------------------- */

static void judge_intake(struct inspection *inspection)
{
        const struct candidate *candidate = inspection->context->candidate;

        for (size_t i = 0; i < candidate->fault_count; i++) {
                const struct candidate_fault *fault = &candidate->faults[i];
                struct finding *finding =
                        finding_add(inspection->result, fault->rule, "%s", fault->message);

                finding_at(finding, fault->file, 0);
        }
}

/* ---- What the author wrote ------------------------------------------------------------------- */

static int judge_tokens(struct inspection *inspection)
{
        const struct stage_context *context = inspection->context;
        const struct candidate *candidate = context->candidate;
        const char *names[contract_list_max];
        struct lens lens BASE_SCOPE(lens_fini) = LENS_NULL;
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(1024);
        size_t count = 0;
        int outcome;

        for (; count < candidate->file_count && count < contract_list_max; count++)
                names[count] = candidate->files[count].name;
        outcome = lens_tokens(context->sandbox, workshop_sources(context->workshop), names, count,
                              context->contract->standard, &lens, &why);
        if (outcome == LENS_REFUSED) {
                (void)finding_add(inspection->result, "interface.unreadable", "%s",
                                  text_view(&why));
                return 0;
        }
        if (outcome == -ECANCELED)
                return outcome;
        if (outcome)
                stage_unknown(inspection->result, "cannot read what was written: %s",
                              text_view(&why));
        else
                authored_judge(context->contract, candidate, &lens, inspection->result);
        return 0;
}

/* ---- What the object defines and refers to -------------------------------------------------- */

/* What TOC_MODULE defines, hidden from everybody else. */
static bool is_tocsins(const struct inspection *inspection, const struct object_symbol *symbol)
{
        return inspection->has_tocsin && symbol->is_hidden &&
               (strcmp(symbol->name, "toc_delta_") == 0 || strcmp(symbol->name, "toc_dso_") == 0 ||
                begins(symbol->name, "one_file_must_have_TOC_MODULE_"));
}

static void judge_defined(struct inspection *inspection, const struct object_symbol *symbol)
{
        struct stage_result *result = inspection->result;
        const char *name = symbol->name;
        const char *header = inspection->context->contract->header;

        if (is_tocsins(inspection, symbol))
                return;
        if (symbol->type == STT_GNU_IFUNC)
                (void)finding_add(result, "interface.ifunc",
                                  "'%s' chooses its code when it is loaded", name);
        else if (symbol->binding != STB_GLOBAL)
                (void)finding_add(result, "interface.weak-symbol",
                                  "'%s' is defined so that others may replace it", name);
        else if (symbol->is_hidden && inspection->has_parts && !symbols_has_function(name) &&
                 !lens_function_of(&inspection->declared, name))
                return; /* between its own files */
        else if (!lens_function_of(&inspection->declared, name) &&
                 !lens_object_of(&inspection->declared, name))
                (void)finding_add(result, "interface.extra-symbol",
                                  "defines '%s', which %s does not declare; make it static%s", name,
                                  header, inspection->has_parts ? ", or hidden between files" : "");
}

/* Remedy: the preset that would allow it, or what is allowed. */
static void judge_undefined(struct inspection *inspection, const struct object_symbol *symbol)
{
        const struct contract *contract = inspection->context->contract;
        const char *source = symbols_source_of(symbol->name);
        struct text allowed BASE_SCOPE(text_fini) = TEXT_INIT(300);

        if (symbols_allows(contract, symbol->name))
                return;
        for (size_t i = 0; i < contract->symbols.count; i++)
                text_printf(&allowed, "%s%s", i ? " " : "", contract->symbols.items[i]);
        (void)finding_add(inspection->result, "interface.forbidden-symbol",
                          "uses '%s'; the contract allows %s", source,
                          allowed.length ? text_view(&allowed) : "nothing of libc");
}

static void judge_missing(struct inspection *inspection)
{
        const struct lens *declared = &inspection->declared;

        for (size_t i = 0; i < declared->function_count; i++) {
                const char *name = declared->functions[i].name;
                struct finding *finding = NULL;
                bool is_there = false;

                for (size_t k = 0; k < inspection->object.symbol_count && !is_there; k++) {
                        const struct object_symbol *symbol = &inspection->object.symbols[k];

                        is_there = symbol->is_defined && !symbol->is_hidden &&
                                   strcmp(symbol->name, name) == 0;
                }
                if (is_there)
                        continue;
                finding = finding_add(inspection->result, "interface.missing-symbol",
                                      "%s declares '%s', which is not defined",
                                      inspection->context->contract->header, name);
                finding_at(finding, inspection->context->contract->header,
                           declared->functions[i].line);
        }
}

static bool is_usual_section(const char *name)
{
        static const char *const exact[] = {
                "",
                ".text",
                ".data",
                ".bss",
                ".rodata",
                ".comment",
                ".note.GNU-stack",
                ".note.gnu.property",
                ".symtab",
                ".strtab",
                ".shstrtab",
                ".symtab_shndx",
                ".eh_frame",
                ".tbss",
                ".tdata",
                ".group",
                ".llvm_addrsig",
        };
        static const char *const starts[] = {
                ".text.unlikely", ".text.hot", ".text.startup", ".text.exit",
                ".rodata.",       ".data.rel", ".debug_",
        };

        for (size_t i = 0; i < BASE_COUNT(exact); i++)
                if (strcmp(name, exact[i]) == 0)
                        return true;
        for (size_t i = 0; i < BASE_COUNT(starts); i++)
                if (begins(name, starts[i]))
                        return true;
        return false;
}

static bool has_module(const struct inspection *inspection)
{
        for (size_t i = 0; i < inspection->object.symbol_count; i++)
                if (inspection->object.symbols[i].is_defined &&
                    strcmp(inspection->object.symbols[i].name, "toc_dso_") == 0)
                        return true;
        return false;
}

/* Of TOC_MODULE: one pointer each, at its priority. */
static bool is_tocsins_section(const struct inspection *inspection,
                               const struct object_section *section)
{
        static const char *const names[] = { "toc_probes_1", "toc_records_1", "toc_cells_1",
                                             "toc_shared_1" };

        if (!inspection->has_tocsin)
                return false;
        if (strcmp(section->name, ".init_array.00101") == 0 ||
            strcmp(section->name, ".fini_array.00101") == 0)
                return section->size == sizeof(void *) && has_module(inspection);
        for (size_t i = 0; i < BASE_COUNT(names); i++)
                if (strcmp(section->name, names[i]) == 0)
                        return true;
        return false;
}

/* What stands in a file's own memory is seen by no budget and by no leak checker. */
static void judge_static_memory(struct inspection *inspection)
{
        uint64_t bytes = 0;

        for (size_t i = 0; i < inspection->object.section_count; i++) {
                const struct object_section *section = &inspection->object.sections[i];

                if (begins(section->name, ".bss") || strcmp(section->name, ".data") == 0 ||
                    begins(section->name, ".tbss") || begins(section->name, ".tdata"))
                        bytes += section->size < UINT32_MAX ? section->size : UINT32_MAX;
        }
        if (bytes > static_bytes_max)
                (void)finding_add(inspection->result, "interface.static-memory",
                                  "keeps %llu bytes in variables of its own, more than %d; memory "
                                  "that grows with use belongs on the heap, where budgets see it",
                                  (unsigned long long)bytes, static_bytes_max);
}

static void judge_sections(struct inspection *inspection)
{
        for (size_t i = 0; i < inspection->object.section_count; i++) {
                const struct object_section *section = &inspection->object.sections[i];

                if (is_usual_section(section->name) || is_tocsins_section(inspection, section))
                        continue;
                if (begins(section->name, ".init") || begins(section->name, ".fini") ||
                    begins(section->name, ".ctors") || begins(section->name, ".dtors") ||
                    begins(section->name, ".preinit"))
                        (void)finding_add(
                                inspection->result, "interface.constructor",
                                "runs code before main or after it ('%s')%s", section->name,
                                inspection->has_tocsin ? "; only TOC_MODULE may, and once" : "");
                else
                        (void)finding_add(inspection->result, "interface.section",
                                          "puts something into section '%s'", section->name);
        }
}

static void judge_symbols(struct inspection *inspection)
{
        const struct object *object = &inspection->object;

        for (size_t i = 0; i < object->symbol_count; i++)
                if (object->symbols[i].is_defined)
                        judge_defined(inspection, &object->symbols[i]);
                else
                        judge_undefined(inspection, &object->symbols[i]);
        if (object->has_local_ifunc)
                (void)finding_add(inspection->result, "interface.ifunc",
                                  "a function chooses its code when it is loaded");
        judge_missing(inspection);
}

/* ---- Instructions that go round libc -------------------------------------------------------- */

static bool is_forbidden_opcode(const char *mnemonic)
{
        static const char *const words[] = { "syscall", "sysenter", "int ", "int1",
                                             "into",    "svc",      "hvc",  "smc" };

        for (size_t i = 0; i < BASE_COUNT(words); i++)
                if (begins(mnemonic, words[i]))
                        return true;
        return false;
}

/* Lines of objdump: "0000000000000000 <name>:" and "   4:<tab>syscall". */
static void read_disassembly(struct inspection *inspection, struct text *output)
{
        char *rest = output->bytes;
        char *line;
        const char *function = "?";
        unsigned shown = 0;

        while ((line = strsep(&rest, "\n")) && shown < opcodes_shown_max) {
                char *tab = strchr(line, '\t');
                char *open = strchr(line, '<');

                if (!tab && open && ends(line, ">:")) {
                        function = open + 1;
                        line[strlen(line) - 2] = '\0';
                } else if (tab && is_forbidden_opcode(tab + 1)) {
                        shown++;
                        (void)finding_add(inspection->result, "interface.opcode",
                                          "'%.40s' in %.60s calls the kernel round libc", tab + 1,
                                          function);
                }
        }
}

static int judge_opcodes(struct inspection *inspection, const char *folder)
{
        const char *const argv[] = { "/usr/bin/objdump",    "-d", "--no-show-raw-insn", "-w",
                                     "/object/candidate.o", NULL };
        const struct sandbox_bind binds[] = { { folder, "/object", false } };
        struct text output BASE_SCOPE(text_fini) = TEXT_INIT(disassembly_max);
        struct sandbox_end end;
        const struct sandbox_request request = {
                .argv = argv,
                .binds = binds,
                .bind_count = 1,
                .output_max_bytes = disassembly_max,
                .output = &output,
        };
        int outcome;

        if (access(argv[0], X_OK)) {
                stage_unknown(inspection->result, "objdump is missing; install package binutils");
                return 0;
        }
        outcome = sandbox_run(inspection->context->sandbox, &request, &end);
        if (outcome)
                return outcome;
        if (end.how != SANDBOX_EXITED || end.code || !output.length) {
                struct text how BASE_SCOPE(text_fini) = TEXT_INIT(200);

                sandbox_append_end(&end, &how);
                (void)finding_add(inspection->result, "interface.unreadable",
                                  "its object cannot be disassembled: objdump: %s",
                                  text_view(&how));
                return 0;
        }
        read_disassembly(inspection, &output);
        return 0;
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* The compiler's first error, which is the one to mend: "/src/lru.c:12:5: error: ...". */
static void refuse_object(struct inspection *inspection, enum build_id build,
                          const struct workshop_product *product)
{
        static const char mark[] = ": error: ";
        const char *error = product->was_late ? NULL : strstr(product->output, mark);
        const char *line = error;
        const char *name;
        char file[256];
        struct finding *finding;

        while (line && line > product->output && line[-1] != '\n')
                line--;
        finding =
                finding_add(inspection->result, "interface.object", "does not compile: %.*s",
                            error ? (int)strcspn(error + strlen(mark), "\n") : 60,
                            error                  ? error + strlen(mark)
                            : product->was_late    ? "the compiler did not end in time"
                            : product->was_flooded ? "the compiler printed more than is read of it"
                                                   : "see the evidence");
        if (line) {
                (void)snprintf(file, sizeof(file), "%.*s", (int)strcspn(line, ":\n"), line);
                name = strrchr(file, '/');
                finding_at(finding, name ? name + 1 : file,
                           (unsigned)strtoul(line + strcspn(line, ":\n") + 1, NULL, 10));
        }
        finding_evidence(finding, product->output, product->output_length);
        finding_case(finding, NULL, builds[build].name);
}

/* The object of a build, or a finding that there is none. */
static int open_object(struct inspection *inspection, enum build_id build, struct object *object,
                       const struct workshop_product **ret_product, bool *ret_is_there)
{
        int fd;
        int outcome = workshop_object(inspection->context->workshop, build, ret_product);

        *ret_is_there = false;
        if (outcome == WORKSHOP_REJECTED) {
                refuse_object(inspection, build, *ret_product);
                return 0;
        }
        if (outcome < 0) {
                if (outcome != -ECANCELED)
                        stage_unknown(inspection->result, "cannot compile: %s", sandbox_why());
                return outcome;
        }
        fd = open((*ret_product)->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        outcome = fd < 0 ? -errno : object_read(fd, object);
        if (fd >= 0)
                (void)close(fd); /* only read */
        if (outcome == -ENOEXEC) {
                (void)finding_add(inspection->result, "interface.unreadable",
                                  "the compiler left an object that cannot be read");
                return 0;
        }
        *ret_is_there = outcome == 0;
        return outcome;
}

static bool refers_to(const struct object *object, const char *name)
{
        for (size_t i = 0; i < object->symbol_count; i++)
                if (!object->symbols[i].is_defined && strcmp(object->symbols[i].name, name) == 0)
                        return true;
        return false;
}

/* What PLAIN refers to may be less than what ships does: a constant can tell the builds apart. */
static int judge_other_builds(struct inspection *inspection)
{
        static const enum build_id others[] = { BUILD_RELEASE, BUILD_QUIET };

        for (size_t i = 0; i < BASE_COUNT(others); i++) {
                const struct workshop_product *product = NULL;
                struct object object BASE_SCOPE(object_fini) = { .symbol_count = 0 };
                bool is_there = false;
                int outcome = open_object(inspection, others[i], &object, &product, &is_there);

                if (outcome)
                        return outcome;
                for (size_t k = 0; is_there && k < object.symbol_count; k++)
                        if (!object.symbols[k].is_defined &&
                            !refers_to(&inspection->object, object.symbols[k].name))
                                judge_undefined(inspection, &object.symbols[k]);
        }
        return 0;
}

static int judge_object(struct inspection *inspection)
{
        const struct workshop_product *product = NULL;
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(1024);
        struct text folder BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        bool is_there = false;
        int outcome =
                open_object(inspection, BUILD_PLAIN, &inspection->object, &product, &is_there);

        if (outcome || !is_there)
                return outcome;
        outcome = lens_declarations(inspection->context->sandbox, inspection->context->contract,
                                    &inspection->declared, &why);
        if (outcome) {
                stage_unknown(inspection->result, "cannot read the header: %s", text_view(&why));
                return outcome > 0 ? 0 : outcome;
        }
        judge_symbols(inspection);
        judge_sections(inspection);
        judge_static_memory(inspection);
        outcome = judge_other_builds(inspection);
        if (outcome)
                return outcome;
        text_append_bytes(&folder, product->path,
                          (size_t)(strrchr(product->path, '/') - product->path));
        return judge_opcodes(inspection, text_view(&folder));
}

int stage_interface(struct stage_context *context, struct stage_result *result)
{
        const struct contract *contract = context->contract;
        struct inspection inspection = {
                .context = context,
                .result = result,
                .has_tocsin = in_list(&contract->headers, "tocsin.h"),
        };
        unsigned sources = 0;
        int outcome = 0;

        for (size_t i = 0; i < contract->supplies.count; i++)
                sources += ends(contract->supplies.items[i], ".c");
        inspection.has_parts = sources > 1;
        judge_intake(&inspection);
        if (context->candidate->fault_count)
                return 0; /* nothing of it is compiled */
        stage_progress(context, "interface: what was written");
        outcome = judge_tokens(&inspection);
        if (!outcome)
                stage_progress(context, "interface: what is offered and used");
        if (!outcome)
                outcome = judge_object(&inspection);
        lens_fini(&inspection.declared);
        object_fini(&inspection.object);
        return outcome;
}
