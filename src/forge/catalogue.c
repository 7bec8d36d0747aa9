/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that nobody else guesses where a run lies. The number of a run is given by mkdir(),
 * which one of two processes wins; nothing is remembered anywhere but in the names.
 */
#include "forge/catalogue.h"
#include "base/clock.h"
#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

enum { tries_max = 1000 };

static const char ledger_name[] = "ledger.jsonl";

static void close_fd(const int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* of a folder, synced where it matters */
}

static void close_dir(DIR **dir)
{
        if (*dir)
                (void)closedir(*dir); /* only read from */
}

/* One part of a path, and none that is hidden. */
static bool is_name(const char *name)
{
        return name[0] && name[0] != '.' && !strchr(name, '/');
}

/* As we write them: no leading zero, so that each run has one name. */
static bool read_number(const char *name, uint64_t *ret_number)
{
        return name[0] != '0' && !text_parse_u64(name, 1, catalogue_number_max, ret_number);
}

/* NULL with errno. A link is no folder of ours. */
static DIR *open_dir(int dir_fd, const char *path, int more_flags)
{
        int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | more_flags);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir)
                close_fd(&fd);
        return dir;
}

/* ---- A new one --------------------------------------------------------------------------- */

/* The folder and those above it, as far as they are not there. */
static int make_folders(const char *path)
{
        BASE_SCOPE(text_fini) struct text part = TEXT_INIT(catalogue_path_max);

        for (size_t i = 1; i <= strlen(path); i++) {
                if (path[i] != '/' && path[i] != '\0')
                        continue;
                text_clear(&part);
                text_append_bytes(&part, path, i);
                if (part.error)
                        return -ENAMETOOLONG;
                if (mkdir(text_view(&part), 0700) && errno != EEXIST)
                        return error_last();
        }
        return 0;
}

static int highest_number(int fd, uint64_t *ret_number)
{
        BASE_SCOPE(close_dir) DIR *dir = open_dir(fd, ".", 0);
        const struct dirent *entry;
        uint64_t number, highest = 0;

        if (!dir)
                return error_last();
        errno = 0;
        while ((entry = readdir(dir)))
                if (read_number(entry->d_name, &number) && number > highest)
                        highest = number;
        if (errno)
                return error_last();
        *ret_number = highest;
        return 0;
}

static int make_next(int fd, uint64_t *ret_number)
{
        uint64_t number = 0;
        int failed = highest_number(fd, &number);

        for (unsigned i = 0; !failed && i < tries_max; i++) {
                char name[24];

                if (++number > catalogue_number_max)
                        return -ERANGE;
                (void)snprintf(name, sizeof(name), "%" PRIu64, number); /* fits */
                if (!mkdirat(fd, name, 0700)) {
                        *ret_number = number;
                        return fsync(fd) ? error_last() : 0;
                }
                if (errno != EEXIST)
                        return error_last();
        }
        return failed ? failed : -EBUSY;
}

int catalogue_make(const char *out, const char *module, struct text *path)
{
        BASE_SCOPE(text_fini) struct text folder = TEXT_INIT(catalogue_path_max);
        uint64_t number = 0;
        int failed;

        if (!is_name(module) || !*out)
                return -EINVAL;
        text_printf(&folder, "%s/%s", out, module);
        failed = folder.error ? -ENAMETOOLONG : make_folders(text_view(&folder));
        if (failed)
                return failed;
        BASE_SCOPE(close_fd)
        int fd = open(text_view(&folder), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return error_last();
        failed = make_next(fd, &number);
        if (failed)
                return failed;
        text_printf(path, "%s/%" PRIu64, text_view(&folder), number);
        return path->error;
}

/* ---- All of them ------------------------------------------------------------------------- */

void catalogue_fini(struct catalogue *catalogue)
{
        for (size_t i = 0; i < catalogue->count; i++) {
                free(catalogue->runs[i].path);
                free(catalogue->runs[i].module);
        }
        free(catalogue->runs);
        *catalogue = (struct catalogue){ 0 };
}

static int grow(struct catalogue *catalogue)
{
        size_t size = catalogue->size ? 2 * catalogue->size : 16;
        struct catalogue_run *runs;

        if (catalogue->count < catalogue->size)
                return 0;
        runs = reallocarray(catalogue->runs, size, sizeof(*runs));
        if (!runs)
                return -ENOMEM;
        catalogue->runs = runs;
        catalogue->size = size;
        return 0;
}

static int add(struct catalogue *catalogue, const char *out, const char *module,
               const struct catalogue_run *found)
{
        struct catalogue_run run = *found;

        if (catalogue->count == catalogue_runs_max) {
                catalogue->has_more = true;
                return 0;
        }
        if (grow(catalogue))
                return -ENOMEM;
        run.module = strdup(module);
        if (asprintf(&run.path, "%s/%s/%" PRIu64, out, module, run.number) < 0)
                run.path = NULL;
        if (!run.module || !run.path) {
                free(run.module);
                free(run.path);
                return -ENOMEM;
        }
        catalogue->runs[catalogue->count++] = run;
        return 0;
}

/* Whether a run lies in that folder, and when something was added to it. */
static bool look(int dir_fd, const char *folder, uint64_t *ret_changed_ns)
{
        BASE_SCOPE(text_fini) struct text name = TEXT_INIT(catalogue_path_max);
        struct stat is;

        text_printf(&name, "%s/%s", folder, ledger_name);
        if (name.error || fstatat(dir_fd, text_view(&name), &is, AT_SYMLINK_NOFOLLOW) ||
            !S_ISREG(is.st_mode))
                return false;
        *ret_changed_ns = is.st_mtim.tv_sec < 0 ? 0
                                                : (uint64_t)is.st_mtim.tv_sec * CLOCK_S_NS +
                                                          (uint64_t)is.st_mtim.tv_nsec;
        return true;
}

static int list_module(struct catalogue *catalogue, const char *out, int out_fd, const char *module)
{
        BASE_SCOPE(close_dir) DIR *dir = open_dir(out_fd, module, O_NOFOLLOW);
        const struct dirent *entry;
        int failed = 0;

        if (!dir) /* a file, or somebody else's */
                return errno == ENOMEM || errno == EMFILE || errno == ENFILE ? error_last() : 0;
        while (!failed && (entry = readdir(dir))) {
                struct catalogue_run run = { 0 };

                if (read_number(entry->d_name, &run.number) &&
                    look(dirfd(dir), entry->d_name, &run.changed_ns))
                        failed = add(catalogue, out, module, &run);
        }
        return failed;
}

static int compare(const void *left, const void *right)
{
        const struct catalogue_run *a = left, *b = right;
        int order = strcmp(a->module, b->module);

        if (order)
                return order;
        return (a->number > b->number) - (a->number < b->number);
}

int catalogue_list(const char *out, struct catalogue *ret_catalogue)
{
        BASE_SCOPE(close_dir) DIR *dir = open_dir(AT_FDCWD, out, 0);
        BASE_SCOPE(catalogue_fini) struct catalogue catalogue = { 0 };
        const struct dirent *entry;
        int failed = 0;

        if (!dir && errno != ENOENT)
                return error_last();
        while (dir && !failed && (entry = readdir(dir)))
                if (is_name(entry->d_name))
                        failed = list_module(&catalogue, out, dirfd(dir), entry->d_name);
        if (failed)
                return failed;
        if (catalogue.count)
                qsort(catalogue.runs, catalogue.count, sizeof(*catalogue.runs), compare);
        *ret_catalogue = catalogue;
        catalogue = (struct catalogue){ 0 };
        return 0;
}

/* ---- One of them ------------------------------------------------------------------------- */

static bool is_better(const struct catalogue_run *run, const struct catalogue_run *best,
                      const char *module)
{
        if (module && strcmp(run->module, module) != 0)
                return false;
        return !best || (module ? run->number > best->number : run->changed_ns >= best->changed_ns);
}

static int find_last(const char *out, const char *module, struct text *path, struct text *why)
{
        BASE_SCOPE(catalogue_fini) struct catalogue catalogue = { 0 };
        const struct catalogue_run *best = NULL;
        int failed = catalogue_list(out, &catalogue);

        if (failed)
                return failed;
        for (size_t i = 0; i < catalogue.count; i++)
                if (is_better(&catalogue.runs[i], best, module))
                        best = &catalogue.runs[i];
        if (!best) {
                text_printf(why, "there is no run%s%s below '%s'", module ? " of " : "",
                            module ? module : "", out);
                return CATALOGUE_NONE;
        }
        text_append(path, best->path);
        return path->error;
}

/* MODULE/N */
static bool is_short(const char *word)
{
        const char *slash = strchr(word, '/');
        uint64_t number;

        return slash && slash != word && word[0] != '.' && read_number(slash + 1, &number);
}

int catalogue_find(const char *out, const char *module, const char *word, struct text *path,
                   struct text *why)
{
        BASE_SCOPE(text_fini) struct text below = TEXT_INIT(catalogue_path_max);
        uint64_t number, changed_ns;

        if (strcmp(word, "last") == 0)
                return find_last(out, module, path, why);
        if (module && read_number(word, &number)) {
                text_printf(&below, "%s/%s/%" PRIu64, out, module, number);
        } else if (look(AT_FDCWD, word, &changed_ns)) {
                text_append(path, word);
                return path->error;
        } else if (is_short(word)) {
                text_printf(&below, "%s/%s", out, word);
        }
        if (below.error)
                return -ENAMETOOLONG;
        if (below.length && look(AT_FDCWD, text_view(&below), &changed_ns)) {
                text_append(path, text_view(&below));
                return path->error;
        }
        if (below.length)
                text_printf(why, "there is no run '%s': no %s in '%s'", word, ledger_name,
                            text_view(&below));
        else
                text_printf(why,
                            "there is no run '%s'; a run is a folder with a %s, MODULE/N below "
                            "'%s', or last",
                            word, ledger_name, out);
        return CATALOGUE_NONE;
}
