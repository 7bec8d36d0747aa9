/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because whether a module holds too much, or takes locks in both orders, is judged by the
 * same eyes before it ships as after. */
#include "gate/insider.h"
#include "gate/segments.h"
#include "gate/session_tool.h"
#include "watch/procfs.h"
#include "watch/seer.h"

#include <errno.h>

struct insider {
        pid_t pid;
        const char *program;
        struct seer *seer;
        struct stack_reader *stacks; /* NULL until something has a place */
        struct session_seen *seen;
        size_t seen_count;
};

int insider_new(pid_t pid, const char *program, struct insider **ret_insider)
{
        struct insider *insider = calloc(1, sizeof(*insider));
        int failed;

        if (!insider)
                return -ENOMEM;
        *insider = (struct insider){ .pid = pid, .program = program };
        failed = seer_new(0, clock_monotonic_ns(), NULL, NULL, &insider->seer);
        if (failed) {
                insider_free(&insider);
                return failed;
        }
        *ret_insider = insider;
        return 0;
}

void insider_free(struct insider **address)
{
        struct insider *insider = *address;

        if (!insider)
                return;
        seer_free(&insider->seer);
        stack_reader_free(&insider->stacks);
        for (size_t i = 0; i < insider->seen_count; i++)
                free(insider->seen[i].details);
        free(insider->seen);
        free(insider);
        *address = NULL;
}

/* ---- Names ---------------------------------------------------------------- */

/* Where a file of the sandbox lies on the host; NULL: nowhere that we would open it. */
static const char *host_path(const struct insider *insider, const char *path)
{
        if (strcmp(path, SESSION_TOOL_PROGRAM) == 0)
                return insider->program;
        return strncmp(path, "/usr/lib", 8) == 0 ? path : NULL;
}

static void append_line(const struct insider *insider, char *line, struct text *into)
{
        char *path = strchr(line, '/');
        const char *host = path ? host_path(insider, path) : NULL;

        if (host)
                text_printf(into, "%.*s%s\n", (int)(path - line), line, host);
}

/* Its map as if it ran on the host. */
static void read_maps(const struct insider *insider, uint64_t inode, struct text *into)
{
        BASE_SCOPE(text_fini) struct text maps = TEXT_INIT(procfs_snapshot_bytes_max);
        char *rest, *line;

        if (procfs_maps(insider->pid, inode, &maps) != PROCFS_MAPPED)
                return;
        rest = maps.bytes;
        while (rest && (line = strsep(&rest, "\n")))
                append_line(insider, line, into);
}

static char *describe(struct insider *insider, const struct segment_view *view,
                      const struct rule_view *rule)
{
        BASE_SCOPE(text_fini) struct text maps = TEXT_INIT(procfs_snapshot_bytes_max);
        struct namer namer = { .maps = &maps };
        json_t *details;
        char *dump;

        if (!insider->stacks)
                (void)stack_reader_new(&insider->stacks); /* without it: numbers */
        namer.stacks = insider->stacks;
        read_maps(insider, view->inode, &maps);
        details = seer_details(insider->seer, &namer, rule);
        dump = details ? json_dumps(details, JSON_INDENT(2)) : strdup("");
        json_decref(details);
        return dump;
}

/* ---- Looking -------------------------------------------------------------- */

static bool is_told(const struct rule_view *rule)
{
        const char *name = rule->record->name;

        return strcmp(name, "deadlock") == 0 || strcmp(name, "lock_order") == 0 ||
               strcmp(name, "heap_damage") == 0;
}

static bool has_been_told(const struct insider *insider, const struct rule_view *rule)
{
        for (size_t i = 0; i < insider->seen_count; i++)
                if (memcmp(&insider->seen[i].record, rule->record, sizeof(*rule->record)) == 0)
                        return true;
        return false;
}

static int remember(struct insider *insider, const struct segment_view *view,
                    const struct rule_view *rule)
{
        struct session_seen *seen;

        if (rule->state != RULE_FIRING || !is_told(rule) || has_been_told(insider, rule))
                return 0;
        seen = reallocarray(insider->seen, insider->seen_count + 1, sizeof(*seen));
        if (!seen)
                return -ENOMEM;
        insider->seen = seen;
        seen[insider->seen_count] =
                (struct session_seen){ .record = *rule->record,
                                       .details = describe(insider, view, rule) };
        if (!seen[insider->seen_count].details)
                return -ENOMEM;
        insider->seen_count++;
        return 0;
}

int insider_look(struct insider *insider, const struct segment_view *view, const char **ret_why)
{
        const struct rule_change *changes = NULL;
        size_t count = 0;
        int outcome =
                seer_tick(insider->seer, view, clock_monotonic_ns(), &changes, &count, ret_why);

        for (size_t i = 0; i < count && !outcome; i++)
                outcome = remember(insider, view, &changes[i].now);
        return outcome > 0 ? SEGMENTS_BROKEN : outcome;
}

const uint64_t *insider_module(void *context, const char *module)
{
        const struct insider *insider = context;

        return seer_module(insider->seer, module);
}

void insider_collect(struct insider *insider, struct session_verdict *verdict)
{
        verdict->seen = insider->seen;
        verdict->seen_count = insider->seen_count;
        insider->seen = NULL;
        insider->seen_count = 0;
}
