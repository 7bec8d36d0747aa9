/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tool that is missing is said before anything is judged, with the package that holds it, and
 * only if a stage that was asked for needs it.
 */
#include "gate/host.h"
#include "base/child.h"
#include "base/error.h"

#include <errno.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#define VERSION_TIME_MAX_NS (5 * CLOCK_S_NS)

struct tool {
        const char *name;
        const char *package; /* Debian's */
        unsigned stages;     /* bits by enum stage_id */
};

enum {
        NEEDED_ALWAYS = (1 << STAGE_COUNT) - 1,
};

static const struct tool tools[] = {
        { "gcc", "gcc", NEEDED_ALWAYS },
        { "clang", "clang", 1 << STAGE_ID_build },
        { "ld", "binutils", NEEDED_ALWAYS },
        { "objdump", "binutils", 1 << STAGE_ID_interface },
        { "valgrind", "valgrind", 1 << STAGE_ID_unit | 1 << STAGE_ID_bench },
        { "bwrap", "bubblewrap", NEEDED_ALWAYS },
};

/* Where the sandbox looks too. */
static bool find_tool(const char *name, char *ret_path, size_t size)
{
        static const char *const folders[] = { "/usr/bin", "/bin" };

        for (size_t i = 0; i < BASE_COUNT(folders); i++)
                if (snprintf(ret_path, size, "%s/%s", folders[i], name) < (int)size &&
                    !access(ret_path, X_OK))
                        return true;
        return false;
}

static bool is_needed(const struct tool *tool, const bool asked[STAGE_COUNT])
{
        for (size_t i = 0; i < STAGE_COUNT; i++)
                if (asked[i] && (tool->stages & 1U << i))
                        return true;
        return false;
}

/* A version that cannot be had is a tool that does not work. */
static json_t *version_of(const char *path)
{
        BASE_SCOPE(text_fini) struct text output = TEXT_INIT(4096);
        BASE_SCOPE(text_fini) struct text line = TEXT_INIT(host_version_max);
        const char *const argv[] = { path, "--version", NULL };
        struct child_request request = { .argv = argv,
                                         .output = &output,
                                         .time_max_ns = VERSION_TIME_MAX_NS };
        struct child_result result;

        if (child_run(&request, &result) || !child_succeeded(&result))
                return NULL;
        text_append_escaped(&line, text_view(&output), strcspn(text_view(&output), "\n"));
        return json_string(text_view(&line));
}

static int find_tools(const bool asked[STAGE_COUNT], json_t *into, struct text *why)
{
        for (size_t i = 0; i < BASE_COUNT(tools); i++) {
                char path[64];
                json_t *version = NULL;

                if (find_tool(tools[i].name, path, sizeof(path)))
                        version = version_of(path);
                if (!version && is_needed(&tools[i], asked)) {
                        text_printf(why,
                                    "%s is missing or does not work; install the package %s "
                                    "(apt-get install %s)",
                                    tools[i].name, tools[i].package, tools[i].package);
                        return -ENOENT;
                }
                (void)json_object_set_new(into, tools[i].name, version ? version : json_null());
        }
        return 0;
}

static json_t *find_host(void)
{
        struct utsname name;
        struct sysinfo info;

        if (uname(&name) || sysinfo(&info))
                return json_object();
        return json_pack("{s:s, s:s, s:I, s:I}", "kernel", name.release, "machine", name.machine,
                         "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_bytes",
                         (json_int_t)((uint64_t)info.totalram * info.mem_unit));
}

static json_t *layer(const char *word)
{
        return word ? json_string(word) : json_null();
}

static json_t *find_layers(const struct sandbox *sandbox)
{
        const struct sandbox_layers *layers = sandbox_layers(sandbox);

        return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s}", "uid", layer(layers->uid), "cgroup",
                         layer(layers->cgroup), "namespaces", layer(layers->namespaces), "seccomp",
                         layer(layers->seccomp), "rlimits", layer(layers->rlimits), "missing",
                         text_view(&layers->missing));
}

int surroundings_find(const bool asked[STAGE_COUNT], struct sandbox *sandbox,
                      struct surroundings *ret_surroundings, struct text *why)
{
        struct surroundings found = { find_host(), json_object(), find_layers(sandbox) };
        int failed = found.host && found.tools && found.sandbox ? 0 : -ENOMEM;

        if (!failed)
                failed = find_tools(asked, found.tools, why);
        if (failed)
                surroundings_fini(&found);
        else
                *ret_surroundings = found;
        return failed;
}

void surroundings_fini(struct surroundings *surroundings)
{
        json_decref(surroundings->host);
        json_decref(surroundings->tools);
        json_decref(surroundings->sandbox);
        *surroundings = (struct surroundings){ 0 };
}
