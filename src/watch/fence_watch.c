/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a limit that nobody sees coming is an outage with a reason. */
#include "watch/fence_watch.h"

#include "watch/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { MEMORY, PIDS, FILES, THROTTLED, IO, MEMORY_STALLED, IO_STALLED, HIT, OOM, ROWS };
enum { throttle_s = 10, io_s = 10, hit_s = 60, full_permille = 950, horizon_s = 3600 };

/* Of those that nobody limits or counts there is no row: 0 would say that all is well. */
static const struct {
        const char *name;
        unsigned roles; /* any of them is limited and counted; 0: always */
        bool needs_pressure;
        int64_t limit;
        uint32_t hold_s;
        uint8_t severity;
        const char *meaning;
        const char *help;
} rows[ROWS] = {
        [MEMORY] = { "memory_permille", CGROUP_MEMORY, false, 900, 2, TOC_WARN,
                     "memory is nearly at its limit", "Memory in use, of the fence's limit" },
        [PIDS] = { "pids_permille", CGROUP_PIDS, false, 900, 0, TOC_WARN,
                   "processes are nearly at their limit",
                   "Processes and threads, of the fence's limit" },
        [FILES] = { "files_permille", 0, false, 900, 0, TOC_WARN,
                    "descriptors are nearly at their limit",
                    "Open descriptors, of the program's limit" },
        [THROTTLED] = { "throttled_permille", CGROUP_CPU, false, 500, 30, TOC_NOTE,
                        "it wants more of the processor than its limit allows",
                        "Periods in which its share of the processor was used up" },
        [IO] = { "io_permille", CGROUP_IO, false, 900, 30, TOC_NOTE,
                 "it reads or writes as fast as its limit allows",
                 "Bytes read or written, the more of both, of the limit, over ten seconds" },
        [MEMORY_STALLED] = { "memory_stalled_permille", CGROUP_MEMORY, true, 100, 10, TOC_WARN,
                             "it waits for memory: what it needs does not fit into its limit",
                             "Time in which some thread waited for memory, over ten seconds" },
        [IO_STALLED] = { "io_stalled_permille", CGROUP_IO, true, 500, 30, TOC_NOTE,
                         "it waits for the disk most of the time",
                         "Time in which some thread waited for the disk, over ten seconds" },
        [HIT] = { "limit_hit", CGROUP_MEMORY | CGROUP_PIDS, false, 0, 0, TOC_WARN,
                  "a limit of the fence was hit",
                  "Memory or processes refused in the last minute" },
        [OOM] = { "oom", CGROUP_MEMORY, false, 0, 0, TOC_PAGE,
                  "the kernel killed it for its memory limit", "Kills for the memory limit" },
};

struct fence_watch {
        struct rule_set *rules;
        int64_t values[ROWS];
        struct rule_sample samples[ROWS];
        uint32_t count; /* of rows and samples */
        struct cgroup_counts counts;
        struct cgroup_home home; /* of a scope, which is not ours */
        struct cgroup scope;
        uint64_t kills_around; /* when it was found */
        uint64_t periods[throttle_s + 1], throttled[throttle_s + 1];
        uint64_t read[io_s + 1], written[io_s + 1];
        uint64_t memory_hits[hit_s + 1], process_hits[hit_s + 1];
        uint64_t refusals, memory_hit_count;
        uint64_t ticks;
};

static int add_row(struct fence_watch *watch, uint32_t which, uint64_t began_ns)
{
        struct toc_record record = {
                .version = 1,
                .kind = toc_kind_gauge,
                .module = "process",
                .rule[0] = { .limit = rows[which].limit,
                             .clear_at = TOC_NO_CLEAR_LEVEL_,
                             .hold_s = rows[which].hold_s,
                             .signal = toc_signal_value,
                             .op = TOC_ABOVE_,
                             .severity = rows[which].severity },
        };
        uint32_t row = 0;

        if (which == MEMORY)
                record.rule[1] = (struct toc_rule){
                        .limit = horizon_s,
                        .capacity = 1000,
                        .clear_at = TOC_NO_CLEAR_LEVEL_,
                        .signal = toc_signal_exhausts_s,
                        .op = TOC_BELOW_,
                        .severity = TOC_WARN,
                        .meaning = "memory will be at its limit, if it goes on so"
                };
        (void)snprintf(record.name, sizeof(record.name), "%s", rows[which].name);
        (void)snprintf(record.help, sizeof(record.help), "%s", rows[which].help);
        (void)snprintf(record.rule[0].meaning, sizeof(record.rule[0].meaning), "%s",
                       rows[which].meaning);
        watch->samples[watch->count++].cells = (const uint64_t *)&watch->values[which];
        return rule_set_add(watch->rules, &record, began_ns, true, &row);
}

static bool is_known(uint32_t which, const struct fence *fence)
{
        if (rows[which].roles && !(rows[which].roles & fence->counted))
                return false;
        return !rows[which].needs_pressure || fence_is_scope(fence) ||
               cgroup_has_pressure(&fence->group);
}

int fence_watch_new(const struct fence *fence, uint64_t began_ns, struct fence_watch **ret_watch)
{
        struct fence_watch *watch = calloc(1, sizeof(*watch));
        int failed = watch ? rule_set_new(&watch->rules, began_ns) : -ENOMEM;

        for (uint32_t i = 0; i < ROWS && !failed; i++)
                if (is_known(i, fence))
                        failed = add_row(watch, i, began_ns);
        if (failed) {
                fence_watch_free(&watch);
                return failed;
        }
        *ret_watch = watch;
        return 0;
}

void fence_watch_free(struct fence_watch **address)
{
        struct fence_watch *watch = *address;

        if (!watch)
                return;
        rule_set_free(&watch->rules);
        cgroup_leave(&watch->home, &watch->scope);
        free(watch);
        *address = NULL;
}

const struct rule_set *fence_watch_rules(const struct fence_watch *watch)
{
        return watch->rules;
}

bool fence_watch_outlives(const struct rule_view *rule)
{
        return strcmp(rule->record->name, rows[OOM].name) == 0;
}

/* ---- Numbers -------------------------------------------------------------- */

static int64_t permille(uint64_t part, uint64_t whole)
{
        return whole ? (int64_t)((double)part * 1000 / (double)whole) : 0;
}

static int64_t files_permille(pid_t pid)
{
        struct rlimit limit;
        char path[64];
        uint64_t count = 0;
        DIR *folder;

        (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
        folder = opendir(path);
        if (!folder)
                return 0;
        while (readdir(folder))
                count++;
        (void)closedir(folder); /* read only */
        if (count < 2 || prlimit(pid, RLIMIT_NOFILE, NULL, &limit))
                return 0;
        return permille(count - 2, limit.rlim_cur);
}

static uint64_t since(const uint64_t *past, uint64_t ticks, uint64_t seconds)
{
        uint64_t now = past[ticks % (seconds + 1)];
        uint64_t then = past[(ticks > seconds ? ticks - seconds : 0) % (seconds + 1)];

        return now > then ? now - then : 0;
}

/* In the last minute and since: who is refused a process may end for it, before the next tick. */
static uint64_t processes_refused(const struct fence_watch *watch)
{
        uint64_t ago = watch->ticks > hit_s ? watch->ticks - hit_s : 0;
        uint64_t now = watch->counts.process_refusals,
                 then = watch->process_hits[ago % (hit_s + 1)];

        return now > then ? now - then : 0;
}

/* Reads and writes have a limit each, of the same size. */
static uint64_t transferred(const struct fence_watch *watch)
{
        uint64_t read = since(watch->read, watch->ticks, io_s);
        uint64_t written = since(watch->written, watch->ticks, io_s);

        return read > written ? read : written;
}

/* NULL: there is none, or it is not known yet. */
static const struct cgroup *group_of(struct fence_watch *watch, const struct fence *fence,
                                     pid_t pid)
{
        if (fence->group.home)
                return &fence->group;
        if (!fence_is_scope(fence))
                return NULL;
        if (!watch->scope.home && !cgroup_visit(pid, &watch->home, &watch->scope)) {
                watch->kills_around = cgroup_kills_around(&watch->scope);
                watch->scope.io_device = fence->limits.io_bytes ? fence->io_device : 0;
        }
        return watch->scope.home ? &watch->scope : NULL;
}

/* systemd removes a scope as soon as nobody is left in it, and with it what it counted. The kills
 * of its slice stay; another scope's at the same moment would be taken for ours. */
static void count_gone(struct fence_watch *watch)
{
        uint64_t kills = cgroup_kills_around(&watch->scope);

        if (kills > watch->kills_around && watch->counts.oom_kills == 0)
                watch->counts.oom_kills = kills - watch->kills_around;
        watch->values[OOM] = (int64_t)watch->counts.oom_kills;
}

/* What is told by how it has changed over some seconds. */
static void count_tick(struct fence_watch *watch, const struct fence_limits *limits)
{
        const struct cgroup_counts *counts = &watch->counts;

        watch->ticks++;
        watch->periods[watch->ticks % (throttle_s + 1)] = counts->cpu_periods;
        watch->throttled[watch->ticks % (throttle_s + 1)] = counts->cpu_throttled;
        watch->read[watch->ticks % (io_s + 1)] = counts->io_read_bytes;
        watch->written[watch->ticks % (io_s + 1)] = counts->io_written_bytes;
        watch->values[MEMORY] = permille(counts->memory_bytes, limits->memory_bytes);
        /* Whoever reads files meets the limit all the time, and what is cached makes room. */
        if (watch->values[MEMORY] > full_permille)
                watch->memory_hit_count += counts->memory_refusals - watch->refusals;
        watch->refusals = counts->memory_refusals;
        watch->memory_hits[watch->ticks % (hit_s + 1)] =
                limits->memory_bytes ? watch->memory_hit_count : 0;
        watch->process_hits[watch->ticks % (hit_s + 1)] = counts->process_refusals;
        watch->values[PIDS] = permille(counts->processes, limits->processes);
        watch->values[MEMORY_STALLED] = (int64_t)counts->memory_stalled;
        watch->values[IO_STALLED] = (int64_t)counts->io_stalled;
        watch->values[THROTTLED] = permille(since(watch->throttled, watch->ticks, throttle_s),
                                            since(watch->periods, watch->ticks, throttle_s));
        watch->values[IO] = permille(transferred(watch), limits->io_bytes * io_s);
}

static void count(struct fence_watch *watch, const struct fence *fence, pid_t pid, bool is_tick)
{
        const struct cgroup *group = group_of(watch, fence, pid);
        const struct fence_limits *limits = &fence->limits;
        struct cgroup_counts *counts = &watch->counts;

        watch->values[FILES] = files_permille(pid);
        if (!group)
                return;
        if (group == &watch->scope && !cgroup_is_there(group)) {
                count_gone(watch);
                return;
        }
        cgroup_count(group, counts);
        if (!limits->processes)
                counts->process_refusals = 0;
        watch->values[OOM] = (int64_t)counts->oom_kills;
        if (is_tick)
                count_tick(watch, limits);
        watch->values[HIT] = (int64_t)(since(watch->memory_hits, watch->ticks, hit_s) +
                                       processes_refused(watch));
}

int fence_watch_judge(struct fence_watch *watch, const struct fence *fence, pid_t pid,
                      uint64_t now_ns, bool is_tick, const struct rule_change **ret_changes,
                      size_t *ret_count)
{
        count(watch, fence, pid, is_tick);
        if (!is_tick)
                return rule_set_peek(watch->rules, now_ns, watch->samples, watch->count,
                                     ret_changes, ret_count);
        return rule_set_tick(watch->rules, now_ns, watch->samples, watch->count, ret_changes,
                             ret_count);
}

/* Which of them were hit in the last minute. */
static const char *hit_limit(const struct fence_watch *watch)
{
        bool has_memory = since(watch->memory_hits, watch->ticks, hit_s) > 0;

        if (processes_refused(watch))
                return has_memory ? "memory, pids" : "pids";
        return has_memory ? "memory" : "";
}

json_t *fence_watch_details(const struct fence_watch *watch, const struct rule_view *rule,
                            const char *biggest)
{
        const struct cgroup_counts *counts = &watch->counts;
        uint32_t which = 0;
        json_t *details;

        while (which < ROWS && strcmp(rows[which].name, rule->record->name) != 0)
                which++;
        if (which != MEMORY && which != MEMORY_STALLED && which != HIT && which != OOM)
                return NULL;
        details =
                json_pack("{s:I, s:I, s:I, s:I}", "memory_bytes", (json_int_t)counts->memory_bytes,
                          "memory_peak_bytes", (json_int_t)counts->memory_peak_bytes,
                          "memory_refusals", (json_int_t)counts->memory_refusals,
                          "process_refusals", (json_int_t)counts->process_refusals);
        if (which == HIT)
                (void)json_object_set_new(details, "limit", json_string(hit_limit(watch)));
        if (biggest[0])
                (void)json_object_set_new(details, "biggest", json_string(biggest));
        return details;
}
