/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists to keep together what belongs to one process: the rows of its segment are numbered by the
 * writer, those of its rules by the evaluator, and events name the former.
 */
#include "watch/target.h"
#include "watch/procfs.h"

#include <errno.h>

int target_new(int dir_fd, const char *name, const uid_t *owners, size_t owner_count,
               struct target **ret_target, const char **ret_why)
{
        struct target *target = calloc(1, sizeof(*target));
        int outcome = -ENOMEM;

        if (!target)
                return -ENOMEM;
        text_init(&target->maps, procfs_snapshot_bytes_max);
        target->program = "";
        target->name = strndup(name, target_name_max);
        if (target->name)
                outcome = segment_open(dir_fd, name, owners, owner_count, &target->view, ret_why);
        if (outcome) {
                target_free(&target);
                return outcome;
        }
        *ret_target = target;
        return 0;
}

void target_free(struct target **address)
{
        struct target *target = *address;

        if (!target)
                return;
        for (uint32_t i = 0; target->latest && i < target->known_rows; i++)
                free(target->latest[i]);
        free(target->latest);
        free(target->rule_rows);
        free(target->samples);
        rule_set_free(&target->rules);
        segment_close(&target->view);
        text_fini(&target->maps);
        free(target->name);
        free(target);
        *address = NULL;
}

/* ---- Rows ----------------------------------------------------------------- */

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
        if (value < low)
                return low;
        return value > high ? high : value;
}

static int make_room(struct target *target, uint32_t rows)
{
        uint32_t *numbers = reallocarray(target->rule_rows, (size_t)rows + 1, sizeof(*numbers));
        struct segment_event **latest;

        if (!numbers)
                return -ENOMEM;
        target->rule_rows = numbers;
        latest = reallocarray(target->latest, (size_t)rows + 1, sizeof(*latest));
        if (!latest)
                return -ENOMEM;
        target->latest = latest;
        return 0;
}

static void ignore_row(struct target *target, uint32_t row, const char *why)
{
        target->rule_rows[row] = target_no_row;
        if (!target->ignored_rows++)
                target->ignored_why = why;
}

/* Rows that came with the process began with it; those of a plug-in loaded later began now. */
static int add_rows(struct target *target, uint64_t attached_ns, uint64_t now_ns)
{
        const struct segment_view *view = target->view;
        uint64_t began_ns = target->known_rows ? now_ns : attached_ns;
        uint32_t from = target->known_rows;
        int failed = 0;

        if (view->row_count == from)
                return 0;
        failed = make_room(target, view->row_count);
        for (uint32_t i = from; i < view->row_count && !failed; i++) {
                const struct segment_view_row *row = &view->rows[i];

                target->latest[i] = NULL;
                target->rule_rows[i] = target_no_row;
                target->known_rows = i + 1;
                if (row->bad)
                        ignore_row(target, i, row->bad);
                else
                        failed = rule_set_lend(target->rules, row->record, began_ns, true,
                                               &target->rule_rows[i]);
                if (failed)
                        ignore_row(target, i,
                                   failed == -ENOMEM ? "there is no room for its rules"
                                                     : "the evaluator refuses its record");
                failed = 0;
        }
        return failed;
}

static int grow_samples(struct target *target)
{
        uint32_t count = rule_set_rows(target->rules);
        struct rule_sample *samples;

        if (count <= target->sample_count)
                return 0;
        samples = reallocarray(target->samples, count, sizeof(*samples));
        if (!samples)
                return -ENOMEM;
        memset(samples + target->sample_count, 0,
               (count - target->sample_count) * sizeof(*samples));
        target->samples = samples;
        target->sample_count = count;
        return 0;
}

/* ---- Reading -------------------------------------------------------------- */

static int become_ready(struct target *target, uint64_t attached_ns, uint64_t now_ns)
{
        const struct segment_header *header = &target->view->header;
        const char *slash = strrchr(header->program, '/');
        uint64_t ours = procfs_pid_namespace();
        int failed = rule_set_new(&target->rules, attached_ns);

        if (failed)
                return failed;
        target->program = slash ? slash + 1 : header->program;
        target->pid = (pid_t)header->pid;
        target->is_here = !header->pid_namespace || !ours || header->pid_namespace == ours;
        target->is_ready = true;
        /* Not all of those that we meet at once in one tick. */
        target->maps_due_ns =
                now_ns + (1 + (uint64_t)target->pid % target_maps_every_s) * CLOCK_S_NS;
        /* While it lives: a process that crashes takes its map along. */
        if (target->is_here) {
                target->exe = procfs_exe(target->pid);
                if (procfs_maps(target->pid, target->view->inode, &target->maps) ==
                    PROCFS_NOT_MAPPED)
                        target->maps_due_ns = 0; /* it has become another program already */
        }
        return 0;
}

static int remember_break(struct target *target, int outcome)
{
        if (outcome > 0 && outcome != SEGMENT_UNFINISHED)
                target->is_broken = true;
        return outcome;
}

int target_refresh(struct target *target, uint64_t run_began_ns, uint64_t now_ns,
                   const char **ret_why)
{
        uint64_t attached_ns;
        int outcome = segment_refresh(target->view, ret_why);

        if (!target->met_ns)
                target->met_ns = now_ns;
        if (outcome == SEGMENT_UNFINISHED &&
            now_ns - target->met_ns >= target_finish_max_s * CLOCK_S_NS)
                outcome = SEGMENT_BROKEN;
        if (outcome)
                return remember_break(target, outcome);
        attached_ns = clamp(target->view->header.attached_ns, run_began_ns, now_ns);
        if (!target->is_ready)
                outcome = become_ready(target, attached_ns, now_ns);
        if (!outcome)
                outcome = add_rows(target, attached_ns, now_ns);
        return outcome ? outcome : grow_samples(target);
}

static const uint64_t *cells_of(const struct target *target, uint32_t row)
{
        const struct toc_record *record = target->view->rows[row].record;

        if (record->kind != toc_kind_module)
                return segment_cells(target->view, row);
        return target->see_module ? target->see_module(target->seer, record->module) : NULL;
}

int target_judge(struct target *target, uint64_t now_ns, bool is_tick,
                 const struct rule_change **ret_changes, size_t *ret_count, const char **ret_why)
{
        int outcome = segment_sample(target->view, ret_why);

        if (outcome)
                return remember_break(target, outcome);
        for (uint32_t i = 0; i < target->known_rows; i++) {
                struct rule_sample *sample;

                if (target->rule_rows[i] == target_no_row)
                        continue;
                sample = &target->samples[target->rule_rows[i]];
                sample->cells = cells_of(target, i);
                sample->open = segment_open_ones(target->view, i, &sample->open_count);
        }
        if (is_tick)
                return rule_set_tick(target->rules, now_ns, target->samples, target->sample_count,
                                     ret_changes, ret_count);
        return rule_set_peek(target->rules, now_ns, target->samples, target->sample_count,
                             ret_changes, ret_count);
}

int target_read_events(struct target *target, struct segment_news *into, size_t into_max,
                       size_t *ret_count, const char **ret_why)
{
        int outcome = segment_read_events(target->view, into, into_max, ret_count, ret_why);

        if (outcome)
                return remember_break(target, outcome);
        for (size_t i = 0; i < *ret_count; i++) {
                struct segment_event **latest = &target->latest[into[i].row];

                if (!*latest)
                        *latest = malloc(sizeof(**latest));
                if (*latest)
                        **latest = *into[i].event; /* without memory the alert lacks its details */
        }
        return 0;
}

/* Is this one of the sites whose reports are summed into the rule's row? */
static bool is_summed(const struct toc_record *site, const struct toc_record *sum)
{
        bool wants_warnings = strncmp(sum->name, "log_warnings", sizeof(sum->name)) == 0;

        return (site->flags & TOC_IS_USUAL_) &&
               site->kind == (wants_warnings ? toc_kind_warning : toc_kind_error) &&
               strncmp(site->module, sum->module, sizeof(site->module)) == 0;
}

const struct segment_event *target_latest(const struct target *target, const struct rule_view *rule)
{
        const struct segment_event *latest = NULL;

        for (uint32_t i = 0; i < target->known_rows; i++) {
                const struct segment_event *event = target->latest[i];

                if (!event)
                        continue;
                if (target->rule_rows[i] == rule->row)
                        return event;
                if (rule->record->kind == toc_kind_logs &&
                    is_summed(target->view->rows[i].record, rule->record) &&
                    (!latest || event->seq > latest->seq))
                        latest = event;
        }
        return latest;
}

const uint64_t *target_cells(const struct target *target, const struct rule_view *rule)
{
        for (uint32_t i = 0; i < target->known_rows; i++)
                if (target->rule_rows[i] == rule->row)
                        return segment_cells(target->view, i);
        return NULL;
}

/* ---- Life ----------------------------------------------------------------- */

/* /proc is asked about those that did not move: it takes longer than to read their cells. */
static bool is_gone(struct target *target, uint64_t now_ns)
{
        bool is_due = now_ns >= target->maps_due_ns;
        bool has_moved = target->view->has_moved;
        enum procfs_mapping mapping;
        uint64_t exe;

        target->view->has_moved = false;
        if (has_moved && !is_due)
                return false;
        exe = procfs_exe(target->pid);
        if (exe && exe == target->exe && !is_due)
                return false;
        mapping = procfs_maps(target->pid, target->view->inode, &target->maps);
        target->exe = exe;
        target->maps_due_ns = now_ns + target_maps_every_s * CLOCK_S_NS;
        return mapping == PROCFS_NOT_MAPPED;
}

uint64_t target_beats(struct target *target)
{
        uint64_t beats = 0;
        const char *why;
        bool is_read = false;

        for (uint32_t i = 0; i < target->known_rows; i++) {
                const uint64_t *cells;

                if (target->view->rows[i].record->kind != toc_kind_heartbeat)
                        continue;
                /* A thread may have begun since the last tick. The next one says what is wrong. */
                if (!is_read &&
                    (segment_refresh(target->view, &why) || segment_sample(target->view, &why)))
                        return 0;
                is_read = true;
                cells = segment_cells(target->view, i);
                beats += cells ? cells[0] : 0;
        }
        return beats;
}

const struct toc_rule *target_budget(const struct target *target, const char *module,
                                     unsigned signal)
{
        const struct toc_rule *found = NULL;
        struct rule_view view;

        for (size_t n = 0; !rule_set_view(target->rules, n, &view); n++)
                if (view.record->kind == toc_kind_module && view.rule->signal == signal &&
                    (view.rule->op & TOC_ABOVE_) && strcmp(view.record->module, module) == 0 &&
                    (!found || view.rule->limit < found->limit))
                        found = view.rule;
        return found;
}

bool target_has_ended(struct target *target, uint64_t now_ns)
{
        if (!target->is_ready)
                return false;
        if (target->view->header.state == SEGMENT_ENDED)
                return true;
        return target->is_here && is_gone(target, now_ns);
}
