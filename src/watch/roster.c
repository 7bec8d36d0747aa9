/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because processes come and go, and one bad file among them must not stop the others.
 */
#include "watch/roster.h"

#include "base/error.h"
#include "watch/leak.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

int roster_init(struct roster *roster, int dir_fd, struct report *report, uint64_t began_ns)
{
        *roster = (struct roster){
                .dir_fd = dir_fd,
                .report = report,
                .began_ns = began_ns,
                .owners = { geteuid() },
                .owner_count = 1,
                .next_number = 1, /* 0 is the program as a whole */
        };
        roster->entries = calloc(roster_entry_max, sizeof(*roster->entries));
        roster->ignored = calloc(roster_ignored_max, sizeof(*roster->ignored));
        roster->news = calloc(segment_slot_max, sizeof(*roster->news));
        if (!roster->entries || !roster->ignored || !roster->news) {
                roster_fini(roster);
                return -ENOMEM;
        }
        return 0;
}

void roster_fini(struct roster *roster)
{
        for (size_t i = 0; roster->entries && i < roster->count; i++) {
                seer_free(&roster->entries[i].seer);
                target_free(&roster->entries[i].target);
        }
        for (size_t i = 0; roster->ignored && i < roster->ignored_count; i++)
                free(roster->ignored[i]);
        free(roster->entries);
        free(roster->ignored);
        free(roster->news);
        *roster = (struct roster){ .dir_fd = -1 };
}

/* ---- Saying what is wrong ------------------------------------------------- */

/* One line for people, and one event. */
static void complain(struct roster *roster, const char *name, const char *problem)
{
        voice_say(roster->report->voice, VOICE_WARNING, "segment %s: %s", name, problem);
}

static void say_outcome(struct roster *roster, struct roster_entry *entry, int outcome,
                        const char *why)
{
        BASE_SCOPE(text_fini) struct text problem = TEXT_INIT(256);

        if (entry->has_said_broken)
                return;
        entry->has_said_broken = true;
        text_printf(&problem, "%s; it is not read any more",
                    why && outcome > 0 ? why : error_text(outcome));
        complain(roster, entry->target->name, text_view(&problem));
}

static void say_limits(struct roster *roster, struct roster_entry *entry)
{
        const struct target *target = entry->target;
        struct voice *voice = roster->report->voice;

        if (target->ignored_rows && !entry->has_said_ignored)
                voice_say(voice, VOICE_WARNING,
                          "%s[%d]: %" PRIu32 " of its probes cannot be judged and are ignored; "
                          "the first: %s (tocsin rules names them all)",
                          target->program, (int)target->pid, target->ignored_rows,
                          target->ignored_why);
        entry->has_said_ignored |= target->ignored_rows > 0;
        if (target->view->is_cut && !entry->has_said_cut)
                voice_say(voice, VOICE_WARNING,
                          "%s[%d]: its segment is larger than tocsin reads; "
                          "what lies beyond is not watched",
                          target->program, (int)target->pid);
        entry->has_said_cut |= target->view->is_cut;
        if (target->view->header.threads_private && !entry->has_said_private)
                voice_say(voice, VOICE_WARNING,
                          "%s[%d]: threads found no room in its segment and "
                          "count unseen; is the tmpfs full, or has the program changed its user or "
                          "its file-size limit?",
                          target->program, (int)target->pid);
        entry->has_said_private |= target->view->header.threads_private > 0;
}

static void say_gave_up(struct roster *roster, struct roster_entry *entry)
{
        if (seer_gave_up(entry->seer) && !entry->has_said_gave_up)
                voice_say(roster->report->voice, VOICE_WARNING,
                          "%s[%d]: leak check gave up: its memory could not be read in %d s",
                          entry->target->program, (int)entry->target->pid, leak_look_max_s);
        entry->has_said_gave_up |= seer_gave_up(entry->seer);
}

/* ---- Finding -------------------------------------------------------------- */

static bool is_segment_name(const char *name)
{
        size_t length = strlen(name);

        return length > 4 && length <= target_name_max && strcmp(name + length - 4, ".seg") == 0;
}

static bool is_known(const struct roster *roster, const char *name)
{
        for (size_t i = 0; i < roster->count; i++)
                if (strcmp(roster->entries[i].target->name, name) == 0)
                        return true;
        for (size_t i = 0; i < roster->ignored_count; i++)
                if (strcmp(roster->ignored[i], name) == 0)
                        return true;
        return false;
}

static void say_full(struct roster *roster)
{
        if (!roster->has_said_full)
                voice_say(roster->report->voice, VOICE_WARNING,
                          "more than %d processes have segments; the others are not watched",
                          (int)roster_entry_max);
        roster->has_said_full = true;
}

static bool ignore(struct roster *roster, const char *name)
{
        char *copy = roster->ignored_count < roster_ignored_max ? strdup(name) : NULL;

        if (copy)
                roster->ignored[roster->ignored_count++] = copy;
        else
                say_full(roster);
        return copy;
}

static void meet(struct roster *roster, const char *name)
{
        struct target *target = NULL;
        const char *why = "";
        int outcome;

        if (roster->count == roster_entry_max) {
                say_full(roster);
                return;
        }
        outcome = target_new(roster->dir_fd, name, roster->owners, roster->owner_count, &target,
                             &why);
        if (outcome == -ENOENT || outcome == -ENOMEM || outcome == -EMFILE)
                return; /* gone already, or there will be room later */
        if (outcome) {
                if (ignore(roster, name))
                        complain(roster, name, outcome > 0 ? why : error_text(outcome));
                return;
        }
        roster->entries[roster->count++] =
                (struct roster_entry){ .target = target, .number = roster->next_number++ };
}

static void scan(struct roster *roster)
{
        int fd = openat(roster->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        unsigned looked_at = 0;

        if (!dir) {
                if (fd >= 0)
                        (void)close(fd); /* read only */
                return;                  /* the next tick tries again */
        }
        while (looked_at++ < 4 * (roster_entry_max + roster_ignored_max)) {
                struct dirent *entry = readdir(dir);

                if (!entry)
                        break;
                if (is_segment_name(entry->d_name) && !is_known(roster, entry->d_name))
                        meet(roster, entry->d_name);
        }
        (void)closedir(dir); /* read only */
}

/* ---- Visiting ------------------------------------------------------------- */

static struct report_source source_of(const struct roster_entry *entry)
{
        return (struct report_source){ .number = entry->number,
                                       .program = entry->target->program,
                                       .pid = entry->target->pid,
                                       .target = entry->target };
}

static struct report_source seer_source_of(const struct roster_entry *entry)
{
        struct report_source source = source_of(entry);

        source.number = entry->seer_number;
        source.seer = entry->seer;
        return source;
}

/* A number is a process only together with what it is counted in. */
static bool is_same_process(const struct target *one, const struct target *other)
{
        return one->pid == other->pid &&
               one->view->header.pid_namespace == other->view->header.pid_namespace;
}

/* Budgets of modules stand in the program's own segment, and what they are about in another. */
static void join(struct roster *roster, struct target *target)
{
        target->see_module = NULL;
        for (size_t i = 0; i < roster->count; i++) {
                if (!roster->entries[i].seer || roster->entries[i].target->is_broken ||
                    !is_same_process(roster->entries[i].target, target))
                        continue;
                target->see_module = seer_module;
                target->seer = roster->entries[i].seer;
        }
}

static const struct toc_rule *budget_of(void *context, pid_t pid, const char *module)
{
        const struct roster *roster = context;
        const struct toc_rule *budget = NULL;

        for (size_t i = 0; i < roster->count && !budget; i++)
                if (roster->entries[i].target->pid == pid && roster->entries[i].target->is_ready)
                        budget = target_budget(roster->entries[i].target, module,
                                               toc_signal_live_bytes);
        return budget;
}

static uint64_t beats_of(const struct roster *roster, const struct target *inside)
{
        uint64_t beats = 0;

        for (size_t i = 0; i < roster->count; i++) {
                struct target *target = roster->entries[i].target;

                if (target != inside && target->is_ready && !target->is_broken &&
                    is_same_process(target, inside))
                        beats += target_beats(target);
        }
        return beats;
}

static int see_inside(struct roster *roster, struct roster_entry *entry, uint64_t now_ns,
                      bool is_tick, const char **ret_why)
{
        struct target *target = entry->target;
        const struct rule_change *changes = NULL;
        size_t count = 0;
        struct report_source source;
        int outcome = 0;

        if (!segment_has_inside(target->view))
                return 0;
        if (!entry->seer) {
                outcome = seer_new(target->is_here ? target->pid : 0, roster->began_ns, budget_of,
                                   roster, &entry->seer);
                if (outcome)
                        return outcome;
                entry->seer_number = roster->next_number++;
                roster->seer_count++;
        }
        seer_hear(entry->seer, beats_of(roster, target));
        if (is_tick)
                outcome = seer_tick(entry->seer, target->view, now_ns, &changes, &count, ret_why);
        else
                outcome = seer_glance(entry->seer, target->view, now_ns, &changes, &count, ret_why);
        say_gave_up(roster, entry);
        target->is_broken |= outcome > 0; /* what contradicts itself once is not read again */
        source = seer_source_of(entry);
        if (!outcome)
                report_changes(roster->report, &source, now_ns, changes, count);
        return outcome;
}

/* A process that has become another program left its old segment behind. */
static void doubt_older(struct roster *roster, const struct roster_entry *newer)
{
        for (size_t i = 0; i < roster->count; i++)
                if (&roster->entries[i] != newer && roster->entries[i].target->is_ready &&
                    roster->entries[i].target->pid == newer->target->pid)
                        roster->entries[i].target->maps_due_ns = 0;
}

static int refresh(struct roster *roster, struct roster_entry *entry, uint64_t now_ns,
                   const char **ret_why)
{
        struct target *target = entry->target;
        bool was_ready = target->is_ready;
        int outcome = target_refresh(target, roster->began_ns, now_ns, ret_why);

        if (!was_ready && target->is_ready) {
                roster->ready_count++;
                doubt_older(roster, entry);
        }
        if (!outcome)
                say_limits(roster, entry);
        return outcome;
}

/* Cells first: what has been counted there has, but for a moment, been reported as event too. */
static int read_and_report(struct roster *roster, struct roster_entry *entry, uint64_t now_ns,
                           bool is_tick, const char **ret_why)
{
        const struct rule_change *changes = NULL;
        size_t change_count = 0, news_count = 0;
        struct report_source source = source_of(entry);
        int outcome =
                target_judge(entry->target, now_ns, is_tick, &changes, &change_count, ret_why);
        int failed = target_read_events(entry->target, roster->news, segment_slot_max, &news_count,
                                        ret_why);

        if (!failed)
                for (size_t i = 0; i < news_count; i++)
                        report_news(roster->report, &source, now_ns, &roster->news[i]);
        segment_forget_events(entry->target->view);
        if (!outcome)
                report_changes(roster->report, &source, now_ns, changes, change_count);
        return outcome ? outcome : failed;
}

static void visit(struct roster *roster, struct roster_entry *entry, uint64_t now_ns, bool is_tick)
{
        const char *why = NULL;
        int outcome;

        if (entry->target->is_broken)
                return;
        outcome = refresh(roster, entry, now_ns, &why);
        if (outcome == SEGMENT_UNFINISHED)
                return;
        join(roster, entry->target);
        if (!outcome)
                outcome = read_and_report(roster, entry, now_ns, is_tick, &why);
        if (!outcome)
                outcome = see_inside(roster, entry, now_ns, is_tick, &why);
        if (outcome)
                say_outcome(roster, entry, outcome, why);
}

/* Its last words have been read. The file goes, so that a program which starts many processes does
 * not fill the tmpfs; one that we could not read stays, to be looked at. */
static void retire(struct roster *roster, size_t index, uint64_t now_ns)
{
        struct roster_entry *entry = &roster->entries[index];
        struct report_source source = source_of(entry);

        report_ended(roster->report, &source, now_ns, entry->target->rules, NULL);
        if (entry->seer) {
                source = seer_source_of(entry);
                if (!entry->target->is_broken)
                        report_inside(roster->report, &source, entry->seer);
                report_ended(roster->report, &source, now_ns, seer_rules(entry->seer), NULL);
                seer_free(&entry->seer);
                roster->seer_count--;
        }
        if (!entry->target->is_broken)
                (void)unlinkat(roster->dir_fd, entry->target->name, 0); /* gone is as good */
        target_free(&entry->target);
        *entry = roster->entries[--roster->count];
}

/* No process is known to stand behind it, so nothing would ever end it. */
static void drop(struct roster *roster, size_t index)
{
        (void)ignore(roster, roster->entries[index].target->name); /* else it is met again */
        target_free(&roster->entries[index].target);
        roster->entries[index] = roster->entries[--roster->count];
}

void roster_visit(struct roster *roster, uint64_t now_ns, bool is_tick)
{
        scan(roster);
        for (size_t i = 0; i < roster->count; i++)
                visit(roster, &roster->entries[i], now_ns, is_tick);
        for (size_t i = roster->count; i-- > 0;) {
                struct target *target = roster->entries[i].target;

                if (target->is_broken && !target->is_ready) {
                        drop(roster, i);
                } else if (target_has_ended(target, now_ns)) {
                        visit(roster, &roster->entries[i], now_ns, false);
                        retire(roster, i, now_ns);
                }
        }
}

void roster_glance(struct roster *roster, uint64_t now_ns)
{
        for (size_t i = 0; i < roster->count; i++) {
                struct roster_entry *entry = &roster->entries[i];
                const char *why = NULL;
                int outcome;

                if (!entry->seer || entry->target->is_broken)
                        continue;
                /* Threads that have begun since may be those that wait for each other. */
                outcome = refresh(roster, entry, now_ns, &why);
                if (!outcome)
                        outcome = see_inside(roster, entry, now_ns, false, &why);
                if (outcome)
                        say_outcome(roster, entry, outcome, why);
        }
}

void roster_append_biggest(const struct roster *roster, pid_t pid, struct text *into)
{
        for (size_t i = 0; i < roster->count; i++)
                if (roster->entries[i].seer && roster->entries[i].target->pid == pid)
                        seer_append_biggest(roster->entries[i].seer, into);
}

void roster_retire(struct roster *roster, uint64_t now_ns)
{
        scan(roster);
        for (size_t i = roster->count; i-- > 0;) {
                visit(roster, &roster->entries[i], now_ns, false);
                retire(roster, i, now_ns);
        }
}
