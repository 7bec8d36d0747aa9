/* SPDX-License-Identifier: Apache-2.0 */
/* Copies what jobs need into folders of the sandbox, and writes the glue between contract and
 * harness. */
#include "gate/stock.h"
#include "base/file.h"
#include "gate/workshop.h"

#include <errno.h>
#include <unistd.h>

int folder_open(struct sandbox *sandbox, const char *stem, struct folder *folder)
{
        return sandbox_folder(sandbox, stem, &folder->fd, &folder->path);
}

void folder_close(struct folder *folder)
{
        if (folder->fd >= 0)
                (void)close(folder->fd); /* only read, or written with the result checked */
        folder->fd = -1;
        text_fini(&folder->path);
}

static int put_mode(struct sandbox *sandbox, const struct folder *folder, const char *name,
                    const void *bytes, size_t length, mode_t mode)
{
        int outcome = file_replace(folder->fd, name, bytes, length, mode);

        return outcome ? outcome : sandbox_hand_over(sandbox, folder->fd, name);
}

static int put(struct sandbox *sandbox, const struct folder *folder, const char *name,
               const void *bytes, size_t length)
{
        return put_mode(sandbox, folder, name, bytes, length, 0600);
}

int folder_copy(struct sandbox *sandbox, const struct folder *folder, const char *name, int from_fd,
                const char *from, mode_t mode)
{
        struct text bytes BASE_SCOPE(text_fini) = TEXT_INIT(stock_file_bytes_max);
        int outcome = file_read(from_fd, from, &bytes);

        return outcome ? outcome
                       : put_mode(sandbox, folder, name, text_view(&bytes), bytes.length, mode);
}

static int put_part(struct sandbox *sandbox, const struct folder *folder, const char *name,
                    const char *root, const char *rest)
{
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(8192);

        text_printf(&path, "%s%s", root, rest);
        return path.error ? path.error
                          : folder_copy(sandbox, folder, name, AT_FDCWD, text_view(&path), 0600);
}

/* What the harness asks the contract: who is tested, and whether an object is sound. */
static int put_glue(struct stock *stock, struct sandbox *sandbox, const struct contract *contract)
{
        struct text glue BASE_SCOPE(text_fini) = TEXT_INIT(4096);

        text_printf(&glue, "#include \"%s\"\n", contract->header);
        text_append(&glue, "int toc_case_invariant_(void *object);\n");
        text_append(&glue, "extern const char toc_case_module_[];\n");
        text_printf(&glue, "const char toc_case_module_[] = \"%s\";\n", contract->module);
        if (contract->invariant)
                text_printf(&glue, "int toc_case_invariant_(void *object) { return %s(object); }\n",
                            contract->invariant);
        else
                text_append(&glue,
                            "int toc_case_invariant_(void *object) { return object ? 0 : 0; }\n");
        return glue.error
                       ? glue.error
                       : put(sandbox, &stock->cases, "toc_glue.c", text_view(&glue), glue.length);
}

static int put_contract(struct stock *stock, struct sandbox *sandbox,
                        const struct contract *contract)
{
        int outcome = folder_copy(sandbox, &stock->header, contract->header, contract->dir_fd,
                                  contract->header, 0600);

        for (size_t i = 0; i < contract->cases.count && !outcome; i++) {
                struct text path BASE_SCOPE(text_fini) = TEXT_INIT(8192);

                text_printf(&path, "cases/%s", contract->cases.items[i]);
                outcome = path.error ? path.error
                                     : folder_copy(sandbox, &stock->cases, contract->cases.items[i],
                                                   contract->dir_fd, text_view(&path), 0600);
        }
        return outcome ? outcome : put_glue(stock, sandbox, contract);
}

static int put_kit(struct stock *stock, struct sandbox *sandbox, struct text *why)
{
        struct text missing BASE_SCOPE(text_fini) = TEXT_INIT(4096);
        const struct parts *parts = parts_find(&missing);
        int outcome;

        if (!parts->include || !parts->case_library || !parts->library) {
                text_printf(why, "%s; build or install Tocsin whole", text_view(&missing));
                return -ENOENT;
        }
        outcome = put_part(sandbox, &stock->include, "tocsin.h", parts->include, "/tocsin.h");
        if (!outcome)
                outcome = put_part(sandbox, &stock->include, "tocsin-machine.h", parts->include,
                                   "/tocsin-machine.h");
        if (!outcome)
                outcome = put_part(sandbox, &stock->case_include, "case.h", parts->include,
                                   "/tocsin/case.h");
        if (!outcome)
                outcome = put_part(sandbox, &stock->kit, "case.a", parts->case_library, "");
        if (!outcome)
                outcome = put_part(sandbox, &stock->kit, "tocsin.a", parts->library, "");
        return outcome;
}

static int put_candidate(struct stock *stock, struct sandbox *sandbox,
                         const struct candidate *candidate)
{
        int outcome = 0;

        for (size_t i = 0; i < candidate->file_count && !outcome; i++)
                outcome = put(sandbox, &stock->sources, candidate->files[i].name,
                              candidate->files[i].bytes, candidate->files[i].length);
        return outcome;
}

int stock_fill(struct stock *stock, struct sandbox *sandbox, const struct contract *contract,
               const struct candidate *candidate, struct text *why)
{
        struct {
                struct folder *folder;
                const char *stem;
        } folders[] = {
                { &stock->sources, "sources" }, { &stock->header, "header" },
                { &stock->include, "include" }, { &stock->case_include, "case-include" },
                { &stock->cases, "cases" },     { &stock->kit, "kit" },
        };
        int outcome = 0;

        for (size_t i = 0; i < BASE_COUNT(folders); i++) {
                folders[i].folder->fd = -1;
                text_init(&folders[i].folder->path, 8192);
        }
        for (size_t i = 0; i < BASE_COUNT(folders) && !outcome; i++)
                outcome = folder_open(sandbox, folders[i].stem, folders[i].folder);
        if (!outcome)
                outcome = put_kit(stock, sandbox, why);
        if (!outcome)
                outcome = put_candidate(stock, sandbox, candidate);
        return outcome ? outcome : put_contract(stock, sandbox, contract);
}

void stock_fini(struct stock *stock)
{
        folder_close(&stock->sources);
        folder_close(&stock->header);
        folder_close(&stock->include);
        folder_close(&stock->case_include);
        folder_close(&stock->cases);
        folder_close(&stock->kit);
}
