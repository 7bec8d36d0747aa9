/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a folder that somebody else filled is the first thing a candidate can attack with:
 * links to what only we may read, pipes that never end, files that change while they are judged.
 */
#include "gate/candidate.h"
#include "base/error.h"
#include "base/file.h"
#include "gate/digest.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        message_bytes_max = 1000,
        entries_max = 4096,    /* of a folder, looked at */
        extra_faults_max = 20, /* told one by one */
};

static void close_fd(const int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* only read from */
}

static void close_dir(DIR **dir)
{
        if (*dir)
                (void)closedir(*dir); /* only read from */
}

/* ---- Faults ------------------------------------------------------------------------------- */

static int add_fault(struct candidate *candidate, const char *rule, const char *file,
                     const char *format, ...) BASE_PRINTF(4, 5);

static int add_fault(struct candidate *candidate, const char *rule, const char *file,
                     const char *format, ...)
{
        struct text plain BASE_SCOPE(text_fini) = TEXT_INIT(message_bytes_max);
        struct text shown BASE_SCOPE(text_fini) = TEXT_INIT((size_t)4 * message_bytes_max);
        struct candidate_fault *more;
        va_list arguments;

        va_start(arguments, format);
        text_vprintf(&plain, format, arguments);
        va_end(arguments);
        text_append_escaped(&shown, text_view(&plain), plain.length);
        more = realloc(candidate->faults, (candidate->fault_count + 1) * sizeof(*more));
        if (!more)
                return -ENOMEM;
        candidate->faults = more;
        more += candidate->fault_count;
        *more = (struct candidate_fault){ .rule = rule,
                                          .file = strdup(file),
                                          .message = strdup(text_view(&shown)) };
        candidate->fault_count++;
        return more->file && more->message ? 0 : -ENOMEM;
}

/* ---- One file ----------------------------------------------------------------------------- */

static int add_file(struct candidate *candidate, const char *name, const char *bytes, size_t length)
{
        struct candidate_file *file = &candidate->files[candidate->file_count];

        file->name = strdup(name);
        file->bytes = malloc(length + 1);
        candidate->file_count++;
        if (!file->name || !file->bytes)
                return -ENOMEM;
        memcpy(file->bytes, bytes, length);
        file->bytes[length] = '\0';
        file->length = length;
        return digest_of(bytes, length, file->sha256);
}

static int refuse_open(struct candidate *candidate, const char *name, int error)
{
        switch (error) {
        case -ENOENT:
                return add_fault(candidate, "interface.missing-file", name,
                                 "%s is missing; the contract names it in `supplies`", name);
        case -ELOOP:
        case -EXDEV:
                return add_fault(candidate, "interface.linked-file", name,
                                 "%s is a link or a mount; put the file itself there", name);
        case -ENXIO:
        case -ENODEV:
        case -EINVAL:
                return add_fault(candidate, "interface.not-a-file", name,
                                 "%s is no regular file; put one there", name);
        default:
                return error; /* that is ours, not the candidate's */
        }
}

static int take_bytes(struct candidate *candidate, const char *name, int fd)
{
        struct text bytes BASE_SCOPE(text_fini) = TEXT_INIT(candidate_file_bytes_max);
        int failed = file_read_open(fd, &bytes);

        if (failed == -EFBIG)
                return add_fault(candidate, "interface.too-large", name,
                                 "%s has more than %d bytes; no module needs that", name,
                                 candidate_file_bytes_max);
        if (failed)
                return failed;
        if (memchr(text_view(&bytes), '\0', bytes.length))
                return add_fault(candidate, "interface.not-text", name,
                                 "%s holds a NUL byte; source is text", name);
        if (!text_is_utf8(text_view(&bytes), bytes.length))
                return add_fault(candidate, "interface.not-text", name,
                                 "%s is not valid UTF-8; save it as such", name);
        return add_file(candidate, name, text_view(&bytes), bytes.length);
}

static int take_file(struct candidate *candidate, const char *name, int dir_fd)
{
        int fd BASE_SCOPE(close_fd) = -1;
        int failed = file_open_beneath(dir_fd, name, &fd);
        struct stat status;

        if (failed)
                return refuse_open(candidate, name, failed);
        if (fstat(fd, &status))
                return error_last();
        if (!S_ISREG(status.st_mode))
                return add_fault(candidate, "interface.not-a-file", name,
                                 "%s is no regular file; put one there", name);
        if (status.st_nlink > 1)
                return add_fault(candidate, "interface.linked-file", name,
                                 "%s is also known under another name (a hard link); put a copy "
                                 "there",
                                 name);
        return take_bytes(candidate, name, fd);
}

/* ---- The folder --------------------------------------------------------------------------- */

static bool is_supplied(const struct contract *contract, const char *name)
{
        for (size_t i = 0; i < contract->supplies.count; i++)
                if (strcmp(contract->supplies.items[i], name) == 0)
                        return true;
        return false;
}

static int compare_names(const void *left, const void *right)
{
        return strcmp(*(char *const *)left, *(char *const *)right);
}

struct names {
        char *items[entries_max];
        size_t count;
        bool is_cut;
};

static void names_free(struct names **names)
{
        for (size_t i = 0; *names && i < (*names)->count; i++)
                free((*names)->items[i]);
        free(*names);
        *names = NULL;
}

static int list_extra(const struct contract *contract, int dir_fd, struct names *names)
{
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir BASE_SCOPE(close_dir) = fd < 0 ? NULL : fdopendir(fd);

        if (!dir) {
                int failed = error_last();

                close_fd(&fd);
                return failed;
        }
        for (;;) {
                const struct dirent *entry;

                errno = 0;
                entry = readdir(dir);
                if (!entry)
                        return errno ? error_last() : 0;
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                    is_supplied(contract, entry->d_name))
                        continue;
                if (names->count == entries_max) {
                        names->is_cut = true;
                        return 0;
                }
                names->items[names->count] = strdup(entry->d_name);
                if (!names->items[names->count])
                        return -ENOMEM;
                names->count++;
        }
}

/* Sorted, because a folder has no order of its own and a verdict must be repeatable. */
static int refuse_extra(struct candidate *candidate, const struct contract *contract, int dir_fd)
{
        struct names *names BASE_SCOPE(names_free) = calloc(1, sizeof(*names));
        int failed = names ? list_extra(contract, dir_fd, names) : -ENOMEM;

        if (failed)
                return failed;
        qsort(names->items, names->count, sizeof(names->items[0]), compare_names);
        for (size_t i = 0; i < names->count && i < extra_faults_max; i++) {
                failed = add_fault(candidate, "interface.extra-file", names->items[i],
                                   "%s is not among the files that the contract takes "
                                   "(`supplies`); remove it, hidden files and folders too",
                                   names->items[i]);
                if (failed)
                        return failed;
        }
        if (names->count <= extra_faults_max)
                return 0;
        return add_fault(candidate, "interface.extra-file", names->items[extra_faults_max],
                         "%s%zu more files that the contract does not take; remove them",
                         names->is_cut ? "more than " : "", names->count - extra_faults_max);
}

/* ---- The whole ---------------------------------------------------------------------------- */

static int name_it(struct candidate *candidate, const char *path)
{
        char *real = realpath(path, NULL);
        const char *slash;

        if (!real)
                return error_last();
        slash = strrchr(real, '/');
        candidate->name = strdup(slash && slash[1] ? slash + 1 : real);
        free(real);
        candidate->path = strdup(path);
        return candidate->name && candidate->path ? 0 : -ENOMEM;
}

static int seal(struct candidate *candidate)
{
        struct digest digest;

        digest_begin(&digest);
        for (size_t i = 0; i < candidate->file_count; i++) {
                digest_text(&digest, candidate->files[i].name);
                digest_field(&digest, candidate->files[i].bytes, candidate->files[i].length);
        }
        /* What was wrong with the folder belongs to what is judged: two folders with the same files
         * are not the same candidate if one of them holds more. */
        for (size_t i = 0; i < candidate->fault_count; i++) {
                digest_text(&digest, candidate->faults[i].rule);
                digest_text(&digest, candidate->faults[i].file);
                digest_text(&digest, candidate->faults[i].message);
        }
        return digest_end(&digest, candidate->sha256);
}

static int load(const struct contract *contract, const char *path, struct candidate *candidate)
{
        int dir_fd BASE_SCOPE(close_fd) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int failed;

        if (dir_fd < 0)
                return error_last();
        candidate->files = calloc(contract->supplies.count, sizeof(*candidate->files));
        failed = candidate->files ? name_it(candidate, path) : -ENOMEM;
        for (size_t i = 0; !failed && i < contract->supplies.count; i++)
                failed = take_file(candidate, contract->supplies.items[i], dir_fd);
        if (!failed)
                failed = refuse_extra(candidate, contract, dir_fd);
        return failed ? failed : seal(candidate);
}

int candidate_load(const struct contract *contract, const char *path,
                   struct candidate *ret_candidate)
{
        struct candidate candidate = { .name = NULL };
        int failed = load(contract, path, &candidate);

        if (failed)
                candidate_fini(&candidate);
        else
                *ret_candidate = candidate;
        return failed;
}

static int make(const char *name, const char *const *names, const struct text *const *bytes,
                size_t count, struct candidate *candidate)
{
        int failed;

        candidate->name = strdup(name);
        candidate->path = strdup(name);
        candidate->files = calloc(count ? count : 1, sizeof(*candidate->files));
        failed = candidate->name && candidate->path && candidate->files ? 0 : -ENOMEM;
        for (size_t i = 0; !failed && i < count; i++)
                failed = add_file(candidate, names[i], text_view(bytes[i]), bytes[i]->length);
        return failed ? failed : seal(candidate);
}

int candidate_make(const char *name, const char *const *names, const struct text *const *bytes,
                   size_t count, struct candidate *ret_candidate)
{
        struct candidate candidate = { .name = NULL };
        int failed = make(name, names, bytes, count, &candidate);

        if (failed)
                candidate_fini(&candidate);
        else
                *ret_candidate = candidate;
        return failed;
}

void candidate_fini(struct candidate *candidate)
{
        for (size_t i = 0; i < candidate->file_count; i++) {
                free(candidate->files[i].name);
                free(candidate->files[i].bytes);
        }
        for (size_t i = 0; i < candidate->fault_count; i++) {
                free(candidate->faults[i].file);
                free(candidate->faults[i].message);
        }
        free(candidate->files);
        free(candidate->faults);
        free(candidate->name);
        free(candidate->path);
        *candidate = (struct candidate){ .name = NULL };
}
