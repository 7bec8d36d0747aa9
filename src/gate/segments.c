/* SPDX-License-Identifier: Apache-2.0 */
/* Exists so that a rule which holds for 300 s can be seen ringing without waiting for 300 s. */
#include "gate/segments.h"
#include "base/error.h"
#include "gate/insider.h"
#include "watch/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Any moment will do that is not 0, which means "never" to a target. */
#define BEGAN_NS (1000 * CLOCK_S_NS)

struct segments {
        int dir_fd;
        uid_t owner;
        const char *program; /* NULL: nobody looks inside */
        uint64_t pid;
        pid_t host_pid;
        uint64_t now_s;
        struct target *targets[segments_file_max];
        size_t target_count;
        struct toc_record *probes; /* of all targets, in order */
        bool *moved;
        size_t probe_count;
        struct session_rang *rang;
        size_t rang_count;
        struct insider *insider; /* NULL until there is something to look at */
};

int segments_new(int dir_fd, uid_t owner, const char *program, struct segments **ret_segments)
{
        struct segments *segments = calloc(1, sizeof(*segments));

        if (!segments)
                return -ENOMEM;
        segments->dir_fd = dir_fd;
        segments->owner = owner;
        segments->program = program;
        *ret_segments = segments;
        return 0;
}

void segments_begin(struct segments *segments, uint64_t pid, pid_t host_pid)
{
        for (size_t i = 0; i < segments->target_count; i++)
                target_free(&segments->targets[i]);
        free(segments->probes);
        free(segments->moved);
        free(segments->rang);
        insider_free(&segments->insider);
        *segments = (struct segments){ .dir_fd = segments->dir_fd,
                                       .owner = segments->owner,
                                       .program = segments->program,
                                       .pid = pid,
                                       .host_pid = host_pid };
}

void segments_free(struct segments **address)
{
        struct segments *segments = *address;

        if (!segments)
                return;
        segments_begin(segments, 0, 0);
        (void)close(segments->dir_fd); /* read only */
        free(segments);
        *address = NULL;
}

/* ---- Finding -------------------------------------------------------------- */

static bool is_ours(const struct segments *segments, const char *name)
{
        char prefix[32];
        size_t length = strlen(name);

        (void)snprintf(prefix, sizeof(prefix), "%llu-", (unsigned long long)segments->pid);
        if (length < 4 || strcmp(name + length - 4, ".seg") != 0 ||
            strncmp(name, prefix, strlen(prefix)) != 0)
                return false;
        for (size_t i = 0; i < segments->target_count; i++)
                if (strcmp(segments->targets[i]->name, name) == 0)
                        return false;
        return true;
}

static int take_file(struct segments *segments, const char *name, const char **ret_why)
{
        int outcome;

        if (segments->target_count == segments_file_max) {
                *ret_why = "one case has more segments than a process can have";
                return SEGMENTS_BROKEN;
        }
        outcome = target_new(segments->dir_fd, name, &segments->owner, 1,
                             &segments->targets[segments->target_count], ret_why);
        if (outcome == -ENOENT)
                return 0;
        if (outcome)
                return outcome < 0 ? outcome : SEGMENTS_BROKEN;
        segments->target_count++;
        return 0;
}

static int find_files(struct segments *segments, const char **ret_why)
{
        int fd = openat(segments->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);
        int outcome = 0, seen = 0;
        struct dirent *entry;

        if (!folder) {
                outcome = error_last();
                if (fd >= 0)
                        (void)close(fd);
                return outcome;
        }
        while (!outcome && (entry = readdir(folder))) {
                if (++seen > segments_entry_max) {
                        *ret_why = "the folder of segments was filled with files";
                        outcome = SEGMENTS_BROKEN;
                } else if (is_ours(segments, entry->d_name)) {
                        outcome = take_file(segments, entry->d_name, ret_why);
                }
        }
        (void)closedir(folder);
        return outcome;
}

/* ---- Judging -------------------------------------------------------------- */

static bool has_rung(const struct segments *segments, const struct rule_view *rule)
{
        for (size_t i = 0; i < segments->rang_count; i++)
                if (memcmp(&segments->rang[i].record, rule->record, sizeof(*rule->record)) == 0 &&
                    memcmp(&segments->rang[i].rule, rule->rule, sizeof(*rule->rule)) == 0)
                        return true;
        return false;
}

static int remember_rang(struct segments *segments, const struct rule_change *changes, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                const struct rule_view *rule = &changes[i].now;
                struct session_rang *rang;

                if (rule->state != RULE_FIRING || segments->rang_count == session_rang_max ||
                    has_rung(segments, rule))
                        continue;
                rang = reallocarray(segments->rang, segments->rang_count + 1, sizeof(*rang));
                if (!rang)
                        return -ENOMEM;
                segments->rang = rang;
                rang[segments->rang_count++] = (struct session_rang){ .record = *rule->record,
                                                                      .rule = *rule->rule,
                                                                      .at_s = segments->now_s };
        }
        return 0;
}

/* A gauge begins unset, all others at 0. */
static bool has_moved(const struct segment_view *view, uint32_t row)
{
        const uint64_t *cells = segment_cells(view, row);
        bool is_gauge = view->rows[row].record->kind == toc_kind_gauge;

        for (uint32_t i = 0; i < toc_words_(view->rows[row].record->kind); i++)
                if (cells[i] != (is_gauge ? (uint64_t)TOC_GAUGE_UNSET_ : 0))
                        return !is_gauge || cells[i] != 0;
        return false;
}

static int remember_moved(struct segments *segments)
{
        size_t count = 0, at = 0;
        struct toc_record *probes;
        bool *moved;

        for (size_t i = 0; i < segments->target_count; i++)
                count += segments->targets[i]->known_rows;
        probes = reallocarray(segments->probes, count + 1, sizeof(*probes));
        if (!probes)
                return -ENOMEM;
        segments->probes = probes;
        moved = reallocarray(segments->moved, count + 1, sizeof(*moved));
        if (!moved)
                return -ENOMEM;
        segments->moved = moved;
        for (size_t i = 0; i < segments->target_count; i++) {
                const struct target *target = segments->targets[i];

                for (uint32_t row = 0; row < target->known_rows; row++, at++) {
                        bool moved_before = at < segments->probe_count && moved[at];

                        probes[at] = *target->view->rows[row].record;
                        moved[at] =
                                moved_before || (target->is_ready && has_moved(target->view, row));
                }
        }
        segments->probe_count = count;
        return 0;
}

/* One look at all cells; at is_tick, the rules remember it. */
static int judge(struct segments *segments, bool is_tick, const char **ret_why)
{
        const uint64_t now_ns = BEGAN_NS + segments->now_s * CLOCK_S_NS;

        for (size_t i = 0; i < segments->target_count; i++) {
                const struct rule_change *changes = NULL;
                size_t count = 0;
                int outcome;

                if (!segments->targets[i]->is_ready)
                        continue;
                outcome = target_judge(segments->targets[i], now_ns, is_tick, &changes, &count,
                                       ret_why);
                if (!outcome)
                        outcome = remember_rang(segments, changes, count);
                if (outcome)
                        return outcome < 0 ? outcome : SEGMENTS_BROKEN;
        }
        return 0;
}

/* Budgets stand in the candidate's own segment, and what they are about in the library's. */
static int look_inside(struct segments *segments, const char **ret_why)
{
        int outcome = 0;

        for (size_t i = 0; i < segments->target_count && segments->program && !outcome; i++) {
                const struct target *target = segments->targets[i];

                if (!target->is_ready || !segment_has_inside(target->view))
                        continue;
                if (!segments->insider)
                        outcome = insider_new(segments->host_pid, segments->program,
                                              &segments->insider);
                if (!outcome)
                        outcome = insider_look(segments->insider, target->view, ret_why);
                break; /* a second one is none of ours */
        }
        for (size_t i = 0; i < segments->target_count && segments->insider; i++) {
                segments->targets[i]->see_module = insider_module;
                segments->targets[i]->seer = segments->insider;
        }
        return outcome;
}

static int refresh(struct segments *segments, const char **ret_why)
{
        int outcome = find_files(segments, ret_why);

        for (size_t i = 0; i < segments->target_count && !outcome; i++) {
                outcome = target_refresh(segments->targets[i], BEGAN_NS,
                                         BEGAN_NS + segments->now_s * CLOCK_S_NS, ret_why);
                if (outcome == SEGMENT_UNFINISHED)
                        outcome = 0;
        }
        if (!outcome)
                outcome = look_inside(segments, ret_why);
        return outcome > 0 ? SEGMENTS_BROKEN : outcome;
}

int segments_tick(struct segments *segments, uint64_t seconds, const char **ret_why)
{
        int outcome = refresh(segments, ret_why);

        if (!seconds && !outcome)
                outcome = judge(segments, false, ret_why);
        for (uint64_t i = 0; i < seconds && !outcome; i++) {
                segments->now_s++;
                outcome = judge(segments, true, ret_why);
        }
        return outcome ? outcome : remember_moved(segments);
}

int segments_last(struct segments *segments, const char **ret_why)
{
        int outcome = refresh(segments, ret_why);

        if (!outcome)
                outcome = judge(segments, false, ret_why);
        if (!outcome && segments->program && !segments->insider) {
                *ret_why = "libtocsin-inside did not come along, so nobody saw inside it";
                return SEGMENTS_BLIND;
        }
        return outcome ? outcome : remember_moved(segments);
}

int segments_collect(struct segments *segments, struct session_verdict *verdict)
{
        verdict->ticked_s = segments->now_s;
        verdict->probes = segments->probes;
        verdict->moved = segments->moved;
        verdict->probe_count = segments->probe_count;
        verdict->rang = segments->rang;
        verdict->rang_count = segments->rang_count;
        if (segments->insider)
                insider_collect(segments->insider, verdict);
        segments->probes = NULL;
        segments->moved = NULL;
        segments->rang = NULL;
        segments->probe_count = segments->rang_count = 0;
        return 0;
}
