/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds what the gate takes along into its jobs. A program of the build tree uses the build tree,
 * so that tests never judge with what happens to be installed; an installed one looks beside
 * itself, so that a prefix can be moved.
 */
#include "base/file.h"
#include "gate/workshop.h"

#include <limits.h>
#include <pthread.h>
#include <unistd.h>

enum { path_max = PATH_MAX + 64 };

struct part {
        const char *built;     /* below the build tree, NULL: in the source tree */
        const char *source;    /* below the source tree */
        const char *installed; /* below the prefix; "LIB" stands for the library folder */
        const char *probe;     /* a file that must lie in it, when it is a folder */
        const char *what;      /* for people; NULL: the gate does without it */
};

enum {
        PART_INCLUDE,
        PART_CASE_LIBRARY,
        PART_LIBRARY,
        PART_INSIDE,
        PART_LENS,
        PART_PAGE,
        PART_PROMPTS,
        PART_INSTRUMENTING,
        PART_FORGE_PAGE,
        PART_COUNT,
};

static const struct part wanted[PART_COUNT] = {
        [PART_INCLUDE] = { NULL, "include", "include", "tocsin/case.h",
                           "the header tocsin/case.h" },
        [PART_CASE_LIBRARY] = { "src/case/libtocsin-case.a", NULL, "LIB/libtocsin-case.a", NULL,
                                "libtocsin-case.a" },
        [PART_LIBRARY] = { "src/probe/libtocsin.a", NULL, "LIB/libtocsin.a", NULL, "libtocsin.a" },
        [PART_INSIDE] = { "src/inside/libtocsin-inside.so.0", NULL, "LIB/libtocsin-inside.so.0",
                          NULL, "libtocsin-inside.so.0" },
        [PART_LENS] = { "src/lens/tocsin-lens", NULL, "libexec/tocsin/tocsin-lens", NULL,
                        "the program tocsin-lens" },
        [PART_PAGE] = { NULL, "web/report.html", "share/tocsin/report.html", NULL, "report.html" },
        [PART_PROMPTS] = { NULL, "prompts", "share/tocsin/prompts", "system.md", NULL },
        [PART_INSTRUMENTING] = { NULL, "doc/instrumenting.md", "share/tocsin/instrumenting.md",
                                 NULL, NULL },
        [PART_FORGE_PAGE] = { NULL, "web/forge.html", "share/tocsin/forge.html", NULL, NULL },
};

static const char *const library_folders[] = {
        "lib/x86_64-linux-gnu",
        "lib/aarch64-linux-gnu",
        "lib64",
        "lib",
};

static char paths[PART_COUNT][path_max];
static bool is_missing[PART_COUNT];
static struct parts found;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Keeps the path if it leads to something that can be read. */
static bool keep(unsigned part, const char *root, const char *folder, const char *rest)
{
        char probe[path_max + 32];
        int length = snprintf(paths[part], path_max, "%s/%s%s", root, folder, rest);

        if (length < 0 || length >= path_max)
                return false;
        if (wanted[part].probe)
                (void)snprintf(probe, sizeof(probe), "%s/%s", paths[part], wanted[part].probe);
        else
                (void)snprintf(probe, sizeof(probe), "%s", paths[part]);
        return access(probe, R_OK) == 0;
}

static bool find_installed(unsigned part, const char *prefix)
{
        const char *rest = wanted[part].installed;

        if (strncmp(rest, "LIB", 3) != 0)
                return keep(part, prefix, "", rest);
        for (size_t i = 0; i < BASE_COUNT(library_folders); i++)
                if (keep(part, prefix, library_folders[i], rest + 3))
                        return true;
        return false;
}

static bool find(unsigned part, const char *prefix)
{
        if (prefix)
                return find_installed(part, prefix);
        if (wanted[part].built)
                return keep(part, GATE_BUILD_ROOT, "", wanted[part].built);
        return keep(part, GATE_SOURCE_ROOT, "", wanted[part].source);
}

/* PREFIX/bin/tocsin -> PREFIX; NULL: a program of the build tree. */
static const char *prefix_of(char *program)
{
        size_t root = strlen(GATE_BUILD_ROOT);

        if (strncmp(program, GATE_BUILD_ROOT, root) == 0 && program[root] == '/')
                return NULL;
        for (int i = 0; i < 2; i++) {
                char *slash = strrchr(program, '/');

                if (slash)
                        *slash = '\0';
        }
        return program;
}

static void search(void)
{
        char program[PATH_MAX];
        ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
        const char *prefix;
        const char *at[PART_COUNT] = { NULL };

        program[length > 0 ? length : 0] = '\0';
        prefix = prefix_of(program);
        for (unsigned i = 0; i < PART_COUNT; i++)
                if (find(i, prefix))
                        at[i] = paths[i];
                else
                        is_missing[i] = true;
        found = (struct parts){
                .include = at[PART_INCLUDE],
                .case_library = at[PART_CASE_LIBRARY],
                .library = at[PART_LIBRARY],
                .inside = at[PART_INSIDE],
                .lens = at[PART_LENS],
                .page = at[PART_PAGE],
                .prompts = at[PART_PROMPTS],
                .instrumenting = at[PART_INSTRUMENTING],
                .forge_page = at[PART_FORGE_PAGE],
        };
}

const struct parts *parts_find(struct text *why)
{
        (void)pthread_once(&once, search);
        for (unsigned i = 0; i < PART_COUNT; i++)
                if (is_missing[i] && wanted[i].what)
                        text_printf(why, "%s%s is missing at %s", why->length ? "; " : "",
                                    wanted[i].what, paths[i]);
        return &found;
}
