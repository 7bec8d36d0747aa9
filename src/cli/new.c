/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tocsin new - the first contract of somebody who never wrote one: complete, commented, and sound,
 * so that each step from there can be judged.
 *
 * Everything is written into a folder beside, which then gets its name at once: nobody ever sees
 * half of it.
 */
#include "base/error.h"
#include "base/file.h"
#include "base/option.h"
#include "base/say.h"
#include "cli/command.h"

#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { name_length_max = 23, path_bytes_max = 4096, content_bytes_max = 64 << 10 };

static const struct row {
        const char *path;
        const char *content;
} rows[] = {
#define X(path, content) { path, content },
#include "cli/new.def"
#undef X
};

static const char *const folders[] = { "cases", "candidates", "candidates/first" };

static const char *const reserved[] = {
        "auto",   "break",    "case",   "char",   "const",    "continue", "default", "do",
        "double", "else",     "enum",   "extern", "float",    "for",      "goto",    "if",
        "inline", "int",      "long",   "main",   "register", "restrict", "return",  "short",
        "signed", "sizeof",   "static", "struct", "switch",   "typedef",  "union",   "unsigned",
        "void",   "volatile", "while",  "bool",   "true",     "false",
};

static void close_fd(const int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* a place, nothing was written through it */
}

/* NULL, or why the name cannot be that of a module. */
static const char *refuse_name(const char *name)
{
        size_t length = 0;

        for (; isalnum((unsigned char)name[length]) || name[length] == '_'; length++)
                ;
        if (!length || name[length] || !isalpha((unsigned char)name[0]))
                return "a C name: letters, digits and _, a letter first";
        if (length > name_length_max)
                return "shorter: at most 23 characters";
        if (strncmp(name, "toc_", 4) == 0 || strncmp(name, "TOC_", 4) == 0)
                return "another name: toc_ is Tocsin's own";
        for (size_t i = 0; i < BASE_COUNT(reserved); i++)
                if (strcmp(reserved[i], name) == 0)
                        return "another name: C has that word already";
        return NULL;
}

/* Copies, with the module's name in place of @name@ and @NAME@. */
static void fill_in(struct text *into, const char *pattern, const char *name)
{
        static const char lower[] = "@name@", upper[] = "@NAME@";

        while (*pattern) {
                if (strncmp(pattern, lower, sizeof(lower) - 1) == 0) {
                        text_append(into, name);
                        pattern += sizeof(lower) - 1;
                } else if (strncmp(pattern, upper, sizeof(upper) - 1) == 0) {
                        for (const char *letter = name; *letter; letter++) {
                                const char capital = (char)toupper((unsigned char)*letter);

                                text_append_bytes(into, &capital, 1);
                        }
                        pattern += sizeof(upper) - 1;
                } else {
                        text_append_bytes(into, pattern++, 1);
                }
        }
}

/* The file whose first row that is; *ret_next is the first row of the next. */
static int write_file(int dir_fd, size_t row, const char *name, size_t *ret_next)
{
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(path_bytes_max);
        struct text content BASE_SCOPE(text_fini) = TEXT_INIT(content_bytes_max);
        const char *const pattern = rows[row].path;

        fill_in(&path, pattern, name);
        for (; row < BASE_COUNT(rows) && strcmp(rows[row].path, pattern) == 0; row++)
                fill_in(&content, rows[row].content, name);
        *ret_next = row;
        if (path.error || content.error)
                return path.error ? path.error : content.error;
        return file_replace(dir_fd, text_view(&path), text_view(&content), content.length, 0666);
}

static int write_files(int parent_fd, const char *draft, const char *name)
{
        int dir_fd BASE_SCOPE(close_fd) =
                openat(parent_fd, draft, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int failed = dir_fd < 0 ? error_last() : 0;

        for (size_t i = 0; !failed && i < BASE_COUNT(folders); i++)
                failed = mkdirat(dir_fd, folders[i], 0777) ? error_last() : 0;
        for (size_t row = 0; !failed && row < BASE_COUNT(rows);)
                failed = write_file(dir_fd, row, name, &row);
        return failed;
}

/* Never replaces anything: -EEXIST if something of that name is there, whatever it is. */
static int create(int parent_fd, const char *name)
{
        struct text draft BASE_SCOPE(text_fini) = TEXT_INIT(path_bytes_max);
        int failed;

        text_printf(&draft, ".tocsin-new-%s-%ld", name, (long)getpid());
        if (draft.error)
                return draft.error;
        if (mkdirat(parent_fd, text_view(&draft), 0777))
                return error_last();
        failed = write_files(parent_fd, text_view(&draft), name);
        if (!failed && renameat2(parent_fd, text_view(&draft), parent_fd, name, RENAME_NOREPLACE))
                failed = error_last();
        if (failed)
                (void)file_remove_tree(parent_fd, text_view(&draft)); /* the first error counts */
        return failed;
}

/* How to name the new folder in a command; "./" is not worth its letters. */
static void show_path(struct text *into, const char *directory, const char *name)
{
        const size_t length = strlen(directory);

        if (strcmp(directory, ".") != 0)
                text_printf(into, "%s%s", directory,
                            length && directory[length - 1] == '/' ? "" : "/");
        text_append(into, name);
}

static int tell(const char *directory, const char *name)
{
        struct text plain BASE_SCOPE(text_fini) = TEXT_INIT(path_bytes_max);
        struct text shown BASE_SCOPE(text_fini) = TEXT_INIT((size_t)4 * path_bytes_max);
        int failed;

        show_path(&plain, directory, name);
        text_append_escaped(&shown, text_view(&plain), plain.length);
        failed = printf("%s/ holds a contract that works, and a candidate for it. Now:\n"
                        "  1. write your interface into %s/%s.h\n"
                        "  2. write what is asked of it into %s/cases/%s.c\n"
                        "  3. tocsin gate %s\n",
                        text_view(&shown), text_view(&shown), name, text_view(&shown), name,
                        text_view(&shown)) < 0;
        if (!failed && !fflush(stdout))
                return ERROR_EXIT_YES;
        say_error("cannot write to standard output: %s", error_text(error_last()));
        return ERROR_EXIT_UNKNOWN;
}

static int complain(const char *directory, const char *name, int failed)
{
        struct text path BASE_SCOPE(text_fini) = TEXT_INIT(path_bytes_max);

        show_path(&path, directory, name);
        if (failed == -EEXIST) {
                say_error("'%s' is there already; choose another name, or remove it",
                          text_view(&path));
                return ERROR_EXIT_USAGE;
        }
        say_error("cannot create '%s': %s; nothing was left behind", text_view(&path),
                  error_text(failed));
        return ERROR_EXIT_UNKNOWN;
}

int cmd_new(int argc, char **argv)
{
        const char *directory = ".";
        const struct option options[] = {
                OPTION_TEXT("directory", 'd', "DIR", "create it there, instead of here",
                            &directory),
        };
        const struct option_page page = {
                .command = "tocsin new",
                .operands = "NAME",
                .summary = "Begin a contract: a folder NAME with contract.yaml, an interface, "
                           "cases of every kind and a first candidate. Comments say what each is "
                           "for. Nothing that exists is ever changed.",
                .options = options,
                .option_count = BASE_COUNT(options),
                .operand_min = 1,
                .operand_max = 1,
                .examples = "tocsin new queue\n"
                            "tocsin new parser --directory modules\n",
        };
        struct option_operands operands;
        struct stat status;
        const char *name, *advice;
        int outcome = option_parse_or_say(&page, argc, argv, &operands);

        if (outcome)
                return option_exit(outcome);
        name = operands.values[0];
        advice = refuse_name(name);
        if (advice) {
                say_error("'%s' cannot be the name of a module; choose %s", name, advice);
                return ERROR_EXIT_USAGE;
        }
        int parent_fd BASE_SCOPE(close_fd) = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent_fd < 0) {
                say_error("cannot create anything in '%s': %s", directory,
                          error_text(error_last()));
                return ERROR_EXIT_USAGE;
        }
        outcome = fstatat(parent_fd, name, &status, AT_SYMLINK_NOFOLLOW) ? create(parent_fd, name)
                                                                         : -EEXIST;
        return outcome ? complain(directory, name, outcome) : tell(directory, name);
}
