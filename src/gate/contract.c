/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that one digest covers all that a verdict depends on: the file of keys, the header and
 * the cases are read once, here, and a contract that names what is not there never starts a run.
 */
#include "gate/contract.h"
#include "base/error.h"
#include "base/file.h"
#include "gate/digest.h"
#include "gate/schema.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { path_shown_max = 4096 };

static void close_dir(DIR **dir)
{
        if (*dir)
                (void)closedir(*dir); /* only read from */
}

/* Whether the person who wrote the request can mend it, rather than we. */
static bool is_theirs(int error)
{
        switch (error) {
        case -ENOENT:
        case -ENOTDIR:
        case -EISDIR:
        case -EINVAL:
        case -EACCES:
        case -ELOOP:
        case -ENAMETOOLONG:
        case -ENXIO:
                return true;
        default:
                return false;
        }
}

/* The line in which the key stands that named the file is not kept for single words: it is sought
 * here, where it is needed. */
static unsigned line_of_key(struct document *document, const char *key)
{
        const yaml_node_t *root = document_root(document);

        if (root && root->type == YAML_MAPPING_NODE)
                for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
                     pair < root->data.mapping.pairs.top; pair++) {
                        const yaml_node_t *name =
                                yaml_document_get_node(&document->yaml, pair->key);

                        if (document_word(name) && strcmp(document_word(name), key) == 0)
                                return document_line(name);
                }
        return 1;
}

static void refuse_file(struct document *document, unsigned line, const char *path, int error)
{
        if (error == -EFBIG)
                document_wrong(document, line, "%s has more than %d bytes; make it smaller", path,
                               contract_file_bytes_max);
        else if (error == -EINVAL || error == -EISDIR)
                document_wrong(document, line, "%s is no regular file; put one there", path);
        else if (error == -EACCES)
                document_wrong(document, line, "%s cannot be read: %s; let this user read it", path,
                               error_text(error));
        else if (is_theirs(error))
                document_wrong(document, line,
                               "%s cannot be read: %s; put it there or correct "
                               "the name",
                               path, error_text(error));
        else
                document->error = error;
}

/* Reads a file of the contract into its digest. */
static void digest_file(struct document *document, const struct contract *contract,
                        struct digest *digest, const char *path, unsigned line)
{
        struct text bytes BASE_SCOPE(text_fini) = TEXT_INIT(contract_file_bytes_max);
        int failed = file_read(contract->dir_fd, path, &bytes);

        if (failed) {
                refuse_file(document, line, path, failed);
                return;
        }
        digest_text(digest, path);
        digest_field(digest, text_view(&bytes), bytes.length);
}

/* ---- Cases -------------------------------------------------------------------------------- */

static bool has_end(const char *name, const char *end)
{
        return strlen(name) > strlen(end) && strcmp(name + strlen(name) - strlen(end), end) == 0;
}

static void take_entry(struct document *document, struct contract *contract, const char *name)
{
        if (has_end(name, ".h"))
                document_wrong(document, 1,
                               "cases/%s: cases are .c files only and share nothing; put what it "
                               "holds into them",
                               name);
        if (!has_end(name, ".c") || name[0] == '.')
                return;
        if (strlen(name) > contract_name_max || !text_is_utf8(name, strlen(name)))
                document_wrong(document, 1,
                               "cases/%.*s: the name has more than %d bytes or is "
                               "not UTF-8; rename it",
                               DOCUMENT_SHOWN(name), contract_name_max);
        else if (contract->cases.count == contract_case_files_max)
                document_wrong(document, 1, "cases/%s: more than %d files; join some", name,
                               contract_case_files_max);
        else if (!schema_list_add(&contract->cases, name, 0))
                document->error = -ENOMEM;
}

static int compare_names(const void *left, const void *right)
{
        return strcmp(*(char *const *)left, *(char *const *)right);
}

static void list_cases(struct document *document, struct contract *contract)
{
        int fd = openat(contract->dir_fd, "cases", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir BASE_SCOPE(close_dir) = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!dir) {
                const int failed = error_last();

                if (fd >= 0)
                        (void)close(fd);
                if (is_theirs(failed))
                        document_wrong(document, 1,
                                       "the folder cases/ cannot be read: %s; a "
                                       "contract needs at least one file cases/NAME.c",
                                       error_text(failed));
                else
                        document->error = failed;
                return;
        }
        errno = 0;
        while (!document->error && document->wrong_count < document_wrong_max &&
               (entry = readdir(dir)))
                take_entry(document, contract, entry->d_name);
        if (errno && !document->error)
                document->error = error_last();
        if (!contract->cases.count && !document->error)
                document_wrong(document, 1,
                               "the folder cases/ holds no .c file; write at least "
                               "one TEST into cases/NAME.c");
        if (contract->cases.count)
                qsort(contract->cases.items, contract->cases.count, sizeof(char *), compare_names);
}

/* ---- The whole ---------------------------------------------------------------------------- */

static void check_reference(struct document *document, const struct contract *contract)
{
        struct stat status;

        if (fstatat(contract->dir_fd, contract->reference, &status, AT_SYMLINK_NOFOLLOW))
                refuse_file(document, line_of_key(document, "reference"), contract->reference,
                            error_last());
        else if (!S_ISDIR(status.st_mode))
                document_wrong(document, line_of_key(document, "reference"),
                               "reference '%s' is no folder; name that of a candidate",
                               contract->reference);
}

static void digest_files(struct document *document, struct contract *contract,
                         struct digest *digest)
{
        digest_file(document, contract, digest, contract->header, line_of_key(document, "header"));
        list_cases(document, contract);
        for (size_t i = 0; i < contract->cases.count && !document->error; i++) {
                char path[sizeof("cases/") + contract_name_max];

                (void)snprintf(path, sizeof(path), "cases/%s", contract->cases.items[i]);
                digest_file(document, contract, digest, path, 1);
        }
        if (contract->reference)
                check_reference(document, contract);
}

static int read_document(struct contract *contract, const struct text *bytes, const char *shown,
                         struct text *why)
{
        struct document document;
        struct digest digest;
        int failed;

        if (document_load(&document, shown, text_view(bytes), bytes->length, why))
                schema_read(&document, contract);
        if (!document.wrong_count && !document.error) {
                digest_begin(&digest);
                digest_field(&digest, text_view(bytes), bytes->length);
                digest_files(&document, contract, &digest);
                failed = digest_end(&digest, contract->sha256);
                if (!document.error)
                        document.error = failed;
        }
        failed = document.error ? document.error : document.wrong_count ? CONTRACT_WRONG : 0;
        if (document.wrong_count > document_wrong_max)
                text_printf(why, "%s:1: %zu more; mend these first\n", shown,
                            document.wrong_count - document_wrong_max);
        document_fini(&document);
        return failed;
}

/* What can be said before there is a document. */
static int refuse(struct text *why, const char *shown, int error)
{
        struct document document = { .file = shown, .why = why };

        if (error == -EFBIG)
                document_wrong(&document, 1, "more than %d bytes; no contract needs that",
                               contract_bytes_max);
        else if (error == -EINVAL || error == -EISDIR)
                document_wrong(&document, 1, "no regular file; put a contract there");
        else if (error == -EACCES)
                document_wrong(&document, 1, "cannot be read: %s; let this user read it",
                               error_text(error));
        else if (is_theirs(error))
                document_wrong(&document, 1,
                               "cannot be read: %s; name the folder of a contract, or begin one "
                               "with tocsin new",
                               error_text(error));
        return document.wrong_count ? CONTRACT_WRONG : error;
}

static int load(const char *directory, struct contract *contract, struct text *why)
{
        struct text bytes BASE_SCOPE(text_fini) = TEXT_INIT(contract_bytes_max);
        struct text shown BASE_SCOPE(text_fini) = TEXT_INIT(path_shown_max);
        const size_t length = strlen(directory);
        int failed;

        text_printf(&shown, "%s%scontract.yaml", directory,
                    length && directory[length - 1] == '/' ? "" : "/");
        contract->dir_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (contract->dir_fd < 0)
                return refuse(why, text_view(&shown), error_last());
        contract->directory = strdup(directory);
        if (!contract->directory)
                return -ENOMEM;
        failed = file_read(contract->dir_fd, "contract.yaml", &bytes);
        if (failed)
                return refuse(why, text_view(&shown), failed);
        return read_document(contract, &bytes, text_view(&shown), why);
}

int contract_load(const char *directory, struct contract *ret_contract, struct text *why)
{
        struct contract contract = { .dir_fd = -1 };
        int outcome = load(directory, &contract, why);

        if (outcome)
                contract_fini(&contract);
        else
                *ret_contract = contract;
        return outcome;
}

void contract_fini(struct contract *contract)
{
        schema_fini(contract);
        free(contract->directory);
        if (contract->dir_fd >= 0)
                (void)close(contract->dir_fd); /* a place, nothing was written */
        *contract = (struct contract){ .dir_fd = -1 };
}
